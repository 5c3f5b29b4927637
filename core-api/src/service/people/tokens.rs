//! Making and revoking user tokens.

use crate::domain::account::audit::Entry;
use crate::domain::id::{TokenId, UserId};
use crate::domain::name::Name;
use crate::domain::people::rights::Rights;
use crate::domain::people::user_token::UserToken;
use crate::error::{ApiError, ApiResult, Code, forbidden, id};
use crate::identity::caller::Caller;
use crate::identity::token::NewToken;
use crate::service::ceiling::{self, Counted};
use crate::service::change::Change;
use crate::state::AppState;
use crate::store::log::write::{Done, Over, Write};
use crate::store::people::session::membership_fetch;
use crate::store::people::user::user_touch;
use crate::store::people::user_token::{user_token_delete, user_token_fetch, user_token_insert};
use requestrocket_policy::form::problem::{Fault, Problems};

/// Makes a token for the caller; the token itself is only in the answer.
///
/// # Errors
/// The user has too many, is no member of an organisation that it names, the token in use has
/// fewer rights than the new one would, or the machine gives no randomness.
pub async fn create(
    change: &Change,
    user: UserId,
    name: Name,
    asked: Rights,
) -> ApiResult<(UserToken, NewToken, Done)> {
    let mut write = change.begin(Over::User(user)).await?;
    let rights = handed_on(&mut write, &change.actor, user, asked).await?;
    let (token, new) = add(&change.state, &mut write, user, name, rights).await?;
    let done = change.commit(write, Entry::created(&token)).await?;
    Ok((token, new, done))
}

/// What a new token of the caller's may be limited to: to no less than the one it is made with.
async fn handed_on(
    write: &mut Write,
    actor: &Caller,
    user: UserId,
    asked: Rights,
) -> ApiResult<Rights> {
    for organisation in asked.organisations.iter().flatten() {
        let membership = membership_fetch(write.conn(), *organisation, user).await?;
        if membership.is_none() {
            let text = format!("names {organisation}, and you are no member of it");
            let mut problems = Problems::default();
            problems.add(Fault::ValidationFailed, "clientIds", text);
            return Err(problems.into());
        }
    }
    let Caller::User { rights, .. } = actor else {
        return Err(forbidden());
    };
    let new = rights.handed_on(asked);
    match rights.exceeded_by(&new) {
        None => Ok(new),
        Some(member) => {
            let text = format!("`{member}` would give more than the token you use has");
            Err(ApiError::new(Code::Forbidden, text))
        }
    }
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
    rights: Rights,
) -> ApiResult<(UserToken, NewToken)> {
    ceiling::check(state, write, Counted::Tokens(user)).await?;
    let new = NewToken::user().map_err(ApiError::internal)?;
    let token = UserToken {
        id: TokenId::random(),
        user,
        name,
        prefix: new.shown_prefix(),
        rights,
        last_used_at: None,
        last_used_address: None,
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
/// There is no such token, `If-Match` names another version, or a restricted token would revoke
/// another one than itself.
pub async fn revoke(change: &Change, token: &str) -> ApiResult<Done> {
    let user = change.actor.user()?;
    let token: TokenId = id(token)?;
    if !change.actor.presents(token) {
        change.actor.whole_user()?;
    }
    let mut write = change.begin(Over::User(user)).await?;
    let found = user_token_fetch(write.conn(), user, token).await?;
    let token = found.ok_or_else(ApiError::not_found)?;
    change.expects(token.revision)?;
    user_token_delete(write.conn(), user, token.id).await?;
    let revision = write.version_after(token.revision);
    user_touch(write.conn(), user, revision).await?;
    Ok(change.commit(write, Entry::deleted(&token)).await?)
}
