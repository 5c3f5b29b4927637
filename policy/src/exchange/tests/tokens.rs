//! Callers whose tokens are verified: who is let in, what is remembered, and what follows for them
//! from their claims.

use std::{cell::RefCell, rc::Rc};

use requestrocket_proto::policy::v1::{self as wire, verification_key::Material};
use uuid::Uuid;

use super::*;
use crate::{
    authn::{AuthPorts, Remembered, TokenId},
    authz::LayerName,
    effort::Turn,
    fixtures::tokens::{hs256, token_of, unsigned},
    id::CredentialId,
    jose::{Question, Signatures},
    limit::{Charge, Micros},
    shares::Holder,
    sign::Tools,
};

const SECRET: &str = "a secret of thirty-two bytes, ok";
const NOW_MS: u64 = 1_800_000_000_000;

/// A host that takes one signature for right, and remembers.
struct Host {
    now_ms: Cell<u64>,
    asked: Cell<usize>,
    remembered: RefCell<Remembered>,
    /// Credentials whose newer keys could make a difference.
    wanted: RefCell<Vec<CredentialId>>,
}

impl Default for Host {
    fn default() -> Self {
        Self {
            now_ms: Cell::new(NOW_MS),
            asked: Cell::new(0),
            remembered: RefCell::default(),
            wanted: RefCell::default(),
        }
    }
}

impl Signatures for Host {
    fn is_signed(&self, question: &Question<'_>) -> bool {
        self.asked.set(self.asked.get() + 1);
        question.signature == [7; 256]
    }
}

impl AuthPorts for Host {
    fn now_ms(&self) -> u64 {
        self.now_ms.get()
    }

    fn right_until_ms(&self, token: &TokenId) -> Option<u64> {
        self.remembered.borrow_mut().until_ms(token)
    }

    fn want_newer_keys(&self, credential: CredentialId) {
        self.wanted.borrow_mut().push(credential);
    }

    fn remember(&self, token: TokenId, until_ms: u64) {
        self.remembered.borrow_mut().insert(token, until_ms);
    }
}

impl Tools for Host {}

impl Ports for Host {
    fn has_room(&self, _: Holder) -> bool {
        true
    }

    fn charge(&self, charges: &[(Uuid, &Charge)]) -> Charging {
        assert!(charges.is_empty() || charges.len() == 1);
        match charges {
            [] => Charging::Admitted(Vec::new()),
            _ => Charging::Fault,
        }
    }

    fn add(&self, _: (Uuid, &Charge), _: Micros) {}
}

fn claims(more: &str) -> String {
    format!("{{\"sub\":\"u-1\",\"exp\":{}{more}}}", NOW_MS / 1000 + 3600)
}

fn token(more: &str) -> String {
    hs256(SECRET, &claims(more))
}

/// The refusal of a call with that value.
fn call(host: &Host, fixture: &PolicyFixture, value: &str) -> Option<Denial> {
    let mut exchange = Exchange::new(resolved(fixture));
    let path = api("/");
    let lines = lines("GET", &path, &[("authorization", value)]);
    let head = RequestHead::new(&lines);
    refusal(exchange.on_request(&head, RequestBody::Whole(&[]), host))
}

fn fixture() -> PolicyFixture {
    PolicyFixture::new().shared_secret(SECRET)
}

/// A proxy whose callers have tokens that the host verifies.
fn rs256() -> PolicyFixture {
    let key = Material::Rsa(wire::RsaKey {
        modulus: vec![0xff; 256].into(),
        exponent: vec![1, 0, 1].into(),
    });
    PolicyFixture::new().signed_token(token_of("RS256", key))
}

fn signed(signature: [u8; 256]) -> String {
    use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
    URL_SAFE_NO_PAD.encode(signature)
}

fn rs256_token(more: &str, signature: u8) -> String {
    let text = unsigned("RS256", &claims(more));
    format!("{text}.{}", signed([signature; 256]))
}

#[test]
fn a_right_token_is_let_in_with_and_without_its_prefix() {
    let token = token("");
    for value in [
        token.clone(),
        format!("Bearer {token}"),
        format!("bearer {token}"),
        format!("BEARER   {token}"),
    ] {
        assert_eq!(call(&Host::default(), &fixture(), &value), None, "{value}");
    }
    for value in [
        format!("Basic {token}"),
        format!("Bearer{token}"),
        format!("Bearer {token} "),
        format!("Bearer Bearer {token}"),
        hs256("another secret of thirty-two byt", &claims("")),
        hs256(SECRET, r#"{"exp":1}"#),
        "key".to_owned(),
    ] {
        let denial = call(&Host::default(), &fixture(), &value);
        assert_eq!(denial, Some(Denial::CredentialInvalid), "{value}");
    }
}

#[test]
fn the_longest_token_is_let_in_by_its_header() {
    let longest = token(&format!(",\"a\":\"{}\"", "a".repeat(24_400)));
    assert!(longest.len() > crate::jose::MAX_TOKEN_BYTES - 200);
    let value = format!("Bearer {longest}");
    assert_eq!(call(&Host::default(), &fixture(), &value), None);
}

#[test]
fn without_a_clock_no_token_is_right() {
    let host = Host::default();
    host.now_ms.set(u64::MAX);
    assert_eq!(
        call(&host, &fixture(), &token("")),
        Some(Denial::CredentialInvalid)
    );
}

#[test]
fn the_first_credential_that_a_token_is_right_for_decides() {
    let both = |first_is_active: bool| {
        let first = fixture();
        let first = if first_is_active {
            first
        } else {
            first.inactive()
        };
        first.api_key("key").shared_secret(SECRET)
    };
    let record = |fixture: &PolicyFixture| {
        let mut exchange = Exchange::new(resolved(fixture));
        let (path, value) = (api("/"), token(""));
        let lines = lines("GET", &path, &[("authorization", &value)]);
        let head = RequestHead::new(&lines);
        exchange.on_request(&head, RequestBody::Whole(&[]), &Host::default());
        exchange.finish(&Host::default())
    };
    let used = (crate::fixtures::credential_id(0), AuthType::JwtVerify);
    assert_eq!(record(&both(true)).credential, Some(used));
    assert_eq!(record(&both(false)).denial, Some(Denial::CredentialInvalid));
    let mut oauth2 = fixture();
    oauth2.last_token().r#type = wire::TokenType::Oauth2.into();
    let used = (crate::fixtures::credential_id(0), AuthType::OAuth2);
    assert_eq!(record(&oauth2).credential, Some(used));
}

#[test]
fn a_token_is_verified_once_as_long_as_nothing_changes() {
    let (host, mut fixture) = (Host::default(), rs256());
    let value = rs256_token("", 7);
    for _ in 0..3 {
        assert_eq!(call(&host, &fixture, &value), None);
        assert_eq!(call(&host, &fixture, &format!("Bearer {value}")), None);
    }
    assert_eq!(host.asked.get(), 1);
    assert_eq!(call(&host, &fixture, &rs256_token(",\"a\":1", 7)), None);
    assert_eq!(host.asked.get(), 2);
    // Another check, another key, another version of the credential.
    fixture.last_token().claims.as_mut().unwrap().issuer = Some("a".to_owned());
    assert_eq!(
        call(&host, &fixture, &value),
        Some(Denial::CredentialInvalid)
    );
    fixture.last_token().claims.as_mut().unwrap().issuer = None;
    fixture.last_token().version += 1;
    assert_eq!(call(&host, &fixture, &value), None);
    assert_eq!(host.asked.get(), 4);
    fixture.last_token().algorithms = vec!["RS384".to_owned()];
    assert_eq!(
        call(&host, &fixture, &value),
        Some(Denial::CredentialInvalid)
    );
    assert_eq!(
        call(&host, &rs256().inactive(), &value),
        Some(Denial::CredentialInvalid)
    );
}

#[test]
fn keys_that_nobody_could_look_at_for_too_long_verify_nothing() {
    let (host, mut fixture) = (Host::default(), fixture());
    fixture.last_token().keys_until_ms = NOW_MS + 1;
    assert_eq!(call(&host, &fixture, &token("")), None);
    host.now_ms.set(NOW_MS + 1);
    // Though it is remembered.
    let denial = Some(Denial::CredentialInvalid);
    assert_eq!(call(&host, &fixture, &token("")), denial);
    fixture.last_token().keys_until_ms = 0;
    assert_eq!(call(&host, &fixture, &token("")), None);
}

#[test]
fn newer_keys_are_wanted_where_they_could_make_a_difference() {
    let set = |change: fn(&mut wire::SignedToken)| {
        let mut fixture = rs256();
        let token = fixture.last_token();
        token.is_key_set = true;
        change(token);
        fixture
    };
    let nothing = |_: &mut wire::SignedToken| {};
    let (right, wrong) = (rs256_token("", 7), rs256_token("", 8));
    for (name, fixture, value, want) in [
        ("right", set(nothing), right.as_str(), 0),
        ("signature", set(nothing), &wrong, 1),
        ("no key yet", set(|token| token.keys.clear()), &right, 1),
        (
            "keys are too old",
            set(|token| token.keys_until_ms = 1),
            &right,
            1,
        ),
        (
            "other claims",
            set(|token| token.claims.as_mut().unwrap().issuer = Some("i".to_owned())),
            &right,
            0,
        ),
        ("other algorithm", set(nothing), &token(""), 0),
        ("no token", set(nothing), "key", 0),
        ("given key", rs256(), &wrong, 0),
        ("inactive", set(nothing).inactive(), &wrong, 0),
        (
            "two of them",
            set(nothing).signed_token(set(nothing).last_token().clone()),
            &wrong,
            2,
        ),
    ] {
        let host = Host::default();
        let denial = call(&host, &fixture, value);
        assert_eq!(denial.is_none(), name == "right", "{name}");
        assert_eq!(host.wanted.borrow().len(), want, "{name}");
    }
}

#[test]
fn a_wrong_token_is_never_remembered() {
    let host = Host::default();
    for count in 1..4 {
        let denial = call(&host, &rs256(), &rs256_token("", 8));
        assert_eq!(denial, Some(Denial::CredentialInvalid));
        assert_eq!(host.asked.get(), count);
    }
}

#[test]
fn credentials_do_not_share_what_they_remember() {
    let host = Host::default();
    let value = rs256_token("", 7);
    assert_eq!(call(&host, &rs256(), &value), None);
    // The same keys and checks, for another credential.
    let other = PolicyFixture::new().api_key("key");
    let other = other.signed_token(rs256().last_token().clone());
    assert_eq!(call(&host, &other, &value), None);
    assert_eq!(host.asked.get(), 2);
}

#[test]
fn what_is_remembered_ends_with_the_token_and_after_ten_minutes() {
    let host = Host::default();
    let value = rs256_token("", 7);
    let asked_at = |ms: u64| {
        host.now_ms.set(NOW_MS + ms);
        let denial = call(&host, &rs256(), &value);
        (denial, host.asked.get())
    };
    assert_eq!(asked_at(0), (None, 1));
    assert_eq!(asked_at(599_999), (None, 1));
    assert_eq!(asked_at(600_000), (None, 2));
    assert_eq!(asked_at(3_300_000), (None, 3));
    assert_eq!(asked_at(3_599_999), (None, 3));
    // Within the skew it is looked at each time.
    assert_eq!(asked_at(3_600_000), (None, 4));
    assert_eq!(asked_at(3_600_001), (None, 5));
    assert_eq!(asked_at(3_660_000), (Some(Denial::CredentialInvalid), 6));
}

#[test]
fn rules_see_the_claims_of_the_token() {
    let rule = ["allow 900 c:$.roles[*]=^admin$"];
    for layer in [LayerName::ProxyCredential, LayerName::Proxy] {
        let fixture = || fixture().rules(layer, "deny", &rule);
        for (more, want) in [
            (r#","roles":["admin"]"#, None),
            (r#","roles":["user"]"#, Some(Denial::RuleDenied)),
            (r#","roles":[]"#, Some(Denial::RuleDenied)),
            ("", Some(Denial::RuleDenied)),
        ] {
            for value in [token(more), format!("Bearer {}", token(more))] {
                let denial = call(&Host::default(), &fixture(), &value);
                assert_eq!(denial, want, "{layer:?} {more}");
            }
        }
    }
}

#[test]
fn rules_see_the_claims_of_remembered_tokens_too() {
    let host = Host::default();
    let fixture = rs256().rules(LayerName::Proxy, "deny", &["allow 900 c:$.a=^1$"]);
    let (right, wrong) = (rs256_token(",\"a\":1", 7), rs256_token(",\"a\":2", 7));
    for _ in 0..2 {
        assert_eq!(call(&host, &fixture, &right), None);
        assert_eq!(call(&host, &fixture, &wrong), Some(Denial::RuleDenied));
    }
    assert_eq!(host.asked.get(), 2);
}

#[test]
fn a_token_that_is_compared_has_no_claims() {
    let value = token(r#","roles":["admin"]"#);
    let fixture = PolicyFixture::new().jwt(&value).api_key("key");
    let rules = ["allow 900 c:$.roles[*]=^admin$"];
    let fixture = fixture.rules(LayerName::Proxy, "deny", &rules);
    for value in [value.as_str(), "key"] {
        let denial = call(&Host::default(), &fixture, value);
        assert_eq!(denial, Some(Denial::RuleDenied));
    }
}

#[test]
fn filters_and_meters_see_the_claims() {
    let redacting = fixture().redactions(LayerName::Proxy, &["destroy $.a c:$.plan=^free$"]);
    let edits = |more: &str| {
        let mut exchange = Exchange::new(resolved(&redacting));
        let (path, value) = (api("/"), token(more));
        let lines = lines(
            "GET",
            &path,
            &[("authorization", &value), ("range", "bytes=0-1")],
        );
        let head = RequestHead::new(&lines);
        let decision = exchange.on_request(&head, RequestBody::Whole(&[]), &Host::default());
        let RequestDecision::Forward(edits) = decision else {
            panic!("{decision:?}");
        };
        edits.iter().map(shown).any(|edit| edit == "- range")
    };
    assert!(edits(r#","plan":"free""#));
    assert!(!edits(r#","plan":"paid""#));
    let mut metered = fixture();
    metered.wire.meters.push(wire::Meter {
        meter_id: Uuid::from_u128(5).to_string(),
        extraction: None,
        conditions: Some(crate::fixtures::rules::conditions("c:$.plan=^free$")),
        limits: None,
    });
    let counted = |more: &str| call(&Host::default(), &metered, &token(more));
    // This host cannot count.
    assert_eq!(counted(r#","plan":"free""#), Some(Denial::GatewayFault));
    assert_eq!(counted(r#","plan":"paid""#), None);
}

#[test]
fn a_rule_over_body_and_claims_sees_both() {
    let rules = ["allow 900 c:$.plan=^free$ b:$.model=^small$"];
    let fixture = fixture().rules(LayerName::Proxy, "deny", &rules);
    for (more, body, want) in [
        (r#","plan":"free""#, r#"{"model":"small"}"#, None),
        (
            r#","plan":"paid""#,
            r#"{"model":"small"}"#,
            Some(Denial::RuleDenied),
        ),
        (
            r#","plan":"free""#,
            r#"{"model":"big"}"#,
            Some(Denial::RuleDenied),
        ),
    ] {
        let host = Host::default();
        let mut exchange = Exchange::new(resolved(&fixture));
        let (path, value) = (api("/"), token(more));
        let headers = [
            ("authorization", value.as_str()),
            ("content-type", "application/json"),
        ];
        let lines = lines("POST", &path, &headers);
        let head = RequestHead::new(&lines);
        let body = Rc::new(body.as_bytes().to_vec());
        let mut turn = Turn::of(1 << 30);
        assert!(exchange.look_into(&head, Rc::clone(&body), (&mut turn, &host)));
        let denial = refusal(exchange.on_request(&head, RequestBody::Whole(&body), &host));
        assert_eq!(denial, want, "{more}");
    }
}
