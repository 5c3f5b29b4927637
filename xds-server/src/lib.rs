//! The region server: one data plane's configuration, secrets and fleet.
//!
//! [`region_link`] and [`store`] bring the control plane's [`records`] in, through [`region`], [`secrets`] turns sealed
//! secrets into what the filter needs, [`translate`] makes Envoy resources of both, and [`xds`]
//! tells each node its own. [`node_api`] is the port that Envoys call, [`access_log`] what they tell of calls.

pub mod access;
pub mod access_log;
pub mod asynchronous;
pub mod audit;
pub mod config;
pub mod http;
pub mod keys;
pub mod last_use;
pub mod meters;
pub mod metrics;
pub mod node_api;
pub mod notices;
pub mod pki;
pub mod queue;
pub mod records;
pub mod region;
pub mod region_link;
pub mod secrets;
pub mod serve;
pub mod slots;
pub mod store;
pub mod target_tests;
pub mod terms;
pub mod tokens;
pub mod translate;
pub mod unusable;
pub mod usage;
pub mod xds;

#[cfg(test)]
pub(crate) mod fixtures;
