//! Use cases over several records: each is one transaction.
//!
//! Nothing that takes long is done inside of one: writers wait for each other.

pub mod attachments;
mod ceiling;
pub mod change;
pub mod credentials;
pub mod draft;
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
