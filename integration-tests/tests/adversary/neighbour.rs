//! A neighbour who takes over an alias while calls to its former owner wait for their bodies.

use anyhow::{Context, Result, ensure};
use requestrocket_integration_tests::attached::Layer;
use requestrocket_integration_tests::caller::{Connection, Request};
use requestrocket_integration_tests::gateway::{Gateway, Proxy, ProxyPlan, Secret, unique};
use requestrocket_integration_tests::target::Target;
use requestrocket_integration_tests::target::answer::json as of_json;
use serde_json::Value;

use crate::readers::body_rule;
use crate::scene::{Scene, sized};
use crate::witness::{Witness, is_free_of_secrets};

const BODY: [&[u8]; 2] = [br#"{"model":"#, br#""small"}"#];
/// Calls that wait in each round; a third goes on at each step of the change.
const WAITING: usize = 6;

/// One of two organisations that want the same alias.
struct Owner {
    gateway: Gateway,
    witness: Witness,
    target: Target,
    plan: ProxyPlan,
}

impl Owner {
    /// Its callers have the same key as the other's, so that nothing but the secret and the target
    /// tells the two apart.
    async fn new(gateway: Gateway, whose: &str, alias: &str, key: &str) -> Result<Self> {
        let witness = Witness::new(whose);
        let target = witness.target(|_| of_json("{}")).await?;
        let plan = witness
            .plan(&target.url())
            .caller(Secret::api_key(key))
            .with("proxyAlias", alias);
        Ok(Self {
            gateway,
            witness,
            target,
            plan,
        })
    }

    async fn take(&self) -> Result<Proxy> {
        let proxy = self.gateway.proxy(&self.plan).await?;
        self.gateway
            .rule(&proxy, Layer::Proxy, &body_rule())
            .await?;
        Ok(proxy)
    }

    async fn give_up(&self, proxy: &Proxy) -> Result<()> {
        let path = proxy.record(Layer::Proxy);
        self.gateway
            .api
            .applied("DELETE", &path, &Value::Null)
            .await?;
        Ok(())
    }
}

/// Sends the rest of some calls; each is answered or refused, and says no secret.
async fn release(waiting: &mut Vec<Connection>, count: usize) -> Result<Vec<u16>> {
    let mut statuses = Vec::new();
    for mut connection in waiting.drain(..count) {
        connection.send(BODY[1]).await?;
        let reply = connection.answer("POST").await?.context("closed")?;
        ensure!(
            is_free_of_secrets(&reply.text()),
            "a secret is in an answer"
        );
        statuses.push(reply.status);
    }
    Ok(statuses)
}

/// The alias goes from one to the other while calls wait.
async fn round(call: &Request, from: &Owner, to: &Owner) -> Result<()> {
    let former = from.take().await?;
    let mut waiting = Vec::new();
    for _ in 0..WAITING {
        let begun = Connection::begin(&from.gateway.address, call.clone(), BODY);
        waiting.push(begun.await?);
    }
    let third = WAITING / 3;
    let before = release(&mut waiting, third).await?;
    ensure!(before == [200; WAITING / 3], "before: {before:?}");
    from.give_up(&former).await?;
    let between = release(&mut waiting, third).await?;
    ensure!(between == [403; WAITING / 3], "between: {between:?}");
    let next = to.take().await?;
    let after = release(&mut waiting, third).await?;
    ensure!(after == [200; WAITING / 3], "after: {after:?}");
    to.give_up(&next).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_alias_that_changes_hands_takes_no_secret_along() -> Result<()> {
    let scene = Scene::new().await?;
    let (alias, key) = (unique("contested"), unique("key-for-tests"));
    let other = scene.gateway.neighbour().await?;
    let owner = Gateway::shared().await?;
    let first = Owner::new(owner, "the-first", &alias, &key).await?;
    let second = Owner::new(other, "the-second", &alias, &key).await?;
    let call = Request::new("POST", &format!("/api/{alias}/chat"));
    let call = call.with("authorization", &key);
    let rounds = sized(3, 50);
    let changes = async {
        for number in 0..rounds {
            match number % 2 {
                0 => round(&call, &first, &second).await?,
                _ => round(&call, &second, &first).await?,
            }
        }
        Ok(())
    };
    scene.beside("an alias that changes hands", changes).await?;
    for owner in [&first, &second] {
        owner.witness.check()?;
        ensure!(
            owner.target.count() == rounds * WAITING / 3,
            "calls are missing"
        );
    }
    Ok(())
}
