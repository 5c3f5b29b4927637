//! Callers whose tokens only their authorization server can read.

use std::cell::RefCell;

use requestrocket_proto::record::v1::Note;
use uuid::Uuid;

use super::*;
use crate::{
    authn::{AuthPorts, Introspected, TokenId, Unknown},
    authz::LayerName,
    jose::{Question as Signed, Signatures},
    limit::{Charge, Micros},
    sign::Tools,
};

const NOW_MS: u64 = 1_800_000_000_000;

type Asked = Vec<(CredentialId, TokenId, Vec<u8>)>;

/// A host that knows something of tokens, or not.
#[derive(Default)]
struct Host {
    said: Option<Introspected>,
    /// Tokens that were asked about.
    asked: RefCell<Asked>,
}

impl Signatures for Host {
    fn is_signed(&self, _: &Signed<'_>) -> bool {
        false
    }
}

impl AuthPorts for Host {
    fn now_ms(&self) -> u64 {
        NOW_MS
    }

    fn introspected(&self, _: &TokenId) -> Option<Introspected> {
        self.said.clone()
    }

    fn want_introspection(&self, token: Unknown<'_>) {
        let Unknown {
            id,
            credential,
            version,
            token,
        } = token;
        assert_eq!(version, 4);
        self.asked
            .borrow_mut()
            .push((credential, id, token.to_vec()));
    }
}

impl Tools for Host {}

impl Ports for Host {
    fn has_room(&self, _: Holder) -> bool {
        true
    }

    fn charge(&self, _: &[(Uuid, &Charge)]) -> Charging {
        Charging::Admitted(Vec::new())
    }

    fn add(&self, _: (Uuid, &Charge), _: Micros) {}
}

/// The refusal of a call with that value, and what was asked about it.
fn call(
    fixture: &PolicyFixture,
    said: Option<Introspected>,
    value: &str,
) -> (Option<Denial>, Asked) {
    let host = Host {
        said,
        ..Host::default()
    };
    let mut exchange = Exchange::new(resolved(fixture));
    let path = api("/");
    let lines = lines("GET", &path, &[("authorization", value)]);
    let head = RequestHead::new(&lines);
    let refusal = refusal(exchange.on_request(&head, RequestBody::Whole(&[]), &host));
    (refusal, host.asked.into_inner())
}

fn active(more: &str) -> Introspected {
    let exp = NOW_MS / 1_000 + 60;
    let claims = format!(r#"{{"active":true,"scope":"read","exp":{exp}{more}}}"#);
    Introspected::Active(claims.into())
}

#[test]
fn what_its_server_says_of_a_token_decides() {
    let fixture = PolicyFixture::new().introspected();
    let invalid = Some(Denial::CredentialInvalid);
    for (said, want) in [
        (Some(active("")), None),
        (Some(active(r#","nbf":1900000000"#)), invalid),
        (Some(Introspected::Inactive), invalid),
        (Some(Introspected::Active("{}".into())), invalid),
        (
            Some(Introspected::Active(r#"{"scope":"read"}"#.into())),
            invalid,
        ),
        (
            Some(Introspected::Active(
                r#"{"scope":"write","exp":1900000000}"#.into(),
            )),
            invalid,
        ),
        (
            Some(Introspected::Active(r#"{"scope":"read","exp":1}"#.into())),
            invalid,
        ),
        (Some(Introspected::Active("no object".into())), invalid),
    ] {
        for value in ["opaque", "Bearer opaque"] {
            let (refusal, asked) = call(&fixture, said.clone(), value);
            assert_eq!((refusal, asked.len()), (want, 0), "{said:?}");
        }
    }
}

#[test]
fn of_a_token_that_is_not_known_its_server_is_asked() {
    let fixture = PolicyFixture::new().introspected();
    let (refusal, asked) = call(&fixture, None, "Bearer opaque");
    assert_eq!(refusal, Some(Denial::CredentialCheckUnavailable));
    let [(credential, id, token)] = asked.try_into().unwrap();
    assert_eq!((credential, token), (credential_id(0), b"opaque".to_vec()));
    let (_, again) = call(&fixture, None, "opaque");
    assert_eq!(again[0].1, id, "however it is presented");
    let (_, other) = call(&fixture, None, "other");
    assert_ne!(other[0].1, id);
}

#[test]
fn secrets_of_another_kind_are_not_shown_to_a_server_of_tokens() {
    let fixture = PolicyFixture::new().introspected().api_key("right");
    assert_eq!(call(&fixture, None, "right"), (None, vec![]));
    let basic = PolicyFixture::new().introspected().basic_auth("u:p");
    assert_eq!(call(&basic, None, "Basic dTpw"), (None, vec![]));
    let wrong = call(&basic, None, "Basic dTpx");
    assert_eq!(wrong, (Some(Denial::CredentialInvalid), vec![]));
    let inactive = PolicyFixture::new().introspected().inactive();
    let refused = call(&inactive, None, "opaque");
    assert_eq!(refused, (Some(Denial::CredentialInvalid), vec![]));
    let refused = call(&inactive, Some(active("")), "opaque");
    assert_eq!(refused, (Some(Denial::CredentialInvalid), vec![]));
}

#[test]
fn rules_see_what_the_server_said() {
    let fixture = PolicyFixture::new().introspected();
    let fixture = fixture.rules(LayerName::Proxy, "deny", &["allow 900 c:$.sub=^u-1$"]);
    // What looks like a JWT says nothing by itself.
    let jwt = crate::fixtures::tokens::hs256("s", r#"{"sub":"u-1","exp":1900000000}"#);
    for (said, want) in [
        (Some(active(r#","sub":"u-1""#)), None),
        (Some(active(r#","sub":"u-2""#)), Some(Denial::RuleDenied)),
    ] {
        assert_eq!(call(&fixture, said, &jwt).0, want);
    }
}

#[test]
fn whom_its_server_names_is_noted() {
    let fixture = PolicyFixture::new().introspected();
    let which = CallNumber {
        worker: [7; 16],
        number: 1,
    };
    for (more, want) in [
        (r#","sub":"somebody","client_id":"c""#, "somebody"),
        (r#","client_id":"a program""#, "a program"),
        ("", ""),
    ] {
        let host = Host {
            said: Some(active(more)),
            ..Host::default()
        };
        let mut exchange = Exchange::new(resolved(&fixture));
        let path = api("/");
        let lines = lines("GET", &path, &[("authorization", "Bearer mF_9.B5f-4.1JqM")]);
        let head = RequestHead::new(&lines);
        let decision = exchange.on_request(&head, RequestBody::Whole(&[]), &host);
        assert_eq!(refusal(decision), None);
        let note = exchange.note(&head, which, &host);
        let note = <Note as prost::Message>::decode(note.as_slice()).unwrap();
        assert_eq!(note.subject, want);
    }
}
