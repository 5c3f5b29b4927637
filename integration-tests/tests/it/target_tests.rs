//! Whether targets answer: calls that people ask for, and those that the region makes by itself.

use anyhow::{Result, ensure};
use requestrocket_integration_tests::gateway::{Gateway, ProxyPlan, Secret, id, unique};
use requestrocket_integration_tests::target::{Target, respond};
use requestrocket_integration_tests::wait;
use serde_json::{Value, json};

#[tokio::test]
async fn a_test_calls_the_target_with_its_credential_and_tells_the_status_alone() -> Result<()> {
    let gateway = Gateway::shared().await?;
    let target = Target::answering(|_| {
        let location = [("location", "/elsewhere")];
        respond(
            "307 Temporary Redirect",
            &location,
            b"a body that nobody gets",
        )
    })
    .await?;
    let made = gateway.target(&format!("{}/base", target.url())).await?;
    let path = format!("targets/{}", id(&made, "targetId")?);
    let change = json!({ "targetTestPath": "/health?deep=1" });
    gateway
        .api
        .send("PATCH", &path, &change)
        .await?
        .succeeded()?;
    let key = unique("canary-key");
    let secret = gateway.credential("target", &Secret::api_key(&key)).await?;
    let credential = id(&secret, "credentialId")?;
    let test = format!("{path}/test");

    let plain = gateway.api.send("POST", &test, &json!({})).await?;
    let plain = plain.succeeded()?;
    ensure!(plain.json["reachable"] == true && plain.json["status"] == 307);
    ensure!(plain.json["error"].is_null() && plain.json["durationMs"].is_u64());
    let seen = target.last()?;
    ensure!(seen.method() == "GET" && seen.path() == "/base/health?deep=1");
    ensure!(seen.head.all("authorization").is_empty());

    let body = json!({ "targetCredentialId": credential });
    let tested = wait::until("the credential in the region", || async {
        let tested = gateway.api.send("POST", &test, &body).await?;
        let tested = tested.succeeded()?.json;
        Ok((tested["status"] == 307).then_some(tested))
    })
    .await?;
    ensure!(!tested.to_string().contains("nobody gets"), "{tested}");
    let given = target.last()?.head.all("authorization").join(",");
    ensure!(given.contains(&key), "the target was given `{given}`");
    ensure!(
        target
            .requests()
            .iter()
            .all(|it| !it.path().contains("elsewhere"))
    );
    Ok(())
}

#[tokio::test]
async fn a_test_takes_no_credential_that_is_none_for_the_target() -> Result<()> {
    let gateway = Gateway::shared().await?;
    let made = gateway.target("http://127.0.0.1:1").await?;
    let test = format!("targets/{}/test", id(&made, "targetId")?);
    let caller = gateway
        .credential("proxy", &Secret::api_key(&unique("caller")))
        .await?;
    let unknown = "00000000-0000-4000-8000-000000000000";
    for (credential, code) in [
        (unknown, "REFERENCE_NOT_FOUND"),
        (&*id(&caller, "credentialId")?, "CREDENTIAL_TYPE_MISMATCH"),
    ] {
        let body = json!({ "targetCredentialId": credential });
        let refused = gateway.api.send("POST", &test, &body).await?;
        ensure!(
            refused.status == 400
                && refused.fields() == ["targetCredentialId"]
                && refused.json.to_string().contains(code),
            "{}",
            refused.json
        );
    }
    Ok(())
}

#[tokio::test]
async fn nobody_there_is_an_answer_too() -> Result<()> {
    let gateway = Gateway::shared().await?;
    let made = gateway.target("http://127.0.0.1:1").await?;
    let path = format!("targets/{}/test", id(&made, "targetId")?);
    let tested = gateway
        .api
        .send("POST", &path, &json!({}))
        .await?
        .succeeded()?
        .json;
    ensure!(
        tested["reachable"] == false && tested["status"].is_null(),
        "{tested}"
    );
    ensure!(tested["error"].is_string(), "{tested}");
    Ok(())
}

#[tokio::test]
async fn a_target_is_called_by_itself_with_what_a_proxy_gives_it() -> Result<()> {
    let gateway = Gateway::shared().await?;
    let target = Target::answering(|_| respond("503 Service Unavailable", &[], b"")).await?;
    let key = unique("canary-key");
    let plan = ProxyPlan::to(&target.url()).injecting(Secret::api_key(&key));
    let proxy = gateway.proxy(&plan).await?;
    let path = format!("targets/{}", proxy.target_id);
    let shown = || async { Ok::<Value, anyhow::Error>(gateway.api.get(&path).await?.json) };
    ensure!(shown().await?["targetHealth"].is_null());
    let change = json!({ "targetCheckSeconds": 60, "targetTestPath": "/up" });
    gateway
        .api
        .send("PATCH", &path, &change)
        .await?
        .succeeded()?;
    let health = wait::until("what the target answers", || async {
        let shown = shown().await?;
        Ok((!shown["targetHealth"].is_null()).then(|| shown["targetHealth"].clone()))
    })
    .await?;
    ensure!(
        health["reachable"] == true && health["status"] == 503,
        "{health}"
    );
    ensure!(health["checkedAt"].is_string(), "{health}");
    let seen = target.last()?;
    ensure!(seen.path() == "/up");
    let given = seen.head.all("authorization").join(",");
    ensure!(given.contains(&key), "the target was given `{given}`");

    // What was shown may be sent back; with another address nothing is known any more.
    let whole = shown().await?;
    gateway.api.send("PUT", &path, &whole).await?.succeeded()?;
    ensure!(shown().await?["targetHealth"].is_object());
    let change = json!({ "targetCheckSeconds": null });
    gateway
        .api
        .send("PATCH", &path, &change)
        .await?
        .succeeded()?;
    let after = shown().await?;
    ensure!(after["targetHealth"].is_null(), "{after}");
    let change = json!({ "targetCheckSeconds": 59 });
    let refused = gateway.api.send("PATCH", &path, &change).await?;
    ensure!(refused.status == 400, "{}", refused.json);
    Ok(())
}
