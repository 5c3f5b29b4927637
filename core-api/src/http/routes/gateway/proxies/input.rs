//! Reads what is sent for a proxy.

use std::num::NonZeroU64;

use super::ProxyResource;
use super::body::{CREDENTIAL, CREDENTIALS, DefaultLimits, PER_DAY, PER_MINUTE, ProxyInput};
use crate::domain::gateway::proxy::{Proxy, ProxyForm};
use crate::domain::gateway::region::RegionName;
use crate::domain::label::Labelled;
use crate::domain::people::organisation::Limits;
use crate::http::body::{Body, Update};
use crate::http::labels;
use crate::http::routes::shape::document;
use crate::region::fleet::ProxyStatus;
use crate::service::gateway::proxies::ProxyChange;
use requestrocket_policy::form::fields::{Fields, parsed};
use requestrocket_policy::form::problem::Problems;

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
    let input = ProxyInput::read(fields, region, labels, None);
    problems.check()?;
    let defaults = DefaultLimits {
        per_minute: limits.requests_per_minute,
        per_day: limits.requests_per_day,
    };
    match input.map(|input| input.into_parts(defaults)) {
        Some((Some(region), new)) => Ok((region, new)),
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
    let per_minute = (now.max_requests_per_minute, *requests_per_minute);
    let per_day = (now.max_requests_per_day, *requests_per_day);
    let defaults = DefaultLimits {
        per_minute: kept(&mut update, PER_MINUTE, per_minute),
        per_day: kept(&mut update, PER_DAY, per_day),
    };
    let keeps_target = update.keeps("proxyTargetId");
    let keeps_target_credential = update.keeps("proxyTargetCredentialId");
    let fields = Fields::new(update.object, &mut problems);
    let input = ProxyInput::read(fields, None, labels, Some(current));
    problems.check()?;
    let (_, new) = input.ok_or(problems)?.into_parts(defaults);
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
    (current, default): (Option<NonZeroU64>, Option<NonZeroU64>),
) -> Option<NonZeroU64> {
    if !update.keeps(name) {
        return default;
    }
    update.object.remove(name);
    current
}
