//! All SQL. Every function that touches an organisation's records takes the organisation's id;
//! names say the record first, then the verb.

pub mod attached_state;
pub mod attachment;
pub mod ceiling;
pub mod change;
pub mod credential;
pub mod idempotency;
pub mod invite;
pub mod listing;
pub mod member;
pub mod meter;
pub mod organisation;
pub mod present;
pub mod proxy;
pub mod proxy_binding;
pub mod proxy_usage;
pub mod redaction;
pub mod region;
pub mod row;
pub mod rule;
pub mod session;
pub mod target;
#[cfg(test)]
pub(crate) mod testing;
pub mod user;
pub mod user_token;
pub mod weight;
pub mod write;

use sqlx::migrate::Migrator;

/// The schema, from nothing to now.
pub static MIGRATIONS: Migrator = sqlx::migrate!();
