//! What stands between callers and targets: credentials, targets, proxies, regions.

pub mod credentials;
pub mod proxies;
pub mod regions;
pub mod status;
pub mod targets;
pub mod webhooks;
