//! `/users/me/tokens`: the tokens with which the caller calls.

use std::collections::BTreeSet;

use axum::response::Response;
use serde::Serialize;
use serde_json::{Map, Value};
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;
use uuid::Uuid;

use super::members::optional_roles;
use crate::domain::account::audit::{Log, Subject};
use crate::domain::id::OrganisationId;
use crate::domain::moment::Moment;
use crate::domain::name::Name;
use crate::domain::people::member::Roles;
use crate::domain::people::rights::Rights;
use crate::domain::people::user_token::UserToken;
use crate::error::{ApiError, ApiResult, id};
use crate::http::body::Body;
use crate::http::call::{InPath, Mutation, Read};
use crate::http::etag::Tag;
use crate::http::list::{self, Filters, ListParams, Listed, RawQuery};
use crate::http::routes::shape::document;
use crate::identity::token::NewToken;
use crate::service::people::tokens;
use crate::state::AppState;
use crate::store::people::user_token::{user_token_fetch, user_token_list};
use requestrocket_policy::form::fields::{Fields, parsed};
use requestrocket_policy::form::problem::{Fault, Problems};

/// Organisations that a token may be limited to.
const CLIENT_IDS: usize = 100;

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
    /// Of the user's roles it has these only; null: all of them.
    roles: Option<Vec<&'static str>>,
    /// It knows these organisations only; null: all of the user's.
    client_ids: Option<Vec<Uuid>>,
    expires_at: Option<String>,
    /// To the minute.
    last_used_at: Option<String>,
    /// From where it was used then.
    last_used_address: Option<String>,
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
    /// Of your roles it is to have these only. By default those of the token in use.
    #[schema(value_type = Option<Vec<String>>, min_items = 1, max_items = 3)]
    roles: Option<Roles>,
    /// It is to know these of your organisations only; 1 to 100. By default those of the token in
    /// use.
    #[schema(value_type = Option<Vec<Uuid>>, min_items = 1, max_items = 100)]
    client_ids: Option<BTreeSet<OrganisationId>>,
    /// RFC 3339, in the future; null (default) for never, or with the token in use.
    #[schema(value_type = Option<String>)]
    expires_at: Option<Moment>,
}

impl TokenInput {
    fn read(mut fields: Fields<'_>, now: Moment) -> Option<Self> {
        let token_name = fields.required("tokenName", parsed);
        let roles = optional_roles(&mut fields);
        let client_ids = fields.list("clientIds", CLIENT_IDS, parsed::<OrganisationId>);
        if client_ids.as_ref().is_some_and(Vec::is_empty) {
            let text = "must name at least one organisation";
            fields.problem(Fault::ValidationFailed, "clientIds", text);
        }
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
            roles,
            client_ids: client_ids.map(BTreeSet::from_iter),
            expires_at,
        })
    }
}

impl From<&UserToken> for TokenResource {
    fn from(token: &UserToken) -> Self {
        let moment = |moment: Option<Moment>| moment.map(|moment| moment.to_string());
        let rights = &token.rights;
        let roles = rights.roles.as_ref();
        let organisations = rights.organisations.as_ref();
        Self {
            token_id: token.id.uuid(),
            token_name: token.name.to_string(),
            token_prefix: token.prefix.clone(),
            roles: roles.map(|roles| roles.words().collect()),
            client_ids: organisations.map(|ids| ids.iter().map(|id| id.uuid()).collect()),
            expires_at: moment(rights.expires_at),
            last_used_at: moment(token.last_used_at),
            last_used_address: token.last_used_address.map(|address| address.to_string()),
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

impl Subject for UserToken {
    const KIND: &'static str = "token";

    fn log(&self) -> Log {
        Log::User(self.user)
    }

    fn named(&self) -> (String, String) {
        (self.id.to_string(), self.name.to_string())
    }

    fn members(&self) -> Map<String, Value> {
        let mut members = document(&TokenResource::from(self));
        // Use is no change.
        members.remove("lastUsedAt");
        members.remove("lastUsedAddress");
        members
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
        roles,
        client_ids,
        expires_at,
    } = input.ok_or(problems)?;
    let rights = Rights {
        roles,
        organisations: client_ids,
        expires_at,
    };
    let (token, new, done) = tokens::create(&call.change, user, token_name, rights).await?;
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
