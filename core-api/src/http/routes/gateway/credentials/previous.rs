//! `/clients/{clientId}/credentials/{credentialId}/previous`: a secret that was replaced and is still
//! accepted.

use serde::Serialize;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::domain::moment::Moment;
use crate::domain::people::permission::Permission;
use crate::error::ApiResult;
use crate::http::call::{InPath, Mutation};
use crate::service::gateway::credentials;
use crate::state::AppState;

/// The route of this file.
pub(super) fn router() -> OpenApiRouter<AppState> {
    OpenApiRouter::new().routes(routes!(end_previous_secret))
}

/// A secret that was replaced and is still accepted.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct PreviousResource {
    valid_until: String,
}

impl PreviousResource {
    pub(super) fn new(until: Moment) -> Self {
        Self {
            valid_until: until.to_string(),
        }
    }
}

/// Ends the secret that was replaced, at once; 404 when none is accepted any more.
#[utoipa::path(
    delete,
    path = "/clients/{clientId}/credentials/{credentialId}/previous",
    tag = "credentials",
    params(
        ("clientId" = Uuid, Path, description = "The organisation"),
        ("credentialId" = Uuid, Path, description = "The credential"),
    ),
    responses((status = 204))
)]
async fn end_previous_secret(
    call: Mutation,
    InPath((client, credential)): InPath<(String, String)>,
) -> ApiResult {
    let scope = call.enter(&client, Permission::WriteResources).await?;
    let done = credentials::end_previous(&call.change, &scope, &credential).await?;
    Ok(call.deleted(&done).await)
}
