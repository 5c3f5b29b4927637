//! Reads what is sent for a proxy.

use std::collections::BTreeMap;
use std::num::NonZeroU64;

use utoipa::ToSchema;
use uuid::Uuid;

use super::ProxyResource;
use super::cors::{self, CorsInput};
use crate::domain::gateway::proxy::{
    INSPECTED_BYTES, LARGEST_LIMIT, MAX_PROXY_CREDENTIALS, Proxy, ProxyForm, RESPONSE_BYTES, Range,
    TIMEOUT_SECONDS,
};
use crate::domain::gateway::region::RegionName;
use crate::domain::guard::effect::Effect;
use crate::domain::id::CredentialId;
use crate::domain::label::Labelled;
use crate::domain::people::organisation::Limits;
use crate::http::body::{Body, Update};
use crate::http::labels;
use crate::http::routes::shape::{RuleEffect, document};
use crate::region::fleet::ProxyStatus;
use crate::service::gateway::proxies::ProxyChange;
use requestrocket_policy::form::fields::{Fields, boolean, integer, parsed};
use requestrocket_policy::form::problem::{Fault, Problems};

/// Members that answers have and PUT and PATCH may only repeat.
const FIXED: [&str; 9] = [
    "proxyId",
    "clientId",
    "createdBy",
    "createdAt",
    "updatedAt",
    "proxyRegion",
    "proxyBaseURL",
    "proxyAsyncBaseURL",
    STATUS,
];
const STATUS: &str = "proxyStatus";
const CREDENTIALS: &str = "proxyProxyCredentialIds";
const CREDENTIAL: &str = "proxyProxyCredentialId";
const PER_MINUTE: &str = "proxyMaxRequestsPerMinute";
const PER_DAY: &str = "proxyMaxRequestsPerDay";

/// What to send for a proxy.
#[derive(Debug, ToSchema)]
#[schema(rename_all = "camelCase")]
#[expect(dead_code, reason = "documents what is read below")]
pub(super) struct ProxyInput {
    /// 1 to 200 characters.
    #[schema(min_length = 1, max_length = 200)]
    proxy_name: String,
    /// Cannot be changed later; PUT may leave it out.
    proxy_region: Option<String>,
    /// Whose calls it takes, 1 to 100 proxy credentials; the first match counts.
    #[schema(min_items = 1, max_items = 100)]
    proxy_proxy_credential_ids: Option<Vec<Uuid>>,
    /// In place of a list of one.
    proxy_proxy_credential_id: Option<Uuid>,
    /// Where calls go.
    proxy_target_id: Uuid,
    /// What the target is given.
    proxy_target_credential_id: Uuid,
    /// Default true.
    proxy_active: Option<bool>,
    proxy_default_rule_effect: Option<RuleEffect>,
    /// 1 to 60, default 30.
    #[schema(minimum = 1, maximum = 60)]
    proxy_timeout_seconds: Option<u64>,
    /// At least 1; default as the organisation has it.
    #[schema(minimum = 1)]
    proxy_max_requests_per_minute: Option<u64>,
    /// At least 1; default as the organisation has it.
    #[schema(minimum = 1)]
    proxy_max_requests_per_day: Option<u64>,
    /// 1 KiB to 1 GiB, default 6 MiB.
    #[schema(minimum = 1024, maximum = 1_073_741_824)]
    proxy_max_response_bytes: Option<u64>,
    /// 1 KiB to 16 MiB, default 1 MiB.
    #[schema(minimum = 1024, maximum = 16_777_216)]
    proxy_max_inspected_bytes: Option<u64>,
    /// Slug that stands for the id in the proxy's URL, unique in its region.
    #[schema(pattern = "^[a-z0-9]([a-z0-9-]{1,61}[a-z0-9])$")]
    proxy_alias: Option<String>,
    /// Lets pages of other origins call the proxy from a browser; left out or null, none can.
    proxy_cors: Option<CorsInput>,
    /// Up to 32 pairs to find it by; no region hears of them.
    labels: Option<BTreeMap<String, String>>,
}

/// What POST asks for. `limits` are the organisation's.
///
/// # Errors
/// Every problem of the body.
pub(super) fn read_new(
    mut body: Body,
    limits: &Limits,
) -> Result<(RegionName, Labelled<ProxyForm>), Problems> {
    let mut problems = Problems::default();
    let labels = labels::take_new(&mut body, &mut problems);
    let mut fields = Fields::new(body.into_object(), &mut problems);
    let region = fields.required("proxyRegion", parsed);
    let defaults = (limits.requests_per_minute, limits.requests_per_day);
    let form = form(fields, None, defaults);
    problems.check()?;
    match (region, Labelled::both(form, labels)) {
        (Some(region), Some(new)) => Ok((region, new)),
        _ => Err(problems),
    }
}

/// What PUT or PATCH make of `current`, which is `shown` at present.
///
/// # Errors
/// Every problem of the body.
pub(super) fn read_change(
    mut body: Body,
    current: &Proxy,
    shown: &ProxyResource,
    limits: &Limits,
) -> Result<ProxyChange, Problems> {
    let mut problems = Problems::default();
    // The status moves by itself between a GET and the PUT of what it showed.
    body.ignore(STATUS, |value| {
        let words = ProxyStatus::ALL.map(ProxyStatus::as_str);
        value.as_str().is_some_and(|word| words.contains(&word))
    });
    let mut shown = document(shown);
    let labels = labels::take_changed(&mut body, &mut shown, &current.labels, &mut problems);
    // One of the two spellings is enough; an old one must not contradict a new one.
    let is_single = body.names(CREDENTIAL) && !body.names(CREDENTIALS);
    shown.remove(if is_single { CREDENTIALS } else { CREDENTIAL });
    let mut update = body.onto(&shown, &FIXED, &[], &mut problems);
    let Limits {
        requests_per_minute,
        requests_per_day,
        ..
    } = limits;
    let now = &current.form;
    let defaults = (
        kept(
            &mut update,
            PER_MINUTE,
            now.max_requests_per_minute,
            *requests_per_minute,
        ),
        kept(
            &mut update,
            PER_DAY,
            now.max_requests_per_day,
            *requests_per_day,
        ),
    );
    let keeps_target = update.keeps("proxyTargetId");
    let keeps_target_credential = update.keeps("proxyTargetCredentialId");
    let form = form(
        Fields::new(update.object, &mut problems),
        Some(current),
        defaults,
    );
    problems.check()?;
    let new = Labelled::both(form, labels).ok_or(problems)?;
    Ok(ProxyChange {
        new,
        keeps_target,
        keeps_target_credential,
    })
}

/// A limit that PATCH did not name stays, also when it stays unlimited; else `default` counts.
fn kept(
    update: &mut Update,
    name: &str,
    current: Option<NonZeroU64>,
    default: Option<NonZeroU64>,
) -> Option<NonZeroU64> {
    if !update.keeps(name) {
        return default;
    }
    update.object.remove(name);
    current
}

fn form(
    mut fields: Fields<'_>,
    current: Option<&Proxy>,
    (per_minute, per_day): (Option<NonZeroU64>, Option<NonZeroU64>),
) -> Option<ProxyForm> {
    let name = fields.required("proxyName", parsed);
    let proxy_credentials = proxy_credentials(&mut fields, current);
    let target = fields.required("proxyTargetId", parsed);
    let target_credential = fields.required("proxyTargetCredentialId", parsed);
    let is_active = fields.optional("proxyActive", boolean);
    let default_rule_effect = fields.optional("proxyDefaultRuleEffect", parsed);
    let timeout_seconds = ranged(&mut fields, "proxyTimeoutSeconds", TIMEOUT_SECONDS);
    let max_requests_per_minute = limit(&mut fields, PER_MINUTE).or(per_minute);
    let max_requests_per_day = limit(&mut fields, PER_DAY).or(per_day);
    let max_response_bytes = ranged(&mut fields, "proxyMaxResponseBytes", RESPONSE_BYTES);
    let max_inspected_bytes = ranged(&mut fields, "proxyMaxInspectedBytes", INSPECTED_BYTES);
    let alias = fields.optional("proxyAlias", parsed);
    let has_cors = fields.has("proxyCors");
    let cors = fields.object("proxyCors", cors::read).flatten();
    fields.finish();
    Some(ProxyForm {
        name: name?,
        proxy_credentials: proxy_credentials?,
        target: target?,
        target_credential: target_credential?,
        is_active: is_active.unwrap_or(true),
        default_rule_effect: default_rule_effect.unwrap_or(Effect::Allow),
        timeout_seconds,
        max_requests_per_minute,
        max_requests_per_day,
        max_response_bytes,
        max_inspected_bytes,
        alias,
        // A refused one is noted; it must not read as none.
        cors: if has_cors { Some(cors?) } else { None },
    })
}

fn ranged(fields: &mut Fields<'_>, name: &str, range: Range) -> u64 {
    let Range {
        least,
        most,
        default,
    } = range;
    fields
        .optional(name, integer(least, most))
        .unwrap_or(default)
}

fn limit(fields: &mut Fields<'_>, name: &str) -> Option<NonZeroU64> {
    fields
        .optional(name, integer(1, LARGEST_LIMIT))
        .and_then(NonZeroU64::new)
}

fn proxy_credentials(
    fields: &mut Fields<'_>,
    current: Option<&Proxy>,
) -> Option<Vec<CredentialId>> {
    let has_list = fields.has(CREDENTIALS);
    let list = fields.list(CREDENTIALS, MAX_PROXY_CREDENTIALS, parsed::<CredentialId>);
    let one = fields.optional(CREDENTIAL, parsed::<CredentialId>);
    match (list, one) {
        (Some(list), Some(one)) if list.first() != Some(&one) => {
            let text = "must be the first of `proxyProxyCredentialIds`, or left out";
            fields.problem(Fault::ValidationFailed, CREDENTIAL, text);
            None
        }
        // Deleting credentials can leave an empty list; it may stay so, but not be made so.
        (Some(list), _) if list.is_empty() && !is_empty_already(current) => {
            fields.problem(
                Fault::ValidationFailed,
                CREDENTIALS,
                "must name at least one",
            );
            None
        }
        (Some(list), _) => Some(list),
        (None, Some(one)) if !has_list => Some(vec![one]),
        (None, None) if !has_list => {
            fields.problem(Fault::ValidationFailed, CREDENTIALS, "is required");
            None
        }
        (None, _) => None,
    }
}

fn is_empty_already(current: Option<&Proxy>) -> bool {
    current.is_some_and(|proxy| proxy.form.proxy_credentials.is_empty())
}
