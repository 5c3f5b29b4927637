//! `/users/me/password`

use axum::response::Response;
use http::request::Parts;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::session::visitor;
use crate::domain::people::password::{NewPassword, PresentedPassword};
use crate::error::ApiResult;
use crate::http::body::Body;
use crate::http::call::Mutation;
use crate::http::session_cookie;
use crate::service::people::password;
use crate::state::AppState;
use requestrocket_policy::form::fields::{Fields, parsed};
use requestrocket_policy::form::problem::Problems;

/// The routes of this file.
pub fn router() -> OpenApiRouter<AppState> {
    OpenApiRouter::new().routes(routes!(change_password))
}

/// What to send to change a password.
#[derive(Debug, ToSchema)]
struct PasswordInput {
    #[schema(value_type = String, format = "password")]
    current: PresentedPassword,
    /// 12 to 200 characters, and not easy to guess.
    #[schema(value_type = String, format = "password")]
    new: NewPassword,
}

impl PasswordInput {
    fn read(mut fields: Fields<'_>) -> Option<Self> {
        let current = fields.required("current", parsed);
        let new = fields.required("new", parsed);
        fields.finish();
        Some(Self {
            current: current?,
            new: new?,
        })
    }
}

/// Changes the caller's password. All their sessions end; the one in use goes on with a new cookie.
#[utoipa::path(
    put,
    path = "/users/me/password",
    tag = "users",
    request_body = PasswordInput,
    responses(
        (status = 204),
        (status = 403, description = "Not the present password", body = crate::error::ErrorBody),
    )
)]
async fn change_password(call: Mutation, parts: Parts, body: Body) -> ApiResult<Response> {
    call.change.actor.whole_user()?;
    let state = &call.change.state;
    let mut problems = Problems::default();
    let input = PasswordInput::read(Fields::new(body.into_object(), &mut problems));
    problems.check()?;
    let PasswordInput { current, new } = input.ok_or(problems)?;
    let visitor = visitor(state, &parts);
    let (secret, done) = password::change(&call.change, (current, new), visitor).await?;
    let mut response = call.deleted(&done).await;
    if let Some(secret) = secret {
        session_cookie::set(&mut response, &secret, &state.public_url)?;
    }
    Ok(response)
}
