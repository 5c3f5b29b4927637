//! Making and revoking user tokens.

use crate::domain::id::{TokenId, UserId};
use crate::domain::moment::Moment;
use crate::domain::name::Name;
use crate::domain::people::user_token::UserToken;
use crate::error::{ApiError, ApiResult, id};
use crate::identity::token::NewToken;
use crate::service::ceiling::{self, Counted};
use crate::service::change::Change;
use crate::state::AppState;
use crate::store::log::write::{Done, Over, Write};
use crate::store::people::user::user_touch;
use crate::store::people::user_token::{user_token_delete, user_token_fetch, user_token_insert};

/// Makes a token for the caller; the token itself is only in the answer.
///
/// # Errors
/// The user has too many, or the machine gives no randomness.
pub async fn create(
    change: &Change,
    user: UserId,
    name: Name,
    expires_at: Option<Moment>,
) -> ApiResult<(UserToken, NewToken, Done)> {
    let mut write = change.begin(Over::User(user)).await?;
    let (token, new) = add(&change.state, &mut write, user, name, expires_at).await?;
    let done = change.commit(write).await?;
    Ok((token, new, done))
}

/// Adds a token for `user`; the token itself is only in the answer.
///
/// # Errors
/// The user has too many, or the machine gives no randomness.
pub async fn add(
    state: &AppState,
    write: &mut Write,
    user: UserId,
    name: Name,
    expires_at: Option<Moment>,
) -> ApiResult<(UserToken, NewToken)> {
    ceiling::check(state, write, Counted::Tokens(user)).await?;
    let new = NewToken::user().map_err(ApiError::internal)?;
    let token = UserToken {
        id: TokenId::random(),
        user,
        name,
        prefix: new.shown_prefix(),
        expires_at,
        last_used_at: None,
        created_at: write.now(),
        revision: write.version_after(0),
    };
    user_token_insert(write.conn(), &token, &new.digest()).await?;
    // Tokens are shown with their user.
    user_touch(write.conn(), user, token.revision).await?;
    Ok((token, new))
}

/// Revokes one of the caller's tokens.
///
/// # Errors
/// There is no such token, or `If-Match` names another version.
pub async fn revoke(change: &Change, token: &str) -> ApiResult<Done> {
    let user = change.actor.user()?;
    let mut write = change.begin(Over::User(user)).await?;
    let found = user_token_fetch(write.conn(), user, id(token)?).await?;
    let token = found.ok_or_else(ApiError::not_found)?;
    change.expects(token.revision)?;
    user_token_delete(write.conn(), user, token.id).await?;
    let revision = write.version_after(token.revision);
    user_touch(write.conn(), user, revision).await?;
    Ok(change.commit(write).await?)
}
