//! Use cases of those who look after what passes.

pub mod explain;
pub mod mark;
pub mod rehearse;
pub mod requests;
pub mod tail;
pub mod telemetry;
pub mod usage;
