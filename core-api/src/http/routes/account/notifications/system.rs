//! What everybody is told.

use axum::response::Response;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::{NotificationResource, NotificationSeverity, ReadMark, UnreadParams, mark, one, page};
use crate::domain::account::notification::Severity;
use crate::domain::name::Name;
use crate::domain::people::user::Bio;
use crate::error::{ApiResult, forbidden};
use crate::http::body::Body;
use crate::http::call::{InPath, Mutation, Read};
use crate::http::list::{ListParams, Listed, RawQuery};
use crate::identity::caller::Caller;
use crate::service::account::notifications::{self, Announcement, Shelf};
use crate::state::AppState;
use requestrocket_policy::form::fields::{Fields, parsed};
use requestrocket_policy::form::problem::Problems;

/// The routes of this file.
pub(super) fn router() -> OpenApiRouter<AppState> {
    OpenApiRouter::new()
        .routes(routes!(list_system_notifications, post_system_notification))
        .routes(routes!(get_system_notification, mark_system_notification))
        .routes(routes!(read_all_system_notifications))
}

/// What an operator says to everybody.
#[derive(Debug, ToSchema)]
struct AnnouncementInput {
    #[schema(
        value_type = String,
        min_length = 1,
        max_length = 200,
        pattern = "^[^\\u0000-\\u001f\\u007f-\\u009f]*$"
    )]
    title: Name,
    /// Lines may be broken.
    #[schema(
        value_type = String,
        min_length = 1,
        max_length = 2000,
        pattern = "^[^\\u0000-\\u0009\\u000b-\\u001f\\u007f-\\u009f]*$"
    )]
    message: Text,
    /// `info` by default.
    #[schema(value_type = Option<NotificationSeverity>)]
    severity: Option<Severity>,
}

/// The same rules hold for what users say of themselves.
type Text = Bio;

impl AnnouncementInput {
    fn read(mut fields: Fields<'_>) -> Option<Self> {
        let title = fields.required("title", parsed);
        let message = fields.required("message", parsed);
        let severity = fields.optional("severity", parsed);
        fields.finish();
        Some(Self {
            title: title?,
            message: message?,
            severity,
        })
    }
}

/// What everybody is told: by operators, and of regions. Operators may ask, too; of them nobody
/// remembers what they have read.
#[utoipa::path(
    get,
    path = "/notifications/system",
    tag = "notifications",
    params(ListParams, UnreadParams),
    responses((status = 200, body = Listed<NotificationResource>))
)]
async fn list_system_notifications(call: Read, query: RawQuery) -> ApiResult {
    page(&call, Shelf::system(&call.caller), &query).await
}

/// Tells everybody something. For operators.
#[utoipa::path(
    post,
    path = "/notifications/system",
    tag = "notifications",
    request_body = AnnouncementInput,
    responses(
        (status = 201, body = NotificationResource),
        (status = 403, description = "You are no operator", body = crate::error::ErrorBody),
    )
)]
async fn post_system_notification(call: Mutation, body: Body) -> ApiResult<Response> {
    if call.change.actor != Caller::Operator {
        return Err(forbidden());
    }
    let mut problems = Problems::default();
    let input = AnnouncementInput::read(Fields::new(body.into_object(), &mut problems));
    problems.check()?;
    let AnnouncementInput {
        title,
        message,
        severity,
    } = input.ok_or(problems)?;
    let said = Announcement {
        title,
        message: message.as_str().to_owned(),
        severity: severity.unwrap_or(Severity::Info),
    };
    let (told, done) = notifications::announce(&call.change, said).await?;
    let id = told.id.to_string();
    Ok(call
        .created(&done, &id, &NotificationResource::from(told))
        .await)
}

/// One of them; from now on the caller has read it.
#[utoipa::path(
    get,
    path = "/notifications/system/{notificationId}",
    tag = "notifications",
    params(("notificationId" = Uuid, Path, description = "The notification")),
    responses(
        (status = 200, body = NotificationResource),
        (status = 304, description = "As known"),
    )
)]
async fn get_system_notification(call: Read, InPath(notification): InPath<String>) -> ApiResult {
    one(&call, Shelf::system(&call.caller), &notification).await
}

/// Says whether the caller has read it.
#[utoipa::path(
    patch,
    path = "/notifications/system/{notificationId}",
    tag = "notifications",
    params(("notificationId" = Uuid, Path, description = "The notification")),
    request_body = ReadMark,
    responses((status = 200, body = NotificationResource))
)]
async fn mark_system_notification(
    call: Mutation,
    InPath(notification): InPath<String>,
    body: Body,
) -> ApiResult {
    call.change.actor.user()?;
    mark(
        &call,
        Shelf::system(&call.change.actor),
        &notification,
        body,
    )
    .await
}

/// The caller has read all of them.
#[utoipa::path(
    post,
    path = "/notifications/system/read-all",
    tag = "notifications",
    responses((status = 204))
)]
async fn read_all_system_notifications(call: Mutation) -> ApiResult<Response> {
    let shelf = Shelf::system(&call.change.actor);
    let done = notifications::mark_all(&call.change, &shelf).await?;
    Ok(call.deleted(&done).await)
}
