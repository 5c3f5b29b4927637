//! All SQL. Every function that touches an organisation's records takes the organisation's id;
//! names say the record first, then the verb.

pub mod change;
pub mod idempotency;
pub mod organisation;
pub mod present;
pub mod region;
pub mod row;
pub mod session;
#[cfg(test)]
pub(crate) mod testing;
pub mod write;

use sqlx::migrate::Migrator;

/// The schema, from nothing to now.
pub static MIGRATIONS: Migrator = sqlx::migrate!();
