//! What every RequestRocket process does the same way.
//!
//! Invariant: nothing here knows the domain; it is plumbing that core-api, xds-server and the
//! supervisor share.

pub mod authority;
pub mod clock;
pub mod db;
pub mod file;
pub mod logs;
pub mod settings;
pub mod tasks;
#[cfg(feature = "testing")]
pub mod test_db;
