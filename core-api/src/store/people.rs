//! Who may edit: users, members, invites, tokens, organisations.

pub mod invite;
pub mod member;
pub mod organisation;
mod roles;
pub mod session;
pub mod user;
pub mod user_token;
