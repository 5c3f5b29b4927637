use super::*;
use crate::domain::guard::attachment::AttachedTo;
use crate::domain::guard::meter::Counted;
use crate::domain::records::{self, id, id_of};

const CONDITIONS: &str = r#"{"methods":["GET"],
    "path":{"pattern":"^/v1","flags":"i","presence":"absent"},
    "headers":[{"name":{"pattern":"^x-"},"value":{"pattern":"a"},"presence":"present"}],
    "query":[{"name":{"pattern":"q"},"presence":"present"}],
    "body":[{"path":"$.model","presence":"absent"}],
    "claims":[{"path":"$.sub","value":{"pattern":"^u"},"presence":"present"}]}"#;

fn to() -> AttachedTo {
    AttachedTo::Proxy(id("p"))
}

fn wire_pattern(pattern: &str, flags: &str) -> wire::Pattern {
    wire::Pattern {
        pattern: pattern.to_owned(),
        flags: flags.to_owned(),
    }
}

#[test]
fn a_layer_holds_every_condition_of_its_rules() {
    let rule = records::rule(serde_json::from_str(CONDITIONS).unwrap());
    let told = layer(Effect::Allow, &[records::attachment("r", to(), rule)], &[]);
    let want = wire::Conditions {
        methods: vec!["GET".to_owned()],
        path: Some(wire::PathCondition {
            pattern: Some(wire_pattern("^/v1", "i")),
            presence: wire::Presence::Absent.into(),
        }),
        headers: vec![wire::NamedCondition {
            name: Some(wire_pattern("^x-", "")),
            value: Some(wire_pattern("a", "")),
            presence: wire::Presence::Present.into(),
        }],
        query: vec![wire::NamedCondition {
            name: Some(wire_pattern("q", "")),
            value: None,
            presence: wire::Presence::Present.into(),
        }],
        body: vec![wire::NodeCondition {
            path: "$.model".to_owned(),
            value: None,
            presence: wire::Presence::Absent.into(),
        }],
        claims: vec![wire::NodeCondition {
            path: "$.sub".to_owned(),
            value: Some(wire_pattern("^u", "")),
            presence: wire::Presence::Present.into(),
        }],
    };
    let rule = wire::Rule {
        rule_id: id_of("r"),
        effect: wire::Effect::Deny.into(),
        priority: 900,
        conditions: Some(want),
    };
    assert_eq!(told.default_effect(), wire::Effect::Allow);
    assert_eq!(told.rules, [rule]);
}

#[test]
fn a_redaction_is_told_with_its_paths_in_order() {
    for (operation, want) in [
        (Operation::Retain, wire::Operation::Retain),
        (Operation::Destroy, wire::Operation::Destroy),
    ] {
        let redaction = records::redaction(operation, &["$.b", "$.a"]);
        let redaction = records::attachment("f", to(), redaction);
        let told = layer(Effect::Deny, &[], &[redaction]);
        assert_eq!(told.default_effect(), wire::Effect::Deny);
        assert_eq!(told.redactions[0].operation(), want);
        assert_eq!(told.redactions[0].paths, ["$.b", "$.a"]);
        assert_eq!(
            told.redactions[0].conditions,
            Some(wire::Conditions::default())
        );
    }
}

#[test]
fn a_meter_is_told_with_what_it_counts_and_its_ceilings() {
    let body = Extraction::Body {
        path: Path::parse("$.usage").unwrap(),
    };
    let header = Extraction::Header {
        name: "X-Cost".to_owned(),
    };
    for (counted, want) in [
        (Counted::Requests, None),
        (
            Counted::Value(body),
            Some(wire::meter::Extraction::BodyPath("$.usage".to_owned())),
        ),
        (
            Counted::Value(header),
            Some(wire::meter::Extraction::HeaderName("X-Cost".to_owned())),
        ),
    ] {
        let limits = MeterLimits {
            minute: NonZeroU64::new(10),
            hour: None,
            day: NonZeroU64::new(20),
            month: None,
        };
        let meter = records::attachment("m", to(), records::meter(counted, limits));
        let [told] = &meters(&[meter])[..] else {
            panic!("no meter")
        };
        assert_eq!(told.extraction, want);
        let limits = wire::Limits {
            minute: Some(10),
            hour: None,
            day: Some(20),
            month: None,
        };
        assert_eq!(told.limits, Some(limits));
    }
}
