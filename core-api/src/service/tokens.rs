//! Making and revoking user tokens.

use super::ceiling::{self, Counted};
use crate::app::AppState;
use crate::app::call::{Mutation, id};
use crate::app::etag::Tag;
use crate::auth::token::NewToken;
use crate::domain::id::{TokenId, UserId};
use crate::domain::moment::Moment;
use crate::domain::name::Name;
use crate::domain::user_token::UserToken;
use crate::error::{ApiError, ApiResult};
use crate::store::user::user_touch;
use crate::store::user_token::{user_token_delete, user_token_fetch, user_token_insert};
use crate::store::write::{Done, Write};

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
        revision: write.revision(),
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
pub async fn revoke(call: &Mutation, token: &str) -> ApiResult<Done> {
    let user = call.caller.user()?;
    let mut write = call.state.begin().await?;
    let found = user_token_fetch(write.conn(), user, id(token)?).await?;
    let token = found.ok_or_else(ApiError::not_found)?;
    call.if_match.check(&Tag::of_revision(token.revision))?;
    user_token_delete(write.conn(), user, token.id).await?;
    let revision = write.revision();
    user_touch(write.conn(), user, revision).await?;
    Ok(write.commit(&call.state.fleets).await?)
}
