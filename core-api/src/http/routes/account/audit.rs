//! `/clients/{clientId}/audit`, `/users/me/activity` and `/audit`: who changed what.

mod export;
mod selection;

use axum::Json;
use axum::extract::RawQuery;
use axum::response::IntoResponse as _;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;
use uuid::Uuid;

use self::selection::{AuditFilterParams, AuditPageParams, Selection};
use crate::domain::account::audit::Log;
use crate::domain::people::permission::Permission;
use crate::error::{ApiError, ApiResult, forbidden};
use crate::http::call::{InPath, Read};
use crate::http::lines::Wanted;
use crate::http::stream::Reader;
use crate::identity::caller::Caller;
use crate::service::account::audit::{self, AuditPage, Look};
use crate::service::account::verify::verify;
use crate::state::AppState;
use crate::store::account::audit::AuditRow;

/// The routes of this file.
pub fn router() -> OpenApiRouter<AppState> {
    OpenApiRouter::new()
        .routes(routes!(list_audit))
        .routes(routes!(list_audit_of_operator))
        .routes(routes!(list_audit_of_user))
        .routes(routes!(verify_audit))
}

/// A page of an audit log, the newest first.
#[derive(Debug, Serialize, ToSchema)]
struct AuditEvents {
    data: Vec<AuditEvent>,
    pagination: AuditPagination,
}

/// Where the next page begins.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct AuditPagination {
    limit: u64,
    /// Null: there is nothing more.
    next_cursor: Option<String>,
}

/// Who did what. `hash` is the SHA-256 of the 32 bytes of `previousHash` and the RFC 8785 JSON of
/// all other members.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct AuditEvent {
    audit_id: Uuid,
    at: String,
    actor: AuditActor,
    /// Such as `proxy.update`.
    action: String,
    resource: AuditResource,
    /// Of what changed, how it was; null: there was nothing.
    #[schema(value_type = Option<Object>)]
    before: Option<Map<String, Value>>,
    /// Of what changed, how it is; null: there is nothing.
    #[schema(value_type = Option<Object>)]
    after: Option<Map<String, Value>>,
    /// From where; null: from the machine itself.
    address: Option<String>,
    user_agent: Option<String>,
    /// `requestrocket-request-id` of the answer.
    request_id: Option<Uuid>,
    /// `requestrocket-config-version` of the answer.
    config_version: u64,
    #[serde(default)]
    previous_hash: String,
    #[serde(default)]
    hash: String,
}

/// Who acts.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct AuditActor {
    /// `user`, `operator` or `system`.
    #[serde(rename = "type")]
    kind: String,
    id: String,
    name: String,
    /// The user token in use, if it was one.
    token_id: Option<Uuid>,
}

/// What it was done to.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct AuditResource {
    /// Such as `proxy`.
    #[serde(rename = "type")]
    kind: String,
    id: String,
    /// Empty for what has no name.
    name: String,
}

/// Whether an audit log is whole.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct AuditVerdict {
    ok: bool,
    /// How many were looked at.
    rows: u64,
    /// `auditId` of the first row that is wrong, or of the last one before what is missing.
    first_bad: Option<String>,
    /// What is wrong.
    problem: Option<String>,
    /// Regions that keep checkpoints and could not be asked.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    unavailable_regions: Vec<String>,
}

impl AuditEvent {
    fn new(row: &AuditRow) -> serde_json::Result<Self> {
        Ok(Self {
            previous_hash: row.previous_hash.to_string(),
            hash: row.hash.to_string(),
            ..serde_json::from_str(&row.document)?
        })
    }
}

/// The organisation's audit log. Reading it leaves a row, too. `Accept: application/x-ndjson` asks for
/// all of it, the oldest first, a row a line.
#[utoipa::path(
    get,
    path = "/clients/{clientId}/audit",
    tag = "audit",
    params(
        ("clientId" = Uuid, Path, description = "The organisation"),
        AuditPageParams,
        AuditFilterParams,
    ),
    responses((status = 200, content(
        (AuditEvents = "application/json"),
        (String = "application/x-ndjson"),
    )))
)]
async fn list_audit(
    call: Read,
    InPath(client): InPath<String>,
    RawQuery(raw): RawQuery,
    wanted: Wanted,
) -> ApiResult {
    let scope = call.enter(&client, Permission::ReadAudit).await?;
    let log = Log::Organisation(scope.id());
    let selection = Selection::read(raw.as_deref(), log)?;
    match wanted {
        Wanted::Page => page(&call, log, selection).await,
        Wanted::Lines => {
            let permission = Permission::ReadAudit;
            let reader = Reader::new(&call.state, call.caller.clone(), &scope, permission);
            export::export(&call, log, selection, Some(reader)).await
        }
    }
}

/// Follows the organisation's audit log from its first row to its last, with the checkpoints that
/// core-api and the connected regions keep.
#[utoipa::path(
    get,
    path = "/clients/{clientId}/audit/verify",
    tag = "audit",
    params(("clientId" = Uuid, Path, description = "The organisation")),
    responses((status = 200, body = AuditVerdict))
)]
async fn verify_audit(call: Read, InPath(client): InPath<String>) -> ApiResult {
    let scope = call.enter(&client, Permission::ReadAudit).await?;
    let log = Log::Organisation(scope.id());
    let _until_done = call.state.readers.hold(&log.to_string()).await?;
    let author = call.caller.author(&call.origin);
    let verified = verify(&call.state, log, &author).await?;
    let is_ok = verified.bad.is_none();
    let (first_bad, problem) = match verified.bad {
        Some(bad) => (bad.row, Some(bad.problem)),
        None => (None, None),
    };
    Ok(Json(AuditVerdict {
        ok: is_ok,
        rows: verified.rows,
        first_bad,
        problem,
        unavailable_regions: verified.unavailable,
    })
    .into_response())
}

/// The operator's audit log: regions, operator tokens, organisations that were deleted. For operators.
/// `Accept: application/x-ndjson` asks for all of it, the oldest first, a row a line.
#[utoipa::path(
    get,
    path = "/audit",
    tag = "audit",
    params(AuditPageParams, AuditFilterParams),
    responses(
        (status = 200, content(
            (AuditEvents = "application/json"),
            (String = "application/x-ndjson"),
        )),
        (status = 403, description = "You are no operator"),
    )
)]
async fn list_audit_of_operator(call: Read, RawQuery(raw): RawQuery, wanted: Wanted) -> ApiResult {
    if call.caller != Caller::Operator {
        return Err(forbidden());
    }
    let selection = Selection::read(raw.as_deref(), Log::Operator)?;
    match wanted {
        Wanted::Page => page(&call, Log::Operator, selection).await,
        Wanted::Lines => export::export(&call, Log::Operator, selection, None).await,
    }
}

/// What became of the caller's own account: profile, tokens.
#[utoipa::path(
    get,
    path = "/users/me/activity",
    tag = "users",
    params(AuditPageParams, AuditFilterParams),
    responses((status = 200, body = AuditEvents))
)]
async fn list_audit_of_user(call: Read, RawQuery(raw): RawQuery) -> ApiResult {
    let log = Log::User(call.caller.whole_user()?);
    let selection = Selection::read(raw.as_deref(), log)?;
    let (before, limit) = (selection.before, selection.limit);
    let page = audit::page(&call.state, log, &selection.rows, (before, limit)).await?;
    shown(&selection, &page)
}

async fn page(call: &Read, log: Log, selection: Selection) -> ApiResult {
    let author = call.caller.author(&call.origin);
    let look = (Look::Read, selection.shown());
    let newest = audit::note(&call.state, log, &author, look).await?;
    // Without the row that this leaves.
    let place = (Some(selection.before.unwrap_or(newest)), selection.limit);
    let page = audit::page(&call.state, log, &selection.rows, place).await?;
    shown(&selection, &page)
}

fn shown(selection: &Selection, page: &AuditPage) -> ApiResult {
    let events: serde_json::Result<Vec<_>> = page.rows.iter().map(AuditEvent::new).collect();
    let answer = AuditEvents {
        data: events.map_err(ApiError::internal)?,
        pagination: AuditPagination {
            limit: selection.limit,
            next_cursor: page.next.map(|before| selection.cursor(before)),
        },
    };
    Ok(Json(answer).into_response())
}
