//! What authorization servers say of opaque tokens, and what they are asked.

use std::sync::Arc;

use super::token_id::TokenId;
use crate::id::CredentialId;

/// What a server said of a token.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Introspected {
    /// It is good, and these are its claims: JSON text.
    Active(Arc<str>),
    /// It is none.
    Inactive,
}

/// A token of which nothing is known.
#[derive(Clone, Copy, Debug)]
pub struct Unknown<'a> {
    /// As the credential sees it.
    pub id: TokenId,
    /// Whose server is to be asked.
    pub credential: CredentialId,
    /// Of its secret.
    pub version: u64,
    /// The token.
    pub token: &'a [u8],
}
