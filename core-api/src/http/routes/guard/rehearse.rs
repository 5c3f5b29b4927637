//! `/clients/{clientId}/proxies/{proxyId}/rehearse`

use axum::Json;
use axum::response::IntoResponse;
use requestrocket_policy::form::fields::{Fields, parsed};
use requestrocket_policy::form::problem::{Fault, Problems};
use requestrocket_proto::region::v1::RecordsQuery;
use serde::Serialize;
use serde_json::{Map, Value};
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::conditions::to_main_form;
use super::filters::FilterInput;
use super::rules::RuleInput;
use crate::domain::guard::attachment::{Attachable, AttachedTo};
use crate::domain::guard::redaction::RedactionForm;
use crate::domain::guard::rule::RuleForm;
use crate::domain::id::ProxyId;
use crate::domain::label::{Labelled, Labels};
use crate::domain::people::permission::Permission;
use crate::error::{ApiError, ApiResult};
use crate::http::body::Body;
use crate::http::call::{InPath, Read};
use crate::http::labels;
use crate::http::routes::operations::requests::{find, only, proxy_of, refuse_away};
use crate::http::routes::operations::when::When;
use crate::identity::caller::Scope;
use crate::region::policy_spec;
use crate::service::guard::sample::layer_of;
use crate::service::operations::rehearse::{Found, Proposal, Rehearsal, too_much};
use crate::state::AppState;
use crate::store::gateway::proxy::proxy_fetch;

/// Calls of one rehearsal.
const MOST_CALLS: u64 = 10_000;
/// Calls that are fetched and tried together.
const TOGETHER: u32 = 1_000;

/// The routes of this file.
pub fn router() -> OpenApiRouter<AppState> {
    OpenApiRouter::new().routes(routes!(rehearse_calls))
}

/// What to try on which calls. One of `rules` and `filters` has to be there.
#[derive(Debug, ToSchema)]
#[schema(as = RehearsalInput)]
#[expect(dead_code, reason = "documents what Proposed reads")]
struct RehearsalInput {
    /// In the place of the proxy's own rules; an empty list: it has none.
    #[schema(max_items = 200)]
    rules: Option<Vec<RuleInput>>,
    /// In the place of the proxy's own filters.
    #[schema(max_items = 200)]
    filters: Option<Vec<FilterInput>>,
    /// Completed then or later: RFC 3339, or Unix time in milliseconds.
    #[schema(value_type = String, example = "2026-11-20T08:00:00Z")]
    from: When,
    /// Completed before then.
    #[schema(value_type = String, example = "2026-11-20T09:00:00Z")]
    to: When,
}

/// What is tried.
struct Proposed {
    rules: Option<Vec<RuleForm>>,
    filters: Option<Vec<RedactionForm>>,
    from: When,
    to: When,
}

/// What would be otherwise.
#[derive(Debug, Serialize, ToSchema)]
struct RehearsalResource {
    /// Calls that were tried: all that are recorded of that time.
    calls: u64,
    /// Of these: calls that would be denied instead of let pass, or the other way round, or answered
    /// with more or less taken out.
    changed: u64,
    /// The first ten of them, the newest first.
    examples: Vec<RehearsalExample>,
    /// Of these: calls whose record does not tell what a condition asks for.
    unknown: u64,
}

/// A call that would be otherwise.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct RehearsalExample {
    request_id: String,
}

/// Tries rules and filters, in the place of the proxy's own, on calls that are recorded. Nothing is
/// sent, counted or changed. At most 10,000 calls are tried.
#[utoipa::path(
    post,
    path = "/clients/{clientId}/proxies/{proxyId}/rehearse",
    tag = "rules",
    params(
        ("clientId" = Uuid, Path, description = "The organisation"),
        ("proxyId" = Uuid, Path, description = "The proxy"),
    ),
    request_body = RehearsalInput,
    responses((status = 200, body = RehearsalResource))
)]
async fn rehearse_calls(
    call: Read,
    InPath((client, proxy)): InPath<(String, String)>,
    mut body: Body,
) -> ApiResult {
    let scope = call.enter(&client, Permission::ReadResources).await?;
    let (proxy, region) = proxy_of(&call, &scope, &proxy).await?;
    let mut problems = Problems::default();
    body.rewrite(|object| items_to_main_form(object, &mut problems));
    let proposed = Proposed::read(Fields::new(body.into_object(), &mut problems));
    problems.check()?;
    let proposed = proposed.ok_or(problems)?;
    let query = RecordsQuery {
        organisation_id: scope.id().to_string(),
        proxy_id: proxy.to_string(),
        limit: TOGETHER,
        from_ms: Some(proposed.from.0),
        to_ms: Some(proposed.to.0),
        ..RecordsQuery::default()
    };
    let proposal = proposal(&call, &scope, proxy, proposed).await?;
    let tenant = scope.id().to_string();
    let compile = move || Rehearsal::new(proposal);
    let mut rehearsal = call.state.trials.run(&tenant, compile).await?;
    let mut next = Some(query);
    while let Some(query) = next {
        let found = find(&call.state, only(&region), &query).await?;
        refuse_away(&found.unavailable)?;
        if found.recorded > MOST_CALLS || rehearsal.found.calls > MOST_CALLS {
            return Err(too_much());
        }
        next = found.next.map(|after| RecordsQuery {
            after: Some(after),
            is_uncounted: true,
            ..query
        });
        let work = move || {
            rehearsal.try_all(found.records)?;
            Ok(rehearsal)
        };
        rehearsal = call.state.trials.run(&tenant, work).await?;
    }
    Ok(Json(RehearsalResource::from(rehearsal.found)).into_response())
}

/// What the proxy has, and what it would have.
async fn proposal(
    call: &Read,
    scope: &Scope,
    proxy: ProxyId,
    proposed: Proposed,
) -> ApiResult<Proposal> {
    let mut conn = call.state.connect().await?;
    let stored = proxy_fetch(&mut conn, scope.id(), proxy).await?;
    let effect = stored
        .ok_or_else(ApiError::not_found)?
        .proxy
        .form
        .default_rule_effect;
    let attached_to = AttachedTo::Proxy(proxy);
    let present = layer_of(&mut conn, scope.id(), attached_to, effect).await?;
    let rules = proposed.rules.map(|rules| {
        let active = rules.iter().filter(|form| form.is_active);
        let rules = active.map(|form| policy_spec::rule(RuleForm::random_id(), form));
        rules.collect()
    });
    let filters = proposed.filters.map(|filters| {
        let active = filters.iter().filter(|form| form.is_active);
        let filters = active.map(|form| policy_spec::redaction(RedactionForm::random_id(), form));
        filters.collect()
    });
    Ok(Proposal {
        present,
        rules,
        filters,
    })
}

/// Older spellings and labels, as rules and filters are read everywhere.
fn items_to_main_form(object: &mut Map<String, Value>, problems: &mut Problems) {
    for list in ["rules", "filters"] {
        let Some(Value::Array(items)) = object.get_mut(list) else {
            continue;
        };
        for (index, item) in items.iter_mut().enumerate() {
            if let Value::Object(item) = item {
                to_main_form(item, &format!("{list}[{index}]."), problems);
                labels::take_tried(item, problems);
            }
        }
    }
}

impl Proposed {
    fn read(mut fields: Fields<'_>) -> Option<Self> {
        /// As many as a proxy has.
        const MOST: usize = 200;
        if !fields.has("rules") && !fields.has("filters") {
            let text = "is required unless there are `filters`";
            fields.problem(Fault::ValidationFailed, "rules", text);
        }
        let rules = fields.objects("rules", MOST, |fields| {
            let input = RuleInput::read(fields, Some(Labels::default()))?;
            Some(Labelled::<RuleForm>::from(input).form)
        });
        let filters = fields.objects("filters", MOST, |fields| {
            let input = FilterInput::read(fields, Some(Labels::default()))?;
            Some(Labelled::<RedactionForm>::from(input).form)
        });
        let from: Option<When> = fields.required("from", parsed);
        let to: Option<When> = fields.required("to", parsed);
        if let (Some(from), Some(to)) = (from, to)
            && from.0 >= to.0
        {
            fields.problem(Fault::ValidationFailed, "to", "must be after `from`");
        }
        fields.finish();
        Some(Self {
            rules,
            filters,
            from: from?,
            to: to?,
        })
    }
}

impl From<Found> for RehearsalResource {
    fn from(found: Found) -> Self {
        let Found {
            calls,
            changed,
            unknown,
            examples,
        } = found;
        let examples = examples.into_iter();
        Self {
            calls,
            changed,
            examples: examples
                .map(|request_id| RehearsalExample { request_id })
                .collect(),
            unknown,
        }
    }
}
