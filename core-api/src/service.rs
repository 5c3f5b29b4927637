//! Use cases over several records: each is one transaction.

pub mod attachments;
mod ceiling;
pub mod credentials;
pub mod invites;
pub mod members;
pub mod organisations;
pub mod proxies;
pub mod regions;
mod release;
pub mod sample;
pub mod status;
pub mod targets;
pub mod tokens;
pub mod weight;
