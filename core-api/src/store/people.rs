//! Who may edit: users, members, invites, tokens, organisations.

pub mod browser_session;
pub mod identity;
pub mod invite;
pub mod member;
pub mod organisation;
pub mod password;
pub(super) mod roles;
pub mod session;
pub mod user;
pub mod user_token;
