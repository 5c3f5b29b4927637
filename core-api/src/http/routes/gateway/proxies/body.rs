//! The body of a proxy.

use std::num::NonZeroU64;

use utoipa::ToSchema;

use super::cors::CorsInput;
use crate::domain::gateway::alias::Alias;
use crate::domain::gateway::cors::Cors;
use crate::domain::gateway::proxy::{
    INSPECTED_BYTES, LARGEST_LIMIT, MAX_PROXY_CREDENTIALS, Proxy, ProxyForm, RESPONSE_BYTES, Range,
    TIMEOUT_SECONDS,
};
use crate::domain::gateway::region::RegionName;
use crate::domain::guard::effect::Effect;
use crate::domain::id::{CredentialId, TargetId};
use crate::domain::label::{Labelled, Labels};
use crate::domain::name::Name;
use crate::http::routes::shape::RuleEffect;
use requestrocket_policy::form::fields::{Fields, boolean, integer, parsed};
use requestrocket_policy::form::problem::Fault;

pub(super) const CREDENTIALS: &str = "proxyProxyCredentialIds";
pub(super) const CREDENTIAL: &str = "proxyProxyCredentialId";
pub(super) const PER_MINUTE: &str = "proxyMaxRequestsPerMinute";
pub(super) const PER_DAY: &str = "proxyMaxRequestsPerDay";

/// What to send for a proxy.
#[derive(Debug, ToSchema)]
#[schema(rename_all = "camelCase")]
pub(super) struct ProxyInput {
    /// 1 to 200 characters.
    #[schema(value_type = String, min_length = 1, max_length = 200)]
    proxy_name: Name,
    /// Cannot be changed later; PUT may leave it out.
    #[schema(value_type = Option<String>)]
    proxy_region: Option<RegionName>,
    /// Whose calls it takes, 1 to 100 proxy credentials; the first match counts.
    #[schema(value_type = Option<Vec<Uuid>>, min_items = 1, max_items = 100)]
    proxy_proxy_credential_ids: Option<Vec<CredentialId>>,
    /// In place of a list of one.
    #[schema(value_type = Option<Uuid>)]
    proxy_proxy_credential_id: Option<CredentialId>,
    /// Where calls go.
    #[schema(value_type = Uuid)]
    proxy_target_id: TargetId,
    /// What the target is given.
    #[schema(value_type = Uuid)]
    proxy_target_credential_id: CredentialId,
    /// Default true.
    proxy_active: Option<bool>,
    #[schema(value_type = Option<RuleEffect>)]
    proxy_default_rule_effect: Option<Effect>,
    /// 1 to 60, default 30.
    #[schema(minimum = 1, maximum = 60)]
    proxy_timeout_seconds: Option<u64>,
    /// At least 1; default as the organisation has it.
    #[schema(value_type = Option<u64>, minimum = 1)]
    proxy_max_requests_per_minute: Option<NonZeroU64>,
    /// At least 1; default as the organisation has it.
    #[schema(value_type = Option<u64>, minimum = 1)]
    proxy_max_requests_per_day: Option<NonZeroU64>,
    /// 1 KiB to 1 GiB, default 6 MiB.
    #[schema(minimum = 1024, maximum = 1_073_741_824)]
    proxy_max_response_bytes: Option<u64>,
    /// 1 KiB to 16 MiB, default 1 MiB.
    #[schema(minimum = 1024, maximum = 16_777_216)]
    proxy_max_inspected_bytes: Option<u64>,
    /// Slug that stands for the id in the proxy's URL, unique in its region.
    #[schema(value_type = Option<String>, pattern = "^[a-z0-9]([a-z0-9-]{1,61}[a-z0-9])$")]
    proxy_alias: Option<Alias>,
    /// Lets pages of other origins call the proxy from a browser; left out or null, none can.
    proxy_cors: Option<CorsInput>,
    /// Up to 32 pairs to find it by; no region hears of them.
    #[schema(value_type = Option<BTreeMap<String, String>>)]
    labels: Labels,
}

/// What stands for limits that were not sent.
#[derive(Clone, Copy, Debug)]
pub(super) struct DefaultLimits {
    pub(super) per_minute: Option<NonZeroU64>,
    pub(super) per_day: Option<NonZeroU64>,
}

/// Both spellings of whose calls a proxy takes; not both are absent.
struct NamedCredentials {
    list: Option<Vec<CredentialId>>,
    one: Option<CredentialId>,
}

impl ProxyInput {
    /// Reads what is left when region (of a new one) and labels were taken out.
    pub(super) fn read(
        mut fields: Fields<'_>,
        proxy_region: Option<RegionName>,
        labels: Option<Labels>,
        current: Option<&Proxy>,
    ) -> Option<Self> {
        let name = fields.required("proxyName", parsed);
        let named = NamedCredentials::read(&mut fields, current);
        let target = fields.required("proxyTargetId", parsed);
        let target_credential = fields.required("proxyTargetCredentialId", parsed);
        let proxy_active = fields.optional("proxyActive", boolean);
        let proxy_default_rule_effect = fields.optional("proxyDefaultRuleEffect", parsed);
        let proxy_timeout_seconds = ranged(&mut fields, "proxyTimeoutSeconds", TIMEOUT_SECONDS);
        let proxy_max_requests_per_minute = limit(&mut fields, PER_MINUTE);
        let proxy_max_requests_per_day = limit(&mut fields, PER_DAY);
        let proxy_max_response_bytes = ranged(&mut fields, "proxyMaxResponseBytes", RESPONSE_BYTES);
        let proxy_max_inspected_bytes =
            ranged(&mut fields, "proxyMaxInspectedBytes", INSPECTED_BYTES);
        let proxy_alias = fields.optional("proxyAlias", parsed);
        let has_cors = fields.has("proxyCors");
        let cors = fields.object("proxyCors", CorsInput::read).flatten();
        fields.finish();
        let NamedCredentials { list, one } = named?;
        Some(Self {
            proxy_name: name?,
            proxy_region,
            proxy_proxy_credential_ids: list,
            proxy_proxy_credential_id: one,
            proxy_target_id: target?,
            proxy_target_credential_id: target_credential?,
            proxy_active,
            proxy_default_rule_effect,
            proxy_timeout_seconds,
            proxy_max_requests_per_minute,
            proxy_max_requests_per_day,
            proxy_max_response_bytes,
            proxy_max_inspected_bytes,
            proxy_alias,
            // A refused one is noted; it must not read as none.
            proxy_cors: if has_cors { Some(cors?) } else { None },
            labels: labels?,
        })
    }

    /// The region of a new one, and what can be changed later.
    pub(super) fn into_parts(
        self,
        defaults: DefaultLimits,
    ) -> (Option<RegionName>, Labelled<ProxyForm>) {
        let one = || self.proxy_proxy_credential_id.into_iter().collect();
        let form = ProxyForm {
            name: self.proxy_name,
            proxy_credentials: self.proxy_proxy_credential_ids.unwrap_or_else(one),
            target: self.proxy_target_id,
            target_credential: self.proxy_target_credential_id,
            is_active: self.proxy_active.unwrap_or(true),
            default_rule_effect: self.proxy_default_rule_effect.unwrap_or(Effect::Allow),
            timeout_seconds: self
                .proxy_timeout_seconds
                .unwrap_or(TIMEOUT_SECONDS.default),
            max_requests_per_minute: self.proxy_max_requests_per_minute.or(defaults.per_minute),
            max_requests_per_day: self.proxy_max_requests_per_day.or(defaults.per_day),
            max_response_bytes: self
                .proxy_max_response_bytes
                .unwrap_or(RESPONSE_BYTES.default),
            max_inspected_bytes: self
                .proxy_max_inspected_bytes
                .unwrap_or(INSPECTED_BYTES.default),
            alias: self.proxy_alias,
            cors: self.proxy_cors.map(Cors::from),
        };
        let labels = self.labels;
        (self.proxy_region, Labelled { form, labels })
    }
}

fn ranged(fields: &mut Fields<'_>, name: &str, range: Range) -> Option<u64> {
    let Range {
        least,
        most,
        default: _,
    } = range;
    fields.optional(name, integer(least, most))
}

fn limit(fields: &mut Fields<'_>, name: &str) -> Option<NonZeroU64> {
    fields
        .optional(name, integer(1, LARGEST_LIMIT))
        .and_then(NonZeroU64::new)
}

impl NamedCredentials {
    fn read(fields: &mut Fields<'_>, current: Option<&Proxy>) -> Option<Self> {
        let has_list = fields.has(CREDENTIALS);
        let list = fields.list(CREDENTIALS, MAX_PROXY_CREDENTIALS, parsed::<CredentialId>);
        let one = fields.optional(CREDENTIAL, parsed::<CredentialId>);
        let refused = match (&list, one) {
            (Some(list), Some(one)) if list.first() != Some(&one) => {
                let text = "must be the first of `proxyProxyCredentialIds`, or left out";
                Some((CREDENTIAL, text))
            }
            // Deleting credentials can leave an empty list; it may stay so, but not be made so.
            (Some(list), _) if list.is_empty() && !is_empty_already(current) => {
                Some((CREDENTIALS, "must name at least one"))
            }
            (None, None) if !has_list => Some((CREDENTIALS, "is required")),
            // What is wrong with a list that is there is noted.
            (None, _) if has_list => return None,
            _ => None,
        };
        if let Some((name, text)) = refused {
            fields.problem(Fault::ValidationFailed, name, text);
            return None;
        }
        Some(Self { list, one })
    }
}

fn is_empty_already(current: Option<&Proxy>) -> bool {
    current.is_some_and(|proxy| proxy.form.proxy_credentials.is_empty())
}
