//! Creating, changing and deleting rules, redactions and meters.
//!
//! Such a change is one of the record that they are attached to, for regions and for the status of
//! proxies; the record itself and its entity tag stay as they are.

use std::sync::Arc;

use super::draft::{Attached, Draft, Draftable};
use super::weight::{weigh, weigh_less};
use crate::domain::account::audit::{Entry, Subject};
use crate::domain::gateway::region::RegionName;
use crate::domain::guard::attachment::{AttachedTo, Attachment, MAX_BYTES_TOGETHER};
use crate::domain::label::Labelled;
use crate::error::{ApiError, ApiResult, Code, id};
use crate::identity::caller::Scope;
use crate::places::Turn;
use crate::service::change::Change;
use crate::store::guard::attachment::{
    StoredForm, attached_region, attachment_delete, attachment_fetch, attachment_insert,
    attachment_taken, attachment_update, size,
};
use crate::store::log::write::{Done, Kind, Over, Write};
use requestrocket_policy::form::problem::Problems;

/// How often a change is tried that others overtake. In this process nobody does: an organisation's
/// changes of attachments take turns.
const ATTEMPTS: usize = 4;
const RETRY_AFTER_S: u64 = 2;

/// A committed change, or none when its draft did not hold.
type Attempt<T> = ApiResult<Option<T>>;

/// Attaches what `read` says; it may take long.
///
/// # Errors
/// There is no record to attach to, `read` found problems, or the record has no room.
pub async fn create<F: Draftable>(
    change: &Change,
    scope: &Scope,
    attached_to: AttachedTo,
    read: impl Fn() -> Result<Labelled<F>, Problems> + Send + Sync + 'static,
) -> ApiResult<(Attachment<F>, Done)>
where
    Attachment<F>: Subject,
{
    let attaching = Attaching::new(change, scope, attached_to).await?;
    let read = Arc::new(read);
    for _ in 0..ATTEMPTS {
        if let Some(done) = attaching.create(Arc::clone(&read)).await? {
            return Ok(done);
        }
    }
    Err(overtaken())
}

/// Changes one to what `read` makes of its present state; it may take long.
///
/// # Errors
/// There is none, `If-Match` names another version, `read` found problems, or the record has no
/// room.
pub async fn update<F: Draftable>(
    change: &Change,
    scope: &Scope,
    (attached_to, attachment): (AttachedTo, &str),
    read: impl Fn(&Attachment<F>) -> Result<Labelled<F>, Problems> + Send + Sync + 'static,
) -> ApiResult<(Attachment<F>, Done)>
where
    Attachment<F>: Subject,
{
    let attachment: F::Id = id(attachment)?;
    let attaching = Attaching::new(change, scope, attached_to).await?;
    let read = Arc::new(read);
    for _ in 0..ATTEMPTS {
        if let Some(done) = attaching.update(attachment, Arc::clone(&read)).await? {
            return Ok(done);
        }
    }
    Err(overtaken())
}

/// Deletes one.
///
/// # Errors
/// There is none, or it is another version.
pub async fn delete<F: Draftable>(
    change: &Change,
    scope: &Scope,
    attached_to: AttachedTo,
    attachment: &str,
) -> ApiResult<Done>
where
    Attachment<F>: Subject,
{
    let attachment: F::Id = id(attachment)?;
    let attaching = Attaching::new(change, scope, attached_to).await?;
    for _ in 0..ATTEMPTS {
        if let Some(done) = attaching.delete::<F>(attachment).await? {
            return Ok(done);
        }
    }
    Err(overtaken())
}

/// Whose attachments are changed, in the organisation's turn.
struct Attaching<'a> {
    change: &'a Change,
    scope: &'a Scope,
    attached_to: AttachedTo,
    turn: Turn,
}

impl<'a> Attaching<'a> {
    async fn new(change: &'a Change, scope: &'a Scope, attached_to: AttachedTo) -> ApiResult<Self> {
        let turn = change.state.drafts.turn(&scope.id().to_string()).await?;
        Ok(Self {
            change,
            scope,
            attached_to,
            turn,
        })
    }

    async fn begin(&self) -> sqlx::Result<Write> {
        let organisation = self.scope.id();
        self.change.begin(Over::Organisation(organisation)).await
    }

    async fn create<F: Draftable>(
        &self,
        read: Arc<impl Fn() -> Result<Labelled<F>, Problems> + Send + Sync + 'static>,
    ) -> Attempt<(Attachment<F>, Done)>
    where
        Attachment<F>: Subject,
    {
        let (scope, attached_to, state) = (self.scope, self.attached_to, &self.change.state);
        let mut conn = state.connect().await?;
        let region = attached_region(&mut conn, scope.id(), attached_to).await?;
        let region = region.ok_or_else(ApiError::not_found)?;
        let attached = Attached::fetch(&mut conn, scope.id(), attached_to).await?;
        // No connection is kept while the work waits for its place.
        drop(conn);
        let (now, organisation, actor) = (state.now(), scope.id(), scope.actor.clone());
        let work = move || {
            let new = read()?;
            let attachment = Attachment {
                id: F::random_id(),
                organisation,
                region,
                attached_to,
                form: new.form,
                labels: new.labels,
                created_at: now,
                updated_at: now,
                created_by: actor,
                revision: 0,
            };
            Ok((attached.with(&attachment), attachment))
        };
        let (draft, mut attachment) = self.turn.run(work).await?;
        let mut write = self.begin().await?;
        // It may be gone since that look.
        let region = attached_region(write.conn(), scope.id(), attached_to).await?;
        attachment.region = region.ok_or_else(ApiError::not_found)?;
        if !draft.holds(write.conn()).await? {
            return Ok(None);
        }
        attachment.created_at = write.now();
        attachment.updated_at = write.now();
        check_room(&mut write, &attachment).await?;
        attachment.revision = write.revision().await?;
        attachment_insert(write.conn(), &attachment).await?;
        let entry = Entry::created(&attachment);
        let done = self.save(write, draft, (&attachment, entry)).await?;
        Ok(Some((attachment, done)))
    }

    async fn update<F: Draftable>(
        &self,
        id: F::Id,
        read: Arc<impl Fn(&Attachment<F>) -> Result<Labelled<F>, Problems> + Send + Sync + 'static>,
    ) -> Attempt<(Attachment<F>, Done)>
    where
        Attachment<F>: Subject,
    {
        let (current, attached) = self.look::<F>(id).await?;
        let (revision, before) = (current.revision, current.members());
        let work = move || {
            let mut attachment = current;
            let new = read(&attachment)?;
            let concerns_regions = new.concerns_regions(&attachment.form, &attachment.labels);
            attachment.form = new.form;
            attachment.labels = new.labels;
            Ok((attached.with(&attachment), attachment, concerns_regions))
        };
        let (draft, mut attachment, concerns_regions) = self.turn.run(work).await?;
        let mut write = self.begin().await?;
        if !self
            .is_as_seen::<F>(&mut write, (id, revision), &draft)
            .await?
        {
            return Ok(None);
        }
        attachment.updated_at = write.now();
        check_room(&mut write, &attachment).await?;
        attachment.revision = write.version_after(attachment.revision);
        attachment_update(write.conn(), &attachment).await?;
        let entry = Entry::updated(before, &attachment);
        let done = if concerns_regions {
            self.save(write, draft, (&attachment, entry)).await?
        } else {
            self.change.commit(write, entry).await?
        };
        Ok(Some((attachment, done)))
    }

    async fn delete<F: Draftable>(&self, id: F::Id) -> Attempt<Done>
    where
        Attachment<F>: Subject,
    {
        let (current, attached) = self.look::<F>(id).await?;
        let draft = self.turn.run(move || Ok(attached.without::<F>(id))).await?;
        let mut write = self.begin().await?;
        let seen = (id, current.revision);
        if !self.is_as_seen::<F>(&mut write, seen, &draft).await? {
            return Ok(None);
        }
        let organisation = self.scope.id();
        attachment_delete::<F>(write.conn(), organisation, id).await?;
        weigh_less(write.conn(), organisation, self.attached_to, draft.weight).await?;
        touch(&mut write, &current.region, self.attached_to).await?;
        let entry = Entry::deleted(&current);
        Ok(Some(self.change.commit(write, entry).await?))
    }

    /// One attachment, if it is the version that the caller means, and all that are compiled.
    async fn look<F: Draftable>(&self, id: F::Id) -> ApiResult<(Attachment<F>, Attached)> {
        let organisation = self.scope.id();
        let mut conn = self.change.state.connect().await?;
        let found = attachment_fetch::<F>(&mut conn, organisation, self.attached_to, id).await?;
        let current = found.ok_or_else(ApiError::not_found)?;
        self.change.expects(current.revision)?;
        let attached = Attached::fetch(&mut conn, organisation, self.attached_to).await?;
        Ok((current, attached))
    }

    /// Whether nobody changed it or the others since that look.
    async fn is_as_seen<F: Draftable>(
        &self,
        write: &mut Write,
        (id, revision): (F::Id, u64),
        draft: &Draft,
    ) -> ApiResult<bool> {
        let (organisation, attached_to) = (self.scope.id(), self.attached_to);
        let found = attachment_fetch::<F>(write.conn(), organisation, attached_to, id).await?;
        let is_same = found.is_some_and(|found| found.revision == revision);
        Ok(is_same && draft.holds(write.conn()).await?)
    }

    async fn save<F: Draftable>(
        &self,
        mut write: Write,
        draft: Draft,
        (attachment, entry): (&Attachment<F>, Entry),
    ) -> ApiResult<Done> {
        let (organisation, attached_to) = (self.scope.id(), self.attached_to);
        weigh(write.conn(), organisation, attached_to, draft.weight).await?;
        touch(&mut write, &attachment.region, attached_to).await?;
        Ok(self.change.commit(write, entry).await?)
    }
}

fn overtaken() -> ApiError {
    let text = "what is attached to this record is changed all the time, try again later";
    ApiError::new(Code::Unavailable, text).retry_after(RETRY_AFTER_S)
}

/// Others that change the organisation wait, so what is counted here still holds at the commit.
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
