//! Who may edit: users, members, organisations.

pub mod browser_session;
pub mod member;
pub mod organisation;
pub mod password;
pub mod permission;
pub mod proof;
pub mod provider;
pub mod rights;
pub mod user;
pub mod user_token;
