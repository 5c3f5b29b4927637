//! `/clients/{clientId}/webhooks/{webhookId}/test`

use axum::Json;
use axum::response::IntoResponse as _;
use serde::Serialize;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::domain::people::permission::Permission;
use crate::error::{ApiError, ApiResult, id};
use crate::http::call::{InPath, Read};
use crate::service::account::webhooks::{self, NotTaken};
use crate::state::AppState;
use crate::store::account::webhook::webhook_fetch;

/// The routes of this file.
pub(super) fn router() -> OpenApiRouter<AppState> {
    OpenApiRouter::new().routes(routes!(test_webhook))
}

/// What the message came to.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct WebhookTestResource {
    /// It was taken: answered with a status from 200 to 299.
    delivered: bool,
    /// Of the answer; null: there was none.
    status: Option<u16>,
    duration_ms: u64,
    /// Why it was not taken.
    error: Option<String>,
}

/// Sends a webhook a signed message of type `webhook.test`, once, and waits up to 15 seconds for its
/// answer; also one that is switched off. Redirects are not followed.
#[utoipa::path(
    post,
    path = "/clients/{clientId}/webhooks/{webhookId}/test",
    tag = "webhooks",
    params(
        ("clientId" = Uuid, Path, description = "The organisation"),
        ("webhookId" = Uuid, Path, description = "The webhook"),
    ),
    responses((status = 200, body = WebhookTestResource))
)]
async fn test_webhook(
    call: Read,
    InPath((client, webhook)): InPath<(String, String)>,
) -> ApiResult {
    let scope = call.enter(&client, Permission::ManageWebhooks).await?;
    let found = {
        let mut conn = call.state.connect().await?;
        webhook_fetch(&mut conn, scope.id(), id(&webhook)?).await?
    };
    let webhook = found.ok_or_else(ApiError::not_found)?;
    let (taken, took) = webhooks::test(&call.state, webhook).await?;
    let status = match taken {
        Ok(status) | Err(NotTaken::Refused(status)) => Some(status),
        Err(NotTaken::Unreached(_) | NotTaken::Unsigned) => None,
    };
    Ok(Json(WebhookTestResource {
        delivered: taken.is_ok(),
        status,
        duration_ms: u64::try_from(took.as_millis()).unwrap_or(u64::MAX),
        error: taken.err().map(|why| why.to_string()),
    })
    .into_response())
}
