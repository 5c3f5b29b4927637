//! The region server: one data plane's configuration, secrets and fleet.
//!
//! `region_link` and `store` bring the control plane's records in, `secrets` turns sealed secrets
//! into what the filter needs, `assemble` joins them into [`region_config::ProxyConfig`]s,
//! `publisher` translates those to Envoy resources, and `ads` serves them.

pub mod access;
pub mod ads;
pub mod assemble;
pub mod config;
pub mod http;
pub mod ingest;
pub mod keys;
pub mod meters;
pub mod metrics;
pub mod pki;
pub mod publisher;
pub mod record;
pub mod region_config;
pub mod region_link;
pub mod resource;
pub mod secret_text;
pub mod secrets;
pub mod serve;
pub mod snapshot;
pub mod status;
pub mod store;
pub mod stream;
pub mod subscription;
pub mod translate;

#[cfg(test)]
pub(crate) mod fixtures;
