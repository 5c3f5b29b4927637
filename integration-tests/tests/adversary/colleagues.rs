//! Callers of one organisation beside each other: what some of them leave unfinished refuses none of
//! the others.

use anyhow::{Context, Result, ensure};
use requestrocket_integration_tests::attached::Layer;
use requestrocket_integration_tests::caller::{Connection, Request};
use requestrocket_integration_tests::gateway::{Proxy, Secret, unique};
use requestrocket_integration_tests::target::answer::json as of_json;

use crate::readers::body_rule;
use crate::scene::Scene;
use crate::uploads::{MEBIBYTE, uploads};
use crate::witness::Witness;

/// More than all workers hold together.
const UPLOADS: usize = 40;
/// So many that both workers have some.
const CALLS: usize = 16;

/// A call with a body that a rule looks into, and which is small.
fn small(proxy: &Proxy, key: &str) -> Request {
    let request = Request::new("POST", &proxy.path("/small")).with("authorization", key);
    request.body(r#"{"model":"small"}"#)
}

async fn each_succeeds(scene: &Scene, calls: &[(&str, Request)]) -> Result<()> {
    for (who, call) in calls {
        for number in 0..CALLS {
            let reply = scene.gateway.call(call).await?;
            let is_right = reply.status == 200;
            ensure!(
                is_right,
                "{who}, {number}: {} {}",
                reply.status,
                reply.text()
            );
        }
    }
    Ok(())
}

/// All but the ends of many bodies, of that caller.
async fn unfinished(scene: &Scene, proxy: &Proxy, key: &str) -> Result<Vec<Connection>> {
    let hostile = Proxy {
        authorization: key.to_owned(),
        ..proxy.clone()
    };
    uploads(&scene.gateway.address, &hostile, UPLOADS, 16 * MEBIBYTE).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn unfinished_uploads_refuse_nobody_else_of_the_organisation() -> Result<()> {
    let scene = Scene::new().await?;
    let witness = Witness::new("a-target-of-colleagues");
    let target = witness.target(|_| of_json("{}")).await?.keeping_newest();
    let keys = ["hostile", "second", "colleague"].map(unique);
    let secrets = keys.each_ref().map(|key| Secret::api_key(key));
    let plan = witness
        .plan(&target.url())
        .with("proxyMaxInspectedBytes", 16 * MEBIBYTE);
    let shared = scene.gateway.proxy(&plan.clone().callers(&secrets)).await?;
    let other = scene.gateway.proxy(&plan).await?;
    for proxy in [&shared, &other] {
        scene
            .gateway
            .rule(proxy, Layer::Proxy, &body_rule())
            .await?;
    }
    let [hostile, second, colleague] = &keys;
    let elsewhere = ("another proxy", small(&other, &other.authorization));
    let same_proxy = ("the same proxy", small(&shared, colleague));

    let one = unfinished(&scene, &shared, hostile);
    let one = scene.beside("one caller's unfinished uploads", one).await?;
    let calls = [same_proxy, elsewhere.clone()];
    let innocent = each_succeeds(&scene, &calls);
    scene
        .beside("the same, beside colleagues", innocent)
        .await?;

    let two = unfinished(&scene, &shared, second);
    let two = scene.beside("all of a proxy", two).await?;
    let innocent = each_succeeds(&scene, std::slice::from_ref(&elsewhere));
    let innocent = scene.beside("the same, beside other proxies", innocent);
    innocent
        .await
        .context("a proxy whose callers are hostile")?;
    drop((one, two));
    witness.check()
}
