//! `/notifications/system`, `/clients/{clientId}/notifications` and `/users/me/notifications`: what
//! people are told without asking.

mod own;
mod system;

use axum::Json;
use axum::response::{IntoResponse as _, Response};
use serde::Serialize;
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;
use uuid::Uuid;

use crate::domain::account::notification::{About, Kind, Notice, Notification, Severity};
use crate::domain::people::permission::Permission;
use crate::domain::version::Expected;
use crate::error::ApiResult;
use crate::http::body::Body;
use crate::http::call::{InPath, Mutation, Read};
use crate::http::list::{self, Filters, ListParams, Listed, RawQuery};
use crate::http::routes::shape::words;
use crate::service::account::notifications::{self, Shelf};
use crate::service::change::Change;
use crate::state::AppState;
use crate::store::account::notification::notification_list;
use requestrocket_policy::form::fields::{Fields, boolean};
use requestrocket_policy::form::problem::Problems;

const FILTERS: Filters = Filters {
    region: false,
    active: false,
    labels: false,
    priority: false,
    types: &[],
    temporary: false,
    unread: true,
};

words! {
    /// Of what somebody is told.
    NotificationKind = Kind;
    /// How bad it is.
    NotificationSeverity = Severity;
}

/// The routes of notifications.
pub fn router() -> OpenApiRouter<AppState> {
    OpenApiRouter::new()
        .routes(routes!(list_notifications))
        .routes(routes!(get_notification, mark_notification))
        .routes(routes!(read_all_notifications))
        .merge(own::router())
        .merge(system::router())
}

/// Something that people are told.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct NotificationResource {
    notification_id: Uuid,
    /// Whom: everybody (`system`), an organisation (`client`) or the caller alone (`user`).
    #[serde(rename = "type")]
    #[schema(pattern = "^(system|client|user)$")]
    whose: &'static str,
    #[schema(value_type = NotificationKind)]
    kind: &'static str,
    #[schema(value_type = NotificationSeverity)]
    severity: &'static str,
    title: String,
    message: String,
    /// Null: it is about no single record.
    resource: Option<NotificationSubject>,
    /// Whoever asks has read it.
    read: bool,
    created_at: String,
}

/// The record that a notification is about; it may be gone.
#[derive(Debug, Serialize, ToSchema)]
struct NotificationSubject {
    /// Such as `credential`.
    #[serde(rename = "type")]
    kind: String,
    id: String,
}

/// Whether the caller has read it.
#[derive(Debug, ToSchema)]
struct ReadMark {
    read: bool,
}

/// The parameter of lists of notifications, for the documentation.
#[derive(Debug, IntoParams)]
#[into_params(parameter_in = Query)]
#[expect(dead_code, reason = "documents what ListQuery reads")]
struct UnreadParams {
    /// Only those that the caller has not read.
    #[param(default = false)]
    unread: Option<bool>,
}

impl ReadMark {
    fn read(mut fields: Fields<'_>) -> Option<Self> {
        let read = fields.required("read", boolean);
        fields.finish();
        Some(Self { read: read? })
    }
}

impl From<Notification> for NotificationResource {
    fn from(notification: Notification) -> Self {
        let Notification {
            id,
            notice,
            created_at,
            is_read,
        } = notification;
        let Notice {
            owner,
            audience: _,
            kind,
            severity,
            title,
            message,
            about,
            cause: _,
        } = notice;
        Self {
            notification_id: id.uuid(),
            whose: owner.word(),
            kind: kind.as_str(),
            severity: severity.as_str(),
            title,
            message,
            resource: about.map(|About { kind, id }| NotificationSubject { kind, id }),
            read: is_read,
            created_at: created_at.to_string(),
        }
    }
}

/// What the organisation is told; some of it only its owners and admins. `search` looks in titles and
/// messages, and `sort=name` goes by the title. Kinds that the caller does not want in lists are left
/// out.
#[utoipa::path(
    get,
    path = "/clients/{clientId}/notifications",
    tag = "notifications",
    params(("clientId" = Uuid, Path, description = "The organisation"), ListParams, UnreadParams),
    responses((status = 200, body = Listed<NotificationResource>))
)]
async fn list_notifications(
    call: Read,
    InPath(client): InPath<String>,
    query: RawQuery,
) -> ApiResult {
    let scope = call.enter(&client, Permission::ReadResources).await?;
    page(&call, Shelf::of_organisation(&call.caller, &scope), &query).await
}

/// One of them; from now on the caller has read it.
#[utoipa::path(
    get,
    path = "/clients/{clientId}/notifications/{notificationId}",
    tag = "notifications",
    params(
        ("clientId" = Uuid, Path, description = "The organisation"),
        ("notificationId" = Uuid, Path, description = "The notification"),
    ),
    responses(
        (status = 200, body = NotificationResource),
        (status = 304, description = "As known"),
    )
)]
async fn get_notification(
    call: Read,
    InPath((client, notification)): InPath<(String, String)>,
) -> ApiResult {
    let scope = call.enter(&client, Permission::ReadResources).await?;
    one(
        &call,
        Shelf::of_organisation(&call.caller, &scope),
        &notification,
    )
    .await
}

/// Says whether the caller has read it.
#[utoipa::path(
    patch,
    path = "/clients/{clientId}/notifications/{notificationId}",
    tag = "notifications",
    params(
        ("clientId" = Uuid, Path, description = "The organisation"),
        ("notificationId" = Uuid, Path, description = "The notification"),
    ),
    request_body = ReadMark,
    responses((status = 200, body = NotificationResource))
)]
async fn mark_notification(
    call: Mutation,
    InPath((client, notification)): InPath<(String, String)>,
    body: Body,
) -> ApiResult {
    let scope = call.enter(&client, Permission::ReadResources).await?;
    let shelf = Shelf::of_organisation(&call.change.actor, &scope);
    mark(&call, shelf, &notification, body).await
}

/// The caller has read all that the organisation was told and they may see.
#[utoipa::path(
    post,
    path = "/clients/{clientId}/notifications/read-all",
    tag = "notifications",
    params(("clientId" = Uuid, Path, description = "The organisation")),
    responses((status = 204))
)]
async fn read_all_notifications(
    call: Mutation,
    InPath(client): InPath<String>,
) -> ApiResult<Response> {
    let scope = call.enter(&client, Permission::ReadResources).await?;
    let shelf = Shelf::of_organisation(&call.change.actor, &scope);
    let done = notifications::mark_all(&call.change, &shelf).await?;
    Ok(call.deleted(&done).await)
}

async fn page(call: &Read, shelf: Shelf, query: &RawQuery) -> ApiResult {
    let query = query.list(FILTERS)?;
    let mut conn = call.state.connect().await?;
    let page = notification_list(&mut conn, shelf.owner, shelf.reader, &query).await?;
    Ok(list::answer(&query, page, NotificationResource::from))
}

/// Who may not change what is their user's, or is no user, reads without a trace.
async fn one(call: &Read, shelf: Shelf, notification: &str) -> ApiResult {
    let mut found = shelf.find(&call.state, notification).await?;
    if !found.is_read && call.caller.whole_user().is_ok() {
        let change = Change {
            state: call.state.clone(),
            actor: call.caller.clone(),
            origin: call.origin.clone(),
            expected: Expected::Any,
            is_forced: false,
        };
        (found, _) = notifications::mark(&change, &shelf, (found.id, true)).await?;
    }
    call.answer_content(&NotificationResource::from(found))
}

async fn mark(call: &Mutation, shelf: Shelf, notification: &str, body: Body) -> ApiResult {
    // Before the body: of what is not there nothing is to be said.
    let found = shelf.find(&call.change.state, notification).await?;
    let mut problems = Problems::default();
    let mark = ReadMark::read(Fields::new(body.into_object(), &mut problems));
    problems.check()?;
    let ReadMark { read } = mark.ok_or(problems)?;
    let (found, done) = notifications::mark(&call.change, &shelf, (found.id, read)).await?;
    let answer = Json(NotificationResource::from(found)).into_response();
    Ok(call.answered(&done, answer).await)
}
