use std::num::NonZeroU32;
use std::time::Duration;

use requestrocket_policy::id::{CredentialId, ProxyId};
use requestrocket_proto::policy::v1::{
    ApiKey, Layer, Limits, SecretDigest, SignedToken, proxy_credential::Presented,
};
use time::OffsetDateTime;
use uuid::Uuid;

use super::*;
use crate::records::record::PreviousSecret;
use crate::records::region_config::{CallerConfig, ProxyConfig, RegionUpdate};
use crate::translate::{Settings, TargetRoots};
use crate::xds::publisher::Publisher;

const NOW_MS: u64 = 1_000_000;

fn proxy_id() -> ProxyId {
    Uuid::from_u128(1).into()
}

fn credential_id(number: u128) -> CredentialId {
    Uuid::from_u128(number).into()
}

/// With secrets that end then; 0: never.
fn credential(number: u128, until_ms: &[u64]) -> CallerConfig {
    let digests = until_ms.iter().map(|&valid_until_ms| SecretDigest {
        hmac_sha256: vec![7; 32].into(),
        valid_until_ms,
    });
    CallerConfig {
        credential_id: credential_id(number).to_string(),
        is_active: true,
        ends_at_ms: 0,
        presented: Presented::ApiKey(ApiKey {
            digests: digests.collect(),
        }),
        previous: None,
        layer: Layer::default(),
        limits: Limits::default(),
    }
}

/// Whose callers bring tokens of an issuer's.
fn of_tokens() -> CallerConfig {
    CallerConfig {
        presented: Presented::SignedToken(SignedToken::default()),
        ..credential(1, &[])
    }
}

fn ending(credential: CallerConfig, ends_at_ms: u64) -> CallerConfig {
    CallerConfig {
        ends_at_ms,
        ..credential
    }
}

fn proxy(proxy_credentials: Vec<CallerConfig>) -> ProxyConfig {
    ProxyConfig {
        target_id: String::new(),
        proxy_id: proxy_id().to_string(),
        organisation_id: Uuid::from_u128(9).to_string(),
        alias: None,
        is_active: true,
        is_suspended: false,
        timeout_seconds: NonZeroU32::MIN,
        max_response_bytes: 1,
        max_inspected_bytes: 1,
        cors: None,
        target: None,
        proxy_credentials,
        target_credential: None,
        layer: Layer::default(),
        limits: Limits::default(),
        meters: Vec::new(),
        data_key: Vec::new(),
        digest_key: Vec::new(),
    }
}

#[test]
fn a_credential_is_in_force_until_its_last_secret_ends() {
    let inactive = CallerConfig {
        is_active: false,
        ..credential(1, &[0])
    };
    for (name, one, want) in [
        ("without end", credential(1, &[0]), Access::Granted),
        ("not yet", credential(1, &[NOW_MS + 1]), Access::Granted),
        ("over", credential(1, &[NOW_MS]), Access::Revoked),
        ("rotated", credential(1, &[NOW_MS, 0]), Access::Granted),
        ("no secret", credential(1, &[]), Access::Revoked),
        ("inactive", inactive, Access::Revoked),
        (
            "to end",
            ending(credential(1, &[0]), NOW_MS + 1),
            Access::Granted,
        ),
        (
            "ended",
            ending(credential(1, &[0]), NOW_MS),
            Access::Revoked,
        ),
        (
            "its secret first",
            ending(credential(1, &[NOW_MS]), NOW_MS + 1),
            Access::Revoked,
        ),
        (
            "its former secret later",
            CallerConfig {
                previous: Some(PreviousSecret {
                    presented: credential(1, &[0]).presented,
                    ends_at_ms: NOW_MS + 1,
                }),
                ..credential(1, &[NOW_MS])
            },
            Access::Granted,
        ),
        ("of tokens", of_tokens(), Access::Granted),
        (
            "of tokens, ended",
            ending(of_tokens(), NOW_MS),
            Access::Revoked,
        ),
        ("another's", credential(2, &[0]), Access::Revoked),
    ] {
        let callers = Callers::of(&proxy(vec![one]));
        assert_eq!(callers.access(credential_id(1), NOW_MS), want, "{name}");
    }
}

#[test]
fn the_credential_is_looked_at_before_the_proxy() {
    for (is_active, is_suspended, want) in [
        (true, false, Access::Granted),
        (false, false, Access::Inactive),
        (true, true, Access::Suspended),
        (false, true, Access::Inactive),
    ] {
        let callers = Callers::of(&ProxyConfig {
            target_id: String::new(),
            is_active,
            is_suspended,
            ..proxy(vec![credential(1, &[0])])
        });
        assert_eq!(callers.access(credential_id(1), NOW_MS), want);
        assert_eq!(callers.access(credential_id(2), NOW_MS), Access::Revoked);
    }
}

fn checks() -> (Publisher, AccessChecks) {
    let publisher = Publisher::new(Settings {
        region: "eu".to_owned(),
        filter_wasm: "/filter.wasm".into(),
        allow_private_targets: Vec::new(),
        target_roots: TargetRoots::File("/roots.pem".into()),
        collector: None,
    });
    let clock = Clock::manual(OffsetDateTime::UNIX_EPOCH + Duration::from_millis(NOW_MS));
    let checks = AccessChecks::new(publisher.subscribe(), clock);
    (publisher, checks)
}

fn caller(credential: u128) -> Caller {
    Caller {
        proxy: proxy_id(),
        credential: credential_id(credential),
    }
}

#[test]
fn the_newest_snapshot_decides() {
    use wire::Access::{Granted, Revoked, Unspecified};
    let (publisher, checks) = checks();
    let callers = [caller(1), caller(2)];
    assert_eq!(
        checks.answer(&callers),
        [Unspecified; 2],
        "nothing is known"
    );
    let both = vec![credential(1, &[0]), credential(2, &[0])];
    publisher.apply(1, RegionUpdate::Full(vec![proxy(both)]));
    assert_eq!(checks.answer(&callers), [Granted; 2]);
    let one = proxy(vec![credential(2, &[0])]);
    let id = one.proxy_id.clone();
    publisher.apply(2, RegionUpdate::Delta(vec![(id.clone(), Some(one))]));
    assert_eq!(checks.answer(&callers), [Revoked, Granted]);
    publisher.apply(3, RegionUpdate::Delta(vec![(id, None)]));
    assert_eq!(checks.answer(&callers), [Revoked; 2]);
}

#[tokio::test]
async fn questions_are_bounded_and_name_callers() {
    let (_publisher, checks) = checks();
    let check = |callers| checks.check(Request::new(CheckRequest { callers }));
    let most = vec![caller(1).to_wire(); MAX_CALLERS];
    let answered = check(most.clone()).await.unwrap().into_inner();
    assert_eq!(answered.accesses.len(), MAX_CALLERS);
    let over = [most, vec![caller(1).to_wire()]].concat();
    assert!(check(over).await.is_err());
    assert!(check(vec![wire::Caller::default()]).await.is_err());
}
