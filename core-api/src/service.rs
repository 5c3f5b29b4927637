//! Use cases over several records: each is one transaction.

pub mod credentials;
pub mod proxies;
pub mod regions;
mod release;
pub mod status;
pub mod targets;
