//! `/users/me`: the caller's own account.

use axum::response::Response;
use serde::Serialize;
use serde_json::{Map, Value};
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;
use uuid::Uuid;

use super::tokens::TokenResource;
use crate::domain::account::audit::{Entry, Log, Subject};
use crate::domain::name::Name;
use crate::domain::people::user::{About, Bio, Email, Phone, Profile, User, Visibility};
use crate::domain::people::user_token::UserToken;
use crate::error::{ApiError, ApiResult};
use crate::http::body::Body;
use crate::http::call::{Mutation, Read};
use crate::http::etag::Tag;
use crate::http::routes::shape::document;
use crate::http::session_cookie;
use crate::service::people::{password, users};
use crate::state::AppState;
use crate::store::log::write::Over;
use crate::store::people::user::{user_fetch, user_update};
use crate::store::people::user_token::user_token_newest;
use requestrocket_policy::form::fields::{Fields, parsed};
use requestrocket_policy::form::problem::Problems;

/// Members that answers have and PUT and PATCH may only repeat.
const FIXED: [&str; 3] = ["userId", "createdAt", "updatedAt"];
const TOKENS: &str = "tokens";

/// The routes of this file.
pub fn router() -> OpenApiRouter<AppState> {
    OpenApiRouter::new().routes(routes!(get_me, replace_me, change_me, delete_me))
}

/// A user.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct UserResource {
    user_id: Uuid,
    email: String,
    first_name: String,
    last_name: String,
    phone: Option<String>,
    bio: Option<String>,
    /// Who sees phone and bio: `colleagues` (who see members of your organisations) or `none`.
    visibility: &'static str,
    /// The newest hundred.
    tokens: Vec<TokenResource>,
    created_at: String,
    updated_at: String,
}

/// What to send for a user.
#[derive(Debug, ToSchema)]
#[schema(rename_all = "camelCase")]
pub struct UserInput {
    #[schema(value_type = String)]
    email: Email,
    /// 1 to 200 characters.
    #[schema(value_type = String)]
    first_name: Name,
    /// 1 to 200 characters.
    #[schema(value_type = String)]
    last_name: Name,
    /// 1 to 40 digits, blanks and `+-().`; null (default) for none.
    #[schema(value_type = Option<String>)]
    phone: Option<Phone>,
    /// 1 to 2000 characters; null (default) for none.
    #[schema(value_type = Option<String>)]
    bio: Option<Bio>,
    /// Who sees phone and bio: `colleagues` (default) or `none`.
    #[schema(value_type = Option<String>)]
    visibility: Option<Visibility>,
}

impl UserInput {
    fn read(mut fields: Fields<'_>) -> Option<Self> {
        let email = fields.required("email", parsed);
        let first_name = fields.required("firstName", parsed);
        let last_name = fields.required("lastName", parsed);
        let phone = fields.optional("phone", parsed);
        let bio = fields.optional("bio", parsed);
        let visibility = fields.optional("visibility", parsed);
        fields.finish();
        Some(Self {
            email: email?,
            first_name: first_name?,
            last_name: last_name?,
            phone,
            bio,
            visibility,
        })
    }
}

impl From<UserInput> for Profile {
    fn from(input: UserInput) -> Self {
        let UserInput {
            email,
            first_name,
            last_name,
            phone,
            bio,
            visibility,
        } = input;
        Self {
            email,
            first_name,
            last_name,
            about: About {
                phone,
                bio,
                visibility: visibility.unwrap_or(Visibility::Colleagues),
            },
        }
    }
}

impl UserResource {
    fn new(user: &User, tokens: &[UserToken]) -> Self {
        let Profile {
            email,
            first_name,
            last_name,
            about,
        } = &user.profile;
        Self {
            user_id: user.id.uuid(),
            email: email.to_string(),
            first_name: first_name.to_string(),
            last_name: last_name.to_string(),
            phone: about.phone.as_ref().map(|phone| phone.as_str().to_owned()),
            bio: about.bio.as_ref().map(|bio| bio.as_str().to_owned()),
            visibility: about.visibility.as_str(),
            tokens: tokens.iter().map(TokenResource::from).collect(),
            created_at: user.created_at.to_string(),
            updated_at: user.updated_at.to_string(),
        }
    }
}

impl Subject for User {
    const KIND: &'static str = "user";

    fn log(&self) -> Log {
        Log::User(self.id)
    }

    fn named(&self) -> (String, String) {
        (self.id.to_string(), self.profile.email.to_string())
    }

    fn members(&self) -> Map<String, Value> {
        let mut members = document(&UserResource::new(self, &[]));
        members.remove(TOKENS);
        members
    }
}

/// The caller.
#[utoipa::path(
    get,
    path = "/users/me",
    tag = "users",
    responses((status = 200, body = UserResource), (status = 304, description = "As known"))
)]
async fn get_me(call: Read) -> ApiResult {
    let id = call.caller.user()?;
    let mut conn = call.state.connect().await?;
    let user = user_fetch(&mut conn, id)
        .await?
        .ok_or_else(ApiError::not_found)?;
    let tokens = user_token_newest(&mut conn, id).await?;
    let tag = Tag::of_revision(user.revision);
    Ok(call.answer(&UserResource::new(&user, &tokens), &tag))
}

/// Replaces the caller's name and address.
#[utoipa::path(
    put,
    path = "/users/me",
    tag = "users",
    request_body = UserInput,
    responses((status = 200, body = UserResource))
)]
async fn replace_me(call: Mutation, body: Body) -> ApiResult {
    update(call, body).await
}

/// Changes the caller's name or address (JSON merge patch).
#[utoipa::path(
    patch,
    path = "/users/me",
    tag = "users",
    request_body(content = UserInput, content_type = "application/merge-patch+json"),
    responses((status = 200, body = UserResource))
)]
async fn change_me(call: Mutation, body: Body) -> ApiResult {
    update(call, body).await
}

async fn update(call: Mutation, mut body: Body) -> ApiResult {
    let id = call.change.actor.whole_user()?;
    let mut write = call.change.begin(Over::User(id)).await?;
    let mut user = user_fetch(write.conn(), id)
        .await?
        .ok_or_else(ApiError::not_found)?;
    let tokens = user_token_newest(write.conn(), id).await?;
    call.change.expects(user.revision)?;
    // What GET showed may come back, though tokens are not changed here.
    body.ignore(TOKENS, |sent| are_listed(sent, &tokens));
    let mut problems = Problems::default();
    let mut document = document(&UserResource::new(&user, &tokens));
    document.remove(TOKENS);
    let update = body.onto(&document, &FIXED, &[], &mut problems);
    let input = UserInput::read(Fields::new(update.object, &mut problems));
    problems.check()?;
    let before = user.members();
    user.profile = input.ok_or(problems)?.into();
    user.updated_at = write.now();
    user.revision = write.version_after(user.revision);
    user_update(write.conn(), &user).await?;
    password::follow_address(&mut write, &user).await?;
    let entry = Entry::updated(before, &user);
    let done = call.change.commit(write, entry).await?;
    Ok(call
        .updated(&done, &UserResource::new(&user, &tokens))
        .await)
}

/// Removes the caller with their memberships, tokens, sessions and password. What they made stays.
#[utoipa::path(delete, path = "/users/me", tag = "users", responses((status = 204)))]
async fn delete_me(call: Mutation) -> ApiResult<Response> {
    let done = users::remove(&call.change).await?;
    let mut response = call.deleted(&done).await;
    if call.change.actor.session().is_ok() {
        session_cookie::clear(&mut response, &call.change.state.public_url)?;
    }
    Ok(response)
}

/// When a token was last used may have changed since the caller read the list; the rest may not.
fn are_listed(sent: &Value, tokens: &[UserToken]) -> bool {
    let id = |item: &Value| {
        item.get("tokenId")
            .and_then(Value::as_str)
            .map(str::to_owned)
    };
    let sent: Option<Vec<String>> = sent
        .as_array()
        .and_then(|items| items.iter().map(id).collect());
    sent.is_some_and(|ids| {
        ids.into_iter()
            .eq(tokens.iter().map(|token| token.id.to_string()))
    })
}
