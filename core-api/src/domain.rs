//! Records, permissions and invariants; no I/O, no SQL.

pub mod organisation;
pub mod region;
