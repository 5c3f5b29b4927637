//! `authorization_code`: somebody consents at a provider that nobody here wrote.

use anyhow::{Context, Result, ensure};
use requestrocket_integration_tests::consent::{ConsentProvider, Grant};
use requestrocket_integration_tests::external::curl;
use requestrocket_integration_tests::gateway::{Gateway, Proxy, ProxyPlan, Secret, id, unique};
use requestrocket_integration_tests::target::Target;
use requestrocket_integration_tests::wait;
use serde_json::{Value, json};

use crate::expect;

async fn provider(gateway: &Gateway) -> Result<ConsentProvider> {
    let redirect_uri = format!("{}/webhooks/oauth2", gateway.file.core_api);
    ConsentProvider::start(&redirect_uri).await
}

/// A proxy to `target` whose credential nobody has consented to.
async fn pending(gateway: &Gateway, secret: Value, target: &Target) -> Result<Proxy> {
    let plan = ProxyPlan::to(&target.url()).injecting(Secret::new("oauth2", secret));
    gateway.proxy(&plan).await
}

/// Where somebody has to consent.
async fn asked(gateway: &Gateway, proxy: &Proxy) -> Result<String> {
    let path = format!("credentials/{}/consent", proxy.target_credential_id);
    let answer = gateway.api.raw("POST", &path, &[], Vec::new()).await?;
    id(&answer.succeeded()?.json, "authorizationUrl")
}

async fn stands(gateway: &Gateway, credential: &str) -> Result<String> {
    let path = format!("credentials/{credential}");
    id(
        &gateway.api.get(&path).await?.succeeded()?.json,
        "credentialStatus",
    )
}

async fn becomes(gateway: &Gateway, credential: &str, word: &str) -> Result<()> {
    wait::until(word, || async {
        let now = stands(gateway, credential).await?;
        Ok((now == word).then_some(()))
    })
    .await
}

/// Status and page that a browser sees at the end.
async fn sent_back(address: &str) -> Result<(String, String)> {
    let seen = curl(&["--write-out", "\n%{http_code}", address])
        .await?
        .success()?;
    let (page, status) = seen.rsplit_once('\n').context("no line")?;
    Ok((status.to_owned(), page.to_owned()))
}

fn of(address: &str, parameter: &str) -> Result<String> {
    let begin = format!("{parameter}=");
    let query = address.split_once('?').context("no query")?.1;
    let found = query.split('&').find_map(|pair| pair.strip_prefix(&begin));
    Ok(found.with_context(|| format!("no {parameter}"))?.to_owned())
}

/// Calls until the target was given something else than `before`, and says what.
async fn given(
    gateway: &Gateway,
    proxy: &Proxy,
    (target, before): (&Target, &str),
) -> Result<String> {
    let request = proxy.get("/");
    wait::until("another token", || async {
        let reply = gateway.call(&request).await?;
        if reply.status == 503 {
            expect::failed(&reply, 503, "TARGET_CREDENTIAL_UNAVAILABLE")?;
            return Ok(None);
        }
        expect::ok(&reply)?;
        let given = target.last()?.head.all("authorization").join(",");
        Ok((given != before).then_some(given))
    })
    .await
}

#[tokio::test]
async fn somebody_consents_and_calls_are_given_the_tokens_of_that() -> Result<()> {
    let gateway = Gateway::shared().await?;
    let (provider, target) = (provider(&gateway).await?, Target::start().await?);
    let proxy = pending(&gateway, provider.secret(), &target).await?;
    let credential = &proxy.target_credential_id;
    assert_eq!(stands(&gateway, credential).await?, "pending_consent");
    let reply = gateway.call(&proxy.get("/")).await?;
    expect::failed(&reply, 503, "TARGET_CREDENTIAL_UNAVAILABLE")?;

    let address = asked(&gateway, &proxy).await?;
    let back = provider.consent(&address).await?;
    let (status, page) = sent_back(&back).await?;
    ensure!(
        status == "200" && page.contains("Connected"),
        "{status} {page}"
    );
    let first = given(&gateway, &proxy, (&target, "")).await?;
    ensure!(first.starts_with("Bearer "), "{first}");
    becomes(&gateway, credential, "active").await?;
    let second = given(&gateway, &proxy, (&target, &first)).await?;
    ensure!(second.starts_with("Bearer "), "{second}");

    // The same answer again is none.
    let (status, page) = sent_back(&back).await?;
    ensure!(
        status == "400" && page.contains("Not connected"),
        "{status} {page}"
    );
    let grants = provider.grants().await?;
    let by_code = |grant: &&Grant| grant.grant == "authorization_code";
    assert_eq!(grants.iter().filter(by_code).count(), 1, "{grants:?}");
    ensure!(
        grants.iter().all(|grant| grant.outcome == "token"),
        "{grants:?}"
    );
    let code = of(&back, "code")?;
    for entry in std::fs::read_dir(&gateway.file.logs)? {
        let log = std::fs::read(entry?.path())?;
        let log = String::from_utf8_lossy(&log);
        for part in [code.as_str(), "canary-client-secret", &of(&back, "state")?] {
            ensure!(!log.contains(part), "a log holds `{part}`");
        }
    }
    Ok(())
}

#[tokio::test]
async fn a_code_of_somebody_else_is_of_no_use_with_ones_own_state() -> Result<()> {
    let gateway = Gateway::shared().await?;
    let (provider, target) = (provider(&gateway).await?, Target::start().await?);
    let theirs = pending(&gateway, provider.secret(), &target).await?;
    let own = pending(&gateway, provider.secret(), &target).await?;
    let back = provider.consent(&asked(&gateway, &theirs).await?).await?;
    let state = of(&asked(&gateway, &own).await?, "state")?;
    let stolen = back.replace(&of(&back, "state")?, &state);
    assert_eq!(sent_back(&stolen).await?.0, "200", "nobody here can tell");
    becomes(&gateway, &own.target_credential_id, "reconsent_needed").await?;
    let theirs = stands(&gateway, &theirs.target_credential_id).await?;
    assert_eq!(theirs, "pending_consent");
    let reply = gateway.call(&own.get("/")).await?;
    expect::failed(&reply, 503, "TARGET_CREDENTIAL_UNAVAILABLE")?;
    assert_eq!(target.count(), 0);
    Ok(())
}

#[tokio::test]
async fn who_wants_it_again_consents_again() -> Result<()> {
    let gateway = Gateway::shared().await?;
    let (provider, target) = (provider(&gateway).await?, Target::start().await?);
    let body = json!({
        "credentialName": unique("credential"), "credentialType": "target",
        "credentialAuthType": "oauth2", "credentialRegion": gateway.region,
        "credentialSecret": provider.secret(),
    });
    let made = gateway
        .api
        .applied("POST", "credentials", &body)
        .await?
        .json;
    assert_eq!(made["credentialStatus"], "pending_consent");
    let credential = id(&made, "credentialId")?;
    let mut plan = ProxyPlan::to(&target.url());
    plan = plan.injecting(Secret::none());
    let proxy = gateway.proxy(&plan).await?;
    let bind = json!({"proxyTargetCredentialId": credential});
    let path = format!("proxies/{}", proxy.id);
    gateway.api.applied("PATCH", &path, &bind).await?;
    let back = provider.consent(&id(&made, "authorizationUrl")?).await?;
    assert_eq!(sent_back(&back).await?.0, "200");
    given(&gateway, &proxy, (&target, "")).await?;

    // Another secret needs another consent, and what was given is gone.
    let change = json!({"credentialSecret": provider.secret()});
    let path = format!("credentials/{credential}");
    let changed = gateway.api.applied("PATCH", &path, &change).await?.json;
    let reply = gateway.call(&proxy.get("/")).await?;
    expect::failed(&reply, 503, "TARGET_CREDENTIAL_UNAVAILABLE")?;
    let back = provider.consent(&id(&changed, "authorizationUrl")?).await?;
    assert_eq!(sent_back(&back).await?.0, "200");
    given(&gateway, &proxy, (&target, "")).await?;
    becomes(&gateway, &credential, "active").await
}
