//! Tokens with which users call the Core API.

use std::net::IpAddr;

use super::rights::Rights;
use crate::domain::id::{TokenId, UserId};
use crate::domain::moment::Moment;
use crate::domain::name::Name;

/// A user token as it is stored: without the token itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UserToken {
    /// What paths name it by; the token itself is kept as a digest only.
    pub id: TokenId,
    /// Whose it is.
    pub user: UserId,
    /// What the user calls it.
    pub name: Name,
    /// The first characters, to tell tokens apart.
    pub prefix: String,
    /// What it is limited to.
    pub rights: Rights,
    /// When it was last seen, to the minute.
    pub last_used_at: Option<Moment>,
    /// From where it was then.
    pub last_used_address: Option<IpAddr>,
    /// When it was made.
    pub created_at: Moment,
    /// Of its last change.
    pub revision: u64,
}
