//! `/clients/{clientId}/credentials/{credentialId}/consent`

use serde::Serialize;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::domain::people::permission::Permission;
use crate::error::ApiResult;
use crate::http::call::{InPath, Mutation};
use crate::service::gateway::consents;
use crate::state::AppState;

/// The routes of this file.
pub(super) fn router() -> OpenApiRouter<AppState> {
    OpenApiRouter::new().routes(routes!(ask_for_consent))
}

/// Where somebody has to consent.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct ConsentResource<'a> {
    /// Of the provider; good for one answer. A replay leaves it out.
    #[serde(skip_serializing_if = "Option::is_none")]
    authorization_url: Option<&'a str>,
    /// No answer is taken from then on.
    expires_at: String,
}

/// Asks for a consent once more: nobody answered the last time, or it does not count any longer. The
/// address that was given out before leads nowhere from now on; the present token serves on.
#[utoipa::path(
    post,
    path = "/clients/{clientId}/credentials/{credentialId}/consent",
    tag = "credentials",
    params(
        ("clientId" = Uuid, Path, description = "The organisation"),
        ("credentialId" = Uuid, Path, description = "The credential"),
    ),
    responses((status = 200, body = ConsentResource<'_>))
)]
async fn ask_for_consent(
    call: Mutation,
    InPath((client, credential)): InPath<(String, String)>,
) -> ApiResult {
    let scope = call.enter(&client, Permission::WriteResources).await?;
    let (asked, done) = consents::ask_again(&call.change, &scope, &credential).await?;
    let expires_at = asked.expires_at.to_string();
    let shown = ConsentResource {
        authorization_url: Some(asked.address.expose()),
        expires_at: expires_at.clone(),
    };
    let replay = ConsentResource {
        authorization_url: None,
        expires_at,
    };
    call.answered_once(&done, &shown, &replay).await
}
