//! `/users/me/tokens`: the tokens with which the caller calls.

use axum::response::Response;
use serde::Serialize;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;
use uuid::Uuid;

use crate::domain::moment::Moment;
use crate::domain::name::Name;
use crate::domain::people::user_token::UserToken;
use crate::error::{ApiError, ApiResult, id};
use crate::http::body::Body;
use crate::http::call::{InPath, Mutation, Read};
use crate::http::etag::Tag;
use crate::http::list::{self, Filters, ListParams, Listed, RawQuery};
use crate::identity::token::NewToken;
use crate::service::people::tokens;
use crate::state::AppState;
use crate::store::people::user_token::{user_token_fetch, user_token_list};
use requestrocket_policy::form::fields::{Fields, parsed};
use requestrocket_policy::form::problem::{Fault, Problems};

/// The routes of this file.
pub fn router() -> OpenApiRouter<AppState> {
    OpenApiRouter::new()
        .routes(routes!(list_tokens, create_token))
        .routes(routes!(get_token, delete_token))
}

/// A user token, without the token itself.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct TokenResource {
    token_id: Uuid,
    token_name: String,
    /// The first characters, to tell tokens apart.
    token_prefix: String,
    expires_at: Option<String>,
    /// To the minute.
    last_used_at: Option<String>,
    created_at: String,
}

/// A user token just made: the one time that it is shown.
#[derive(Serialize, ToSchema)]
struct NewTokenResource<'a> {
    #[serde(flatten)]
    resource: TokenResource,
    token: &'a str,
}

/// What to send for a token.
#[derive(Debug, ToSchema)]
#[schema(rename_all = "camelCase")]
pub struct TokenInput {
    /// 1 to 200 characters.
    #[schema(value_type = String)]
    token_name: Name,
    /// RFC 3339, in the future; null (default) for never.
    #[schema(value_type = Option<String>)]
    expires_at: Option<Moment>,
}

impl TokenInput {
    fn read(mut fields: Fields<'_>, now: Moment) -> Option<Self> {
        let token_name = fields.required("tokenName", parsed);
        let expires_at = fields.optional("expiresAt", parsed::<Moment>);
        if expires_at.is_some_and(|end| end <= now) {
            fields.problem(
                Fault::ValidationFailed,
                "expiresAt",
                "must be in the future",
            );
        }
        fields.finish();
        Some(Self {
            token_name: token_name?,
            expires_at,
        })
    }
}

impl From<&UserToken> for TokenResource {
    fn from(token: &UserToken) -> Self {
        let moment = |moment: Option<Moment>| moment.map(|moment| moment.to_string());
        Self {
            token_id: token.id.uuid(),
            token_name: token.name.to_string(),
            token_prefix: token.prefix.clone(),
            expires_at: moment(token.expires_at),
            last_used_at: moment(token.last_used_at),
            created_at: token.created_at.to_string(),
        }
    }
}

impl<'a> NewTokenResource<'a> {
    fn new(token: &UserToken, new: &'a NewToken) -> Self {
        Self {
            resource: token.into(),
            token: new.expose(),
        }
    }
}

/// The caller's tokens.
#[utoipa::path(
    get,
    path = "/users/me/tokens",
    tag = "users",
    params(ListParams),
    responses((status = 200, body = Listed<TokenResource>))
)]
async fn list_tokens(call: Read, query: RawQuery) -> ApiResult {
    let user = call.caller.user()?;
    let query = query.list(Filters::default())?;
    let page = user_token_list(&mut *call.state.connect().await?, user, &query).await?;
    Ok(list::answer(&query, page, |token| {
        TokenResource::from(&token)
    }))
}

/// Makes a token and shows it this once.
#[utoipa::path(
    post,
    path = "/users/me/tokens",
    tag = "users",
    request_body = TokenInput,
    responses((status = 201, body = NewTokenResource<'_>))
)]
async fn create_token(call: Mutation, body: Body) -> ApiResult {
    let user = call.change.actor.user()?;
    let mut problems = Problems::default();
    let fields = Fields::new(body.into_object(), &mut problems);
    let input = TokenInput::read(fields, call.change.state.now());
    problems.check()?;
    let TokenInput {
        token_name,
        expires_at,
    } = input.ok_or(problems)?;
    let (token, new, done) = tokens::create(&call.change, user, token_name, expires_at).await?;
    let (shown, replay) = (
        NewTokenResource::new(&token, &new),
        TokenResource::from(&token),
    );
    call.created_once(&done, &token.id.to_string(), &shown, &replay)
        .await
}

/// One token.
#[utoipa::path(
    get,
    path = "/users/me/tokens/{tokenId}",
    tag = "users",
    params(("tokenId" = Uuid, Path, description = "The token")),
    responses((status = 200, body = TokenResource), (status = 304, description = "As known"))
)]
async fn get_token(call: Read, InPath(token): InPath<String>) -> ApiResult {
    let user = call.caller.user()?;
    let mut conn = call.state.connect().await?;
    let found = user_token_fetch(&mut conn, user, id(&token)?).await?;
    let token = found.ok_or_else(ApiError::not_found)?;
    Ok(call.answer(
        &TokenResource::from(&token),
        &Tag::of_revision(token.revision),
    ))
}

/// Revokes a token, which may be the one in use.
#[utoipa::path(
    delete,
    path = "/users/me/tokens/{tokenId}",
    tag = "users",
    params(("tokenId" = Uuid, Path, description = "The token")),
    responses((status = 204))
)]
async fn delete_token(call: Mutation, InPath(token): InPath<String>) -> ApiResult<Response> {
    let done = tokens::revoke(&call.change, &token).await?;
    Ok(call.deleted(&done).await)
}
