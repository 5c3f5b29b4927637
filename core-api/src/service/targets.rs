//! Creating, changing and deleting targets.

use super::ceiling::{self, Counted};
use super::regions;
use super::release::{Bound, release};
use crate::app::call::{Mutation, id};
use crate::app::etag::Tag;
use crate::auth::Scope;
use crate::domain::id::TargetId;
use crate::domain::problem::Problems;
use crate::domain::region::RegionName;
use crate::domain::target::{Target, TargetForm};
use crate::error::{ApiError, ApiResult};
use crate::store::target::{target_delete, target_fetch, target_insert, target_update};
use crate::store::write::{Done, Kind};

/// Adds a target.
///
/// # Errors
/// The region is unknown or not the organisation's to use.
pub async fn create(
    call: &Mutation,
    scope: &Scope,
    region: RegionName,
    form: TargetForm,
) -> ApiResult<(Target, Done)> {
    let mut write = call.state.begin().await?;
    let counted = Counted::Targets(scope.id());
    ceiling::check(&call.state, &mut write, counted).await?;
    let mut problems = Problems::default();
    let organisation = &scope.organisation;
    regions::check(
        write.conn(),
        organisation,
        &region,
        "targetRegion",
        &mut problems,
    )
    .await?;
    problems.check()?;
    let target = Target {
        id: TargetId::random(),
        organisation: scope.id(),
        region,
        form,
        created_at: write.now(),
        updated_at: write.now(),
        created_by: scope.actor.clone(),
        revision: write.revision(),
    };
    target_insert(write.conn(), &target).await?;
    write
        .touch(&target.region, Kind::Target, &target.id.to_string())
        .await?;
    let done = write.commit(&call.state.fleets).await?;
    Ok((target, done))
}

/// Changes a target to what `read` makes of its present state.
///
/// # Errors
/// There is no such target, `If-Match` names another version, or `read` found problems.
pub async fn update(
    call: &Mutation,
    scope: &Scope,
    target: &str,
    read: impl FnOnce(&Target) -> Result<TargetForm, Problems>,
) -> ApiResult<(Target, Done)> {
    let target: TargetId = id(target)?;
    let mut write = call.state.begin().await?;
    let found = target_fetch(write.conn(), scope.id(), target).await?;
    let mut target = found.ok_or_else(ApiError::not_found)?;
    call.if_match.check(&Tag::of_revision(target.revision))?;
    target.form = read(&target)?;
    target.updated_at = write.now();
    target.revision = write.revision();
    target_update(write.conn(), &target).await?;
    write
        .touch(&target.region, Kind::Target, &target.id.to_string())
        .await?;
    let done = write.commit(&call.state.fleets).await?;
    Ok((target, done))
}

/// Deletes a target; with `force` also one that proxies are bound to.
///
/// # Errors
/// There is no such target, it is another version, or it is in use.
pub async fn delete(call: &Mutation, scope: &Scope, target: &str) -> ApiResult<Done> {
    let target: TargetId = id(target)?;
    let mut write = call.state.begin().await?;
    let found = target_fetch(write.conn(), scope.id(), target).await?;
    let target = found.ok_or_else(ApiError::not_found)?;
    call.if_match.check(&Tag::of_revision(target.revision))?;
    let bound = Bound::Target(target.id);
    release(
        &mut write,
        scope.id(),
        &target.region,
        bound,
        call.is_forced,
    )
    .await?;
    target_delete(write.conn(), scope.id(), target.id).await?;
    write
        .removed(&target.region, Kind::Target, &target.id.to_string())
        .await?;
    Ok(write.commit(&call.state.fleets).await?)
}
