//! By what users come.

use crate::domain::id::{SessionId, TokenId};

/// What shows that a user is who they are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Proof {
    /// A user token.
    Token(TokenId),
    /// A session at a browser.
    Session(SessionId),
}
