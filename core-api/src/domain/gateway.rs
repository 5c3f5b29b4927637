//! What stands between callers and targets: credentials, targets, proxies.

pub mod address;
pub mod alias;
pub mod api_key;
pub mod base_url;
pub mod consent;
pub mod cors;
pub mod credential;
pub mod proxy;
pub mod region;
pub mod slot;
pub mod target;
