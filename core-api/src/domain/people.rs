//! Who may edit: users, members, organisations.

pub mod member;
pub mod organisation;
pub mod permission;
pub mod rights;
pub mod user;
pub mod user_token;
