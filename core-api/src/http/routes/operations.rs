//! What passed: records of calls.

pub mod requests;
