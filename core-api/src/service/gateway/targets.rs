//! Creating, changing and deleting targets.

use super::destination::check_destinations;
use super::regions;
use super::release::{Bound, release};
use crate::domain::account::audit::{Entry, Subject as _};
use crate::domain::gateway::region::RegionName;
use crate::domain::gateway::target::{Target, TargetForm};
use crate::domain::guard::attachment::AttachedTo;
use crate::domain::id::TargetId;
use crate::domain::label::Labelled;
use crate::error::{ApiError, ApiResult, id};
use crate::identity::caller::Scope;
use crate::service::ceiling::{self, Counted};
use crate::service::change::Change;
use crate::store::gateway::target::{target_delete, target_fetch, target_insert, target_update};
use crate::store::guard::attached::attached_ids;
use crate::store::log::write::{Done, Kind, Over};
use requestrocket_policy::form::problem::Problems;

/// Adds a target.
///
/// # Errors
/// The region is unknown or not the organisation's to use.
pub async fn create(
    change: &Change,
    scope: &Scope,
    region: RegionName,
    new: Labelled<TargetForm>,
) -> ApiResult<(Target, Done)> {
    let mut write = change.begin(Over::Organisation(scope.id())).await?;
    let counted = Counted::Targets(scope.id());
    ceiling::check(&change.state, &mut write, counted).await?;
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
        form: new.form,
        labels: new.labels,
        created_at: write.now(),
        updated_at: write.now(),
        created_by: scope.actor.clone(),
        revision: write.revision().await?,
        health: None,
    };
    target_insert(write.conn(), &target).await?;
    write
        .touch(&target.region, Kind::Target, &target.id.to_string())
        .await?;
    let done = change.commit(write, Entry::created(&target)).await?;
    Ok((target, done))
}

/// Changes a target to what `read` makes of its present state.
///
/// # Errors
/// There is no such target, `If-Match` names another version, `read` found problems,
/// or a credential may not be given to its new host.
pub async fn update(
    change: &Change,
    scope: &Scope,
    target: &str,
    read: impl FnOnce(&Target) -> Result<Labelled<TargetForm>, Problems>,
) -> ApiResult<(Target, Done)> {
    let target: TargetId = id(target)?;
    let mut write = change.begin(Over::Organisation(scope.id())).await?;
    let found = target_fetch(write.conn(), scope.id(), target).await?;
    let mut target = found.ok_or_else(ApiError::not_found)?;
    change.expects(target.revision)?;
    let new = read(&target)?;
    let before = target.members();
    let concerns_regions = new.concerns_regions(&target.form, &target.labels);
    if !is_called_alike(&target.form, &new.form) {
        target.health = None;
    }
    target.form = new.form;
    target.labels = new.labels;
    target.updated_at = write.now();
    target.revision = write.version_after(target.revision);
    target_update(write.conn(), &target).await?;
    if concerns_regions {
        let used = AttachedTo::Target(target.id);
        check_destinations(write.conn(), scope.id(), used, "targetBaseURL").await?;
        write
            .touch(&target.region, Kind::Target, &target.id.to_string())
            .await?;
    }
    let entry = Entry::updated(before, &target);
    let done = change.commit(write, entry).await?;
    Ok((target, done))
}

/// Whether what is known of how a target answers holds for the changed one.
fn is_called_alike(before: &TargetForm, after: &TargetForm) -> bool {
    after.check_seconds.is_some()
        && before.base_url == after.base_url
        && before.test_path == after.test_path
}

/// Deletes a target; with `force` also one that proxies are bound to.
///
/// # Errors
/// There is no such target, it is another version, or it is in use.
pub async fn delete(change: &Change, scope: &Scope, target: &str) -> ApiResult<Done> {
    let target: TargetId = id(target)?;
    let mut write = change.begin(Over::Organisation(scope.id())).await?;
    let found = target_fetch(write.conn(), scope.id(), target).await?;
    let target = found.ok_or_else(ApiError::not_found)?;
    change.expects(target.revision)?;
    let bound = Bound::Target(target.id);
    let released = release(
        &mut write,
        scope.id(),
        &target.region,
        bound,
        change.is_forced,
    )
    .await?;
    let attached = attached_ids(write.conn(), scope.id(), AttachedTo::Target(target.id)).await?;
    target_delete(write.conn(), scope.id(), target.id).await?;
    write
        .removed(&target.region, Kind::Target, &target.id.to_string())
        .await?;
    let entry = attached.along(Entry::deleted(&target));
    Ok(change
        .commit(write, entry.along("proxies", released))
        .await?)
}
