//! Records, permissions and invariants: no I/O, no SQL, no HTTP.

pub mod account;
pub mod ceiling;
pub mod gateway;
pub mod guard;
pub mod id;
pub mod label;
pub mod listing;
pub mod moment;
pub mod name;
pub mod people;
pub mod random;
#[cfg(test)]
pub(crate) mod records;
pub mod version;
