//! Calls that last, and when they end.

use prost::Message as _;
use requestrocket_policy::{
    access::Access, denial::Denial, fixtures::credential_id, id::CredentialId, shares::Holder,
};
use requestrocket_proto::access::v1 as wire;

use super::*;
use crate::driver::open::Follows;

const ROOT: u32 = 1;

/// A worker on which these streams are open, besides itself.
fn worker(streams: &[u32]) -> (FakeHost, Shared) {
    let two = fixture().api_key("other");
    let (host, shared) = call(&two, &[KEY]);
    host.there.borrow_mut().insert(ROOT);
    host.there.borrow_mut().extend(streams);
    host.answered.borrow_mut().extend(streams);
    (host, shared)
}

fn begin(host: &FakeHost, shared: &Shared, stream: u32, is_end: bool) -> Call {
    let sent = host.request.borrow().clone();
    let mut call = Call::new(stream);
    let flow = call.on_request_head(host, shared, is_end);
    assert_eq!(flow, Flow::Continue);
    host.request.replace(sent);
    call
}

fn holder_of(credential: CredentialId) -> Holder {
    Holder {
        organisation: uuid::Uuid::from_u128(1).into(),
        proxy: PROXY_ID.parse().unwrap(),
        credential: Some(credential),
    }
}

/// So many looks, a second apart.
fn look(host: &FakeHost, shared: &Shared, times: usize) {
    for _ in 0..times {
        shared.open.look(host, ROOT).unwrap();
    }
}

/// The callers of the last question, by the number of their credential.
fn asked(host: &FakeHost) -> Vec<wire::Caller> {
    let checks = host.checks.borrow();
    let (_, context, request) = checks.last().unwrap();
    assert_eq!(*context, ROOT, "the answer must come to the VM");
    let request = wire::CheckRequest::decode(request.as_slice()).unwrap();
    request.callers
}

/// The region server says this of all callers of the last question.
fn answer(host: &FakeHost, shared: &Shared, access: Access) -> Vec<Ending> {
    let response = wire::CheckResponse {
        accesses: vec![access.to_wire().into(); asked(host).len()],
    };
    let bytes = response.encode_to_vec();
    let token = host.checks.borrow().last().unwrap().0;
    assert!(shared.open.on_answer(token, Some(&bytes)));
    shared.open.due(host, 500)
}

#[test]
fn of_calls_that_are_over_within_a_second_nobody_is_asked() {
    let (host, shared) = worker(&[]);
    for stream in 2..10 {
        begin(&host, &shared, stream, true);
    }
    look(&host, &shared, 3);
    assert!(host.checks.borrow().is_empty());
}

#[test]
fn a_call_that_was_refused_is_not_open() {
    let (host, shared) = worker(&[7]);
    let refused = FakeHost {
        there: host.there.clone(),
        ..FakeHost::get(&path("/x"), &[("authorization", "wrong")])
            .on_route(&format!("{PROXY_ID}/1"), Some(fixture().encode()))
    };
    let flow = Call::new(7).on_request_head(&refused, &shared, true);
    assert_eq!(flow, Flow::Ended);
    look(&refused, &shared, 3);
    assert!(refused.checks.borrow().is_empty());
}

#[test]
fn the_caller_of_calls_that_last_is_asked_about_once_a_look() {
    let (host, shared) = worker(&[7, 8]);
    begin(&host, &shared, 7, true);
    begin(&host, &shared, 8, true);
    look(&host, &shared, 1);
    assert!(host.checks.borrow().is_empty(), "they are new");
    for questions in 1..4 {
        look(&host, &shared, 1);
        assert_eq!(host.checks.borrow().len(), questions);
        let callers = asked(&host);
        let first = credential_id(0);
        assert_eq!(callers.len(), 1);
        assert_eq!(callers[0].credential_id, first.as_uuid().as_bytes()[..]);
    }
    host.there.borrow_mut().remove(&7);
    host.there.borrow_mut().remove(&8);
    look(&host, &shared, 2);
    assert_eq!(host.checks.borrow().len(), 3, "both are over");
}

#[test]
fn what_the_region_server_says_ends_all_calls_of_a_caller() {
    for (access, denial) in [
        (Access::Granted, None),
        (Access::Revoked, Some(Denial::CredentialInvalid)),
        (Access::Inactive, Some(Denial::ProxyInactive)),
        (Access::Suspended, Some(Denial::BillingSuspended)),
    ] {
        let (host, shared) = worker(&[7, 8]);
        begin(&host, &shared, 7, true);
        begin(&host, &shared, 8, true);
        look(&host, &shared, 2);
        let endings = answer(&host, &shared, access);
        let want = denial.map(|denial| [7, 8].map(|stream| Ending { stream, denial }));
        assert_eq!(endings, want.into_iter().flatten().collect::<Vec<_>>());
    }
}

#[test]
fn without_an_answer_calls_go_on_and_are_asked_about_again() {
    let (host, shared) = worker(&[7]);
    begin(&host, &shared, 7, true);
    look(&host, &shared, 2);
    let token = host.checks.borrow().last().unwrap().0;
    for bytes in [None, Some(&b"\xff"[..]), Some(&[][..])] {
        look(&host, &shared, 1);
        let token = host.checks.borrow().last().unwrap().0;
        assert!(shared.open.on_answer(token, bytes));
        assert_eq!(shared.open.due(&host, 500), []);
    }
    let is_known = shared.open.on_answer(token, None);
    assert!(!is_known, "a later look asked again");
    look(&host, &shared, 1);
    assert_eq!(answer(&host, &shared, Access::Revoked).len(), 1);
}

#[test]
fn a_question_that_cannot_be_sent_is_sent_at_the_next_look() {
    let (host, shared) = worker(&[7]);
    begin(&host, &shared, 7, true);
    look(&host, &shared, 1);
    let host = host.failing_at(HostCall::CheckAccess);
    assert!(shared.open.look(&host, ROOT).is_err());
    let mut host = host;
    host.failing.clear();
    look(&host, &shared, 1);
    assert_eq!(answer(&host, &shared, Access::Revoked).len(), 1);
}

#[test]
fn other_answers_are_not_taken() {
    let (_host, shared) = worker(&[7]);
    assert!(!shared.open.on_answer(1, Some(b"")));
}

/// What waits for its target's answer is no stream yet; what is still being sent is one.
#[test]
fn a_call_without_an_answer_ends_only_while_it_sends() {
    let (host, shared) = worker(&[7, 8]);
    host.answered.borrow_mut().clear();
    begin(&host, &shared, 7, true);
    begin(&host, &shared, 8, false);
    look(&host, &shared, 2);
    let (stream, denial) = (8, Denial::CredentialInvalid);
    let endings = answer(&host, &shared, Access::Revoked);
    assert_eq!(endings, [Ending { stream, denial }]);
    shared.open.on_request_end(8);
    look(&host, &shared, 1);
    assert_eq!(answer(&host, &shared, Access::Revoked), []);
    host.answered.borrow_mut().insert(7);
    look(&host, &shared, 1);
    let stream = 7;
    let endings = answer(&host, &shared, Access::Revoked);
    assert_eq!(endings, [Ending { stream, denial }]);
}

/// A target may leave the caller's socket hanging for longer than any answer may take.
#[test]
fn a_handshake_ends_before_the_target_has_switched() {
    let two = fixture().api_key("other");
    let (host, shared) = call(&two, &[KEY, ("upgrade", "websocket")]);
    host.there.borrow_mut().extend([ROOT, 7]);
    let call = begin(&host, &shared, 7, false);
    look(&host, &shared, 2);
    let (stream, denial) = (7, Denial::CredentialInvalid);
    let endings = answer(&host, &shared, Access::Revoked);
    assert_eq!(endings, [Ending { stream, denial }]);
    host.entered.set(7);
    let _rest = call.end(&host, &shared, denial);
    assert_eq!((host.is_reset.get(), host.status()), (false, Some(403)));
}

#[test]
fn many_callers_are_asked_about_in_pages() {
    let (host, shared) = worker(&[]);
    for number in 0..2_500_u32 {
        let stream = number + 2;
        host.there.borrow_mut().insert(stream);
        let credential = uuid::Uuid::from_u128(number.into()).into();
        let holder = holder_of(credential);
        shared.open.begin(stream, holder, Follows::Nothing);
    }
    look(&host, &shared, 2);
    let checks = host.checks.borrow();
    let sizes: Vec<usize> = checks
        .iter()
        .map(|(_, _, request)| wire::CheckRequest::decode(request.as_slice()).unwrap())
        .map(|request| request.callers.len())
        .collect();
    assert_eq!(sizes, [1_000, 1_000, 500]);
}

#[test]
fn an_answer_that_has_begun_is_cut_and_another_refused() {
    for (has_begun, is_reset, status) in [(true, true, None), (false, false, Some(403))] {
        let (host, shared) = worker(&[7]);
        let call = begin(&host, &shared, 7, false);
        host.entered.set(7);
        if !has_begun {
            host.answered.borrow_mut().clear();
        }
        let mut rest = call.end(&host, &shared, Denial::CredentialInvalid);
        assert_eq!((host.is_reset.get(), host.status()), (is_reset, status));
        // What was on its way is too late, and the answer in its place is not.
        *host.chunk.borrow_mut() = b"secret".to_vec();
        let late = Chunk {
            size: 6,
            is_end: true,
        };
        assert_eq!(rest.on_valve_body((&host, &shared), 8, late), Flow::Dropped);
        assert_eq!(rest.on_response_body(&host, &shared, late), Flow::Dropped);
        assert!(host.chunk.borrow().is_empty());
        let ours = rest.on_response_head(&host, &shared, false);
        assert_eq!(ours, Flow::Continue);
        assert_eq!(rest.on_response_body(&host, &shared, late), Flow::Continue);
    }
    let (host, shared) = worker(&[7]);
    let call = begin(&host, &shared, 7, false);
    let host = host.failing_at(HostCall::IsAnswered);
    let _rest = call.end(&host, &shared, Denial::CredentialInvalid);
    assert!(host.is_reset.get(), "nobody knows whether it has begun");
}

fn late(host: &FakeHost, shared: &Shared) -> Vec<Ending> {
    shared.open.look_for_late(host).unwrap();
    shared.open.due(host, 500)
}

/// When many calls have to end, others wait for a few of them only.
#[test]
fn many_calls_end_one_part_after_the_other() {
    let streams: Vec<u32> = (2..1_202).collect();
    let (host, shared) = worker(&streams);
    let holder = holder_of(credential_id(0));
    for stream in &streams {
        shared.open.begin(*stream, holder, Follows::Nothing);
    }
    look(&host, &shared, 2);
    let mut ended = vec![answer(&host, &shared, Access::Revoked)];
    ended.extend((0..3).map(|_| shared.open.due(&host, 500)));
    let sizes: Vec<usize> = ended.iter().map(Vec::len).collect();
    assert_eq!(sizes, [500, 500, 200, 0]);
    let each: std::collections::BTreeSet<_> =
        ended.iter().flatten().map(|one| one.stream).collect();
    assert_eq!(each.len(), streams.len());
}

/// What was sent is counted from the first look on, so that calls need not ask for the time.
#[test]
fn a_body_that_goes_to_its_target_has_as_much_time_as_one_that_is_waited_for() {
    let (host, shared) = worker(&[7, 8, 9]);
    begin(&host, &shared, 7, false);
    begin(&host, &shared, 8, false);
    begin(&host, &shared, 9, true);
    assert_eq!(late(&host, &shared), []);
    shared.open.on_request_part(7, 100 << 10);
    shared.open.on_request_part(7, 28 << 10);
    shared.open.on_request_part(9, 1);
    let start = host.envoy.now_ms.get();
    let denial = Denial::RequestTimeout;
    for (after_ms, stream) in [
        (60_000, None),
        (60_001, Some(8)),
        (62_000, None),
        (62_001, Some(7)),
        (1_000_000, None),
    ] {
        host.envoy.now_ms.set(start + after_ms);
        let want: Vec<_> = stream
            .map(|stream| Ending { stream, denial })
            .into_iter()
            .collect();
        assert_eq!(late(&host, &shared), want, "{after_ms} ms");
    }
}

#[test]
fn a_body_that_is_complete_or_gone_is_not_late() {
    let (host, shared) = worker(&[7, 8]);
    begin(&host, &shared, 7, false);
    begin(&host, &shared, 8, false);
    assert_eq!(late(&host, &shared), []);
    shared.open.on_request_end(7);
    host.there.borrow_mut().remove(&8);
    look(&host, &shared, 1);
    host.envoy.now_ms.set(host.envoy.now_ms.get() + 100_000);
    assert_eq!(late(&host, &shared), []);
}

/// What a WebSocket carries is no body.
#[test]
fn an_upgrade_may_last() {
    let two = fixture().api_key("other");
    let (host, shared) = call(&two, &[KEY, ("upgrade", "websocket")]);
    begin(&host, &shared, 7, false);
    for after_ms in [0, 1_000_000] {
        host.envoy.now_ms.set(after_ms);
        assert_eq!(late(&host, &shared), []);
    }
}
