//! Who calls: credentials of users and how often they may be tried.

pub mod attempts;
pub mod caller;
pub mod oidc;
pub mod password;
pub mod rate;
pub mod token;
