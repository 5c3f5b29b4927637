//! The region's records: what the control plane sends is read ([`ingest`]), kept as a [`record`] and
//! joined ([`assemble`]) into what a proxy is ([`region_config`]).

pub mod assemble;
pub mod ingest;
pub mod record;
pub mod region_config;
