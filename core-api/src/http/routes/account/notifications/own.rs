//! What the caller is told of their own account.

use axum::response::Response;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::{NotificationResource, ReadMark, UnreadParams, mark, one, page};
use crate::error::ApiResult;
use crate::http::body::Body;
use crate::http::call::{InPath, Mutation, Read};
use crate::http::list::{ListParams, Listed, RawQuery};
use crate::service::account::notifications::{self, Shelf};
use crate::state::AppState;

/// The routes of this file.
pub(super) fn router() -> OpenApiRouter<AppState> {
    OpenApiRouter::new()
        .routes(routes!(list_own_notifications))
        .routes(routes!(get_own_notification, mark_own_notification))
        .routes(routes!(read_all_own_notifications))
}

/// What the caller is told of their own account.
#[utoipa::path(
    get,
    path = "/users/me/notifications",
    tag = "notifications",
    params(ListParams, UnreadParams),
    responses((status = 200, body = Listed<NotificationResource>))
)]
async fn list_own_notifications(call: Read, query: RawQuery) -> ApiResult {
    page(&call, Shelf::own(&call.caller)?, &query).await
}

/// One of them; from now on the caller has read it.
#[utoipa::path(
    get,
    path = "/users/me/notifications/{notificationId}",
    tag = "notifications",
    params(("notificationId" = Uuid, Path, description = "The notification")),
    responses(
        (status = 200, body = NotificationResource),
        (status = 304, description = "As known"),
    )
)]
async fn get_own_notification(call: Read, InPath(notification): InPath<String>) -> ApiResult {
    one(&call, Shelf::own(&call.caller)?, &notification).await
}

/// Says whether the caller has read it.
#[utoipa::path(
    patch,
    path = "/users/me/notifications/{notificationId}",
    tag = "notifications",
    params(("notificationId" = Uuid, Path, description = "The notification")),
    request_body = ReadMark,
    responses((status = 200, body = NotificationResource))
)]
async fn mark_own_notification(
    call: Mutation,
    InPath(notification): InPath<String>,
    body: Body,
) -> ApiResult {
    mark(&call, Shelf::own(&call.change.actor)?, &notification, body).await
}

/// The caller has read all of them.
#[utoipa::path(
    post,
    path = "/users/me/notifications/read-all",
    tag = "notifications",
    responses((status = 204))
)]
async fn read_all_own_notifications(call: Mutation) -> ApiResult<Response> {
    let shelf = Shelf::own(&call.change.actor)?;
    let done = notifications::mark_all(&call.change, &shelf).await?;
    Ok(call.deleted(&done).await)
}
