//! Who may edit: users, members, invites, tokens, organisations.

pub mod invites;
pub mod members;
pub mod oidc;
pub mod organisations;
pub mod own_invites;
pub mod password;
pub mod session;
pub mod sessions;
pub mod tokens;
pub mod users;
