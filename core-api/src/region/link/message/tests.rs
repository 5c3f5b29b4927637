use requestrocket_proto::policy::v1::Effect;

use super::*;

fn row(kind: &str, id: &str, is_removed: i64) -> ChangeRow {
    ChangeRow {
        kind: kind.to_owned(),
        record_id: id.to_owned(),
        revision: 1,
        is_removed,
    }
}

fn credential_state(side: &str, auth_type: &str, sealed: Option<&str>) -> CredentialState {
    CredentialState {
        credential_id: "c".to_owned(),
        organisation_id: "o".to_owned(),
        credential_side: side.to_owned(),
        auth_type: auth_type.to_owned(),
        is_active: 1,
        expires_at: None,
        allowed_hosts: Some("a.example *.b.example".to_owned()),
        previous_until: None,
        version: 3,
        sealed_secret: sealed.map(str::to_owned),
        default_rule_effect: "deny".to_owned(),
    }
}

fn proxy_state() -> ProxyState {
    ProxyState {
        proxy_id: "p".to_owned(),
        organisation_id: "o".to_owned(),
        live_target_id: Some("t".to_owned()),
        live_target_credential_id: None,
        is_active: 1,
        timeout_seconds: 30,
        max_response_bytes: 1024,
        alias: None,
        default_rule_effect: "allow".to_owned(),
        max_requests_per_minute: Some(60),
        max_requests_per_day: None,
        max_inspected_bytes: 2048,
        cors: Some(
            r#"{"allowedOrigins":["https://a.example.com"],"allowedHeaders":["*"],
                "exposedHeaders":["x-a"],"allowCredentials":true,"maxAgeSeconds":7}"#
                .to_owned(),
        ),
    }
}

fn organisation_state(status: &str, plan: &str, configured: Option<i64>) -> OrganisationState {
    OrganisationState {
        organisation_id: "o".into(),
        status: status.into(),
        plan: plan.into(),
        credential_requests_per_minute: configured,
    }
}

fn told_organisation(state: OrganisationState) -> Result<Change, InvalidRecord> {
    let present = Present {
        organisations: [("o".to_owned(), state)].into(),
        ..Present::default()
    };
    present.change(&row("organisation", "o", 0))
}

fn layer(default_effect: Effect) -> Layer {
    Layer {
        default_effect: default_effect.into(),
        ..Layer::default()
    }
}

fn with_credential(state: CredentialState) -> Present {
    Present {
        credentials: [("c".to_owned(), state)].into(),
        ..Present::default()
    }
}

#[test]
fn an_organisation_is_suspended_unless_it_is_active() {
    for (status, is_suspended) in [("active", false), ("suspended", true), ("odd", true)] {
        let told = told_organisation(organisation_state(status, "team", None));
        let want = Organisation {
            organisation_id: "o".into(),
            is_suspended,
            credential_limits: Some(Limits {
                minute: Some(1000),
                ..Limits::default()
            }),
        };
        let told = told.unwrap().kind;
        assert_eq!(told, Some(Kind::Organisation(want)), "{status}");
    }
}

#[test]
fn the_plan_decides_what_each_credential_may() {
    for (plan, configured, want) in [
        ("basic", Some(7), Some(100)),
        ("team", None, Some(1000)),
        ("business", Some(7), Some(7)),
        ("business", None, None),
    ] {
        let told = told_organisation(organisation_state("active", plan, configured));
        let Some(Kind::Organisation(told)) = told.unwrap().kind else {
            panic!("no organisation")
        };
        assert_eq!(told.credential_limits.unwrap().minute, want, "{plan}");
    }
    let odd = told_organisation(organisation_state("active", "gold", None));
    assert_eq!(odd, Err(InvalidRecord::Plan));
}

#[test]
fn a_proxy_is_told_with_its_credentials_in_order_and_without_what_is_gone() {
    let present = Present {
        proxies: [("p".to_owned(), proxy_state())].into(),
        proxy_credentials: [("p".to_owned(), vec!["z".to_owned(), "a".to_owned()])].into(),
        ..Present::default()
    };
    let want = Proxy {
        proxy_id: "p".into(),
        organisation_id: "o".into(),
        is_active: true,
        proxy_credential_ids: vec!["z".into(), "a".into()],
        target_id: "t".into(),
        target_credential_id: String::new(),
        timeout_seconds: 30,
        max_response_bytes: 1024,
        alias: String::new(),
        layer: Some(layer(Effect::Allow)),
        limits: Some(Limits {
            minute: Some(60),
            ..Limits::default()
        }),
        meters: Vec::new(),
        max_inspected_bytes: 2048,
        cors: Some(Box::new(wire::Cors {
            allowed_origins: vec!["https://a.example.com".into()],
            allowed_headers: vec!["*".into()],
            exposed_headers: vec!["x-a".into()],
            allow_credentials: true,
            max_age_seconds: 7,
        })),
    };
    let told = present.change(&row("proxy", "p", 0)).unwrap().kind;
    assert_eq!(told, Some(Kind::Proxy(want)));
}

#[test]
fn the_end_of_a_credential_is_told_in_milliseconds_and_never_as_none() {
    for (expires_at, want) in [
        (None, 0),
        (Some("2026-01-01T00:00:00.123Z"), 1_767_225_600_123),
        (Some("1970-01-01T00:00:00.000Z"), 1),
        (Some("1960-01-01T00:00:00.000Z"), 1),
    ] {
        let expires_at = expires_at.map(str::to_owned);
        let state = credential_state("proxy", "apiKey", None);
        let present = with_credential(CredentialState {
            previous_until: expires_at.clone(),
            expires_at,
            ..state
        });
        let told = present.change(&row("credential", "c", 0)).unwrap().kind;
        assert!(matches!(told, Some(Kind::Credential(told))
            if told.ends_at_ms == want && told.previous_ends_at_ms == want));
    }
    let state = credential_state("proxy", "apiKey", None);
    let damaged = with_credential(CredentialState {
        expires_at: Some("soon".to_owned()),
        ..state
    });
    let told = damaged.change(&row("credential", "c", 0));
    assert_eq!(told, Err(InvalidRecord::Moment));
}

#[test]
fn a_credential_is_told_with_its_sealed_secret_while_there_is_one() {
    for (sealed, want) in [(Some("c2VhbGVk"), &b"sealed"[..]), (None, b"")] {
        let present = with_credential(credential_state("target", "basicAuth", sealed));
        let Some(Kind::Credential(told)) = present.change(&row("credential", "c", 0)).unwrap().kind
        else {
            panic!("no credential")
        };
        assert_eq!(told.sealed_secret, want);
        assert_eq!((told.version, told.is_active), (3, true));
        assert_eq!(told.side(), CredentialSide::Target);
        assert_eq!(told.auth_type(), CredentialAuthType::BasicAuth);
    }
}

const NO_CONDITIONS: &str =
    r#"{"methods":[],"path":null,"headers":[],"query":[],"body":[],"claims":[]}"#;

/// Credential `c`, target `t` and proxy `p`, each with a rule and a redaction of its own.
fn with_attachments() -> Present {
    let rule = |id: &str| RuleState {
        attached_id: id.to_owned(),
        rule_id: format!("rule-of-{id}"),
        effect: "deny".to_owned(),
        priority: 500,
        conditions: NO_CONDITIONS.to_owned(),
    };
    let redaction = |id: &str| RedactionState {
        attached_id: id.to_owned(),
        filter_id: format!("filter-of-{id}"),
        operation: "destroy".to_owned(),
        paths: r#"["$.a"]"#.to_owned(),
        conditions: NO_CONDITIONS.to_owned(),
    };
    let meter = MeterState {
        attached_id: "p".to_owned(),
        meter_id: "m".to_owned(),
        extraction: None,
        conditions: NO_CONDITIONS.to_owned(),
        limit_minute: Some(1),
        limit_hour: None,
        limit_day: None,
        limit_month: None,
    };
    let target = TargetState {
        target_id: "t".to_owned(),
        organisation_id: "o".to_owned(),
        base_url: "http://t".to_owned(),
        default_rule_effect: "deny".to_owned(),
    };
    let ids = ["c", "t", "p"];
    Present {
        targets: [("t".to_owned(), target)].into(),
        proxies: [("p".to_owned(), proxy_state())].into(),
        rules: ids.map(|id| (id.to_owned(), vec![rule(id)])).into(),
        redactions: ids.map(|id| (id.to_owned(), vec![redaction(id)])).into(),
        meters: [("p".to_owned(), vec![meter])].into(),
        ..with_credential(credential_state("proxy", "jwt", None))
    }
}

#[test]
fn what_is_attached_to_a_record_is_told_with_it_and_with_no_other() {
    let present = with_attachments();
    for (kind, id, default_effect) in [
        ("credential", "c", Effect::Deny),
        ("target", "t", Effect::Deny),
        ("proxy", "p", Effect::Allow),
    ] {
        let layer = match present.change(&row(kind, id, 0)).unwrap().kind.unwrap() {
            Kind::Credential(credential) => credential.layer,
            Kind::Target(target) => target.layer,
            Kind::Proxy(proxy) => {
                assert_eq!(proxy.meters.len(), 1);
                proxy.layer
            }
            Kind::Organisation(_) | Kind::Removed(_) => None,
        };
        let layer = layer.unwrap();
        assert_eq!(layer.default_effect(), default_effect, "{kind}");
        let rules: Vec<_> = layer.rules.iter().map(|rule| &rule.rule_id).collect();
        assert_eq!(rules, [&format!("rule-of-{id}")]);
        let filters: Vec<_> = layer.redactions.iter().map(|r| &r.filter_id).collect();
        assert_eq!(filters, [&format!("filter-of-{id}")]);
    }
}

#[test]
fn a_record_whose_attachment_means_nothing_is_not_told() {
    let mut present = with_attachments();
    if let Some(rules) = present.rules.get_mut("t") {
        rules[0].effect = "maybe".to_owned();
    }
    let told = present.change(&row("target", "t", 0));
    assert_eq!(told, Err(InvalidRecord::Attachment(InvalidRow::Effect)));
    assert!(present.change(&row("proxy", "p", 0)).is_ok());
}

#[test]
fn every_auth_type_of_the_api_is_told() {
    for (text, want) in [
        ("none", CredentialAuthType::None),
        ("apiKey", CredentialAuthType::ApiKey),
        ("bearer", CredentialAuthType::Bearer),
        ("basicAuth", CredentialAuthType::BasicAuth),
        ("jwt", CredentialAuthType::Jwt),
        ("custom", CredentialAuthType::Custom),
        ("signedJwt", CredentialAuthType::SignedJwt),
        ("awsSigV4", CredentialAuthType::AwsSigV4),
        ("hmac", CredentialAuthType::Hmac),
    ] {
        assert_eq!(auth_type_of(text), Ok(want));
    }
}

#[test]
fn what_is_gone_is_told_as_removed() {
    let present = Present {
        proxies: [("p".to_owned(), proxy_state())].into(),
        ..Present::default()
    };
    for (kind, id, is_removed, want) in [
        ("proxy", "p", 1, RecordKind::Proxy),
        ("proxy", "vanished", 0, RecordKind::Proxy),
        ("organisation", "o", 1, RecordKind::Organisation),
        ("credential", "c", 1, RecordKind::Credential),
        ("target", "t", 1, RecordKind::Target),
    ] {
        let told = present.change(&row(kind, id, is_removed)).unwrap().kind;
        let removed = Removed {
            kind: want.into(),
            id: id.to_owned(),
        };
        assert_eq!(told, Some(Kind::Removed(removed)));
    }
}

#[test]
fn a_row_without_meaning_is_not_told() {
    let of = |side, auth_type, sealed| {
        let present = with_credential(credential_state(side, auth_type, sealed));
        present.change(&row("credential", "c", 0)).unwrap_err()
    };
    assert_eq!(of("both", "jwt", None), InvalidRecord::Side);
    assert_eq!(of("proxy", "magic", None), InvalidRecord::AuthType);
    assert_eq!(of("proxy", "jwt", Some("*")), InvalidRecord::SealedSecret);
    let unknown = Present::default().change(&row("moon", "m", 0)).unwrap_err();
    assert_eq!(unknown, InvalidRecord::Kind);
}
