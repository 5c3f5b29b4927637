//! Records for tests: all of organisation `o`, in region eu-1, of the first moment there is.

use std::fmt;
use std::str::FromStr;

use requestrocket_policy::secret_form::auth_type::{AuthType, Side};
use time::OffsetDateTime;
use uuid::Uuid;

use super::gateway::base_url::BaseUrl;
use super::gateway::consent::ConsentState;
use super::gateway::credential::{Credential, CredentialForm};
use super::gateway::proxy::{Proxy, ProxyForm};
use super::gateway::region::RegionName;
use super::gateway::target::{Target, TargetForm};
use super::guard::attachment::{Attachable, AttachedTo, Attachment};
use super::guard::condition::{Conditions, Path};
use super::guard::effect::Effect;
use super::guard::meter::{Counted, MeterForm, MeterLimits};
use super::guard::redaction::{Operation, RedactionForm};
use super::guard::rule::RuleForm;
use super::id::OrganisationId;
use super::label::Labels;
use super::moment::Moment;
use super::people::organisation::{Limits, Organisation, OrganisationStatus, Plan, Standing};

/// The id of the record that a test calls `name`, of at most 16 letters.
pub(crate) fn id_of(name: &str) -> String {
    let mut bytes = [0; 16];
    bytes[..name.len()].copy_from_slice(name.as_bytes());
    Uuid::from_bytes(bytes).to_string()
}

/// The same as the id of some kind of record.
pub(crate) fn id<T: FromStr<Err: fmt::Debug>>(name: &str) -> T {
    id_of(name).parse().unwrap()
}

/// What a test calls the record of this id.
pub(crate) fn name_of(id: &str) -> String {
    let bytes = id.parse::<Uuid>().unwrap().into_bytes();
    let name = String::from_utf8(bytes.to_vec()).unwrap();
    name.trim_end_matches('\0').to_owned()
}

/// A credential's, to which somebody consented so often.
pub(crate) fn consent(number: u64) -> ConsentState {
    let page = r#"{"url":"https://a.example/auth","parameters":[],"is_bound":true}"#;
    ConsentState {
        page: serde_json::from_str(page).unwrap(),
        number,
        is_temporary: false,
    }
}

pub(crate) fn moment() -> Moment {
    OffsetDateTime::UNIX_EPOCH.into()
}

fn region() -> RegionName {
    "eu-1".parse().unwrap()
}

fn home() -> OrganisationId {
    id("o")
}

pub(crate) fn organisation() -> Organisation {
    Organisation {
        id: home(),
        name: "O".parse().unwrap(),
        plan: Plan::Team,
        status: OrganisationStatus::Active,
        standing: Standing::Ok,
        limits: Limits::default(),
        allowed_regions: Vec::new(),
        labels: Labels::default(),
        created_at: moment(),
        updated_at: moment(),
        created_by: "u".to_owned(),
        revision: 1,
    }
}

pub(crate) fn credential(name: &str, side: Side, auth_type: AuthType) -> Credential {
    Credential {
        id: id(name),
        organisation: home(),
        region: region(),
        side,
        auth_type,
        form: CredentialForm {
            name: name.parse().unwrap(),
            default_rule_effect: Effect::Deny,
            is_active: true,
            expires_at: None,
            allowed_hosts: vec!["api.example.com".parse().unwrap()],
        },
        labels: Labels::default(),
        version: 3,
        previous_until: None,
        next: None,
        consent: None,
        created_at: moment(),
        updated_at: moment(),
        created_by: "u".to_owned(),
        revision: 1,
    }
}

pub(crate) fn target(name: &str) -> Target {
    Target {
        id: id(name),
        organisation: home(),
        region: region(),
        form: TargetForm {
            name: name.parse().unwrap(),
            base_url: BaseUrl::stored("http://t".to_owned()),
            test_path: None,
            check_seconds: None,
            default_rule_effect: Effect::Deny,
        },
        labels: Labels::default(),
        created_at: moment(),
        updated_at: moment(),
        created_by: "u".to_owned(),
        revision: 1,
        health: None,
    }
}

/// From callers with credential `c` to target `t` with target credential `tc`.
pub(crate) fn proxy(name: &str) -> Proxy {
    Proxy {
        id: id(name),
        organisation: home(),
        region: region(),
        form: ProxyForm {
            name: name.parse().unwrap(),
            proxy_credentials: vec![id("c")],
            target: id("t"),
            target_credential: id("tc"),
            is_active: true,
            default_rule_effect: Effect::Allow,
            timeout_seconds: 30,
            max_requests_per_minute: None,
            max_requests_per_day: None,
            max_response_bytes: 1024,
            max_inspected_bytes: 2048,
            alias: None,
            cors: None,
        },
        labels: Labels::default(),
        has_target: true,
        has_target_credential: true,
        created_at: moment(),
        updated_at: moment(),
        created_by: "u".to_owned(),
        revision: 1,
    }
}

pub(crate) fn attachment<F>(name: &str, attached_to: AttachedTo, form: F) -> Attachment<F>
where
    F: Attachable<Id: FromStr<Err: fmt::Debug>>,
{
    Attachment {
        id: id(name),
        organisation: home(),
        region: region(),
        attached_to,
        form,
        labels: Labels::default(),
        created_at: moment(),
        updated_at: moment(),
        created_by: "u".to_owned(),
        revision: 1,
    }
}

/// A rule that denies.
pub(crate) fn rule(conditions: Conditions) -> RuleForm {
    RuleForm {
        effect: Effect::Deny,
        priority: 900,
        is_active: true,
        conditions,
        notes: None,
    }
}

/// A redaction of every response.
pub(crate) fn redaction(operation: Operation, paths: &[&str]) -> RedactionForm {
    let paths = paths.iter().map(|path| Path::parse(path).unwrap());
    RedactionForm {
        operation,
        paths: paths.collect(),
        is_active: true,
        conditions: Conditions::default(),
        notes: None,
    }
}

/// A meter of all requests.
pub(crate) fn meter(counted: Counted, limits: MeterLimits) -> MeterForm {
    MeterForm {
        name: "M".parse().unwrap(),
        counted,
        is_active: true,
        conditions: Conditions::default(),
        limits,
    }
}
