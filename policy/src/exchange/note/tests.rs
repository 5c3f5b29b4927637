use prost::Message as _;
use requestrocket_proto::record::v1::Note;

use crate::{
    exchange::{CallNumber, Exchange, RequestBody, Resolved},
    fixtures::{Admitting, PROXY_ID, PolicyFixture, credential_id, tokens::hs256},
    http::{HeaderLine, RequestHead},
};

const WHICH: CallNumber = CallNumber {
    worker: [7; 16],
    number: 3,
};

const SHARED: &str = "a shared secret of at least 32 bytes";

fn note(path: &str, key: &str) -> Note {
    let fixture = PolicyFixture::new()
        .api_key("right-credential")
        .shared_secret(SHARED)
        .header("x-key", "TargetsKey9876543210");
    let mut exchange = Exchange::new(Resolved::Proxy(fixture.compile().unwrap().into()));
    let path = format!("/api/{PROXY_ID}{path}");
    let lines: [HeaderLine<'_>; 4] = [
        (b":method", b"GET"),
        (b":path", path.as_bytes()),
        (b":authority", b"eu.example.com"),
        (b"authorization", key.as_bytes()),
    ];
    let head = RequestHead::new(&lines);
    exchange.on_request(&head, RequestBody::Whole(&[]), &Admitting(0));
    Note::decode(exchange.note(&head, WHICH, &Admitting(0)).as_slice()).unwrap()
}

#[test]
fn it_tells_who_called_and_where() {
    let note = note("/v1/TargetsKey9876543210?a=1", "right-credential");
    assert_eq!((&note.worker_id[..], note.number), (&[7; 16][..], 3));
    assert_eq!(
        note.credential_id,
        credential_id(0).as_uuid().as_bytes()[..]
    );
    assert_eq!(note.organisation_id.len(), 16);
    assert_eq!(note.path, "/v1/***");
    assert_eq!(note.query.len(), 1);
}

#[test]
fn of_who_presents_a_wrong_credential_it_tells_no_more_than_the_proxys_owner() {
    let note = note("/wrong-credential", "wrong-credential");
    assert!(note.credential_id.is_empty() && note.auth_type.is_empty());
    assert_eq!(note.organisation_id.len(), 16);
    assert_eq!(note.path, "/***");
}

#[test]
fn whom_a_token_names_is_told_if_the_token_is_right() {
    let claims = r#"{"sub":"somebody","exp":4102444800}"#;
    for (secret, want) in [
        (SHARED, "somebody"),
        ("another secret, as long as that one", ""),
    ] {
        let note = note("/", &format!("Bearer {}", hs256(secret, claims)));
        assert_eq!(
            (note.subject.as_str(), !note.credential_id.is_empty()),
            (want, !want.is_empty())
        );
    }
}
