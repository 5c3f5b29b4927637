//! What stands between callers and targets: credentials, targets, proxies, regions.

pub mod consents;
pub mod credentials;
pub(crate) mod destination;
pub mod proxies;
pub mod regions;
pub(crate) mod release;
mod sealed;
pub mod slots;
pub mod target_tests;
pub mod targets;
