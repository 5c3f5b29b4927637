//! Creating, changing and deleting rules, redactions and meters.
//!
//! Such a change is one of the record that they are attached to, for regions and for the status of
//! proxies; the record itself and its entity tag stay as they are.

use super::weight::{weigh, weigh_less};
use crate::app::call::{Mutation, id};
use crate::app::etag::Tag;
use crate::auth::Scope;
use crate::domain::attachment::{AttachedTo, Attachment, MAX_BYTES_TOGETHER};
use crate::domain::problem::Problems;
use crate::domain::region::RegionName;
use crate::error::{ApiError, ApiResult, Code};
use crate::store::attachment::{
    StoredForm, attached_region, attachment_delete, attachment_fetch, attachment_insert,
    attachment_taken, attachment_update, size,
};
use crate::store::write::{Done, Kind, Write};

/// Attaches what `read` says.
///
/// # Errors
/// There is no record to attach to, `read` found problems, or the record has no room.
pub async fn create<F: StoredForm>(
    call: &Mutation,
    scope: &Scope,
    attached_to: AttachedTo,
    read: impl FnOnce() -> Result<F, Problems>,
) -> ApiResult<(Attachment<F>, Done)> {
    let mut write = call.state.begin().await?;
    let region = attached_region(write.conn(), scope.id(), attached_to).await?;
    let region = region.ok_or_else(ApiError::not_found)?;
    let attachment = Attachment {
        id: F::random_id(),
        organisation: scope.id(),
        region,
        attached_to,
        form: read()?,
        created_at: write.now(),
        updated_at: write.now(),
        created_by: scope.actor.clone(),
        revision: write.revision(),
    };
    check_room(&mut write, &attachment).await?;
    attachment_insert(write.conn(), &attachment).await?;
    weigh(write.conn(), scope.id(), attached_to).await?;
    touch(&mut write, &attachment.region, attached_to).await?;
    let done = write.commit(&call.state.fleets).await?;
    Ok((attachment, done))
}

/// Changes one to what `read` makes of its present state.
///
/// # Errors
/// There is none, `If-Match` names another version, `read` found problems, or the record has no
/// room.
pub async fn update<F: StoredForm>(
    call: &Mutation,
    scope: &Scope,
    (attached_to, attachment): (AttachedTo, &str),
    read: impl FnOnce(&Attachment<F>) -> Result<F, Problems>,
) -> ApiResult<(Attachment<F>, Done)> {
    let attachment: F::Id = id(attachment)?;
    let mut write = call.state.begin().await?;
    let found = attachment_fetch::<F>(write.conn(), scope.id(), attached_to, attachment).await?;
    let mut attachment = found.ok_or_else(ApiError::not_found)?;
    call.if_match
        .check(&Tag::of_revision(attachment.revision))?;
    attachment.form = read(&attachment)?;
    attachment.updated_at = write.now();
    attachment.revision = write.revision();
    check_room(&mut write, &attachment).await?;
    attachment_update(write.conn(), &attachment).await?;
    weigh(write.conn(), scope.id(), attached_to).await?;
    touch(&mut write, &attachment.region, attached_to).await?;
    let done = write.commit(&call.state.fleets).await?;
    Ok((attachment, done))
}

/// Deletes one.
///
/// # Errors
/// There is none, or it is another version.
pub async fn delete<F: StoredForm>(
    call: &Mutation,
    scope: &Scope,
    attached_to: AttachedTo,
    attachment: &str,
) -> ApiResult<Done> {
    let attachment: F::Id = id(attachment)?;
    let mut write = call.state.begin().await?;
    let found = attachment_fetch::<F>(write.conn(), scope.id(), attached_to, attachment).await?;
    let attachment = found.ok_or_else(ApiError::not_found)?;
    call.if_match
        .check(&Tag::of_revision(attachment.revision))?;
    attachment_delete::<F>(write.conn(), scope.id(), attachment.id).await?;
    weigh_less(write.conn(), scope.id(), attached_to).await?;
    touch(&mut write, &attachment.region, attached_to).await?;
    Ok(write.commit(&call.state.fleets).await?)
}

/// Writers run one after the other, so what is counted here still holds at the commit.
async fn check_room<F: StoredForm>(write: &mut Write, attachment: &Attachment<F>) -> ApiResult<()> {
    let (organisation, attached_to) = (attachment.organisation, attachment.attached_to);
    let taken =
        attachment_taken::<F>(write.conn(), organisation, attached_to, attachment.id).await?;
    if taken.count >= F::MAX_COUNT {
        let kind = attached_to.kind();
        let text = format!("a {kind} has at most {} {}", F::MAX_COUNT, F::PLURAL);
        return Err(ApiError::new(Code::LimitReached, text));
    }
    if taken.bytes.saturating_add(size(&attachment.form)?) > MAX_BYTES_TOGETHER {
        let text = format!(
            "all that is attached to a {} has at most {MAX_BYTES_TOGETHER} bytes together",
            attached_to.kind()
        );
        return Err(ApiError::new(Code::LimitReached, text));
    }
    Ok(())
}

async fn touch(
    write: &mut Write,
    region: &RegionName,
    attached_to: AttachedTo,
) -> sqlx::Result<()> {
    let kind = match attached_to {
        AttachedTo::Credential(_) => Kind::Credential,
        AttachedTo::Target(_) => Kind::Target,
        AttachedTo::Proxy(_) => Kind::Proxy,
    };
    write
        .touch(region, kind, &attached_to.id().to_string())
        .await
}
