//! Callers whose tokens only their authorization server can read.

use prost::Message as _;
use requestrocket_policy::introspection;
use requestrocket_proto::keys::v1 as wire;

use super::*;

struct Worker {
    shared: Shared,
    fixture: PolicyFixture,
    now_ms: u64,
}

impl Worker {
    fn new() -> Self {
        let fixture = PolicyFixture::new().introspected();
        Self {
            shared: policies_of(&fixture),
            fixture,
            now_ms: 1_000,
        }
    }

    fn host(&self, token: &str, again: &[(&str, &str)]) -> FakeHost {
        let headers = [&[("authorization", token)], again].concat();
        let name = format!("{PROXY_ID}/1");
        let host =
            FakeHost::get(&path("/x"), &headers).on_route(&name, Some(self.fixture.encode()));
        host.envoy.now_ms.set(self.now_ms);
        host
    }

    /// A caller with that token, and whether it waits or what it is answered.
    fn call(&self, token: &str, stream: u32) -> (FakeHost, Flow) {
        let host = self.host(token, &[]);
        let flow = Call::new(stream).on_request_head(&host, &self.shared, true);
        (host, flow)
    }

    /// The call that waited, judged anew.
    fn again(&self, token: &str) -> Option<u16> {
        let host = self.host(token, &[("x-rr-again", "1")]);
        Call::new(7).on_request_head(&host, &self.shared, true);
        host.status()
    }

    fn answer(&self, host: &FakeHost, state: wire::TokenState) -> bool {
        let bytes = wire::IntrospectResponse {
            state: state.into(),
            claims: r#"{"active":true,"scope":"read","exp":2000000000}"#.to_owned(),
            holds_ms: 60_000,
        }
        .encode_to_vec();
        let under = host.introspections.borrow()[0].0;
        self.shared.opaque.on_answer(host, under, Some(&bytes))
    }
}

#[test]
fn a_call_waits_for_what_the_server_says_which_holds_for_those_that_follow() {
    for (state, status) in [
        (wire::TokenState::Active, None),
        (wire::TokenState::Inactive, Some(403)),
        (wire::TokenState::Unknown, Some(503)),
    ] {
        let mut worker = Worker::new();
        let (host, flow) = worker.call("opaque", 7);
        assert_eq!((flow, host.status()), (Flow::AwaitAnswer, None));
        let question = host.introspections.borrow()[0].1.clone();
        let asked = wire::IntrospectRequest::decode(question.as_slice()).unwrap();
        assert_eq!(asked.token.as_ref(), b"opaque");
        let (other, flow) = worker.call("Bearer opaque", 8);
        assert_eq!(flow, Flow::AwaitAnswer);
        assert!(
            other.introspections.borrow().is_empty(),
            "it is asked already"
        );
        assert!(worker.answer(&host, state));
        assert_eq!(worker.shared.opaque.due(&host, 100), [7, 8]);
        assert_eq!(worker.again("opaque"), status, "{state:?}");
        let (host, flow) = worker.call("opaque", 9);
        assert_eq!(host.introspections.borrow().len(), 0, "{state:?}");
        assert_eq!(flow == Flow::Continue, status.is_none());
        worker.now_ms += 60_000;
        let (host, _) = worker.call("opaque", 9);
        assert_eq!(host.introspections.borrow().len(), 1, "it is asked anew");
    }
}

#[test]
fn strangers_cause_few_questions_at_the_same_time() {
    let worker = Worker::new();
    let host = worker.host("x", &[]);
    let mut waiting = 0;
    for stream in 0..500 {
        let token = format!("token-{stream}");
        host.set_request_header("authorization", token.as_bytes())
            .unwrap();
        let flow = Call::new(stream).on_request_head(&host, &worker.shared, true);
        waiting += usize::from(flow == Flow::AwaitAnswer);
    }
    let refused = host.replies.borrow().len();
    let asked = host.introspections.borrow().len();
    assert_eq!((asked, waiting, refused), (50, 50, 450));
    host.envoy.now_ms.set(worker.now_ms + 5_000);
    assert_eq!(worker.shared.opaque.due(&host, 1_000).len(), 50);
}

#[test]
fn nobody_waits_when_nobody_can_be_asked() {
    let worker = Worker::new();
    let host = worker.host("opaque", &[]).failing_at(HostCall::Introspect);
    let flow = Call::new(7).on_request_head(&host, &worker.shared, true);
    assert_eq!((flow, host.status()), (Flow::Ended, Some(503)));
    assert!(introspection::answer(b"").is_none());
}
