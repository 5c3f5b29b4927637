//! What is attached to the records of a golden case: everything that there is, in small.

use requestrocket_proto::policy::v1 as wire;
use requestrocket_proto::region::v1::Cors;

/// One rule and one redaction that say whose they are.
pub(crate) fn layer(whose: &str) -> wire::Layer {
    wire::Layer {
        default_effect: wire::Effect::Allow.into(),
        rules: vec![wire::Rule {
            rule_id: format!("rule of the {whose}"),
            effect: wire::Effect::Deny.into(),
            priority: 500,
            conditions: Some(conditions()),
        }],
        redactions: vec![wire::Redaction {
            filter_id: format!("filter of the {whose}"),
            operation: wire::Operation::Destroy.into(),
            paths: vec!["$.secret".to_owned()],
            conditions: None,
        }],
    }
}

/// One rule that looks into the request's body.
pub(crate) fn inspecting_layer() -> wire::Layer {
    let on_model = wire::NodeCondition {
        path: "$.model".to_owned(),
        value: Some(wire::Pattern {
            pattern: "^gpt".to_owned(),
            flags: "i".to_owned(),
        }),
        presence: wire::Presence::Present.into(),
    };
    let mut layer = layer("proxy");
    let conditions = &mut layer.rules[0].conditions;
    conditions.as_mut().unwrap().body.push(on_model);
    layer
}

pub(crate) fn limits(minute: u64) -> wire::Limits {
    wire::Limits {
        minute: Some(minute),
        hour: None,
        day: None,
        month: None,
    }
}

/// Counts what responses report.
pub(crate) fn meter(meter_id: &str) -> wire::Meter {
    wire::Meter {
        meter_id: meter_id.to_owned(),
        extraction: Some(wire::meter::Extraction::BodyPath(
            "$.usage.tokens".to_owned(),
        )),
        conditions: Some(conditions()),
        limits: Some(limits(1_000)),
    }
}

fn conditions() -> wire::Conditions {
    wire::Conditions {
        methods: vec!["DELETE".to_owned()],
        path: None,
        headers: Vec::new(),
        query: Vec::new(),
        body: Vec::new(),
        claims: Vec::new(),
    }
}

pub(super) fn cors(origin: &str) -> Cors {
    Cors {
        allowed_origins: vec![origin.to_owned()],
        allowed_headers: vec!["authorization".to_owned()],
        exposed_headers: vec!["x-total".to_owned()],
        allow_credentials: true,
        max_age_seconds: 600,
    }
}
