//! Callers whose token may be signed with a key that is not known yet.

use requestrocket_policy::{
    fixtures::{
        credential_id,
        tokens::{token_of, unsigned},
    },
    renewal,
};
use requestrocket_proto::policy::v1::{RsaKey, verification_key::Material};

use super::*;

/// A proxy whose callers' keys are published.
fn fixture(credentials: usize) -> PolicyFixture {
    let key = Material::Rsa(RsaKey {
        modulus: vec![0xff; 256].into(),
        exponent: vec![1, 0, 1].into(),
    });
    (0..credentials).fold(PolicyFixture::new(), |fixture, _| {
        let mut token = token_of("RS256", key.clone());
        token.is_key_set = true;
        fixture.signed_token(token)
    })
}

/// A worker, and what it has of a proxy.
struct Worker {
    shared: Shared,
    fixture: PolicyFixture,
    now_ms: u64,
    /// Questions so far.
    asked: usize,
}

impl Worker {
    fn of(fixture: PolicyFixture) -> Self {
        let shared = policies_of(&fixture);
        Self {
            shared,
            fixture,
            now_ms: 1_000,
            asked: 0,
        }
    }

    fn host(&self, again: &[(&str, &str)]) -> FakeHost {
        let claims = "{\"sub\":\"a\",\"exp\":2000000000}";
        let token = format!("{}.{}", unsigned("RS256", claims), "A".repeat(342));
        let headers = [&[("authorization", token.as_str())], again].concat();
        let encoded = self.fixture.encode();
        let host =
            FakeHost::get(&path("/x"), &headers).on_route(&format!("{PROXY_ID}/1"), Some(encoded));
        host.envoy.now_ms.set(self.now_ms);
        host
    }

    /// A caller on that stream whose token nobody signed.
    fn call(&mut self, stream: u32) -> (Call, FakeHost, Flow) {
        let (host, mut call) = (self.host(&[]), Call::new(stream));
        let flow = call.on_request_head(&host, &self.shared, true);
        self.asked += host.renewals.borrow().len();
        (call, host, flow)
    }

    fn due(&self) -> Vec<u32> {
        self.shared.keys.due(&self.host(&[]), 100)
    }

    fn answer(&self, token: u32, bytes: Option<&[u8]>) {
        assert!(self.shared.keys.on_answer(&self.host(&[]), token, bytes));
    }
}

const YES: &[u8] = b"\x08\x01";

#[test]
fn the_call_that_asked_goes_on_when_newer_keys_may_be_there() {
    let mut worker = Worker::of(fixture(1));
    let (mut call, host, flow) = worker.call(7);
    assert_eq!((flow, host.status()), (Flow::AwaitAnswer, None));
    let (token, question) = host.renewals.borrow()[0].clone();
    assert_eq!(question, renewal::request(credential_id(0)));
    assert!(worker.due().is_empty());
    worker.answer(token, Some(YES));
    assert!(worker.due().is_empty(), "they are on their way");
    worker.now_ms += 300;
    assert_eq!(worker.due(), [7]);
    assert!(worker.due().is_empty());
    assert_eq!(call.on_newer_keys(&host, &worker.shared), Flow::Continue);
    assert_eq!(host.header("x-rr-route"), None, "judged anew");
}

#[test]
fn without_newer_keys_or_an_answer_the_wait_ends() {
    for answer in [Some(&b""[..]), None] {
        let mut worker = Worker::of(fixture(1));
        let (_, host, _) = worker.call(7);
        worker.answer(host.renewals.borrow()[0].0, answer);
        assert_eq!(worker.due(), [7]);
    }
    let mut worker = Worker::of(fixture(1));
    worker.call(7);
    worker.now_ms += 1_999;
    assert!(worker.due().is_empty());
    worker.now_ms += 1;
    assert_eq!(worker.due(), [7]);
}

#[test]
fn strangers_cause_few_questions_and_few_calls_that_wait() {
    let mut worker = Worker::of(fixture(1));
    let host = worker.host(&[]);
    let mut waiting = 0;
    for stream in 0..10_000 {
        let flow = Call::new(stream).on_request_head(&host, &worker.shared, true);
        assert!(matches!(flow, Flow::AwaitAnswer | Flow::Ended));
        waiting += usize::from(flow == Flow::AwaitAnswer);
    }
    let refused = host.replies.borrow().len();
    assert_eq!(
        (host.renewals.borrow().len(), waiting, refused),
        (1, 32, 9_968)
    );
    worker.now_ms += 5_000;
    assert_eq!(worker.due().len(), 32);
    let (_, _, flow) = worker.call(1);
    assert_eq!((flow, worker.asked), (Flow::AwaitAnswer, 1));
}

#[test]
fn a_call_that_comes_again_is_refused_without_another_question() {
    let worker = Worker::of(fixture(1));
    let host = worker.host(&[("x-rr-again", "1")]);
    let flow = Call::new(7).on_request_head(&host, &worker.shared, true);
    assert_eq!((flow, host.status()), (Flow::Ended, Some(403)));
    assert!(host.renewals.borrow().is_empty());
}

#[test]
fn nobody_waits_when_nobody_can_be_asked() {
    let worker = Worker::of(fixture(1));
    let host = worker.host(&[]).failing_at(HostCall::RenewKeys);
    let flow = Call::new(7).on_request_head(&host, &worker.shared, true);
    assert_eq!((flow, host.status()), (Flow::Ended, Some(403)));
}

#[test]
fn a_call_waits_for_all_issuers_that_may_have_signed_its_token() {
    let mut worker = Worker::of(fixture(2));
    let (_, host, flow) = worker.call(7);
    assert_eq!((flow, worker.asked), (Flow::AwaitAnswer, 2));
    let tokens: Vec<u32> = host.renewals.borrow().iter().map(|one| one.0).collect();
    worker.answer(tokens[0], None);
    assert!(worker.due().is_empty(), "the other may have it");
    worker.answer(tokens[1], None);
    assert_eq!(worker.due(), [7]);
}
