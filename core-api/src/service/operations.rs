//! Use cases of those who look after what passes.

pub mod requests;
pub mod telemetry;
