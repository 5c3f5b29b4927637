//! Records, permissions and invariants: no I/O, no SQL, no HTTP.

pub mod effect;
pub mod id;
pub mod moment;
pub mod name;
pub mod organisation;
pub mod permission;
pub mod problem;
pub mod random;
pub mod region;
