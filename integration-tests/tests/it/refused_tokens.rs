//! Tokens that a target does not take any more.
//!
//! A token is not replaced within 30 seconds after it was obtained, so each of these takes as long.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use requestrocket_integration_tests::caller::{Reply, Request};
use requestrocket_integration_tests::gateway::{Gateway, Proxy, ProxyPlan, Secret};
use requestrocket_integration_tests::target::{Recorded, Target, answer, echo_body, respond};
use requestrocket_integration_tests::wait;
use serde_json::{Value, json};

use crate::expect;

const LIMIT: Duration = Duration::from_mins(2);
/// Of an answer with which the target refuses a token.
const WORDS: &[u8] = b"taken back";

struct Scene {
    gateway: Gateway,
    provider: Target,
    target: Target,
    proxy: Proxy,
    /// Tokens up to that number are taken back.
    taken_back: Arc<AtomicUsize>,
}

fn token(number: usize) -> String {
    format!("token-{number:04}-of-the-provider")
}

impl Scene {
    /// With a token that was taken by the target before.
    async fn new(more: Value) -> Result<Self> {
        let gateway = Gateway::shared().await?;
        let given = AtomicUsize::new(0);
        let provider = Target::answering(move |request| {
            let number = given.fetch_add(usize::from(request.complete), Ordering::SeqCst) + 1;
            let body = json!({"access_token": token(number), "expires_in": 3_600});
            answer::json(body.to_string())
        });
        let (provider, taken_back) = (provider.await?, Arc::new(AtomicUsize::new(0)));
        let target = target(Arc::clone(&taken_back)).await?;
        let mut secret = json!({
            "grantType": "client_credentials", "tokenUrl": format!("{}/token", provider.url()),
            "clientId": "me", "clientSecret": "canary-client-secret",
        });
        if let (Some(secret), Value::Object(more)) = (secret.as_object_mut(), more) {
            secret.extend(more);
        }
        let plan = ProxyPlan::to(&target.url()).injecting(Secret::new("oauth2", secret));
        let proxy = gateway.proxy(&plan).await?;
        let scene = Self {
            gateway,
            provider,
            target,
            proxy,
            taken_back,
        };
        scene.until_taken(&scene.proxy.get("/")).await?;
        Ok(scene)
    }

    /// Calls until the target takes the token.
    async fn until_taken(&self, request: &Request) -> Result<Reply> {
        wait::until_within(LIMIT, "a call whose token is taken", || async {
            let reply = self.gateway.call(request).await?;
            match reply.status {
                401 => refused(&reply).map(|()| None),
                503 => Ok(None),
                _ => expect::ok(&reply).map(|()| Some(reply)),
            }
        })
        .await
    }

    fn take_back(&self) {
        self.taken_back.fetch_add(1, Ordering::SeqCst);
    }

    /// What the target saw last, the newest last.
    fn last(&self, count: usize) -> Result<Vec<Recorded>> {
        let mut seen = self.target.requests();
        let from = seen.len().checked_sub(count).context("too few requests")?;
        Ok(seen.split_off(from))
    }
}

/// Passes as the target made it.
fn refused(reply: &Reply) -> Result<()> {
    expect::granted(reply)?;
    ensure!(reply.body == WORDS, "{reply:?}");
    Ok(())
}

/// Sends bodies back to whoever shows a token that is good, wherever.
async fn target(taken_back: Arc<AtomicUsize>) -> Result<Target> {
    Target::answering(move |request| {
        let dead = (1..=taken_back.load(Ordering::SeqCst)).map(token);
        let shown = String::from_utf8_lossy(&request.bytes);
        if dead.into_iter().any(|dead| shown.contains(&dead)) {
            return respond("401 Unauthorized", &[("content-type", "text/plain")], WORDS);
        }
        echo_body(request)
    })
    .await
}

#[tokio::test]
async fn a_call_whose_token_was_taken_back_is_sent_again_with_another() -> Result<()> {
    let scene = Scene::new(json!({})).await?;
    scene.take_back();
    let body = [&b"a body of sixty-four KiB "[..], &vec![b'.'; 60_000]].concat();
    let request = scene.proxy.request("POST", "/x?a=1").body(body.clone());
    let reply = scene.until_taken(&request).await?;
    ensure!(reply.body == body, "the body was sent again");
    let tries = scene.last(2)?;
    for (tried, number) in tries.iter().zip([1, 2]) {
        let bearer = format!("Bearer {}", token(number));
        assert_eq!(tried.head.all("authorization"), [bearer.as_str()]);
        assert_eq!((tried.method(), tried.path()), ("POST", "/x?a=1"));
        ensure!(tried.body == body, "{number}");
        ensure!(
            tried.head.all("x-envoy-attempt-count").is_empty(),
            "{number}"
        );
        assert_eq!(tried.head.all("x-forwarded-for").len(), 1, "{number}");
    }
    assert_eq!(scene.provider.count(), 2);
    // All that follow have it.
    let reply = scene.until_taken(&scene.proxy.get("/")).await?;
    expect::ok(&reply)
}

#[tokio::test]
async fn a_token_in_the_query_is_replaced_there() -> Result<()> {
    let apply =
        json!({"apply": {"location": "query", "name": "access_token", "template": "{token}"}});
    let scene = Scene::new(apply).await?;
    scene.take_back();
    scene.until_taken(&scene.proxy.get("/x?a=1&b")).await?;
    let paths: Vec<String> = scene
        .last(2)?
        .iter()
        .map(|it| it.path().to_owned())
        .collect();
    let path = |number| format!("/x?a=1&b&access_token={}", token(number));
    assert_eq!(paths, [path(1), path(2)]);
    Ok(())
}

/// The response is to the second try, and the second token is a secret, too.
#[tokio::test]
async fn the_other_token_is_looked_for_in_the_response() -> Result<()> {
    let scene = Scene::new(json!({})).await?;
    scene.take_back();
    let guess = format!("{} {}", token(2), token(3));
    let request = scene.proxy.request("POST", "/").body(guess);
    let reply = scene.until_taken(&request).await?;
    let stars = "*".repeat(token(2).len());
    assert_eq!(reply.text(), format!("{stars} {}", token(3)));
    Ok(())
}

#[tokio::test]
async fn what_cannot_be_sent_again_passes_and_has_another_token_obtained() -> Result<()> {
    let scene = Scene::new(json!({})).await?;
    scene.take_back();
    let long = scene.proxy.request("POST", "/").body(vec![b'.'; 70_000]);
    wait::until_within(LIMIT, "another token", || async {
        let before = scene.target.count();
        let reply = scene.gateway.call(&long).await?;
        if reply.status == 401 {
            refused(&reply)?;
            assert_eq!(scene.target.count(), before + 1, "it was sent once");
        }
        Ok((scene.provider.count() == 2).then_some(()))
    })
    .await?;
    scene.until_taken(&long).await?;
    Ok(())
}

#[tokio::test]
async fn a_target_that_refuses_every_token_is_believed_and_causes_no_storm() -> Result<()> {
    let scene = Scene::new(json!({})).await?;
    scene.taken_back.store(9, Ordering::SeqCst);
    wait::until_within(LIMIT, "another token", || async {
        let before = scene.target.count();
        refused(&scene.gateway.call(&scene.proxy.get("/")).await?)?;
        assert_eq!(scene.target.count(), before + 2, "it was sent twice");
        Ok((scene.provider.count() == 2).then_some(()))
    })
    .await?;
    for _ in 0..20 {
        refused(&scene.gateway.call(&scene.proxy.get("/")).await?)?;
    }
    assert_eq!(scene.provider.count(), 2);
    Ok(())
}

#[tokio::test]
async fn other_statuses_are_no_refusal() -> Result<()> {
    let scene = Scene::new(json!({"refreshOnStatus": []})).await?;
    scene.take_back();
    let before = scene.target.count();
    for _ in 0..3 {
        refused(&scene.gateway.call(&scene.proxy.get("/")).await?)?;
    }
    assert_eq!(scene.target.count(), before + 3, "each is sent once");
    assert_eq!(scene.provider.count(), 1);
    Ok(())
}
