//! All SQL. Every function that touches an organisation's records takes the organisation's id;
//! names say the record first, then the verb.

pub mod account;
pub mod ceiling;
pub mod gateway;
pub mod guard;
pub mod idempotency;
pub mod labels;
pub mod listing;
pub mod log;
pub mod people;
pub mod row;
#[cfg(test)]
pub(crate) mod testing;

use sqlx::migrate::Migrator;

/// The schema, from nothing to now.
pub static MIGRATIONS: Migrator = sqlx::migrate!();
