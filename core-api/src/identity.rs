//! Who calls: credentials of users and how often they may be tried.

pub mod caller;
pub mod rate;
pub mod token;
