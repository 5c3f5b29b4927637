//! `/users/me/invites`: invites to an address that the caller has shown to be theirs.

use axum::response::Response;
use serde::Serialize;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;
use uuid::Uuid;

use crate::domain::listing::Page;
use crate::domain::name::Name;
use crate::domain::people::member::Invite;
use crate::error::ApiResult;
use crate::http::call::{InPath, Mutation, Read};
use crate::http::list::{self, Filters, ListParams, Listed, RawQuery};
use crate::service::people::invites;
use crate::state::AppState;
use crate::store::people::invite::invite_list_to;
use crate::store::people::user::user_proved_address;

/// The routes of this file.
pub fn router() -> OpenApiRouter<AppState> {
    OpenApiRouter::new()
        .routes(routes!(list_own_invites))
        .routes(routes!(accept_own_invite))
        .routes(routes!(decline_invite))
}

/// An offer to the caller to become a member.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct OwnInviteResource {
    invite_id: Uuid,
    client_id: Uuid,
    client_name: String,
    roles: Vec<&'static str>,
    expires_at: String,
    created_at: String,
}

/// Where the caller has become a member.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct JoinedResource {
    client_id: Uuid,
    roles: Vec<&'static str>,
}

impl OwnInviteResource {
    fn new((invite, name): &(Invite, Name)) -> Self {
        Self {
            invite_id: invite.id.uuid(),
            client_id: invite.organisation.uuid(),
            client_name: name.to_string(),
            roles: invite.roles.words().collect(),
            expires_at: invite.expires_at.to_string(),
            created_at: invite.created_at.to_string(),
        }
    }
}

/// Invites to the caller's address that can be accepted, if the address is known to be theirs: they
/// came by an invite to it, or chose it with a set-up token. `search` looks in names of organisations.
#[utoipa::path(
    get,
    path = "/users/me/invites",
    tag = "users",
    params(ListParams),
    responses((status = 200, body = Listed<OwnInviteResource>))
)]
async fn list_own_invites(call: Read, query: RawQuery) -> ApiResult {
    let user = call.caller.whole_user()?;
    let query = query.list(Filters::default())?;
    let mut conn = call.state.connect().await?;
    let address = user_proved_address(&mut conn, user).await?;
    let page = match address {
        Some(address) => invite_list_to(&mut conn, &address, call.state.now(), &query).await?,
        None => Page {
            items: Vec::new(),
            total: 0,
        },
    };
    Ok(list::answer(&query, page, |found| {
        OwnInviteResource::new(&found)
    }))
}

/// Makes the caller a member.
#[utoipa::path(
    post,
    path = "/users/me/invites/{inviteId}/accept",
    tag = "users",
    params(("inviteId" = Uuid, Path, description = "The invite")),
    responses((status = 200, body = JoinedResource))
)]
async fn accept_own_invite(call: Mutation, InPath(invite): InPath<String>) -> ApiResult {
    let (invite, done) = invites::accept_own(&call.change, &invite).await?;
    let joined = JoinedResource {
        client_id: invite.organisation.uuid(),
        roles: invite.roles.words().collect(),
    };
    Ok(call.updated(&done, &joined).await)
}

/// Declines an invite, which is withdrawn.
#[utoipa::path(
    post,
    path = "/users/me/invites/{inviteId}/decline",
    tag = "users",
    params(("inviteId" = Uuid, Path, description = "The invite")),
    responses((status = 204))
)]
async fn decline_invite(call: Mutation, InPath(invite): InPath<String>) -> ApiResult<Response> {
    let done = invites::decline(&call.change, &invite).await?;
    Ok(call.deleted(&done).await)
}
