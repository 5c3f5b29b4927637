//! What passed: records of calls, and what they come to.

pub mod requests;
pub mod telemetry;
pub mod usage;
pub(in crate::http::routes) mod when;
