//! What Envoys call: discovery, meters and the question who may still be there, on one port behind
//! the node's certificate.

pub(crate) mod identity;
pub(crate) mod metrics;
mod server;

pub use self::server::{Services, Tls, serve};
