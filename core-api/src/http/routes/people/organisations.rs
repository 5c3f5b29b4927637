//! `/clients`: organisations.

mod input;
mod view;

use axum::response::Response;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use self::input::{ConfigurationInput, NewOrganisationInput, OrganisationInput};
use self::view::{ConfigurationResource, OrganisationResource};
use crate::domain::people::organisation::Organisation;
use crate::domain::people::permission::Permission;
use crate::error::ApiResult;
use crate::http::body::Body;
use crate::http::call::{InPath, Mutation, Read};
use crate::http::etag::Tag;
use crate::http::labels;
use crate::http::list::{self, Filters, LabelParams, ListParams, Listed, RawQuery};
use crate::http::routes::shape::document;
use crate::identity::caller::{Caller, Scope};
use crate::service::people::organisations::{self, Settings};
use crate::state::AppState;
use crate::store::people::organisation::{organisation_list, organisation_list_all};
use requestrocket_policy::form::fields::Fields;
use requestrocket_policy::form::problem::Problems;

const FILTERS: Filters = Filters {
    region: false,
    active: false,
    labels: true,
    priority: false,
    types: &[],
    temporary: false,
    unread: false,
};
/// Members that answers have and PUT and PATCH may only repeat.
const FIXED: [&str; 4] = ["clientId", "createdBy", "createdAt", "updatedAt"];

/// The routes of this file.
pub fn router() -> OpenApiRouter<AppState> {
    OpenApiRouter::new()
        .routes(routes!(list_organisations, create_organisation))
        .routes(routes!(
            get_organisation,
            replace_organisation,
            change_organisation,
            delete_organisation
        ))
        .routes(routes!(get_configuration, replace_configuration))
}

/// The caller's organisations; all of them for an operator.
#[utoipa::path(
    get,
    path = "/clients",
    tag = "organisations",
    params(ListParams, LabelParams),
    responses((status = 200, body = Listed<OrganisationResource>))
)]
async fn list_organisations(call: Read, query: RawQuery) -> ApiResult {
    let mut query = query.list(FILTERS)?;
    let mut conn = call.state.connect().await?;
    let page = match call.caller {
        Caller::User { id, rights, .. } => {
            let known = rights.organisations.as_ref();
            // A token that is of some organisations lists no others of its user.
            query.among = known.map(|known| known.iter().map(ToString::to_string).collect());
            organisation_list(&mut conn, id, &query).await?
        }
        Caller::Operator => organisation_list_all(&mut conn, &query).await?,
    };
    Ok(list::answer(&query, page, |organisation| {
        OrganisationResource::from(&organisation)
    }))
}

/// Adds an organisation, with the caller as its owner.
#[utoipa::path(
    post,
    path = "/clients",
    tag = "organisations",
    request_body = NewOrganisationInput,
    responses((status = 201, body = OrganisationResource))
)]
async fn create_organisation(call: Mutation, mut body: Body) -> ApiResult {
    let user = call.change.actor.whole_user()?;
    let mut problems = Problems::default();
    let labels = labels::take_new(&mut body, &mut problems);
    let fields = Fields::new(body.into_object(), &mut problems);
    let input = NewOrganisationInput::read(fields, labels);
    problems.check()?;
    let (name, new) = input.ok_or(problems)?.into_parts();
    let (organisation, done) = organisations::create(&call.change, user, name, new).await?;
    let resource = OrganisationResource::from(&organisation);
    Ok(call
        .created(&done, &organisation.id.to_string(), &resource)
        .await)
}

/// One organisation.
#[utoipa::path(
    get,
    path = "/clients/{clientId}",
    tag = "organisations",
    params(("clientId" = Uuid, Path, description = "The organisation")),
    responses(
        (status = 200, body = OrganisationResource),
        (status = 304, description = "As known"),
    )
)]
async fn get_organisation(call: Read, InPath(client): InPath<String>) -> ApiResult {
    let scope = call.enter(&client, Permission::ReadOrganisation).await?;
    let organisation = &scope.organisation;
    let tag = Tag::of_revision(organisation.revision);
    Ok(call.answer(&OrganisationResource::from(organisation), &tag))
}

/// Replaces an organisation's name and configuration; plan and status stay.
#[utoipa::path(
    put,
    path = "/clients/{clientId}",
    tag = "organisations",
    params(("clientId" = Uuid, Path, description = "The organisation")),
    request_body = OrganisationInput,
    responses((status = 200, body = OrganisationResource))
)]
async fn replace_organisation(
    call: Mutation,
    InPath(client): InPath<String>,
    body: Body,
) -> ApiResult {
    let scope = call.enter(&client, Permission::ChangeOrganisation).await?;
    update(call, &scope, body).await
}

/// Changes members of an organisation (JSON merge patch); plan and status with an operator token.
#[utoipa::path(
    patch,
    path = "/clients/{clientId}",
    tag = "organisations",
    params(("clientId" = Uuid, Path, description = "The organisation")),
    request_body(content = OrganisationInput, content_type = "application/merge-patch+json"),
    responses((status = 200, body = OrganisationResource))
)]
async fn change_organisation(
    call: Mutation,
    InPath(client): InPath<String>,
    body: Body,
) -> ApiResult {
    let scope = call.enter(&client, Permission::ReadOrganisation).await?;
    // An operator may come in, and is refused below for all but plan and status.
    if call.change.actor != Caller::Operator {
        scope.require(Permission::ChangeOrganisation)?;
    }
    update(call, &scope, body).await
}

async fn update(call: Mutation, scope: &Scope, mut body: Body) -> ApiResult {
    let read = |current: &Organisation| -> ApiResult<Settings> {
        let mut problems = Problems::default();
        let mut shown = document(&OrganisationResource::from(current));
        let now = &current.labels;
        let labels = labels::take_changed(&mut body, &mut shown, now, &mut problems);
        let update = body.onto(&shown, &FIXED, &[], &mut problems);
        let fields = Fields::new(update.object, &mut problems);
        let input = OrganisationInput::read(fields, labels);
        problems.check()?;
        let settings = input.ok_or(problems)?.onto(current);
        let before = Settings::of(current);
        if (settings.plan, settings.status) != (before.plan, before.status) {
            scope.require(Permission::ChangePlan)?;
        }
        let own = |of: &Settings| (of.name.clone(), of.configuration.clone(), of.labels.clone());
        if own(&settings) != own(&before) {
            scope.require(Permission::ChangeOrganisation)?;
        }
        Ok(settings)
    };
    let (organisation, done) =
        organisations::update(&call.change, scope.id(), "configuration.regions", read).await?;
    Ok(call
        .updated(&done, &OrganisationResource::from(&organisation))
        .await)
}

/// Deletes an organisation; with proxies only when forced.
#[utoipa::path(
    delete,
    path = "/clients/{clientId}",
    tag = "organisations",
    params(
        ("clientId" = Uuid, Path, description = "The organisation"),
        ("force" = Option<bool>, Query, description = "Also with all that it has"),
    ),
    responses((status = 204))
)]
async fn delete_organisation(
    call: Mutation,
    InPath(client): InPath<String>,
) -> ApiResult<Response> {
    let scope = call.enter(&client, Permission::DeleteOrganisation).await?;
    let done = organisations::delete(&call.change, scope.id()).await?;
    Ok(call.deleted(&done).await)
}

/// An organisation's limits and regions.
#[utoipa::path(
    get,
    path = "/clients/{clientId}/configuration",
    tag = "organisations",
    params(("clientId" = Uuid, Path, description = "The organisation")),
    responses(
        (status = 200, body = ConfigurationResource),
        (status = 304, description = "As known"),
    )
)]
async fn get_configuration(call: Read, InPath(client): InPath<String>) -> ApiResult {
    let scope = call.enter(&client, Permission::ReadOrganisation).await?;
    let organisation = &scope.organisation;
    let tag = Tag::of_revision(organisation.revision);
    Ok(call.answer(&ConfigurationResource::from(organisation), &tag))
}

/// Replaces an organisation's limits and regions.
#[utoipa::path(
    put,
    path = "/clients/{clientId}/configuration",
    tag = "organisations",
    params(("clientId" = Uuid, Path, description = "The organisation")),
    request_body = ConfigurationInput,
    responses((status = 200, body = ConfigurationResource))
)]
async fn replace_configuration(
    call: Mutation,
    InPath(client): InPath<String>,
    body: Body,
) -> ApiResult {
    let scope = call.enter(&client, Permission::ChangeOrganisation).await?;
    let read = |current: &Organisation| -> ApiResult<Settings> {
        let mut problems = Problems::default();
        let input = ConfigurationInput::read(Fields::new(body.into_object(), &mut problems));
        problems.check()?;
        Ok(Settings {
            configuration: input.into(),
            ..Settings::of(current)
        })
    };
    let (organisation, done) =
        organisations::update(&call.change, scope.id(), "regions", read).await?;
    Ok(call
        .updated(&done, &ConfigurationResource::from(&organisation))
        .await)
}
