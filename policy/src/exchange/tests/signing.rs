//! What is computed for a call, of all that it comes to.

use std::rc::Rc;

use requestrocket_proto::policy::v1 as wire;
use sha2::Digest as _;
use wire::computed::Scheme;

use super::*;
use crate::{
    authn::AuthPorts,
    effort::Turn,
    jose::{self, Signatures},
    sign::{Hash, MacKey, Tools, hex},
};

const SIGNATURE: &str = "x-signature = ";

/// Signs a text with all there is; the signature goes into `X-Signature`.
fn signing(string_to_sign: &str) -> PolicyFixture {
    let scheme = Scheme::Hmac(wire::HmacSignature {
        key: b"signing-key".as_slice().into(),
        hash: wire::Hash::Sha256.into(),
        string_to_sign: string_to_sign.to_owned(),
        is_base64: false,
        header: "X-Signature".to_owned(),
        prefix: String::new(),
        timestamp_header: "X-Time".to_owned(),
    });
    let fixture = PolicyFixture::new().api_key("key").base_path("/v1");
    fixture.computed(scheme)
}

fn minting(location: wire::Location, name: &str) -> PolicyFixture {
    let scheme = Scheme::SignedJwt(wire::SignedJwt {
        header: r#"{"alg":"HS256"}"#.to_owned(),
        claims: "{}".to_owned(),
        ttl_seconds: 60,
        is_each_call: false,
        location: location.into(),
        name: name.to_owned(),
        prefix: String::new(),
        hash: wire::Hash::Sha256.into(),
        key: Some(wire::signed_jwt::Key::Secret(b"k".as_slice().into())),
    });
    PolicyFixture::new().api_key("key").computed(scheme)
}

fn signature(text: &str) -> String {
    let mac = MacKey::new(Hash::Sha256, b"signing-key").unwrap();
    hex(&mac.mac(text.as_bytes()))
}

#[test]
fn what_is_signed_is_what_is_sent() {
    let everything = "{method} {path}?{query} {timestamp} {header:host} {header:x-a} \
                      {header:range} {header:authorization} {header:x-time}.";
    // A filter takes `Range` off, which is after the swap.
    let fixture = signing(everything).redactions(crate::authz::LayerName::Proxy, &["retain $.a"]);
    let headers = [
        ("authorization", "key"),
        ("x-a", "1"),
        ("x-a", "2"),
        ("range", "bytes=1-"),
        ("x-time", "9"),
        ("x_signature", "forged"),
    ];
    let path = api("/./a%20b?q=1&Authorization=other");
    let edits = decide(&resolved(&fixture), "POST", &path, &headers[1..]);
    assert_eq!(edits, Err(Denial::CredentialInvalid));
    let path = api("/./a%20b?q=1");
    let edits = decide(&resolved(&fixture), "POST", &path, &headers).unwrap();
    let signed = signature("POST /v1/a%20b?q=1 1 api.example 1, 2   1.");
    assert_eq!(
        edits,
        [
            ":path = /v1/a%20b?q=1",
            "- authorization",
            "- x_signature",
            "- x-time",
            "- range",
            &[SIGNATURE, &signed].concat(),
            "x-time = 1",
        ]
    );
}

#[test]
fn a_body_is_waited_for_only_where_it_is_signed() {
    let path = api("/a");
    let lines = lines("POST", &path, &[("authorization", "key")]);
    let head = RequestHead::new(&lines);
    let ask = |template: &str, body| {
        let resolved = resolved(&signing(template));
        let mut exchange = Exchange::new(resolved);
        let decision = exchange.on_request(&head, body, &Admitting(1_000));
        let RequestDecision::Forward(edits) = decision else {
            return format!("{decision:?}");
        };
        let edits = edits.iter().map(shown);
        edits.filter(|edit| edit.starts_with(SIGNATURE)).collect()
    };
    let signed = |text: &str| [SIGNATURE, &signature(text)].concat();
    let hello = "2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824";
    let (unread, whole) = (RequestBody::Unread, RequestBody::Whole(b"hello"));
    assert_eq!(ask("{path}", unread), signed("/v1/a"));
    assert_eq!(ask("{bodySha256}", unread), "NeedBody");
    assert_eq!(ask("{bodySha256}", whole), signed(hello));
}

#[test]
fn a_long_body_is_hashed_in_turns() {
    let path = api("/a");
    let lines = lines("POST", &path, &[("authorization", "key")]);
    let head = RequestHead::new(&lines);
    let body = Rc::new(vec![b'x'; 1 << 20]);
    let mut exchange = Exchange::new(resolved(&signing("{bodySha256}")));
    let ports = Admitting(1_000);
    let mut turns = 1;
    let turn = || Turn::of(crate::effort::TURN_STEPS);
    if !exchange.look_into(&head, Rc::clone(&body), (&mut turn(), &ports)) {
        turns += 1;
        while !exchange.look_on(&mut turn()) {
            turns += 1;
        }
    }
    assert!(turns > 4, "{turns}");
    let decision = exchange.on_request(&head, RequestBody::Whole(&body), &ports);
    let RequestDecision::Forward(edits) = decision else {
        panic!("{decision:?}");
    };
    let whole = sha2::Sha256::digest(&*body);
    let whole = hex(&whole);
    let want = [SIGNATURE, &signature(&whole)].concat();
    assert!(edits.iter().map(shown).any(|edit| edit == want));
}

/// A host that has randomness.
struct Random;

impl Tools for Random {
    fn random(&self) -> Option<[u8; 16]> {
        Some([1; 16])
    }
}

impl Signatures for Random {
    fn is_signed(&self, _: &jose::Question<'_>) -> bool {
        false
    }
}

impl AuthPorts for Random {
    fn now_ms(&self) -> u64 {
        1_000
    }
}

impl Ports for Random {
    fn has_room(&self, _: Holder) -> bool {
        true
    }
    fn charge(&self, _: &[(uuid::Uuid, &crate::limit::Charge)]) -> Charging {
        Charging::Admitted(Vec::new())
    }
    fn add(&self, _: (uuid::Uuid, &crate::limit::Charge), _: crate::limit::Micros) {}
}

#[test]
fn a_token_takes_the_place_of_the_callers_parameter() {
    let resolved = resolved(&minting(wire::Location::Query, "jwt"));
    for (query, want) in [
        ("", "/a?jwt=eyJ"),
        ("?", "/a?jwt=eyJ"),
        ("?jwt=mine&x=1&%6awt=2", "/a?x=1&jwt=eyJ"),
    ] {
        let path = api(&["/a", query].concat());
        let lines = lines("GET", &path, &[("authorization", "key")]);
        let mut exchange = Exchange::new(resolved.clone());
        let head = RequestHead::new(&lines);
        let decision = exchange.on_request(&head, RequestBody::Whole(&[]), &Random);
        let RequestDecision::Forward(edits) = decision else {
            panic!("{decision:?}");
        };
        let edits: Vec<String> = edits.iter().map(shown).collect();
        assert_eq!((edits.len(), &*edits[0]), (2, "- authorization"));
        assert!(
            edits[1].starts_with(&[":path = ", want].concat()),
            "{edits:?}"
        );
    }
}

#[test]
fn what_cannot_be_signed_is_not_sent() {
    // There is no randomness for the token's id.
    let resolved = resolved(&minting(wire::Location::Header, "Authorization"));
    let refused = decide(&resolved, "GET", &api("/a"), &[("authorization", "key")]);
    assert_eq!(refused, Err(Denial::TargetCredentialUnavailable));
}
