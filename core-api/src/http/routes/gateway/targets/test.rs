//! `/clients/{clientId}/targets/{targetId}/test`

use axum::Json;
use axum::response::IntoResponse;
use requestrocket_policy::form::fields::{Fields, parsed};
use requestrocket_policy::form::problem::Problems;
use serde::Serialize;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;
use uuid::Uuid;

use crate::domain::id::CredentialId;
use crate::domain::people::permission::Permission;
use crate::error::{ApiError, ApiResult, Code, id};
use crate::http::body::Body;
use crate::http::call::{InPath, Read};
use crate::service::gateway::target_tests;
use crate::state::AppState;
use crate::store::gateway::target::target_fetch;

/// The routes of this file.
pub(super) fn router() -> OpenApiRouter<AppState> {
    OpenApiRouter::new().routes(routes!(test_target))
}

/// With what to call the target.
#[derive(Debug, ToSchema)]
#[schema(rename_all = "camelCase", as = TargetTestInput)]
#[expect(dead_code, reason = "documents what test_target reads")]
struct TargetTestInput {
    /// What the target is given; without it nothing.
    target_credential_id: Option<Uuid>,
}

/// What the call came to.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct TargetTestResource {
    /// It was answered, whatever the answer said.
    reachable: bool,
    /// Of the answer; null: there was none.
    status: Option<u32>,
    duration_ms: u32,
    /// Why there was no answer.
    error: Option<String>,
}

/// Calls the target once from its region: a GET of `targetTestPath`, or `/`, for at most ten seconds,
/// to no address that targets may not have. Redirects are not followed. Nothing of the answer is
/// read but its status.
#[utoipa::path(
    post,
    path = "/clients/{clientId}/targets/{targetId}/test",
    tag = "targets",
    params(
        ("clientId" = Uuid, Path, description = "The organisation"),
        ("targetId" = Uuid, Path, description = "The target"),
    ),
    request_body = TargetTestInput,
    responses((status = 200, body = TargetTestResource))
)]
async fn test_target(
    call: Read,
    InPath((client, target)): InPath<(String, String)>,
    body: Body,
) -> ApiResult {
    let scope = call.enter(&client, Permission::WriteResources).await?;
    let mut conn = call.state.connect().await?;
    let found = target_fetch(&mut conn, scope.id(), id(&target)?).await?;
    let target = found.ok_or_else(ApiError::not_found)?;
    let mut problems = Problems::default();
    let mut fields = Fields::new(body.into_object(), &mut problems);
    let credential = fields.optional("targetCredentialId", parsed::<CredentialId>);
    fields.finish();
    problems.check()?;
    if let Some(credential) = credential {
        target_tests::check_credential(&mut conn, &target, credential).await?;
    }
    // The target may take its time.
    drop(conn);
    if !scope.organisation.is_served() {
        let text = "calls of the organisation are refused, and so are those to try its targets";
        return Err(ApiError::new(Code::Conflict, text));
    }
    let _place = call.state.searches.hold(&scope.id().to_string()).await?;
    let tested = target_tests::test(&call.state.fleets, &target, credential).await;
    let tested = tested.map_err(|why| ApiError::new(Code::RegionAway, why.to_string()))?;
    Ok(Json(TargetTestResource {
        reachable: tested.is_reachable,
        status: Some(tested.status).filter(|status| *status != 0),
        duration_ms: tested.duration_ms,
        error: Some(tested.error).filter(|error| !error.is_empty()),
    })
    .into_response())
}
