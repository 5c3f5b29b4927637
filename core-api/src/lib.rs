//! The control plane: organisations, users, credentials, targets and proxies over REST, and the
//! link that streams them to their regions.

pub mod app;
pub mod auth;
pub mod bootstrap;
pub mod config;
pub mod domain;
pub mod error;
pub mod fleet;
pub mod openapi;
pub mod pki;
pub mod region_link;
pub mod routes;
pub mod sealing;
pub mod serve;
pub mod service;
pub mod spec;
pub mod store;
