//! `/clients/{clientId}/invites` and `/invites/accept`

use axum::Json;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use http::header::{CACHE_CONTROL, LOCATION};
use http::request::Parts;
use http::{HeaderValue, StatusCode};
use serde::Serialize;
use serde_json::{Map, Value};
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;
use uuid::Uuid;

use super::members::roles;
use super::session::visitor;
use crate::domain::account::audit::{Log, Subject};
use crate::domain::name::Name;
use crate::domain::people::browser_session::Visitor;
use crate::domain::people::member::{Invite, Roles};
use crate::domain::people::password::NewPassword;
use crate::domain::people::permission::Permission;
use crate::domain::people::user::Email;
use crate::error::{ApiError, ApiResult, id};
use crate::http::authenticate::caller_of;
use crate::http::author;
use crate::http::body::Body;
use crate::http::call::{CONFIG_VERSION, InPath, Mutation, Read};
use crate::http::etag::Tag;
use crate::http::idempotency::ReplayBody;
use crate::http::list::{self, Filters, ListParams, Listed, RawQuery};
use crate::http::routes::shape::document;
use crate::http::stranger::names_somebody;
use crate::identity::caller::Caller;
use crate::identity::token::NewToken;
use crate::service::people::invites::{self, Guest, NewGuest, Welcome};
use crate::state::AppState;
use crate::store::people::invite::{invite_fetch, invite_list};
use requestrocket_policy::form::fields::{Fields, parsed, string};
use requestrocket_policy::form::problem::Problems;

/// The routes of this file that need a token.
pub fn router() -> OpenApiRouter<AppState> {
    OpenApiRouter::new()
        .routes(routes!(list_invites, create_invite))
        .routes(routes!(get_invite, delete_invite))
        .routes(routes!(resend_invite))
}

/// The route that needs none.
pub fn public_router() -> OpenApiRouter<AppState> {
    OpenApiRouter::new().routes(routes!(accept_invite))
}

/// An offer to become a member, without its token.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct InviteResource {
    invite_id: Uuid,
    client_id: Uuid,
    email: String,
    roles: Vec<&'static str>,
    expires_at: String,
    accepted_at: Option<String>,
    created_by: String,
    created_at: String,
}

/// An invite just made: the one time that its token is shown. Where mail is set up it is not: who is
/// invited gets it by letter.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct NewInviteResource<'a> {
    invite_id: Uuid,
    #[serde(skip_serializing_if = "Option::is_none")]
    invite_token: Option<&'a str>,
}

/// What to send for an invite.
#[derive(Debug, ToSchema)]
pub struct InviteInput {
    #[schema(value_type = String)]
    email: Email,
    /// At least one of `owner`, `admin`, `user`.
    #[schema(value_type = Vec<String>)]
    roles: Roles,
}

impl InviteInput {
    fn read(mut fields: Fields<'_>) -> Option<Self> {
        let (email, roles) = (fields.required("email", parsed), roles(&mut fields));
        fields.finish();
        Some(Self {
            email: email?,
            roles: roles?,
        })
    }
}

/// What to send to accept an invite.
#[derive(Debug, ToSchema)]
#[schema(rename_all = "camelCase")]
pub struct AcceptInput {
    invite_token: String,
    /// Not needed with a user token.
    #[schema(value_type = Option<String>)]
    first_name: Option<Name>,
    /// Not needed with a user token.
    #[schema(value_type = Option<String>)]
    last_name: Option<Name>,
    /// To sign in with at browsers, of somebody new: 12 to 200 characters, and not easy to guess.
    #[schema(value_type = Option<String>, format = "password")]
    password: Option<NewPassword>,
}

impl AcceptInput {
    fn read(mut fields: Fields<'_>, is_known: bool) -> Option<Self> {
        let invite_token = fields.required("inviteToken", string);
        let (first_name, last_name, password) = if is_known {
            // Sent by callers that fill in one form for both; the user's own name stays.
            fields.optional("firstName", string);
            fields.optional("lastName", string);
            fields.optional("password", string);
            (None, None, None)
        } else {
            (
                fields.required("firstName", parsed),
                fields.required("lastName", parsed),
                fields.optional("password", parsed),
            )
        };
        fields.finish();
        Some(Self {
            invite_token: invite_token?,
            first_name,
            last_name,
            password,
        })
    }

    /// The token, and who accepts; None: a name is missing.
    fn into_parts(self, caller: Option<Caller>, visitor: Visitor) -> Option<(String, Guest)> {
        let guest = match caller {
            Some(caller) => Guest::Known(caller),
            None => Guest::New(NewGuest {
                first_name: self.first_name?,
                last_name: self.last_name?,
                password: self.password,
                visitor,
            }),
        };
        Some((self.invite_token, guest))
    }
}

/// A new member, with a token that is shown this once.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct WelcomeResource<'a> {
    user_id: Uuid,
    client_id: Uuid,
    #[serde(skip_serializing_if = "Option::is_none")]
    token: Option<&'a str>,
}

impl From<&Invite> for InviteResource {
    fn from(invite: &Invite) -> Self {
        Self {
            invite_id: invite.id.uuid(),
            client_id: invite.organisation.uuid(),
            email: invite.email.to_string(),
            roles: invite.roles.words().collect(),
            expires_at: invite.expires_at.to_string(),
            accepted_at: invite.accepted_at.map(|moment| moment.to_string()),
            created_by: invite.created_by.clone(),
            created_at: invite.created_at.to_string(),
        }
    }
}

impl Subject for Invite {
    const KIND: &'static str = "invite";

    fn log(&self) -> Log {
        Log::Organisation(self.organisation)
    }

    fn named(&self) -> (String, String) {
        (self.id.to_string(), self.email.to_string())
    }

    fn members(&self) -> Map<String, Value> {
        document(&InviteResource::from(self))
    }
}

/// The organisation's invites.
#[utoipa::path(
    get,
    path = "/clients/{clientId}/invites",
    tag = "members",
    params(("clientId" = Uuid, Path, description = "The organisation"), ListParams),
    responses((status = 200, body = Listed<InviteResource>))
)]
async fn list_invites(call: Read, InPath(client): InPath<String>, query: RawQuery) -> ApiResult {
    let scope = call.enter(&client, Permission::ReadMembers).await?;
    let query = query.list(Filters::default())?;
    let page = invite_list(&mut *call.state.connect().await?, scope.id(), &query).await?;
    Ok(list::answer(&query, page, |invite| {
        InviteResource::from(&invite)
    }))
}

/// Makes an invite and shows its token this once.
#[utoipa::path(
    post,
    path = "/clients/{clientId}/invites",
    tag = "members",
    params(("clientId" = Uuid, Path, description = "The organisation")),
    request_body = InviteInput,
    responses((status = 201, body = NewInviteResource<'_>))
)]
async fn create_invite(call: Mutation, InPath(client): InPath<String>, body: Body) -> ApiResult {
    let scope = call.enter(&client, Permission::WriteMembers).await?;
    let mut problems = Problems::default();
    let input = InviteInput::read(Fields::new(body.into_object(), &mut problems));
    problems.check()?;
    let InviteInput { email, roles } = input.ok_or(problems)?;
    let (invite, token, done) = invites::create(&call.change, &scope, email, roles).await?;
    let (shown, replay) = shown(&call.change.state, &invite, &token);
    call.created_once(&done, &invite.id.to_string(), &shown, &replay)
        .await
}

/// One invite.
#[utoipa::path(
    get,
    path = "/clients/{clientId}/invites/{inviteId}",
    tag = "members",
    params(
        ("clientId" = Uuid, Path, description = "The organisation"),
        ("inviteId" = Uuid, Path, description = "The invite"),
    ),
    responses((status = 200, body = InviteResource), (status = 304, description = "As known"))
)]
async fn get_invite(call: Read, InPath((client, invite)): InPath<(String, String)>) -> ApiResult {
    let scope = call.enter(&client, Permission::ReadMembers).await?;
    let mut conn = call.state.connect().await?;
    let found = invite_fetch(&mut conn, scope.id(), id(&invite)?).await?;
    let invite = found.ok_or_else(ApiError::not_found)?;
    Ok(call.answer(
        &InviteResource::from(&invite),
        &Tag::of_revision(invite.revision),
    ))
}

/// Gives an invite a new token, which is shown this once, and seven days from now; the token before
/// is void.
#[utoipa::path(
    post,
    path = "/clients/{clientId}/invites/{inviteId}/resend",
    tag = "members",
    params(
        ("clientId" = Uuid, Path, description = "The organisation"),
        ("inviteId" = Uuid, Path, description = "The invite"),
    ),
    responses((status = 200, body = NewInviteResource<'_>))
)]
async fn resend_invite(
    call: Mutation,
    InPath((client, invite)): InPath<(String, String)>,
) -> ApiResult {
    let scope = call.enter(&client, Permission::WriteMembers).await?;
    let (invite, token, done) = invites::resend(&call.change, &scope, &invite).await?;
    let (shown, replay) = shown(&call.change.state, &invite, &token);
    call.answered_once(&done, &shown, &replay).await
}

/// An invite with its token, and what a repetition of its making says.
fn shown<'a>(
    state: &AppState,
    invite: &Invite,
    token: &'a NewToken,
) -> (NewInviteResource<'a>, NewInviteResource<'a>) {
    let invite_id = invite.id.uuid();
    let of = |invite_token| NewInviteResource {
        invite_id,
        invite_token,
    };
    let shown = (!state.sends_mail).then(|| token.expose());
    (of(shown), of(None))
}

/// Withdraws an invite.
#[utoipa::path(
    delete,
    path = "/clients/{clientId}/invites/{inviteId}",
    tag = "members",
    params(
        ("clientId" = Uuid, Path, description = "The organisation"),
        ("inviteId" = Uuid, Path, description = "The invite"),
    ),
    responses((status = 204))
)]
async fn delete_invite(
    call: Mutation,
    InPath((client, invite)): InPath<(String, String)>,
) -> ApiResult<Response> {
    let scope = call.enter(&client, Permission::WriteMembers).await?;
    let done = invites::withdraw(&call.change, &scope, &invite).await?;
    Ok(call.deleted(&done).await)
}

/// Accepts an invite: makes a user, or binds to the one whose token is presented.
#[utoipa::path(
    post,
    path = "/invites/accept",
    tag = "members",
    request_body = AcceptInput,
    responses((status = 201, body = WelcomeResource<'_>))
)]
async fn accept_invite(
    State(state): State<AppState>,
    parts: Parts,
    body: Body,
) -> ApiResult<Response> {
    // A token or session that does not count is refused: taken for a stranger, its user would get a twin.
    let caller = if names_somebody(&parts.headers, &state) {
        let caller = caller_of(&state, &parts).await?;
        caller.whole_user()?;
        Some(caller)
    } else {
        None
    };
    let mut problems = Problems::default();
    let input = AcceptInput::read(
        Fields::new(body.into_object(), &mut problems),
        caller.is_some(),
    );
    problems.check()?;
    let accepted = input.and_then(|input| input.into_parts(caller, visitor(&state, &parts)));
    let (token, guest) = accepted.ok_or(problems)?;
    let origin = author::of(&state, &parts);
    welcome(&invites::accept(&state, origin, &token, guest).await?)
}

fn welcome(welcome: &Welcome) -> ApiResult<Response> {
    let Welcome {
        user,
        organisation,
        token,
        done,
    } = welcome;
    let (user_id, client_id) = (user.uuid(), organisation.uuid());
    let shown = WelcomeResource {
        user_id,
        client_id,
        token: Some(token.expose()),
    };
    let replay = WelcomeResource {
        user_id,
        client_id,
        token: None,
    };
    let replay = serde_json::to_string(&replay).map_err(ApiError::internal)?;
    let location = format!("/clients/{organisation}/members/{user}");
    let mut response = (StatusCode::CREATED, Json(shown)).into_response();
    response.extensions_mut().insert(ReplayBody(replay));
    let headers = response.headers_mut();
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(CONFIG_VERSION, HeaderValue::from(done.revision));
    headers.insert(
        LOCATION,
        HeaderValue::from_str(&location).map_err(ApiError::internal)?,
    );
    Ok(response)
}
