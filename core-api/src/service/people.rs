//! Who may edit: members, invites, tokens, organisations.

pub mod invites;
pub mod members;
pub mod organisations;
pub mod password;
pub mod sign_in;
pub mod sso;
pub mod tokens;
pub mod users;
