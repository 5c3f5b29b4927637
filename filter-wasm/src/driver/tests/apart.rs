//! Tokens that travel beside their policy.

use super::*;

const END_MS: u64 = 5_000;
/// Serial and token.
type Beside<'t> = Option<(&'t str, &'t [u8])>;

struct Scene {
    shared: Shared,
    parts: (Vec<u8>, Vec<u8>),
}

impl Scene {
    /// With what is to be put on requests, which is no part of the policy.
    fn new() -> (Self, Vec<u8>) {
        let fixture = PolicyFixture::new()
            .api_key("right")
            .header("authorization", "Bearer first-token");
        let mut fixture = fixture.obtained(END_MS, &[]);
        let token = fixture.apart();
        let scene = Self {
            shared: policies_of(&fixture),
            parts: fixture.encode(),
        };
        (scene, token)
    }

    fn host(&self, beside: Beside<'_>, now_ms: u64) -> FakeHost {
        let name = format!("{PROXY_ID}/1");
        let host = FakeHost::get(&path("/x"), &[KEY]);
        let mut host = host.on_route(&name, Some(self.parts.clone()));
        host.token = beside.map(|(serial, token)| (serial.into(), token.to_vec()));
        host.envoy.now_ms.set(now_ms);
        host
    }

    /// What the target of a call is given, or the status of its refusal.
    fn call(&self, host: &FakeHost) -> Result<String, u16> {
        let flow = Call::new(7).on_request_head(host, &self.shared, true);
        if flow == Flow::Continue {
            Ok(host.header("authorization").unwrap_or_default())
        } else {
            Err(host.status().unwrap_or_default())
        }
    }
}

#[test]
fn a_call_is_given_the_token_that_is_there_until_its_end() {
    let (scene, token) = Scene::new();
    let call = |beside, now_ms| scene.call(&scene.host(beside, now_ms));
    let given = || Ok("Bearer first-token".to_owned());
    assert_eq!(call(None, 1), Err(503), "there is none yet");
    assert_eq!(call(Some(("1", &token)), 1), given());
    assert_eq!(call(None, END_MS - 1), given(), "its cluster is on its way");
    assert_eq!(call(None, END_MS), Err(503), "it has ended");
    // An empty one says that there is none any more.
    assert_eq!(call(Some(("2", &[])), 1), Err(503));
    assert_eq!(call(Some(("3", &token)), 1), given());
}

#[test]
fn a_token_is_read_once() {
    let (scene, token) = Scene::new();
    let beside = Some(("1", &token[..]));
    let unreadable = || scene.host(beside, 1).failing_at(HostCall::Token);
    assert_eq!(scene.call(&unreadable()), Err(503));
    assert!(scene.call(&scene.host(beside, 1)).is_ok());
    assert!(scene.call(&unreadable()).is_ok());
}

#[test]
fn what_is_no_token_of_the_policy_serves_nobody_and_is_told_once() {
    let (scene, _) = Scene::new();
    let (_, of_another) = Scene::new();
    for (serial, token) in [("1", &of_another[..]), ("2", b"\xff")] {
        let hosts = [(); 2].map(|()| scene.host(Some((serial, token)), 1));
        for host in &hosts {
            assert_eq!(scene.call(host), Err(503));
        }
        let told = hosts.map(|host| host.warnings.borrow().len());
        assert_eq!(told, [1, 0], "{serial}");
    }
}
