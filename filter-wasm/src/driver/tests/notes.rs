//! What is kept of calls for their records.

use prost::Message as _;
use requestrocket_proto::record::v1::{Note, Outcome};

use super::*;

fn notes(host: &FakeHost) -> Vec<Note> {
    let notes = host.notes.borrow();
    notes
        .iter()
        .map(|note| Note::decode(note.as_slice()).unwrap())
        .collect()
}

#[test]
fn every_decided_call_is_noted_once_and_numbered() {
    let (host, shared) = call(&fixture(), &[KEY]);
    for stream in 1..4 {
        Call::new(stream).on_request_head(&host, &shared, true);
    }
    let numbers: Vec<u64> = notes(&host).iter().map(|note| note.number).collect();
    assert_eq!(numbers, [1, 2, 3]);
    let note = notes(&host).remove(0);
    assert_eq!(
        (note.path.as_str(), note.auth_type.as_str()),
        ("/x", "apiKey")
    );
    assert_eq!(note.credential_id.len(), 16);
    assert_eq!(note.denial, None);
}

#[test]
fn a_refusal_says_which_rule_and_who_called() {
    let fixture = fixture().rules(LayerName::Proxy, "deny", &[]);
    let (host, shared) = call(&fixture, &[KEY]);
    refused(&host, &shared, 403);
    let denial = notes(&host).remove(0).denial.unwrap();
    assert_eq!(
        (denial.layer.as_str(), denial.rule_id.as_str()),
        ("proxy", "default")
    );
    let (host, shared) = call(&fixture, &[("authorization", "wrong-credential")]);
    refused(&host, &shared, 403);
    let note = notes(&host).remove(0);
    assert!(note.credential_id.is_empty() && note.denial.is_none());
    assert!(
        !host.notes.borrow()[0]
            .windows(5)
            .any(|bytes| bytes == b"wrong")
    );
}

#[test]
fn nothing_is_kept_of_unknown_proxies_and_no_call_depends_on_it() {
    let host = FakeHost::get("/api/none/x", &[KEY]);
    let (_, shared) = call(&fixture(), &[]);
    refused(&host, &shared, 403);
    assert!(notes(&host).is_empty());
    let (host, shared) = call(&fixture(), &[KEY]);
    let host = host.failing_at(HostCall::KeepNote);
    let flow = Call::new(7).on_request_head(&host, &shared, true);
    assert_eq!(flow, Flow::Continue);
}

/// What a response came to is told where somebody looked into it, and costs others nothing.
#[test]
fn what_filters_and_meters_did_is_kept_once_the_response_is_whole() {
    let redacting = fixture().redactions(LayerName::Proxy, &["destroy $.s"]);
    let json = &[(":status", "200"), ("content-type", "application/json")][..];
    for (fixture, want) in [(fixture(), None), (redacting, Some(("proxy", 1)))] {
        let (host, shared) = call(&fixture, &[KEY]);
        let host = host.answered_with(json);
        let mut call = Call::new(7);
        assert_eq!(call.on_request_head(&host, &shared, true), Flow::Continue);
        call.on_response_head(&host, &shared, false);
        *host.chunk.borrow_mut() = br#"{"s":1,"a":2}"#.to_vec();
        let chunk = Chunk {
            size: 13,
            is_end: true,
        };
        call.on_valve_body((&host, &shared), 8, chunk);
        let outcomes = host.outcomes.borrow();
        let told = outcomes.iter().map(|it| Outcome::decode(&it[..]).unwrap());
        let told: Vec<_> = told.flat_map(|it| it.filters).collect();
        let told: Vec<_> = told
            .iter()
            .map(|it| (it.stage.as_str(), it.nodes))
            .collect();
        assert_eq!(told, want.into_iter().collect::<Vec<_>>());
    }
}
