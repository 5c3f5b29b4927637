//! Users who go.

use super::members::{keep_an_owner, tell_of_removal};
use crate::domain::account::audit::Entry;
use crate::error::{ApiError, ApiResult, Code};
use crate::service::change::Change;
use crate::store::log::write::{Done, Over};
use crate::store::people::member::{member_fetch, member_homes};
use crate::store::people::user::{user_delete, user_fetch};

/// Removes the caller: memberships, tokens, sessions and password go, and what they made stays.
///
/// # Errors
/// They are the last owner of an organisation, `If-Match` names another version, they joined one
/// meanwhile, or they came by a restricted token.
pub async fn remove(change: &Change) -> ApiResult<Done> {
    let user = change.actor.whole_user()?;
    let homes = member_homes(&mut *change.state.connect().await?, user).await?;
    let mut write = change.state.begin().await?;
    // Before the user, and in order of ids: as all who wait for several do.
    for home in &homes {
        write.alone_over(Over::Organisation(*home)).await?;
    }
    write.alone_over(Over::User(user)).await?;
    let found = user_fetch(write.conn(), user).await?;
    let found = found.ok_or_else(ApiError::not_found)?;
    change.expects(found.revision)?;
    for home in member_homes(write.conn(), user).await? {
        if !homes.contains(&home) {
            let text = "you have joined an organisation meanwhile";
            return Err(ApiError::new(Code::Conflict, text));
        }
        if let Some(member) = member_fetch(write.conn(), home, user).await? {
            keep_an_owner(&mut write, &member).await?;
            tell_of_removal(&mut write, &member).await?;
        }
    }
    user_delete(write.conn(), user).await?;
    Ok(change.commit(write, Entry::deleted(&found)).await?)
}
