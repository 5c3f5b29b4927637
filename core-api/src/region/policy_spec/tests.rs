use super::*;

const CONDITIONS: &str = r#"{"methods":["GET"],
    "path":{"pattern":"^/v1","flags":"i","presence":"absent"},
    "headers":[{"name":{"pattern":"^x-"},"value":{"pattern":"a"},"presence":"present"}],
    "query":[{"name":{"pattern":"q"},"presence":"present"}],
    "body":[{"path":"$.model","presence":"absent"}],
    "claims":[{"path":"$.sub","value":{"pattern":"^u"},"presence":"present"}]}"#;
const NONE: &str = r#"{"methods":[],"path":null,"headers":[],"query":[],"body":[],"claims":[]}"#;

fn rule_state(effect: &str, priority: i64, conditions: &str) -> RuleState {
    RuleState {
        attached_id: "p".to_owned(),
        rule_id: "r".to_owned(),
        effect: effect.to_owned(),
        priority,
        conditions: conditions.to_owned(),
    }
}

fn redaction_state(operation: &str, paths: &str) -> RedactionState {
    RedactionState {
        attached_id: "p".to_owned(),
        filter_id: "f".to_owned(),
        operation: operation.to_owned(),
        paths: paths.to_owned(),
        conditions: NONE.to_owned(),
    }
}

fn meter_state(extraction: Option<&str>) -> MeterState {
    MeterState {
        attached_id: "p".to_owned(),
        meter_id: "m".to_owned(),
        extraction: extraction.map(str::to_owned),
        conditions: NONE.to_owned(),
        limit_minute: Some(10),
        limit_hour: None,
        limit_day: Some(20),
        limit_month: None,
    }
}

fn wire_pattern(pattern: &str, flags: &str) -> wire::Pattern {
    wire::Pattern {
        pattern: pattern.to_owned(),
        flags: flags.to_owned(),
    }
}

#[test]
fn a_layer_holds_every_condition_of_its_rules() {
    let rules = [rule_state("deny", 900, CONDITIONS)];
    let told = stored_layer("allow", &rules, &[]).unwrap();
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
        rule_id: "r".to_owned(),
        effect: wire::Effect::Deny.into(),
        priority: 900,
        conditions: Some(want),
    };
    assert_eq!(told.default_effect(), wire::Effect::Allow);
    assert_eq!(told.rules, [rule]);
}

#[test]
fn a_redaction_is_told_with_its_paths_in_order() {
    for (word, want) in [
        ("retain", wire::Operation::Retain),
        ("destroy", wire::Operation::Destroy),
    ] {
        let told = stored_layer("deny", &[], &[redaction_state(word, r#"["$.b","$.a"]"#)]).unwrap();
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
    let body = r#"{"location":"body","path":"$.usage"}"#;
    let header = r#"{"location":"header","name":"X-Cost"}"#;
    for (extraction, want) in [
        (None, None),
        (
            Some(body),
            Some(wire::meter::Extraction::BodyPath("$.usage".to_owned())),
        ),
        (
            Some(header),
            Some(wire::meter::Extraction::HeaderName("X-Cost".to_owned())),
        ),
    ] {
        let told = stored_meter(&meter_state(extraction)).unwrap();
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

#[test]
fn a_row_without_meaning_becomes_no_policy() {
    for (default, rule, want) in [
        ("maybe", rule_state("deny", 1, NONE), InvalidRow::Effect),
        ("deny", rule_state("maybe", 1, NONE), InvalidRow::Effect),
        ("deny", rule_state("deny", -1, NONE), InvalidRow::Number),
        ("deny", rule_state("deny", 1, "{}"), InvalidRow::Json),
    ] {
        assert_eq!(stored_layer(default, &[rule], &[]), Err(want));
    }
    for (redaction, want) in [
        (redaction_state("mask", "[]"), InvalidRow::Operation),
        (redaction_state("retain", "{}"), InvalidRow::Json),
    ] {
        assert_eq!(stored_layer("deny", &[], &[redaction]), Err(want));
    }
    assert_eq!(
        stored_meter(&meter_state(Some("{}"))),
        Err(InvalidRow::Json)
    );
    let mut negative = meter_state(None);
    negative.limit_hour = Some(-1);
    assert_eq!(stored_meter(&negative), Err(InvalidRow::Number));
}
