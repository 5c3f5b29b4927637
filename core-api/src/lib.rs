//! The control plane: organisations, users, credentials, targets and proxies over REST, and the
//! link that streams them to their regions.

pub mod bootstrap;
pub mod config;
pub mod domain;
pub mod error;
pub mod http;
pub mod identity;
pub mod mail;
pub mod outbound;
pub mod places;
pub mod region;
pub mod serve;
pub mod service;
pub mod state;
pub mod store;
pub mod store_key;
