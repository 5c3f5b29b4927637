use requestrocket_proto::policy::v1::Effect as WireEffect;

use super::*;
use crate::domain::guard::attachment::{AttachedTo, Attachment};
use crate::domain::guard::condition::Conditions;
use crate::domain::guard::meter::{Counted, MeterLimits};
use crate::domain::guard::redaction::Operation;
use crate::domain::people::organisation::Plan;
use crate::domain::records::{self, id, id_of};

fn row(kind: &str, name: &str, is_removed: i64) -> ChangeRow {
    ChangeRow {
        kind: kind.to_owned(),
        record_id: id_of(name),
        revision: 1,
        is_removed,
    }
}

fn found<T>(name: &str, record: T) -> Found<T> {
    [(id_of(name), Ok(record))].into()
}

fn unreadable<T>(name: &str) -> Found<T> {
    [(id_of(name), Err(sqlx::Error::RowNotFound))].into()
}

fn told(current: &Current, kind: &str, name: &str) -> change::Kind {
    let told = change(current, &row(kind, name, 0)).unwrap();
    told.kind.unwrap()
}

fn told_organisation(organisation: Organisation) -> wire::Organisation {
    let current = Current {
        organisations: found("o", organisation),
        ..Current::default()
    };
    match told(&current, "organisation", "o") {
        change::Kind::Organisation(told) => told,
        other => panic!("no organisation but {other:?}"),
    }
}

fn told_credential(sealed: SealedCredential) -> wire::Credential {
    match told(&with_credential(sealed), "credential", "c") {
        change::Kind::Credential(told) => told,
        other => panic!("no credential but {other:?}"),
    }
}

fn with_credential(sealed: SealedCredential) -> Current {
    Current {
        credentials: found("c", sealed),
        ..Current::default()
    }
}

fn sealed(side: Side, auth_type: AuthType, secret: Option<&[u8]>) -> SealedCredential {
    SealedCredential {
        credential: records::credential("c", side, auth_type),
        secret: secret.map(<[u8]>::to_vec),
        next: None,
        consent: None,
    }
}

fn proxy_record() -> Proxy {
    let mut proxy = records::proxy("p");
    proxy.has_target_credential = false;
    proxy.form.proxy_credentials = vec![id("z"), id("a")];
    proxy.form.max_requests_per_minute = NonZeroU64::new(60);
    proxy.form.cors = Some(Cors {
        allowed_origins: vec!["https://a.example.com".into()],
        allowed_headers: vec!["*".into()],
        exposed_headers: vec!["x-a".into()],
        allow_credentials: true,
        max_age_seconds: 7,
    });
    proxy
}

#[test]
fn an_organisation_is_told_as_suspended_when_it_is() {
    for (status, standing, is_suspended) in [
        (OrganisationStatus::Active, Standing::Ok, false),
        (OrganisationStatus::Active, Standing::Low, false),
        (OrganisationStatus::Active, Standing::Suspended, true),
        (OrganisationStatus::Suspended, Standing::Ok, true),
    ] {
        let organisation = Organisation {
            status,
            standing,
            ..records::organisation()
        };
        let want = wire::Organisation {
            organisation_id: id_of("o"),
            is_suspended,
            credential_limits: Some(Limits {
                minute: Some(1000),
                ..Limits::default()
            }),
        };
        assert_eq!(
            told_organisation(organisation),
            want,
            "{status:?} {standing:?}"
        );
    }
}

#[test]
fn the_plan_decides_what_each_credential_may() {
    for (plan, configured, want) in [
        (Plan::Basic, NonZeroU64::new(7), Some(100)),
        (Plan::Team, None, Some(1000)),
        (Plan::Business, NonZeroU64::new(7), Some(7)),
        (Plan::Business, None, None),
    ] {
        let mut organisation = records::organisation();
        organisation.plan = plan;
        organisation.limits.credential_requests_per_minute = configured;
        let limits = told_organisation(organisation).credential_limits;
        assert_eq!(limits.unwrap().minute, want, "{plan:?}");
    }
}

#[test]
fn a_proxy_is_told_with_its_credentials_in_order_and_without_what_is_gone() {
    let current = Current {
        proxies: found("p", proxy_record()),
        ..Current::default()
    };
    let want = wire::Proxy {
        proxy_id: id_of("p"),
        organisation_id: id_of("o"),
        is_active: true,
        proxy_credential_ids: vec![id_of("z"), id_of("a")],
        target_id: id_of("t"),
        target_credential_id: String::new(),
        timeout_seconds: 30,
        max_response_bytes: 1024,
        alias: String::new(),
        layer: Some(Layer {
            default_effect: WireEffect::Allow.into(),
            ..Layer::default()
        }),
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
    assert_eq!(told(&current, "proxy", "p"), change::Kind::Proxy(want));
}

#[test]
fn a_consent_is_told_with_its_number_and_what_it_brought_until_the_region_has_that() {
    let with = |number: u64, consent: Option<SealedConsent>| {
        let mut sealed = SealedCredential {
            consent,
            ..sealed(Side::Target, AuthType::OAuth2, None)
        };
        sealed.credential.consent = Some(records::consent(number));
        sealed
    };
    let told = |number, consent| told_credential(with(number, consent)).consent;
    assert_eq!(told(0, None), None);
    let known = wire::Consent {
        number: 2,
        ..wire::Consent::default()
    };
    assert_eq!(told(2, None), Some(known.clone()));
    let brought = |code: &str| SealedConsent {
        code: code.to_owned(),
        verifier: Some("dg==".to_owned()),
        redirect_uri: "https://a.example/w".to_owned(),
    };
    let want = wire::Consent {
        sealed_code: b"c".to_vec().into(),
        sealed_verifier: b"v".to_vec().into(),
        redirect_uri: "https://a.example/w".to_owned(),
        ..known
    };
    assert_eq!(told(2, Some(brought("Yw=="))), Some(want));
    let damaged = with_credential(with(2, Some(brought("?"))));
    let told = change(&damaged, &row("credential", "c", 0));
    assert!(matches!(told, Err(InvalidRecord::Consent)), "{told:?}");
}

#[test]
fn the_end_of_a_credential_is_told_in_milliseconds_and_never_as_none() {
    for (end, want) in [
        (None, 0),
        (Some("2026-01-01T00:00:00.123Z"), 1_767_225_600_123),
        (Some("1970-01-01T00:00:00.000Z"), 1),
        (Some("1960-01-01T00:00:00.000Z"), 1),
    ] {
        let end = end.map(|end| end.parse().unwrap());
        let mut ending = sealed(Side::Proxy, AuthType::ApiKey, None);
        ending.credential.form.expires_at = end;
        ending.credential.previous_until = end;
        let told = told_credential(ending);
        assert_eq!((told.ends_at_ms, told.previous_ends_at_ms), (want, want));
        assert_eq!(told.allowed_hosts, ["api.example.com"]);
    }
}

#[test]
fn a_credential_is_told_with_its_sealed_secret_while_there_is_one() {
    for (secret, want) in [(Some(&b"sealed"[..]), &b"sealed"[..]), (None, b"")] {
        let told = told_credential(sealed(Side::Target, AuthType::BasicAuth, secret));
        assert_eq!(told.sealed_secret, want);
        assert_eq!((told.version, told.is_active), (3, true));
        assert_eq!(told.side(), CredentialSide::Target);
        assert_eq!(told.auth_type(), CredentialAuthType::BasicAuth);
    }
}

/// Credential `c`, target `t` and proxy `p`, each with a rule and a redaction of its own.
fn with_attachments() -> Current {
    let all = [
        ("c", AttachedTo::Credential(id("c"))),
        ("t", AttachedTo::Target(id("t"))),
        ("p", AttachedTo::Proxy(id("p"))),
    ];
    let rule = |(name, to): (&str, AttachedTo)| {
        let form = records::rule(Conditions::default());
        let rule = records::attachment(&format!("rule-of-{name}"), to, form);
        (id_of(name), Ok(vec![rule]))
    };
    let redaction = |(name, to): (&str, AttachedTo)| {
        let form = records::redaction(Operation::Destroy, &["$.a"]);
        let redaction = records::attachment(&format!("filter-of-{name}"), to, form);
        (id_of(name), Ok(vec![redaction]))
    };
    let limits = MeterLimits {
        minute: NonZeroU64::new(1),
        ..MeterLimits::default()
    };
    let meter: Attachment<_> = records::attachment(
        "m",
        AttachedTo::Proxy(id("p")),
        records::meter(Counted::Requests, limits),
    );
    Current {
        targets: found("t", records::target("t")),
        proxies: found("p", proxy_record()),
        rules: all.map(rule).into(),
        redactions: all.map(redaction).into(),
        meters: found("p", vec![meter]),
        ..with_credential(sealed(Side::Proxy, AuthType::Jwt, None))
    }
}

#[test]
fn what_is_attached_to_a_record_is_told_with_it_and_with_no_other() {
    let current = with_attachments();
    for (kind, name, default_effect) in [
        ("credential", "c", WireEffect::Deny),
        ("target", "t", WireEffect::Deny),
        ("proxy", "p", WireEffect::Allow),
    ] {
        let layer = match told(&current, kind, name) {
            change::Kind::Credential(credential) => credential.layer,
            change::Kind::Target(target) => target.layer,
            change::Kind::Proxy(proxy) => {
                assert_eq!(proxy.meters.len(), 1);
                proxy.layer
            }
            change::Kind::Organisation(_) | change::Kind::Removed(_) => None,
        };
        let layer = layer.unwrap();
        assert_eq!(layer.default_effect(), default_effect, "{kind}");
        let rules: Vec<_> = layer.rules.iter().map(|rule| &rule.rule_id).collect();
        assert_eq!(rules, [&id_of(&format!("rule-of-{name}"))]);
        let filters: Vec<_> = layer.redactions.iter().map(|r| &r.filter_id).collect();
        assert_eq!(filters, [&id_of(&format!("filter-of-{name}"))]);
    }
}

#[test]
fn a_record_that_cannot_be_read_or_that_has_such_an_attachment_is_not_told() {
    let is_told = |current: &Current, kind, name| {
        !matches!(
            change(current, &row(kind, name, 0)),
            Err(InvalidRecord::Row(_))
        )
    };
    let spoilt: [(fn(&mut Current), _, _); 5] = [
        (|it| it.credentials = unreadable("c"), "credential", "c"),
        (|it| it.targets = unreadable("t"), "target", "t"),
        (|it| it.rules = unreadable("t"), "target", "t"),
        (|it| it.redactions = unreadable("p"), "proxy", "p"),
        (|it| it.meters = unreadable("p"), "proxy", "p"),
    ];
    for (spoil, kind, name) in spoilt {
        let mut current = with_attachments();
        spoil(&mut current);
        for (other, it) in [("credential", "c"), ("target", "t"), ("proxy", "p")] {
            assert_eq!(is_told(&current, other, it), it != name, "{kind} {it}");
        }
    }
}

#[test]
fn what_is_gone_is_told_as_removed() {
    let current = Current {
        proxies: found("p", proxy_record()),
        ..Current::default()
    };
    for (kind, name, is_removed, want) in [
        ("proxy", "p", 1, RecordKind::Proxy),
        ("proxy", "vanished", 0, RecordKind::Proxy),
        ("organisation", "o", 1, RecordKind::Organisation),
        ("credential", "c", 1, RecordKind::Credential),
        ("target", "t", 1, RecordKind::Target),
    ] {
        let told = change(&current, &row(kind, name, is_removed)).unwrap().kind;
        let removed = Removed {
            kind: want.into(),
            id: id_of(name),
        };
        assert_eq!(told, Some(change::Kind::Removed(removed)));
    }
}

#[test]
fn a_change_of_an_unknown_kind_is_not_told() {
    let current = Current::default();
    let told = change(&current, &row("moon", "m", 0));
    assert!(matches!(told, Err(InvalidRecord::Kind(_))));
}

#[test]
fn a_second_secret_is_told_with_its_moment_until_it_failed() {
    let at = Moment::of_unix_ms(1_800_000_000_000).unwrap();
    for (switch_at, failed_at, given_from_ms) in [
        (None, None, 0),
        (Some(at), None, 1_800_000_000_000),
        (Some(at), Some(at), 0),
    ] {
        for brought in [None, Some(b"sealed".to_vec())] {
            let mut sealed = SealedCredential {
                next: brought.clone(),
                ..sealed(Side::Target, AuthType::Bearer, None)
            };
            sealed.credential.next = Some(NextSecret {
                version: 4,
                switch_at,
                failed_at,
            });
            let want = wire::NextSecret {
                version: 4,
                sealed_secret: brought.unwrap_or_default().into(),
                given_from_ms,
            };
            assert_eq!(told_credential(sealed).next, Some(want));
        }
    }
}
