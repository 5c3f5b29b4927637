//! Who may edit: members, invites, tokens, organisations.

pub mod invites;
pub mod members;
pub mod organisations;
pub mod tokens;
