//! `/session`: the caller at a browser.

use axum::extract::State;
use axum::response::{IntoResponse, Response};
use http::StatusCode;
use http::header::USER_AGENT;
use http::request::Parts;
use serde::Serialize;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;
use uuid::Uuid;

use crate::domain::people::browser_session::Visitor;
use crate::domain::people::password::{NewPassword, PresentedPassword};
use crate::domain::people::user::Email;
use crate::error::{ApiResult, unauthenticated};
use crate::http::author;
use crate::http::body::Body;
use crate::http::call::{Mutation, Read};
use crate::http::session_cookie;
use crate::http::stranger::peer;
use crate::identity::token::NewToken;
use crate::service::people::{password, sign_in};
use crate::state::AppState;
use crate::store::people::browser_session::browser_session_fetch;
use crate::store::people::user::user_fetch;
use requestrocket_policy::form::fields::{Fields, parsed, string};
use requestrocket_policy::form::problem::Problems;

/// The routes of this file that are for who is signed in.
pub fn router() -> OpenApiRouter<AppState> {
    OpenApiRouter::new().routes(routes!(get_session, delete_session))
}

/// Those for who is not.
pub fn public_router() -> OpenApiRouter<AppState> {
    OpenApiRouter::new()
        .routes(routes!(create_session))
        .routes(routes!(set_up))
        .routes(routes!(forgot))
        .routes(routes!(reset))
}

/// Who is signed in.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct SessionResource {
    user_id: Uuid,
    email: String,
    /// When the session ends unless it is used before.
    expires_at: String,
    /// Who said who it is; null: they showed a password.
    provider: Option<String>,
}

/// What to send to sign in.
#[derive(Debug, ToSchema)]
struct SignInInput {
    #[schema(value_type = String)]
    email: Email,
    #[schema(value_type = String, format = "password")]
    password: PresentedPassword,
}

impl SignInInput {
    fn read(mut fields: Fields<'_>) -> Option<Self> {
        let email = fields.required("email", parsed);
        let password = fields.required("password", parsed);
        fields.finish();
        Some(Self {
            email: email?,
            password: password?,
        })
    }
}

/// What to send with a set-up token.
#[derive(ToSchema)]
struct SetUpInput {
    token: String,
    /// To sign in with from now on.
    #[schema(value_type = String)]
    email: Email,
    /// 12 to 200 characters, and not easy to guess.
    #[schema(value_type = String, format = "password")]
    password: NewPassword,
}

impl SetUpInput {
    fn read(mut fields: Fields<'_>) -> Option<Self> {
        let token = fields.required("token", string);
        let email = fields.required("email", parsed);
        let password = fields.required("password", parsed);
        fields.finish();
        Some(Self {
            token: token?,
            email: email?,
            password: password?,
        })
    }
}

/// What to send for a letter that lets one choose another password.
#[derive(Debug, ToSchema)]
struct ForgotInput {
    /// That one signs in with.
    #[schema(value_type = String)]
    email: Email,
}

impl ForgotInput {
    fn read(mut fields: Fields<'_>) -> Option<Self> {
        let email = fields.required("email", parsed);
        fields.finish();
        Some(Self { email: email? })
    }
}

/// What to send with the token of such a letter.
#[derive(ToSchema)]
struct ResetInput {
    token: String,
    /// 12 to 200 characters, and not easy to guess.
    #[schema(value_type = String, format = "password")]
    password: NewPassword,
}

impl ResetInput {
    fn read(mut fields: Fields<'_>) -> Option<Self> {
        let token = fields.required("token", string);
        let password = fields.required("password", parsed);
        fields.finish();
        Some(Self {
            token: token?,
            password: password?,
        })
    }
}

/// With what somebody comes.
pub(super) fn visitor(state: &AppState, parts: &Parts) -> Visitor {
    let address = peer(state, &parts.extensions, &parts.headers);
    let user_agent = parts.headers.get(USER_AGENT);
    Visitor::new(address, user_agent.and_then(|text| text.to_str().ok()))
}

/// Who is signed in at this browser.
#[utoipa::path(
    get,
    path = "/session",
    tag = "session",
    responses(
        (status = 200, body = SessionResource),
        (status = 304, description = "As known"),
        (status = 403, description = "You came by a token", body = crate::error::ErrorBody),
    )
)]
async fn get_session(call: Read) -> ApiResult {
    let (id, session) = (call.caller.user()?, call.caller.session()?);
    let (state, now) = (&call.state, call.state.now());
    let mut conn = state.connect().await?;
    let session = browser_session_fetch(&mut conn, id, session, now).await?;
    let session = session.ok_or_else(unauthenticated)?;
    let user = user_fetch(&mut conn, id).await?;
    let user = user.ok_or_else(unauthenticated)?;
    call.answer_content(&SessionResource {
        user_id: id.uuid(),
        email: user.profile.email.to_string(),
        expires_at: session.ends_at().to_string(),
        provider: session.provider.map(|provider| provider.to_string()),
    })
}

/// Signs in: the answer sets the session's cookie.
#[utoipa::path(
    post,
    path = "/session",
    tag = "session",
    request_body = SignInInput,
    responses(
        (status = 204),
        (status = 403, description = "A page of another origin", body = crate::error::ErrorBody),
    )
)]
async fn create_session(
    State(state): State<AppState>,
    parts: Parts,
    body: Body,
) -> ApiResult<Response> {
    session_cookie::refuse_foreign(&parts.headers, &state.public_url)?;
    let mut problems = Problems::default();
    let input = SignInInput::read(Fields::new(body.into_object(), &mut problems));
    problems.check()?;
    let SignInInput { email, password } = input.ok_or(problems)?;
    let had = session_cookie::presented(&parts.headers, &state.public_url);
    let from = (visitor(&state, &parts), author::of(&state, &parts));
    let secret = sign_in::sign_in(&state, (email, password), from, had.as_deref()).await?;
    signed_in(&state, &secret)
}

/// Chooses the address and password of the user whose set-up token it is, and signs in.
#[utoipa::path(
    post,
    path = "/session/setup",
    tag = "session",
    request_body = SetUpInput,
    responses(
        (status = 204),
        (status = 403, description = "A page of another origin", body = crate::error::ErrorBody),
    )
)]
async fn set_up(State(state): State<AppState>, parts: Parts, body: Body) -> ApiResult<Response> {
    session_cookie::refuse_foreign(&parts.headers, &state.public_url)?;
    let mut problems = Problems::default();
    let input = SetUpInput::read(Fields::new(body.into_object(), &mut problems));
    problems.check()?;
    let SetUpInput {
        token,
        email,
        password,
    } = input.ok_or(problems)?;
    let had = session_cookie::presented(&parts.headers, &state.public_url);
    let from = (visitor(&state, &parts), author::of(&state, &parts));
    let chosen = (token.as_str(), email, password);
    let secret = password::set_up(&state, chosen, from, had.as_deref()).await?;
    signed_in(&state, &secret)
}

/// Has a letter sent to whoever signs in with this address; it lets them choose another password
/// within an hour. Whether there is such a user does not show.
#[utoipa::path(
    post,
    path = "/session/forgot",
    tag = "session",
    request_body = ForgotInput,
    responses(
        (status = 202),
        (status = 403, description = "A page of another origin", body = crate::error::ErrorBody),
    )
)]
async fn forgot(State(state): State<AppState>, parts: Parts, body: Body) -> ApiResult<Response> {
    session_cookie::refuse_foreign(&parts.headers, &state.public_url)?;
    let mut problems = Problems::default();
    let input = ForgotInput::read(Fields::new(body.into_object(), &mut problems));
    problems.check()?;
    let ForgotInput { email } = input.ok_or(problems)?;
    password::forgot(&state, &email).await?;
    Ok(StatusCode::ACCEPTED.into_response())
}

/// Chooses another password by the token of a letter. All sessions of the user end.
#[utoipa::path(
    post,
    path = "/session/reset",
    tag = "session",
    request_body = ResetInput,
    responses(
        (status = 204),
        (status = 403, description = "A page of another origin", body = crate::error::ErrorBody),
    )
)]
async fn reset(State(state): State<AppState>, parts: Parts, body: Body) -> ApiResult<Response> {
    session_cookie::refuse_foreign(&parts.headers, &state.public_url)?;
    let mut problems = Problems::default();
    let input = ResetInput::read(Fields::new(body.into_object(), &mut problems));
    problems.check()?;
    let ResetInput { token, password } = input.ok_or(problems)?;
    let from = (visitor(&state, &parts), author::of(&state, &parts));
    password::reset(&state, (&token, password), from).await?;
    Ok(StatusCode::NO_CONTENT.into_response())
}

fn signed_in(state: &AppState, secret: &NewToken) -> ApiResult<Response> {
    let mut response = StatusCode::NO_CONTENT.into_response();
    session_cookie::set(&mut response, secret, &state.public_url)?;
    Ok(response)
}

/// Signs out: the session ends, here and for whoever has its cookie.
#[utoipa::path(
    delete,
    path = "/session",
    tag = "session",
    responses(
        (status = 204),
        (status = 403, description = "You came by a token", body = crate::error::ErrorBody),
    )
)]
async fn delete_session(call: Mutation) -> ApiResult<Response> {
    let done = sign_in::sign_out(&call.change).await?;
    let mut response = call.deleted(&done).await;
    session_cookie::clear(&mut response, &call.change.state.public_url)?;
    Ok(response)
}
