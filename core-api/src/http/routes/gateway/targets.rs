//! `/clients/{clientId}/targets`

use std::collections::BTreeMap;

use axum::response::Response;
use ipnet::IpNet;
use serde::Serialize;
use serde_json::{Map, Value};
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;
use uuid::Uuid;

use crate::domain::account::audit::{Log, Subject};
use crate::domain::gateway::base_url::BaseUrl;
use crate::domain::gateway::region::RegionName;
use crate::domain::gateway::target::{CHECK_SECONDS, Target, TargetForm, is_test_path};
use crate::domain::guard::effect::Effect;
use crate::domain::label::{Labelled, Labels};
use crate::domain::name::Name;
use crate::domain::people::permission::Permission;
use crate::error::{ApiError, ApiResult, id};
use crate::http::body::Body;
use crate::http::call::{InPath, Mutation, Read};
use crate::http::etag::Tag;
use crate::http::labels;
use crate::http::list::{self, Filters, LabelParams, ListParams, Listed, RawQuery};
use crate::http::routes::shape::{RuleEffect, document};
use crate::service::gateway::targets;
use crate::state::AppState;
use crate::store::gateway::target::{target_fetch, target_list};
use requestrocket_policy::form::fields::{Fields, integer, parsed, string};
use requestrocket_policy::form::problem::{Invalid, Problems};

const FILTERS: Filters = Filters {
    region: true,
    active: false,
    labels: true,
    priority: false,
    types: &[],
    temporary: false,
    unread: false,
};
/// Members that answers have and PUT and PATCH may only repeat.
const FIXED: [&str; 7] = [
    "targetId",
    "clientId",
    "createdBy",
    "createdAt",
    "updatedAt",
    "targetRegion",
    HEALTH,
];
const HEALTH: &str = "targetHealth";

mod health;
mod test;

use self::health::TargetHealthResource;

/// The routes of this file.
pub fn router() -> OpenApiRouter<AppState> {
    OpenApiRouter::new()
        .routes(routes!(list_targets, create_target))
        .routes(routes!(
            get_target,
            replace_target,
            change_target,
            delete_target
        ))
        .merge(test::router())
}

/// A target: where calls go.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct TargetResource {
    target_id: Uuid,
    client_id: Uuid,
    target_name: String,
    #[serde(rename = "targetBaseURL")]
    target_base_url: String,
    target_test_path: Option<String>,
    target_check_seconds: Option<u32>,
    /// Live, the entity tag does not cover it: what its region's last call came to. Null while it is
    /// not called.
    target_health: Option<TargetHealthResource>,
    target_region: String,
    #[schema(value_type = RuleEffect)]
    target_default_rule_effect: &'static str,
    labels: BTreeMap<String, String>,
    created_by: String,
    created_at: String,
    updated_at: String,
}

/// What to send for a target.
#[derive(Debug, ToSchema)]
#[schema(rename_all = "camelCase")]
pub struct TargetInput {
    /// 1 to 200 characters.
    #[schema(value_type = String, min_length = 1, max_length = 200)]
    target_name: Name,
    /// http or https; may carry a path prefix, but neither userinfo, query nor fragment.
    #[schema(rename = "targetBaseURL", value_type = String, max_length = 2048)]
    target_base_url: BaseUrl,
    /// What the target's test asks for; begins with a slash.
    #[schema(pattern = "^/")]
    target_test_path: Option<String>,
    /// How often its region calls it to see whether it answers; null for never.
    #[schema(minimum = 60, maximum = 86_400)]
    target_check_seconds: Option<u32>,
    /// Cannot be changed later; PUT may leave it out.
    #[schema(value_type = Option<String>)]
    target_region: Option<RegionName>,
    #[schema(value_type = Option<RuleEffect>)]
    target_default_rule_effect: Option<Effect>,
    /// Up to 32 pairs to find it by; no region hears of them.
    #[schema(value_type = Option<BTreeMap<String, String>>)]
    labels: Labels,
}

impl TargetInput {
    /// Reads what is left when region (of a new one) and labels were taken out.
    fn read(
        mut fields: Fields<'_>,
        target_region: Option<RegionName>,
        labels: Option<Labels>,
        allowed: &[IpNet],
    ) -> Option<Self> {
        let name = fields.required("targetName", parsed);
        let base_url = fields.required("targetBaseURL", |value| {
            BaseUrl::parse(&string(value)?, allowed)
        });
        let target_test_path = fields.optional("targetTestPath", test_path);
        let target_check_seconds = fields.optional("targetCheckSeconds", check_seconds);
        let target_default_rule_effect = fields.optional("targetDefaultRuleEffect", parsed);
        fields.finish();
        Some(Self {
            target_name: name?,
            target_base_url: base_url?,
            target_test_path,
            target_check_seconds,
            target_region,
            target_default_rule_effect,
            labels: labels?,
        })
    }

    /// The region of a new one, and what can be changed later.
    fn into_parts(self) -> (Option<RegionName>, Labelled<TargetForm>) {
        let form = TargetForm {
            name: self.target_name,
            base_url: self.target_base_url,
            test_path: self.target_test_path,
            check_seconds: self.target_check_seconds,
            default_rule_effect: self.target_default_rule_effect.unwrap_or(Effect::Allow),
        };
        let labels = self.labels;
        (self.target_region, Labelled { form, labels })
    }
}

impl From<&Target> for TargetResource {
    fn from(target: &Target) -> Self {
        let TargetForm {
            name,
            base_url,
            test_path,
            check_seconds,
            default_rule_effect,
        } = &target.form;
        Self {
            target_id: target.id.uuid(),
            client_id: target.organisation.uuid(),
            target_name: name.to_string(),
            target_base_url: base_url.to_string(),
            target_test_path: test_path.clone(),
            target_check_seconds: *check_seconds,
            target_health: target.health.as_ref().map(TargetHealthResource::new),
            target_region: target.region.to_string(),
            target_default_rule_effect: default_rule_effect.as_str(),
            labels: labels::shown(&target.labels),
            created_by: target.created_by.clone(),
            created_at: target.created_at.to_string(),
            updated_at: target.updated_at.to_string(),
        }
    }
}

impl Subject for Target {
    const KIND: &'static str = "target";

    fn log(&self) -> Log {
        Log::Organisation(self.organisation)
    }

    fn named(&self) -> (String, String) {
        (self.id.to_string(), self.form.name.to_string())
    }

    fn members(&self) -> Map<String, Value> {
        let mut members = document(&TargetResource::from(self));
        members.remove(HEALTH);
        members
    }
}

/// The organisation's targets.
#[utoipa::path(
    get,
    path = "/clients/{clientId}/targets",
    tag = "targets",
    params(
        ("clientId" = Uuid, Path, description = "The organisation"),
        ListParams,
        LabelParams,
        ("region" = Option<String>, Query, description = "Only of this region"),
    ),
    responses((status = 200, body = Listed<TargetResource>))
)]
async fn list_targets(call: Read, InPath(client): InPath<String>, query: RawQuery) -> ApiResult {
    let scope = call.enter(&client, Permission::ReadResources).await?;
    let query = query.list(FILTERS)?;
    let page = target_list(&mut *call.state.connect().await?, scope.id(), &query).await?;
    Ok(list::answer(&query, page, |target| {
        TargetResource::from(&target)
    }))
}

/// Adds a target.
#[utoipa::path(
    post,
    path = "/clients/{clientId}/targets",
    tag = "targets",
    params(("clientId" = Uuid, Path, description = "The organisation")),
    request_body = TargetInput,
    responses((status = 201, body = TargetResource))
)]
async fn create_target(
    call: Mutation,
    InPath(client): InPath<String>,
    mut body: Body,
) -> ApiResult {
    let scope = call.enter(&client, Permission::WriteResources).await?;
    let mut problems = Problems::default();
    let labels = labels::take_new(&mut body, &mut problems);
    let mut fields = Fields::new(body.into_object(), &mut problems);
    let region = fields.required("targetRegion", parsed);
    let allowed = &call.change.state.allow_private_targets;
    let input = TargetInput::read(fields, region, labels, allowed);
    problems.check()?;
    let Some((Some(region), new)) = input.map(TargetInput::into_parts) else {
        return Err(problems.into());
    };
    let (target, done) = targets::create(&call.change, &scope, region, new).await?;
    Ok(call
        .created(
            &done,
            &target.id.to_string(),
            &TargetResource::from(&target),
        )
        .await)
}

/// One target.
#[utoipa::path(
    get,
    path = "/clients/{clientId}/targets/{targetId}",
    tag = "targets",
    params(
        ("clientId" = Uuid, Path, description = "The organisation"),
        ("targetId" = Uuid, Path, description = "The target"),
    ),
    responses((status = 200, body = TargetResource), (status = 304, description = "As known"))
)]
async fn get_target(call: Read, InPath((client, target)): InPath<(String, String)>) -> ApiResult {
    let scope = call.enter(&client, Permission::ReadResources).await?;
    let found = target_fetch(&mut *call.state.connect().await?, scope.id(), id(&target)?).await?;
    let target = found.ok_or_else(ApiError::not_found)?;
    Ok(call.answer(
        &TargetResource::from(&target),
        &Tag::of_revision(target.revision),
    ))
}

/// Replaces a target.
#[utoipa::path(
    put,
    path = "/clients/{clientId}/targets/{targetId}",
    tag = "targets",
    params(
        ("clientId" = Uuid, Path, description = "The organisation"),
        ("targetId" = Uuid, Path, description = "The target"),
    ),
    request_body = TargetInput,
    responses((status = 200, body = TargetResource))
)]
async fn replace_target(
    call: Mutation,
    InPath((client, target)): InPath<(String, String)>,
    body: Body,
) -> ApiResult {
    update(call, &client, &target, body).await
}

/// Changes members of a target (JSON merge patch).
#[utoipa::path(
    patch,
    path = "/clients/{clientId}/targets/{targetId}",
    tag = "targets",
    params(
        ("clientId" = Uuid, Path, description = "The organisation"),
        ("targetId" = Uuid, Path, description = "The target"),
    ),
    request_body(content = TargetInput, content_type = "application/merge-patch+json"),
    responses((status = 200, body = TargetResource))
)]
async fn change_target(
    call: Mutation,
    InPath((client, target)): InPath<(String, String)>,
    body: Body,
) -> ApiResult {
    update(call, &client, &target, body).await
}

async fn update(call: Mutation, client: &str, target: &str, mut body: Body) -> ApiResult {
    let scope = call.enter(client, Permission::WriteResources).await?;
    let allowed = &call.change.state.allow_private_targets;
    let read = |target: &Target| {
        let mut problems = Problems::default();
        // It moves by itself between a GET and the PUT of what it showed.
        body.ignore(HEALTH, |value| value.is_object() || value.is_null());
        let mut shown = document(&TargetResource::from(target));
        let labels = labels::take_changed(&mut body, &mut shown, &target.labels, &mut problems);
        let update = body.onto(&shown, &FIXED, &[], &mut problems);
        let fields = Fields::new(update.object, &mut problems);
        let input = TargetInput::read(fields, None, labels, allowed);
        problems.check()?;
        let (_, changed) = input.ok_or(problems)?.into_parts();
        Ok(changed)
    };
    let (target, done) = targets::update(&call.change, &scope, target, read).await?;
    Ok(call.updated(&done, &TargetResource::from(&target)).await)
}

/// Deletes a target that no proxy uses, or any with `force=true`.
#[utoipa::path(
    delete,
    path = "/clients/{clientId}/targets/{targetId}",
    tag = "targets",
    params(
        ("clientId" = Uuid, Path, description = "The organisation"),
        ("targetId" = Uuid, Path, description = "The target"),
        ("force" = Option<bool>, Query, description = "Also when proxies use it"),
    ),
    responses((status = 204))
)]
async fn delete_target(
    call: Mutation,
    InPath((client, target)): InPath<(String, String)>,
) -> ApiResult<Response> {
    let scope = call.enter(&client, Permission::WriteResources).await?;
    let done = targets::delete(&call.change, &scope, &target).await?;
    Ok(call.deleted(&done).await)
}

fn check_seconds(value: &Value) -> Result<u32, Invalid> {
    let (least, most) = (*CHECK_SECONDS.start(), *CHECK_SECONDS.end());
    let seconds = integer(least.into(), most.into())(value)?;
    // It is within the bounds.
    Ok(u32::try_from(seconds).unwrap_or(most))
}

fn test_path(value: &Value) -> Result<String, Invalid> {
    let path = string(value)?;
    if is_test_path(&path) {
        return Ok(path);
    }
    let text = "must begin with a slash and hold no blanks, control bytes or fragment";
    Err(Invalid::value(text))
}
