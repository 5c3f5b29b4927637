//! Changing and removing members.
//!
//! Invariant: an organisation always has an owner, and only owners make, change or remove owners.

use crate::domain::account::audit::{Entry, Subject as _};
use crate::domain::account::notification::Notice;
use crate::domain::id::UserId;
use crate::domain::people::member::{Member, Roles};
use crate::domain::people::permission::Permission;
use crate::error::{ApiError, ApiResult, Code, id};
use crate::identity::caller::Scope;
use crate::service::change::Change;
use crate::store::account::notification::notification_insert;
use crate::store::log::write::{Done, Over, Write};
use crate::store::people::member::{
    member_delete, member_fetch, member_other_owner_exists, member_update,
};
use requestrocket_policy::form::problem::Problems;

/// Gives a member the roles that `read` makes of its present state.
///
/// # Errors
/// There is no such member, `If-Match` names another version, only owners may do this, or it
/// would leave no owner.
pub async fn update(
    change: &Change,
    scope: &Scope,
    user: &str,
    read: impl FnOnce(&Member) -> Result<Roles, Problems>,
) -> ApiResult<(Member, Done)> {
    let user: UserId = id(user)?;
    let mut write = change.begin(Over::Organisation(scope.id())).await?;
    let found = member_fetch(write.conn(), scope.id(), user).await?;
    let mut member = found.ok_or_else(ApiError::not_found)?;
    change.expects(member.revision)?;
    let (roles, before) = (read(&member)?, member.members());
    if roles != member.roles && (roles.is_owner() || member.roles.is_owner()) {
        scope.require(Permission::GrantOwner)?;
    }
    if !roles.is_owner() {
        keep_an_owner(&mut write, &member).await?;
    }
    member.roles = roles;
    member.updated_at = write.now();
    member.revision = write.version_after(member.revision);
    member_update(write.conn(), &member).await?;
    let entry = Entry::updated(before, &member);
    let done = change.commit(write, entry).await?;
    Ok((member, done))
}

/// Takes a member out of the organisation.
///
/// # Errors
/// There is no such member, `If-Match` names another version, the caller may not remove others,
/// or it would leave no owner.
pub async fn remove(change: &Change, scope: &Scope, user: &str) -> ApiResult<Done> {
    // Looked into after the permission: who may not do this hears nothing of ids.
    let user: ApiResult<UserId> = id(user);
    let is_self = user
        .as_ref()
        .is_ok_and(|user| user.to_string() == scope.actor);
    // A restricted token changes nothing of its user, who may leave.
    let leaves = is_self && change.actor.whole_user().is_ok();
    if !leaves {
        scope.require(Permission::WriteMembers)?;
    }
    let mut write = change.begin(Over::Organisation(scope.id())).await?;
    let found = member_fetch(write.conn(), scope.id(), user?).await?;
    let member = found.ok_or_else(ApiError::not_found)?;
    change.expects(member.revision)?;
    if member.roles.is_owner() && !leaves {
        scope.require(Permission::GrantOwner)?;
    }
    keep_an_owner(&mut write, &member).await?;
    member_delete(write.conn(), scope.id(), member.user).await?;
    let now = write.now();
    tell_of_removal(&mut write, &member).await?;
    if !is_self {
        let name = scope.organisation.name.as_str();
        let notice = Notice::removed_from(&member, name, now);
        notification_insert(write.conn(), &notice, now).await?;
    }
    Ok(change.commit(write, Entry::deleted(&member)).await?)
}

/// Tells an organisation that a member is gone.
///
/// # Errors
/// The database does not answer.
pub(super) async fn tell_of_removal(write: &mut Write, member: &Member) -> ApiResult<()> {
    let now = write.now();
    let notice = Notice::member_removed(member, now);
    notification_insert(write.conn(), &notice, now).await?;
    Ok(())
}

/// Refuses what would leave the organisation of a member without an owner. Nobody else changes its
/// members meanwhile: the change has to be alone over it.
///
/// # Errors
/// `LAST_OWNER`.
pub(super) async fn keep_an_owner(write: &mut Write, leaving: &Member) -> ApiResult<()> {
    let Member {
        organisation,
        user,
        roles,
        ..
    } = leaving;
    if !roles.is_owner() || member_other_owner_exists(write.conn(), *organisation, *user).await? {
        return Ok(());
    }
    Err(ApiError::new(
        Code::LastOwner,
        format!("the last owner of {organisation} cannot leave or stop being one"),
    ))
}
