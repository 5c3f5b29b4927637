//! `/clients/{clientId}/webhooks`: URLs at which an organisation is told.

mod test;

use axum::response::Response;
use ipnet::IpNet;
use serde::Serialize;
use serde_json::{Map, Value};
use utoipa::ToSchema;
use utoipa::openapi::schema::{ObjectBuilder, Type};
use utoipa::openapi::{RefOr, Schema};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;
use uuid::Uuid;

use crate::domain::account::audit::{Log, Subject};
use crate::domain::account::notification::{Kind, Told};
use crate::domain::account::webhook::{HookUrl, Webhook, WebhookForm, WebhookHealth};
use crate::domain::people::permission::Permission;
use crate::error::{ApiError, ApiResult, id};
use crate::http::body::Body;
use crate::http::call::{InPath, Mutation, Read};
use crate::http::etag::Tag;
use crate::http::list::{self, Filters, ListParams, Listed, RawQuery};
use crate::http::routes::shape::document;
use crate::service::account::webhooks;
use crate::state::AppState;
use crate::store::account::webhook::{webhook_fetch, webhook_list};
use requestrocket_policy::form::fields::{Fields, boolean, parsed, string};
use requestrocket_policy::form::problem::{Fault, Invalid, Problems};

const FILTERS: Filters = Filters {
    region: false,
    active: true,
    labels: false,
    priority: false,
    types: &[],
    temporary: false,
    unread: false,
};
/// Members that answers have and PUT and PATCH may only repeat.
const FIXED: [&str; 5] = [
    "webhookId",
    "clientId",
    "createdBy",
    "createdAt",
    "updatedAt",
];
const HEALTH: &str = "webhookHealth";

/// The routes of this file.
pub fn router() -> OpenApiRouter<AppState> {
    OpenApiRouter::new()
        .routes(routes!(list_webhooks, create_webhook))
        .routes(routes!(
            get_webhook,
            replace_webhook,
            change_webhook,
            delete_webhook
        ))
        .merge(test::router())
}

/// Of what webhooks may be told.
#[derive(Debug)]
enum WebhookKind {}

impl ToSchema for WebhookKind {}

impl utoipa::PartialSchema for WebhookKind {
    fn schema() -> RefOr<Schema> {
        let kinds = Kind::ALL.into_iter().filter(|kind| is_offered(*kind));
        ObjectBuilder::new()
            .schema_type(Type::String)
            .description(Some("Of what webhooks may be told."))
            .enum_values(Some(kinds.map(Kind::as_str)))
            .into()
    }
}

/// A URL at which an organisation is told, without its secret.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct WebhookResource {
    webhook_id: Uuid,
    client_id: Uuid,
    url: String,
    /// Null: all that the organisation is told of, and nothing that everybody is told.
    #[schema(value_type = Option<Vec<WebhookKind>>)]
    kinds: Option<Vec<&'static str>>,
    webhook_active: bool,
    /// Live, the entity tag does not cover it. Null while nothing was sent.
    webhook_health: Option<WebhookHealthResource>,
    created_by: String,
    created_at: String,
    updated_at: String,
}

/// How sending goes.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = WebhookHealth)]
struct WebhookHealthResource {
    /// When a message was taken last.
    delivered_at: Option<String>,
    /// Since when none was; null: the last one was.
    failing_since: Option<String>,
    /// Why the last one was not.
    error: Option<String>,
}

/// A webhook just made: the one time that its secret is shown.
#[derive(Serialize, ToSchema)]
struct NewWebhookResource<'a> {
    #[serde(flatten)]
    resource: WebhookResource,
    /// What receivers check signatures with (Standard Webhooks). A repetition of the request by its
    /// `Idempotency-Key` does not show it again.
    #[schema(required = false, pattern = "^whsec_[A-Za-z0-9+/]{43}=$")]
    secret: &'a str,
}

/// What to send for a webhook.
#[derive(Debug, ToSchema)]
#[schema(rename_all = "camelCase")]
struct WebhookInput {
    /// https; http only where the operator opened the network that it leads to.
    #[schema(value_type = String)]
    url: HookUrl,
    /// Null (default): all that the organisation is told of. What everybody is told is sent to whoever
    /// names it here.
    #[schema(value_type = Option<Vec<WebhookKind>>, min_items = 1)]
    kinds: Option<Vec<Kind>>,
    /// Default true.
    #[schema(default = true)]
    webhook_active: Option<bool>,
}

impl WebhookInput {
    fn read(mut fields: Fields<'_>, allowed: &[IpNet]) -> Option<WebhookForm> {
        let url = fields.required("url", |value| HookUrl::parse(&string(value)?, allowed));
        let mut kinds = fields.list("kinds", Kind::ALL.len(), kind);
        if kinds.as_ref().is_some_and(Vec::is_empty) {
            let text = "must name at least one kind, or be null for all";
            fields.problem(Fault::ValidationFailed, "kinds", text);
        }
        if let Some(kinds) = &mut kinds {
            kinds.sort_unstable();
            kinds.dedup();
        }
        let active = fields.optional("webhookActive", boolean);
        fields.finish();
        let read = Self {
            url: url?,
            kinds,
            webhook_active: active,
        };
        Some(read.into())
    }
}

impl From<WebhookInput> for WebhookForm {
    fn from(input: WebhookInput) -> Self {
        let WebhookInput {
            url,
            kinds,
            webhook_active,
        } = input;
        Self {
            url,
            kinds,
            is_active: webhook_active.unwrap_or(true),
        }
    }
}

impl From<&Webhook> for WebhookResource {
    fn from(webhook: &Webhook) -> Self {
        let WebhookForm {
            url,
            kinds,
            is_active,
        } = &webhook.form;
        let words = |kinds: &Vec<Kind>| kinds.iter().map(|kind| kind.as_str()).collect();
        let health = Some(&webhook.health).filter(|health| !health.is_unknown());
        Self {
            webhook_id: webhook.id.uuid(),
            client_id: webhook.organisation.uuid(),
            url: url.to_string(),
            kinds: kinds.as_ref().map(words),
            webhook_active: *is_active,
            webhook_health: health.map(WebhookHealthResource::from),
            created_by: webhook.created_by.clone(),
            created_at: webhook.created_at.to_string(),
            updated_at: webhook.updated_at.to_string(),
        }
    }
}

impl From<&WebhookHealth> for WebhookHealthResource {
    fn from(health: &WebhookHealth) -> Self {
        let WebhookHealth {
            delivered_at,
            failing_since,
            error,
        } = health;
        Self {
            delivered_at: delivered_at.map(|at| at.to_string()),
            failing_since: failing_since.map(|at| at.to_string()),
            error: error.clone(),
        }
    }
}

impl Subject for Webhook {
    const KIND: &'static str = "webhook";

    fn log(&self) -> Log {
        Log::Organisation(self.organisation)
    }

    fn named(&self) -> (String, String) {
        (self.id.to_string(), self.form.url.host())
    }

    fn members(&self) -> Map<String, Value> {
        let mut members = document(&WebhookResource::from(self));
        members.remove(HEALTH);
        members
    }
}

/// The organisation's webhooks.
#[utoipa::path(
    get,
    path = "/clients/{clientId}/webhooks",
    tag = "webhooks",
    params(
        ("clientId" = Uuid, Path, description = "The organisation"),
        ListParams,
        ("active" = Option<bool>, Query, description = "Only those that are, or are not"),
    ),
    responses((status = 200, body = Listed<WebhookResource>))
)]
async fn list_webhooks(call: Read, InPath(client): InPath<String>, query: RawQuery) -> ApiResult {
    let scope = call.enter(&client, Permission::ManageWebhooks).await?;
    let query = query.list(FILTERS)?;
    let page = webhook_list(&mut *call.state.connect().await?, scope.id(), &query).await?;
    Ok(list::answer(&query, page, |webhook| {
        WebhookResource::from(&webhook)
    }))
}

/// Adds a webhook and shows its secret this once.
#[utoipa::path(
    post,
    path = "/clients/{clientId}/webhooks",
    tag = "webhooks",
    params(("clientId" = Uuid, Path, description = "The organisation")),
    request_body = WebhookInput,
    responses((status = 201, body = NewWebhookResource<'_>))
)]
async fn create_webhook(call: Mutation, InPath(client): InPath<String>, body: Body) -> ApiResult {
    let scope = call.enter(&client, Permission::ManageWebhooks).await?;
    let mut problems = Problems::default();
    let fields = Fields::new(body.into_object(), &mut problems);
    let form = WebhookInput::read(fields, &call.change.state.allow_private_targets);
    problems.check()?;
    let form = form.ok_or(problems)?;
    let (webhook, secret, done) = webhooks::create(&call.change, &scope, form).await?;
    let shown = NewWebhookResource {
        resource: (&webhook).into(),
        secret: &secret,
    };
    let replay = WebhookResource::from(&webhook);
    call.created_once(&done, &webhook.id.to_string(), &shown, &replay)
        .await
}

/// One webhook.
#[utoipa::path(
    get,
    path = "/clients/{clientId}/webhooks/{webhookId}",
    tag = "webhooks",
    params(
        ("clientId" = Uuid, Path, description = "The organisation"),
        ("webhookId" = Uuid, Path, description = "The webhook"),
    ),
    responses((status = 200, body = WebhookResource), (status = 304, description = "As known"))
)]
async fn get_webhook(call: Read, InPath((client, webhook)): InPath<(String, String)>) -> ApiResult {
    let scope = call.enter(&client, Permission::ManageWebhooks).await?;
    let mut conn = call.state.connect().await?;
    let found = webhook_fetch(&mut conn, scope.id(), id(&webhook)?).await?;
    let webhook = found.ok_or_else(ApiError::not_found)?;
    Ok(call.answer(
        &WebhookResource::from(&webhook),
        &Tag::of_revision(webhook.revision),
    ))
}

/// Replaces what may be changed of a webhook; its secret stays.
#[utoipa::path(
    put,
    path = "/clients/{clientId}/webhooks/{webhookId}",
    tag = "webhooks",
    params(
        ("clientId" = Uuid, Path, description = "The organisation"),
        ("webhookId" = Uuid, Path, description = "The webhook"),
    ),
    request_body = WebhookInput,
    responses((status = 200, body = WebhookResource))
)]
async fn replace_webhook(
    call: Mutation,
    InPath((client, webhook)): InPath<(String, String)>,
    body: Body,
) -> ApiResult {
    update(call, &client, &webhook, body).await
}

/// Changes members of a webhook (JSON merge patch). What waits for one that is switched off is dropped.
#[utoipa::path(
    patch,
    path = "/clients/{clientId}/webhooks/{webhookId}",
    tag = "webhooks",
    params(
        ("clientId" = Uuid, Path, description = "The organisation"),
        ("webhookId" = Uuid, Path, description = "The webhook"),
    ),
    request_body(content = WebhookInput, content_type = "application/merge-patch+json"),
    responses((status = 200, body = WebhookResource))
)]
async fn change_webhook(
    call: Mutation,
    InPath((client, webhook)): InPath<(String, String)>,
    body: Body,
) -> ApiResult {
    update(call, &client, &webhook, body).await
}

async fn update(call: Mutation, client: &str, webhook: &str, mut body: Body) -> ApiResult {
    let scope = call.enter(client, Permission::ManageWebhooks).await?;
    let allowed = &call.change.state.allow_private_targets;
    let read = |webhook: &Webhook| {
        let mut problems = Problems::default();
        // It moves by itself between a GET and the PUT of what it showed.
        body.ignore(HEALTH, |value| value.is_object() || value.is_null());
        let mut shown = document(&WebhookResource::from(webhook));
        shown.remove(HEALTH);
        let update = body.onto(&shown, &FIXED, &[], &mut problems);
        let form = WebhookInput::read(Fields::new(update.object, &mut problems), allowed);
        problems.check()?;
        form.ok_or(problems)
    };
    let (webhook, done) = webhooks::update(&call.change, &scope, webhook, read).await?;
    Ok(call.updated(&done, &WebhookResource::from(&webhook)).await)
}

/// Deletes a webhook; what waits for it is dropped.
#[utoipa::path(
    delete,
    path = "/clients/{clientId}/webhooks/{webhookId}",
    tag = "webhooks",
    params(
        ("clientId" = Uuid, Path, description = "The organisation"),
        ("webhookId" = Uuid, Path, description = "The webhook"),
    ),
    responses((status = 204))
)]
async fn delete_webhook(
    call: Mutation,
    InPath((client, webhook)): InPath<(String, String)>,
) -> ApiResult<Response> {
    let scope = call.enter(&client, Permission::ManageWebhooks).await?;
    let done = webhooks::delete(&call.change, &scope, &webhook).await?;
    Ok(call.deleted(&done).await)
}

fn kind(value: &Value) -> Result<Kind, Invalid> {
    let kind: Kind = parsed(value)?;
    if is_offered(kind) {
        return Ok(kind);
    }
    let text = "must be a kind of which organisations or everybody is told";
    Err(Invalid::value(text))
}

fn is_offered(kind: Kind) -> bool {
    kind.told() != Told::Users
}
