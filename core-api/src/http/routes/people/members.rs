//! `/clients/{clientId}/members`

use axum::response::Response;
use serde::Serialize;
use serde_json::{Map, Value};
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;
use uuid::Uuid;

use crate::domain::account::audit::{Log, Subject};
use crate::domain::people::member::{Member, Roles};
use crate::domain::people::permission::{Permission, Role};
use crate::error::{ApiError, ApiResult, id};
use crate::http::body::Body;
use crate::http::call::{InPath, Mutation, Read};
use crate::http::etag::Tag;
use crate::http::list::{self, Filters, ListParams, Listed, RawQuery};
use crate::http::routes::shape::document;
use crate::service::people::members;
use crate::state::AppState;
use crate::store::people::member::{member_fetch, member_list};
use requestrocket_policy::form::fields::{Fields, parsed};
use requestrocket_policy::form::problem::{Fault, Problems};

/// Members that answers have and PUT and PATCH may only repeat.
const FIXED: [&str; 10] = [
    "userId",
    "clientId",
    "email",
    "firstName",
    "lastName",
    "phone",
    "bio",
    "createdBy",
    "createdAt",
    "updatedAt",
];

/// The routes of this file.
pub fn router() -> OpenApiRouter<AppState> {
    OpenApiRouter::new()
        .routes(routes!(list_members))
        .routes(routes!(get_member, change_member, delete_member))
}

/// A user in an organisation.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct MemberResource {
    user_id: Uuid,
    client_id: Uuid,
    email: String,
    first_name: String,
    last_name: String,
    /// Null also when the user shows it to nobody.
    phone: Option<String>,
    /// Null also when the user shows it to nobody.
    bio: Option<String>,
    /// `owner`, `admin`, `user`.
    roles: Vec<&'static str>,
    created_by: String,
    created_at: String,
    updated_at: String,
}

/// What to send for a member.
#[derive(Debug, ToSchema)]
pub struct MemberInput {
    /// At least one of `owner`, `admin`, `user`.
    #[schema(value_type = Vec<String>)]
    roles: Roles,
}

impl MemberInput {
    fn read(mut fields: Fields<'_>) -> Option<Self> {
        let roles = roles(&mut fields);
        fields.finish();
        Some(Self { roles: roles? })
    }
}

impl From<&Member> for MemberResource {
    fn from(member: &Member) -> Self {
        let (phone, bio) = member.profile.about.shown();
        Self {
            user_id: member.user.uuid(),
            client_id: member.organisation.uuid(),
            email: member.profile.email.to_string(),
            first_name: member.profile.first_name.to_string(),
            last_name: member.profile.last_name.to_string(),
            phone: phone.map(|phone| phone.as_str().to_owned()),
            bio: bio.map(|bio| bio.as_str().to_owned()),
            roles: member.roles.words().collect(),
            created_by: member.created_by.clone(),
            created_at: member.created_at.to_string(),
            updated_at: member.updated_at.to_string(),
        }
    }
}

impl Subject for Member {
    const KIND: &'static str = "member";

    fn log(&self) -> Log {
        Log::Organisation(self.organisation)
    }

    fn named(&self) -> (String, String) {
        (self.user.to_string(), self.profile.email.to_string())
    }

    fn members(&self) -> Map<String, Value> {
        document(&MemberResource::from(self))
    }
}

/// The organisation's members.
#[utoipa::path(
    get,
    path = "/clients/{clientId}/members",
    tag = "members",
    params(("clientId" = Uuid, Path, description = "The organisation"), ListParams),
    responses((status = 200, body = Listed<MemberResource>))
)]
async fn list_members(call: Read, InPath(client): InPath<String>, query: RawQuery) -> ApiResult {
    let scope = call.enter(&client, Permission::ReadMembers).await?;
    let query = query.list(Filters::default())?;
    let page = member_list(&mut *call.state.connect().await?, scope.id(), &query).await?;
    Ok(list::answer(&query, page, |member| {
        MemberResource::from(&member)
    }))
}

/// One member.
#[utoipa::path(
    get,
    path = "/clients/{clientId}/members/{userId}",
    tag = "members",
    params(
        ("clientId" = Uuid, Path, description = "The organisation"),
        ("userId" = Uuid, Path, description = "The user"),
    ),
    responses((status = 200, body = MemberResource), (status = 304, description = "As known"))
)]
async fn get_member(call: Read, InPath((client, user)): InPath<(String, String)>) -> ApiResult {
    let scope = call.enter(&client, Permission::ReadMembers).await?;
    let mut conn = call.state.connect().await?;
    let found = member_fetch(&mut conn, scope.id(), id(&user)?).await?;
    let member = found.ok_or_else(ApiError::not_found)?;
    Ok(call.answer(
        &MemberResource::from(&member),
        &Tag::of_revision(member.revision),
    ))
}

/// Changes a member's roles (JSON merge patch); there is always an owner.
#[utoipa::path(
    patch,
    path = "/clients/{clientId}/members/{userId}",
    tag = "members",
    params(
        ("clientId" = Uuid, Path, description = "The organisation"),
        ("userId" = Uuid, Path, description = "The user"),
    ),
    request_body(content = MemberInput, content_type = "application/merge-patch+json"),
    responses((status = 200, body = MemberResource))
)]
async fn change_member(
    call: Mutation,
    InPath((client, user)): InPath<(String, String)>,
    body: Body,
) -> ApiResult {
    let scope = call.enter(&client, Permission::WriteMembers).await?;
    let read = |member: &Member| {
        let mut problems = Problems::default();
        let update = body.onto(
            &document(&MemberResource::from(member)),
            &FIXED,
            &[],
            &mut problems,
        );
        let input = MemberInput::read(Fields::new(update.object, &mut problems));
        problems.check()?;
        input.map(|input| input.roles).ok_or(problems)
    };
    let (member, done) = members::update(&call.change, &scope, &user, read).await?;
    Ok(call.updated(&done, &MemberResource::from(&member)).await)
}

/// Takes a member out of the organisation; everybody may take themselves, but not the last owner.
#[utoipa::path(
    delete,
    path = "/clients/{clientId}/members/{userId}",
    tag = "members",
    params(
        ("clientId" = Uuid, Path, description = "The organisation"),
        ("userId" = Uuid, Path, description = "The user"),
    ),
    responses((status = 204))
)]
async fn delete_member(
    call: Mutation,
    InPath((client, user)): InPath<(String, String)>,
) -> ApiResult<Response> {
    let scope = call.enter(&client, Permission::ReadOrganisation).await?;
    let done = members::remove(&call.change, &scope, &user).await?;
    Ok(call.deleted(&done).await)
}

/// Reads member `roles`.
pub(super) fn roles(fields: &mut Fields<'_>) -> Option<Roles> {
    if !fields.has("roles") {
        fields.problem(Fault::ValidationFailed, "roles", "is required");
    }
    optional_roles(fields)
}

/// The same, where it may be absent or null.
pub(super) fn optional_roles(fields: &mut Fields<'_>) -> Option<Roles> {
    let roles = Roles::new(fields.list("roles", 3, parsed::<Role>)?);
    if let Err(error) = &roles {
        fields.problem(Fault::ValidationFailed, "roles", error.to_string());
    }
    roles.ok()
}
