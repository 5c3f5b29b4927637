//! Calls whose target does not take the token that they carry.

use super::*;

const FIRST: &str = "Bearer first-token";
const OTHER: &str = "Bearer other-token";
/// The stream of a call, and that of another try of it.
const CALL: u32 = 7;
const TRY: u32 = 8;

struct Scene {
    shared: Shared,
    fixture: PolicyFixture,
    /// What the region has by then.
    other: Vec<u8>,
    now_ms: u64,
}

impl Scene {
    fn new() -> Self {
        let fixture = PolicyFixture::new()
            .api_key("right")
            .header("authorization", FIRST);
        let mut fixture = fixture.obtained(u64::MAX, &[401]);
        let other = fixture.another(|it| it.header("authorization", OTHER));
        Self {
            shared: policies_of(&fixture),
            fixture,
            other,
            now_ms: 1_000,
        }
    }

    /// A call that was let through.
    fn call(&self) -> (Call, FakeHost) {
        let name = format!("{PROXY_ID}/1");
        let host = FakeHost::get(&path("/x"), &[KEY]).on_route(&name, Some(self.fixture.encode()));
        host.envoy.now_ms.set(self.now_ms);
        let mut call = Call::new(CALL);
        assert_eq!(
            call.on_request_head(&host, &self.shared, true),
            Flow::Continue
        );
        assert_eq!(host.kept_stream.get(), Some(CALL));
        (call, host)
    }

    /// The same call at the next try, as its first try left it.
    fn tried(&self, host: &FakeHost) -> Call {
        let mut request = host.request.borrow_mut();
        request.retain(|(name, _)| !name.starts_with("x-rr-"));
        request.push(("x-envoy-attempt-count".to_owned(), b"2".to_vec()));
        drop(request);
        let mut tried = Call::new(TRY);
        assert_eq!(
            tried.on_request_head(host, &self.shared, true),
            Flow::Continue
        );
        tried
    }

    fn due(&self, host: &FakeHost) -> Vec<u32> {
        self.shared.refused.due(host, 100)
    }
}

fn bearer(host: &FakeHost) -> String {
    host.header("authorization").unwrap()
}

#[test]
fn another_try_waits_for_another_token_and_goes_with_it() {
    let scene = Scene::new();
    let (mut call, host) = scene.call();
    let tried = scene.tried(&host);
    assert_eq!(tried.refused_stream(), Some(CALL));
    let flow = call.on_another_try(&host, &scene.shared, TRY);
    assert_eq!(flow, Flow::AwaitAnswer);
    let (under, question) = host.replacements.borrow()[0].clone();
    assert_eq!(question, scene.fixture.carried().request());
    assert!(scene.due(&host).is_empty());
    let refused = &scene.shared.refused;
    assert!(refused.on_answer(&host, under, Some(&scene.other)));
    assert_eq!(scene.due(&host), [TRY]);
    call.on_another_token(&host, &scene.shared);
    assert_eq!(bearer(&host), OTHER);
    // Those that follow need not ask.
    let (mut next, host) = scene.call();
    assert_eq!(bearer(&host), FIRST);
    assert_eq!(
        next.on_another_try(&host, &scene.shared, TRY),
        Flow::Continue
    );
    assert_eq!(bearer(&host), OTHER);
    assert!(host.replacements.borrow().is_empty());
}

#[test]
fn without_another_token_it_goes_with_the_one_it_had() {
    for answer in [None, Some(&b""[..]), Some(b"\xff")] {
        let scene = Scene::new();
        let (mut call, host) = scene.call();
        call.on_another_try(&host, &scene.shared, TRY);
        let under = host.replacements.borrow()[0].0;
        assert!(scene.shared.refused.on_answer(&host, under, answer));
        assert_eq!(scene.due(&host), [TRY]);
        call.on_another_token(&host, &scene.shared);
        assert_eq!(bearer(&host), FIRST);
        // For some seconds nobody asks again.
        let (mut next, host) = scene.call();
        let flow = next.on_another_try(&host, &scene.shared, TRY);
        assert_eq!(
            (flow, host.replacements.borrow().len()),
            (Flow::Continue, 0)
        );
    }
}

#[test]
fn nobody_waits_longer_than_two_seconds_or_when_nobody_can_be_asked() {
    let mut scene = Scene::new();
    let (mut call, host) = scene.call();
    call.on_another_try(&host, &scene.shared, TRY);
    scene.now_ms += 1_999;
    host.envoy.now_ms.set(scene.now_ms);
    assert!(scene.due(&host).is_empty());
    host.envoy.now_ms.set(scene.now_ms + 1);
    assert_eq!(scene.due(&host), [TRY]);
    let scene = Scene::new();
    let (mut call, host) = scene.call();
    let host = host.failing_at(HostCall::RenewToken);
    assert_eq!(
        call.on_another_try(&host, &scene.shared, TRY),
        Flow::Continue
    );
    assert_eq!(bearer(&host), FIRST);
}

#[test]
fn a_refusal_that_passes_has_another_token_obtained_for_those_that_follow() {
    let scene = Scene::new();
    for asked in [1, 0] {
        let (mut call, host) = scene.call();
        let host = host.answered_with(&[(":status", "401"), ("content-length", "0")]);
        call.on_response_head(&host, &scene.shared, true);
        assert_eq!(host.replacements.borrow().len(), asked, "one for all");
    }
    let (mut call, host) = Scene::new().call();
    let host = host.answered_with(&[(":status", "403"), ("content-length", "0")]);
    call.on_response_head(&host, &scene.shared, true);
    assert!(host.replacements.borrow().is_empty());
}

#[test]
fn another_try_of_a_call_that_was_not_refused_or_is_gone_passes() {
    let scene = Scene::new();
    let (mut call, host) = scene.call();
    host.kept_stream.set(None);
    let mut tried = scene.tried(&host);
    assert_eq!(tried.refused_stream(), None);
    assert!(!tried.is_done(), "nor is it taken for a forgotten call");
    assert_eq!(
        tried.on_response_head(&host, &scene.shared, true),
        Flow::Continue
    );
    let answered = host.answered_with(&[(":status", "200"), ("content-length", "0")]);
    call.on_response_head(&answered, &scene.shared, true);
    assert_eq!(
        call.on_another_try(&answered, &scene.shared, TRY),
        Flow::Continue
    );
    assert_eq!(bearer(&answered), FIRST);
}
