//! What the routes of rules, filters and meters have in common.

use serde::Serialize;
use serde_json::{Map, Value};
use utoipa::ToSchema;
use uuid::Uuid;

use crate::domain::account::audit::{Log, Subject};
use crate::domain::guard::attachment::{AttachedTo, Attachment};
use crate::domain::label::{Labelled, Labels};
use crate::domain::people::permission::Permission;
use crate::error::{ApiError, ApiResult, id};
use crate::http::body::Body;
use crate::http::call::{Mutation, Read};
use crate::http::etag::Tag;
use crate::http::labels;
use crate::http::list::{self, Filters, RawQuery};
use crate::http::routes::shape::document;
use crate::service::guard::attachments;
use crate::service::guard::draft::Draftable;
use crate::store::guard::attachment::{attached_region, attachment_fetch, attachment_list};
use requestrocket_policy::form::fields::Fields;
use requestrocket_policy::form::problem::Problems;

/// One kind of attachment, as the API shows and reads it.
pub(super) trait Resource: Draftable {
    /// What answers say.
    type View: Serialize + for<'a> From<&'a Attachment<Self>>;
    /// What one is called.
    const KIND: &'static str;
    /// What its lists take.
    const FILTERS: Filters;
    /// Members that answers have and PUT and PATCH may only repeat.
    const FIXED: [&'static str; 6];

    /// What people call it; empty: they have no name for it.
    fn name(_form: &Self) -> String {
        String::new()
    }

    /// Brings what a caller sent into the main form.
    fn to_main_form(object: &mut Map<String, Value>, problems: &mut Problems);

    /// Reads the main form, without its labels.
    fn form(fields: Fields<'_>, labels: Option<Labels>) -> Option<Labelled<Self>>;
}

/// What a rule, filter or meter belongs to.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct AttachedToResource {
    /// `proxy`, `target` or `credential`.
    #[serde(rename = "type")]
    kind: &'static str,
    id: Uuid,
}

impl From<AttachedTo> for AttachedToResource {
    fn from(attached_to: AttachedTo) -> Self {
        Self {
            kind: attached_to.kind(),
            id: attached_to.id(),
        }
    }
}

impl<R: Resource> Subject for Attachment<R> {
    const KIND: &'static str = R::KIND;

    fn log(&self) -> Log {
        Log::Organisation(self.organisation)
    }

    fn named(&self) -> (String, String) {
        (self.id.to_string(), R::name(&self.form))
    }

    fn members(&self) -> Map<String, Value> {
        document(&R::View::from(self))
    }
}

/// The record that a path names; anything else leads nowhere.
pub(super) fn attached_to(plural: &str, raw: &str) -> ApiResult<AttachedTo> {
    match plural {
        "credentials" => id(raw).map(AttachedTo::Credential),
        "targets" => id(raw).map(AttachedTo::Target),
        "proxies" => id(raw).map(AttachedTo::Proxy),
        _ => Err(ApiError::not_found()),
    }
}

pub(super) async fn list<R: Resource>(
    call: Read,
    client: &str,
    attached_to: AttachedTo,
    query: RawQuery,
) -> ApiResult {
    let scope = call.enter(client, Permission::ReadResources).await?;
    let query = query.list(R::FILTERS)?;
    let mut conn = call.state.connect().await?;
    let region = attached_region(&mut conn, scope.id(), attached_to).await?;
    region.ok_or_else(ApiError::not_found)?;
    let page = attachment_list::<R>(&mut conn, scope.id(), attached_to, &query).await?;
    Ok(list::answer(&query, page, |attachment| {
        R::View::from(&attachment)
    }))
}

pub(super) async fn create<R: Resource>(
    call: Mutation,
    client: &str,
    attached_to: AttachedTo,
    body: Body,
) -> ApiResult {
    let scope = call.enter(client, Permission::WriteResources).await?;
    let read = move || {
        // Read again where others change the proxy meanwhile: the first attempt must leave it
        // whole.
        let (mut body, mut problems) = (body.clone(), Problems::default());
        body.rewrite(|object| R::to_main_form(object, &mut problems));
        let labels = labels::take_new(&mut body, &mut problems);
        let new = R::form(Fields::new(body.into_object(), &mut problems), labels);
        problems.check()?;
        new.ok_or(problems)
    };
    let (attachment, done) =
        attachments::create::<R>(&call.change, &scope, attached_to, read).await?;
    let id = attachment.id.to_string();
    let view = R::View::from(&attachment);
    Ok(call.created(&done, &id, &view).await)
}

pub(super) async fn get<R: Resource>(
    call: Read,
    client: &str,
    attached_to: AttachedTo,
    attachment: &str,
) -> ApiResult {
    let scope = call.enter(client, Permission::ReadResources).await?;
    let mut conn = call.state.connect().await?;
    let id = id(attachment)?;
    let found = attachment_fetch::<R>(&mut conn, scope.id(), attached_to, id).await?;
    let attachment = found.ok_or_else(ApiError::not_found)?;
    let tag = Tag::of_revision(attachment.revision);
    Ok(call.answer(&R::View::from(&attachment), &tag))
}

pub(super) async fn update<R: Resource>(
    call: Mutation,
    client: &str,
    (attached_to, attachment): (AttachedTo, &str),
    body: Body,
) -> ApiResult {
    let scope = call.enter(client, Permission::WriteResources).await?;
    let read = move |current: &Attachment<R>| {
        let (mut body, mut problems) = (body.clone(), Problems::default());
        body.rewrite(|object| R::to_main_form(object, &mut problems));
        let mut shown = document(&R::View::from(current));
        let now = &current.labels;
        let labels = labels::take_changed(&mut body, &mut shown, now, &mut problems);
        let update = body.onto(&shown, &R::FIXED, &[], &mut problems);
        let changed = R::form(Fields::new(update.object, &mut problems), labels);
        problems.check()?;
        changed.ok_or(problems)
    };
    let (attachment, done) =
        attachments::update::<R>(&call.change, &scope, (attached_to, attachment), read).await?;
    Ok(call.updated(&done, &R::View::from(&attachment)).await)
}

pub(super) async fn delete<R: Resource>(
    call: Mutation,
    client: &str,
    attached_to: AttachedTo,
    attachment: &str,
) -> ApiResult {
    let scope = call.enter(client, Permission::WriteResources).await?;
    let done = attachments::delete::<R>(&call.change, &scope, attached_to, attachment).await?;
    Ok(call.deleted(&done).await)
}
