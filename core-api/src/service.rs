//! Use cases over several records: each is one transaction.
//!
//! Nothing that takes long is done inside of one: writers wait for each other.

mod ceiling;
pub mod change;
pub mod gateway;
pub mod guard;
pub mod people;
