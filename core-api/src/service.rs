//! Use cases over several records: each is one transaction.
//!
//! Nothing that takes long is done inside of one: others that change the same wait for it, and on
//! SQLite everybody does.

pub mod account;
mod ceiling;
pub mod change;
pub mod gateway;
pub mod guard;
pub mod operations;
pub mod people;
