//! What stands between callers and targets: credentials, targets, proxies, regions.

pub mod consent;
pub mod credential;
pub mod destination;
pub mod next_secret;
pub mod proxy;
pub mod proxy_binding;
pub mod proxy_names;
pub mod region;
pub mod target;
pub mod target_health;
