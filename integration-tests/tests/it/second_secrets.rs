//! Two secrets of a target credential, of which targets are given one.

use std::time::Duration;

use anyhow::{Result, ensure};
use requestrocket_integration_tests::gateway::{Gateway, Proxy, ProxyPlan, Secret, unique};
use requestrocket_integration_tests::target::{Target, respond};
use requestrocket_integration_tests::wait;
use serde_json::{Value, json};

const LIMIT: Duration = Duration::from_secs(30);

struct Scene {
    gateway: Gateway,
    target: Target,
    proxy: Proxy,
    first: String,
    second: String,
}

impl Scene {
    /// Whose target takes secrets of which `is_good` holds: the first, or the second.
    async fn new(is_good: fn(&str) -> bool) -> Result<Self> {
        let gateway = Gateway::shared().await?;
        let target = Target::answering(move |request| {
            if is_good(&request.head.all("authorization").join(",")) {
                respond("200 OK", &[], b"")
            } else {
                respond("401 Unauthorized", &[], b"")
            }
        })
        .await?;
        let (first, second) = (unique("first-secret"), unique("second-secret"));
        let plan = ProxyPlan::to(&target.url()).injecting(Secret::api_key(&first));
        let proxy = gateway.proxy(&plan).await?;
        Ok(Self {
            gateway,
            target,
            proxy,
            first,
            second,
        })
    }

    fn credential(&self) -> String {
        format!("credentials/{}", self.proxy.target_credential_id)
    }

    /// Sets the second secret, on every Envoy.
    async fn next(&self, switch_at: &Value) -> Result<Value> {
        let secret = json!({ "key": self.second });
        let next = json!({ "credentialSecret": secret, "switchAt": switch_at });
        let patch = json!({ "credentialNext": next });
        let api = &self.gateway.api;
        Ok(api.applied("PATCH", &self.credential(), &patch).await?.json)
    }

    async fn switch(&self, slot: &str) -> Result<Value> {
        let path = format!("{}/switch", self.credential());
        let body = json!({ "slot": slot });
        Ok(self.gateway.api.applied("POST", &path, &body).await?.json)
    }

    /// What the target is given, and the status that the caller gets.
    async fn call(&self) -> Result<(String, u16)> {
        let status = self.gateway.call(&self.proxy.get("/in")).await?.status;
        let given = self.target.last()?.head.all("authorization").join(",");
        Ok((given, status))
    }

    async fn shown(&self) -> Result<Value> {
        Ok(self.gateway.api.get(&self.credential()).await?.json)
    }
}

#[tokio::test]
async fn targets_are_given_either_secret_by_hand() -> Result<()> {
    let scene = Scene::new(|_| true).await?;
    let made = scene.next(&Value::Null).await?;
    ensure!(made["credentialActiveSlot"] == "current", "{made}");
    ensure!(scene.call().await?.0 == scene.first);
    for (slot, want) in [
        ("next", &scene.second),
        ("current", &scene.first),
        ("next", &scene.second),
    ] {
        let shown = scene.switch(slot).await?;
        ensure!(shown["credentialActiveSlot"] == slot, "{shown}");
        ensure!(scene.call().await?.0 == *want, "{slot}");
    }
    // The one that is given is the only one left.
    let end = json!({ "credentialNext": null });
    let path = scene.credential();
    let ended = scene.gateway.api.applied("PATCH", &path, &end).await?.json;
    ensure!(ended["credentialNext"].is_null() && ended["credentialVersion"] == 2);
    ensure!(scene.call().await?.0 == scene.second);
    Ok(())
}

#[tokio::test]
async fn targets_are_given_the_second_from_its_moment_on_and_no_call_fails() -> Result<()> {
    let scene = Scene::new(|_| true).await?;
    let at = crate::credential_life::moment(time::Duration::SECOND)?;
    let made = scene.next(&json!(at)).await?;
    ensure!(made["credentialNext"]["credentialVersion"] == 2, "{made}");
    ensure!(scene.call().await?.0 == scene.first, "before its moment");
    wait::until_within(LIMIT, "the switch", || async {
        let (given, status) = scene.call().await?;
        ensure!(status == 200, "a call failed: {status}");
        Ok((given == scene.second).then_some(()))
    })
    .await?;
    ensure!(scene.shown().await?["credentialActiveSlot"] == "next");
    Ok(())
}

#[tokio::test]
async fn the_first_comes_back_when_targets_refuse_the_second() -> Result<()> {
    let scene = Scene::new(|given| given.starts_with("first")).await?;
    scene.next(&Value::Null).await?;
    ensure!(scene.call().await? == (scene.first.clone(), 200));
    scene.switch("next").await?;
    for _ in 0..5 {
        ensure!(scene.call().await? == (scene.second.clone(), 401));
    }
    // Records of calls reach the region a moment later.
    wait::until_within(LIMIT, "the first secret", || async {
        Ok((scene.call().await? == (scene.first.clone(), 200)).then_some(()))
    })
    .await?;
    let shown = wait::until_within(LIMIT, "word of it", || async {
        let shown = scene.shown().await?;
        Ok((shown["credentialActiveSlot"] == "current").then_some(shown))
    })
    .await?;
    ensure!(shown["credentialNext"]["failedAt"].is_string(), "{shown}");
    ensure!(shown["credentialNext"]["credentialVersion"] == 2, "{shown}");
    let path = format!("{}/switch", scene.credential());
    let again = json!({ "slot": "next" });
    let refused = scene.gateway.api.send("POST", &path, &again).await?;
    ensure!(refused.status == 400, "{}", refused.json);
    Ok(())
}

#[tokio::test]
async fn a_target_that_refused_before_too_is_no_reason_to_go_back() -> Result<()> {
    let scene = Scene::new(|_| false).await?;
    scene.next(&Value::Null).await?;
    for _ in 0..3 {
        ensure!(scene.call().await? == (scene.first.clone(), 401));
    }
    // Once the region knows of those.
    let credential = scene.credential();
    wait::until_within(Duration::from_mins(1), "the last use", || async {
        let shown = scene.gateway.api.get(&credential).await?.json;
        Ok(shown["credentialLastUsedAt"].is_string().then_some(()))
    })
    .await?;
    scene.switch("next").await?;
    let used = scene.shown().await?["credentialLastUsedAt"].clone();
    for _ in 0..6 {
        ensure!(scene.call().await? == (scene.second.clone(), 401));
    }
    wait::until_within(Duration::from_mins(1), "the next use", || async {
        Ok((scene.shown().await?["credentialLastUsedAt"] != used).then_some(()))
    })
    .await?;
    let shown = scene.shown().await?;
    ensure!(shown["credentialActiveSlot"] == "next", "{shown}");
    ensure!(scene.call().await? == (scene.second.clone(), 401));
    Ok(())
}
