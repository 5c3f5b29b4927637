//! Envoy's configuration protocol, delta xDS: what there is, who has what of it, and what each node
//! made of it. [`stream`] is the protocol's state machine without any I/O, [`ads`] drives one for
//! each connection.

pub mod ads;
pub mod doors;
pub mod publisher;
pub mod resource;
pub mod snapshot;
pub mod status;
pub mod stream;
pub mod subscription;
