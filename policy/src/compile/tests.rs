//! Round trip from wire to policy, and what is refused: everything that is wrong anywhere.

use proptest::prelude::*;
use requestrocket_proto::policy::v1::{self as wire, proxy_credential::Presented};

use super::*;
use crate::{
    authn::{Accepted, AuthType, Form, SecretDigest},
    envelope::{Binding, Key, KeyRing},
    fixtures::{ORGANISATION_ID, PROXY_ID, PolicyFixture, credential_id},
    swap::InvalidInjection,
};

mod admission;
mod layers;
mod rotation;
mod steps;
mod weight;

fn full() -> PolicyFixture {
    PolicyFixture::new()
        .api_key("key")
        .bearer("Bearer ", "token")
        .basic_auth("user:pass")
        .jwt("a.b.c")
        .until(5_000)
        .unknown_credential()
        .base_path("/v1")
        .header("X-Key", "secret")
        .query("k", "v")
}

/// Bends the wire message and compiles it.
fn bent(bend: impl FnOnce(&mut wire::ProxyPolicy)) -> Result<Policy, InvalidPolicy> {
    let mut fixture = full();
    bend(&mut fixture.wire);
    fixture.compile()
}

/// Bends the message of who is let in, and compiles both.
fn bent_admission(bend: impl FnOnce(&mut wire::Admission)) -> Result<Policy, InvalidPolicy> {
    let mut fixture = full();
    bend(&mut fixture.admission);
    fixture.compile()
}

fn check_admission(bend: impl FnOnce(&mut wire::Admission), want: InvalidPolicy) {
    assert_eq!(bent_admission(bend).err(), Some(want));
}

fn check(bend: impl FnOnce(&mut wire::ProxyPolicy), want: InvalidPolicy) {
    assert_eq!(bent(bend).err(), Some(want));
}

fn injections(wire: &mut wire::ProxyPolicy) -> &mut Vec<wire::Injection> {
    &mut wire.target_credential.as_mut().unwrap().injections
}

fn secret(accepts: &Accepted) -> (&Form, &[SecretDigest]) {
    match accepts {
        Accepted::Secret { form, digests } => (form, digests),
        Accepted::Token(_) | Accepted::Opaque(_) => panic!("a token is no secret"),
    }
}

#[test]
fn a_policy_says_what_the_message_said() {
    let mut fixture = full();
    "my-api".clone_into(&mut fixture.admission.alias);
    let policy = fixture.compile().unwrap();
    let admission = &policy.admission;
    assert_eq!(policy.proxy().to_string(), PROXY_ID);
    assert_eq!(admission.organisation.to_string(), ORGANISATION_ID);
    assert!(admission.names.contain(b"my-api") && admission.names.contain(PROXY_ID.as_bytes()));
    assert_eq!(policy.standing, Standing::Active);
    assert_eq!(admission.max_response_bytes.get(), 6 << 20);
    let forms: Vec<_> = admission
        .credentials
        .iter()
        .map(|credential| {
            credential
                .accepts
                .as_ref()
                .map(|accepts| secret(accepts).0.auth_type())
        })
        .collect();
    let want = [
        AuthType::ApiKey,
        AuthType::Bearer,
        AuthType::BasicAuth,
        AuthType::Jwt,
    ];
    assert_eq!(
        forms,
        want.map(Some).into_iter().chain([None]).collect::<Vec<_>>()
    );
    for (n, credential) in admission.credentials.iter().enumerate() {
        assert_eq!(credential.id, credential_id(n));
    }
    let ends: Vec<_> = admission
        .credentials
        .iter()
        .filter_map(|credential| credential.accepts.as_ref())
        .flat_map(|accepts| secret(accepts).1)
        .map(|digest| digest.valid_until_ms)
        .collect();
    assert_eq!(ends, [None, None, None, Some(5_000)]);
    let upstream = policy.upstream.unwrap();
    assert_eq!(&*upstream.base_path, b"/v1");
    assert_eq!((upstream.headers.len(), upstream.query.len()), (1, 1));
}

#[test]
fn an_inactive_proxy_is_inactive_also_when_suspended() {
    for (is_active, is_suspended, want) in [
        (true, false, Standing::Active),
        (true, true, Standing::Suspended),
        (false, false, Standing::Inactive),
        (false, true, Standing::Inactive),
    ] {
        let policy = bent(|wire| {
            wire.is_active = is_active;
            wire.is_suspended = is_suspended;
        });
        assert_eq!(policy.unwrap().standing, want);
    }
}

#[test]
fn a_proxy_without_target_or_target_credential_is_incomplete_not_invalid() {
    assert!(bent(|wire| wire.target = None).unwrap().upstream.is_none());
    assert!(
        bent(|wire| wire.target_credential = None)
            .unwrap()
            .upstream
            .is_none()
    );
    // What is there must be right all the same.
    let wrong = InvalidPolicy::Upstream(InvalidUpstream::BasePath);
    check(
        |wire| {
            wire.target = Some(wire::Target {
                base_path: "v1".to_owned(),
                layer: None,
                host: String::new(),
            });
            wire.target_credential = None;
        },
        wrong,
    );
}

#[test]
fn bytes_that_are_no_message_are_refused() {
    let fixture = full();
    for bytes in [&b"\xff"[..], b"\x0a\xff", b"hello", &[0; 64]] {
        let wrong = Some(InvalidPolicy::Encoding);
        let got = Admission::compile(bytes, &fixture.keys).err();
        assert_eq!(got, wrong, "{bytes:?}");
        let got = Policy::compile(fixture.admission().unwrap(), bytes).err();
        assert_eq!(got, wrong, "{bytes:?}");
    }
    // An empty message is one, and has no proxy.
    let empty = Admission::compile(b"", &fixture.keys).err();
    assert_eq!(empty, Some(InvalidPolicy::ProxyId(InvalidId)));
}

#[test]
fn wrong_names_are_refused() {
    check_admission(
        |wire| wire.proxy_id.make_ascii_uppercase(),
        InvalidPolicy::ProxyId(InvalidId),
    );
    check_admission(
        |wire| wire.proxy_id.clear(),
        InvalidPolicy::ProxyId(InvalidId),
    );
    check_admission(
        |wire| wire.organisation_id.clear(),
        InvalidPolicy::OrganisationId(InvalidId),
    );
    check_admission(
        |wire| wire.region.clear(),
        InvalidPolicy::Region(InvalidRegion),
    );
    check_admission(
        |wire| wire.region.push('!'),
        InvalidPolicy::Region(InvalidRegion),
    );
    for alias in ["A", "a/b", "..", PROXY_ID] {
        check_admission(
            |wire| alias.clone_into(&mut wire.alias),
            InvalidPolicy::Alias(InvalidAlias),
        );
    }
    check_admission(
        |wire| wire.max_response_bytes = 0,
        InvalidPolicy::MaxResponseBytes,
    );
}

#[test]
fn keys_must_open_here_and_for_this_owner() {
    let not_authentic = InvalidEnvelope::NotAuthentic;
    check_admission(
        |wire| "local-2".clone_into(&mut wire.region),
        InvalidPolicy::DataKey(not_authentic.clone()),
    );
    check_admission(
        |wire| PROXY_ID.clone_into(&mut wire.organisation_id),
        InvalidPolicy::DataKey(not_authentic),
    );
    check_admission(
        |wire| wire.data_key.clear(),
        InvalidPolicy::DataKey(InvalidEnvelope::Truncated),
    );
    check_admission(
        |wire| wire.digest_key.clear(),
        InvalidPolicy::DigestKey(InvalidEnvelope::Truncated),
    );
    check_admission(
        |wire| wire.digest_key = wire.data_key.clone(),
        InvalidPolicy::DigestKey(InvalidEnvelope::UnknownKey),
    );
    let stranger = PolicyFixture::new().keys;
    let got = Admission::compile(&full().encode().0, &stranger).err();
    assert_eq!(
        got,
        Some(InvalidPolicy::DataKey(InvalidEnvelope::UnknownKey))
    );
}

#[test]
fn wrong_proxy_credentials_are_refused_by_place() {
    let at = |position, source| InvalidPolicy::Credential { position, source };
    check(
        |wire| wire.proxy_credentials[2].credential_id.clear(),
        at(2, InvalidCredential::Id(InvalidId)),
    );
    check_admission(
        |wire| wire.proxy_credentials[2].credential_id.clear(),
        at(2, InvalidCredential::Id(InvalidId)),
    );
    for length in [0, 31, 33] {
        let digests = vec![wire::SecretDigest {
            hmac_sha256: vec![0; length].into(),
            valid_until_ms: 0,
        }];
        check_admission(
            |wire| {
                let presented = Presented::ApiKey(wire::ApiKey { digests });
                wire.proxy_credentials[0].presented = Some(presented);
            },
            at(0, InvalidCredential::Digest),
        );
    }
}

#[test]
fn base_paths_are_rooted_plain_paths() {
    for base_path in ["", "/v1", "/v1/x", "/a%20b", "/a;b", "/~u"] {
        assert!(full().base_path(base_path).compile().is_ok(), "{base_path}");
    }
    for base_path in [
        "v1", "/", "/v1/", "/a b", "/a?b", "/a#b", "/a\\b", "/é", "/a\n", "//",
    ] {
        let got = full().base_path(base_path).compile().err();
        let want = InvalidPolicy::Upstream(InvalidUpstream::BasePath);
        assert_eq!(got, Some(want), "{base_path}");
    }
}

#[test]
fn injections_open_only_where_they_belong() {
    let sealed = |position| {
        let source = InvalidEnvelope::NotAuthentic;
        InvalidPolicy::Upstream(InvalidUpstream::Sealed { position, source })
    };
    // Another name, another place, another credential, another version, each other's value.
    check(
        |wire| "x-other".clone_into(&mut injections(wire)[0].name),
        sealed(0),
    );
    check(
        |wire| injections(wire)[0].location = wire::Location::Query.into(),
        sealed(0),
    );
    check(
        |wire| injections(wire)[1].location = wire::Location::Header.into(),
        sealed(1),
    );
    check(
        |wire| {
            let credential = wire.target_credential.as_mut().unwrap();
            PROXY_ID.clone_into(&mut credential.credential_id);
        },
        sealed(0),
    );
    check(
        |wire| wire.target_credential.as_mut().unwrap().version += 1,
        sealed(0),
    );
    check(
        |wire| {
            let injections = injections(wire);
            injections[1].sealed_value = injections[0].sealed_value.clone();
        },
        sealed(1),
    );
    let no_id = InvalidPolicy::Upstream(InvalidUpstream::CredentialId(InvalidId));
    let clear = |wire: &mut wire::ProxyPolicy| {
        let credential = wire.target_credential.as_mut().unwrap();
        credential.credential_id.clear();
    };
    check(clear, no_id);
    // The case of a header's name does not matter.
    assert!(bent(|wire| "x-key".clone_into(&mut injections(wire)[0].name)).is_ok());
}

#[test]
fn unknown_locations_are_refused() {
    for location in [0, 4, -1] {
        check(
            |wire| injections(wire)[1].location = location,
            InvalidPolicy::Upstream(InvalidUpstream::Location(1)),
        );
    }
}

#[test]
fn what_must_not_be_injected_is_refused() {
    let at =
        |position, source| InvalidPolicy::Upstream(InvalidUpstream::Injection { position, source });
    for name in [
        "Host",
        "content-length",
        "",
        "a b",
        "requestrocket-x",
        ":path",
    ] {
        let got = PolicyFixture::new().header(name, "v").compile().err();
        assert_eq!(got, Some(at(0, InvalidInjection::HeaderName)), "{name}");
    }
    for value in ["a\r\nb: c", "a\nb", "\u{0}", "a\tb", "\u{7f}"] {
        let got = PolicyFixture::new()
            .header("x", "v")
            .header("y", value)
            .compile()
            .err();
        assert_eq!(got, Some(at(1, InvalidInjection::Value)), "{value:?}");
        let got = PolicyFixture::new().query("x", value).compile().err();
        assert_eq!(got, Some(at(0, InvalidInjection::Value)), "{value:?}");
    }
    let got = PolicyFixture::new().query("", "v").compile().err();
    assert_eq!(got, Some(at(0, InvalidInjection::QueryName)));
}

#[test]
fn errors_and_debug_show_no_secret() {
    let policy = full().header("y", "canary-secret").compile().unwrap();
    let error = PolicyFixture::new()
        .header("x", "canary-secret\n")
        .compile()
        .unwrap_err();
    let shown = format!("{policy:?} {error:?} {error}");
    assert!(
        !shown.contains("canary") && !shown.contains("99, 97, 110"),
        "{shown}"
    );
}

fn form() -> impl Strategy<Value = Form> {
    prop_oneof![
        Just(Form::ApiKey),
        "[ -~]{0,12}".prop_map(|prefix| Form::Bearer {
            prefix: prefix.into()
        }),
        Just(Form::BasicAuth),
        Just(Form::Jwt),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn compile_undoes_encode(
        is_active: bool,
        is_suspended: bool,
        max_response_bytes in 1_u64..,
        forms in proptest::collection::vec((form(), any::<u64>()), 0..5),
        base_path in "(/[a-z0-9%.~-]{1,9}){0,3}",
        headers in proptest::collection::vec(("x-[a-z]{1,8}", "[ -~]{0,20}"), 0..3),
        query in proptest::collection::vec(("[a-z ]{1,8}", "[ -~é]{0,20}"), 0..3),
    ) {
        let mut fixture = PolicyFixture::new().base_path(&base_path);
        for (form, until) in &forms {
            fixture = match form {
                Form::ApiKey => fixture.api_key("s"),
                Form::Bearer { prefix } => fixture.bearer(prefix, "s"),
                Form::BasicAuth => fixture.basic_auth("s"),
                Form::Jwt => fixture.jwt("s"),
            }
            .until(*until);
        }
        for (name, value) in &headers {
            fixture = fixture.header(name, value);
        }
        for (name, value) in &query {
            fixture = fixture.query(name, value);
        }
        fixture.wire.is_active = is_active;
        fixture.wire.is_suspended = is_suspended;
        fixture.admission.max_response_bytes = max_response_bytes;

        let policy = fixture.compile().unwrap();
        prop_assert_eq!(policy.standing, standing(is_active, is_suspended));
        prop_assert_eq!(policy.admission.max_response_bytes.get(), max_response_bytes);
        let got: Vec<_> = policy.admission.credentials.iter().filter_map(|one| one.accepts.as_ref()).collect();
        prop_assert_eq!(got.len(), forms.len());
        for (accepts, (form, until)) in got.into_iter().zip(&forms) {
            let (got, digests) = secret(accepts);
            prop_assert_eq!(got, form);
            prop_assert_eq!(digests[0].valid_until_ms.unwrap_or(0), *until);
        }
        let upstream = policy.upstream.unwrap();
        prop_assert_eq!(&*upstream.base_path, base_path.as_bytes());
        prop_assert_eq!(upstream.headers.len(), headers.len());
        prop_assert_eq!(upstream.query.len(), query.len());
    }

    #[test]
    fn any_bytes_are_compiled_without_panic(bytes: Vec<u8>) {
        let fixture = PolicyFixture::new();
        prop_assert!(Admission::compile(&bytes, &fixture.keys).is_err());
        let _compiled = Policy::compile(fixture.admission().unwrap(), &bytes);
    }

    #[test]
    fn a_bent_policy_is_refused_or_says_something_else(at: prop::sample::Index, bit in 0_u8..8) {
        let fixture = full();
        // Flips outside the envelopes may leave a policy; it must not be a panic.
        let (mut admission, mut policy) = fixture.encode();
        let place = at.index(admission.len());
        admission[place] ^= 1 << bit;
        let _compiled = Admission::compile(&admission, &fixture.keys);
        let place = at.index(policy.len());
        policy[place] ^= 1 << bit;
        let _compiled = Policy::compile(fixture.admission().unwrap(), &policy);
    }
}
