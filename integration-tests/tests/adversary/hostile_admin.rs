//! An admin who configures whatever is valid, as fast as it is taken, and tries what is not.

use anyhow::{Context, Result, ensure};
use requestrocket_integration_tests::attached::Layer;
use requestrocket_integration_tests::gateway::{Gateway, Proxy, unique};
use requestrocket_integration_tests::target::Target;
use serde_json::json;

use crate::attack::at_once;
use crate::heavy;
use crate::scene::{Scene, sized};

/// Calls of a proxy whose rules may just allow or deny them.
async fn calls(gateway: &Gateway, proxy: &Proxy, count: usize) -> Result<()> {
    for _ in 0..count {
        let call = proxy.get("/?a=1");
        at_once(&gateway.address, &[200, 403], vec![call]).await?;
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_heavy_policy_that_changes_all_the_time_costs_no_other_call() -> Result<()> {
    let scene = Scene::new().await?;
    let target = Target::unrecorded().await?;
    let gateway = &scene.gateway;
    let heavy = heavy::proxy(gateway, &target.url()).await?;
    let count = sized(30, 1_000);
    let cold = calls(gateway, &heavy, 30);
    scene.beside("calls under a heavy policy", cold).await?;
    let changing = async {
        let changes = heavy::changes(gateway, &heavy, count);
        tokio::try_join!(changes, calls(gateway, &heavy, count))?;
        Ok(())
    };
    scene.beside("calls while it changes", changing).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_alias_or_id_of_another_organisation_cannot_be_taken() -> Result<()> {
    let scene = Scene::new().await?;
    let gateway = &scene.gateway;
    let target = Target::start().await?;
    let own = gateway.proxy_to(&target.url()).await?;
    let wanted = [
        (scene.innocent.alias.clone(), 409),
        (scene.innocent.alias.to_uppercase(), 400),
        (scene.innocent.inspected.id.clone(), 400),
        (scene.innocent.inspected.id.replace('-', ""), 400),
    ];
    let squatting = async {
        for round in 0..sized(10, 200) {
            for (alias, status) in &wanted {
                let change = json!({ "proxyAlias": alias });
                let path = own.record(Layer::Proxy);
                let answer = gateway.api.send("PATCH", &path, &change).await?;
                ensure!(answer.status == *status, "{}: {alias}", answer.status);
            }
            let change = json!({ "proxyAlias": unique("squatter") });
            let path = own.record(Layer::Proxy);
            let free = gateway.api.send("PATCH", &path, &change).await?;
            free.succeeded().with_context(|| format!("round {round}"))?;
        }
        Ok(())
    };
    scene.beside("aliases and ids of others", squatting).await?;
    ensure!(target.count() == 0, "a call of the innocent went astray");
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn targets_inside_are_refused_beside_other_calls() -> Result<()> {
    let scene = Scene::new().await?;
    let gateway = &scene.gateway;
    let inside = async {
        for host in [
            "169.254.169.254",
            "168.63.129.16",
            "10.0.0.1",
            "[::ffff:169.254.169.254]",
            "[fd00:ec2::254]",
            "0xa9fea9fe",
            "2852039166",
        ] {
            let body = json!({
                "targetName": unique("inside"),
                "targetBaseURL": format!("http://{host}/latest/meta-data"),
                "targetRegion": gateway.region,
            });
            let answer = gateway.api.send("POST", "targets", &body).await?;
            ensure!(answer.status == 400, "{}: {host}", answer.status);
        }
        Ok(())
    };
    scene.beside("targets inside", inside).await
}
