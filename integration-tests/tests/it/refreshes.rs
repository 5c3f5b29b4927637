//! Tokens are refreshed once, whoever calls meanwhile and whatever dies. Each test has a stack of its
//! own.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use requestrocket_integration_tests::binaries;
use requestrocket_integration_tests::gateway::{Gateway, Proxy, ProxyPlan, Secret, id, unique};
use requestrocket_integration_tests::stack::Stack;
use requestrocket_integration_tests::target::{
    Gate, Recorded, Script, Step, Target, answer, respond,
};
use requestrocket_integration_tests::wait;
use serde_json::{Value, json};
use tokio::task::JoinSet;

const THREE: [&str; 4] = ["--envoys-per-region", "3", "--envoy-threads", "1"];
/// Of the first token: a fifth of it, give or take a tenth, is left when it is refreshed.
const LIFE_S: u64 = 60;
const CALLERS: usize = 1_000;
/// So many kills, unless the environment says how many (`make kills`).
const KILLS: usize = 5;
const KILLS_VARIABLE: &str = "REQUESTROCKET_TEST_KILLS";

/// A thousand at once, spread over the Envoys: every answer is 200; what the target was given.
async fn thousand(envoys: &[Arc<Gateway>], proxy: &Proxy) -> Result<BTreeMap<String, usize>> {
    let mut calls = JoinSet::new();
    for (_, gateway) in (0..CALLERS).zip(envoys.iter().cycle()) {
        let (gateway, request) = (Arc::clone(gateway), proxy.get("/"));
        calls.spawn(async move { gateway.call(&request).await });
    }
    let mut given = BTreeMap::new();
    while let Some(reply) = calls.join_next().await {
        let reply = reply??;
        ensure!(reply.status == 200, "a call failed: {}", reply.status);
        let token = String::from_utf8_lossy(&reply.body).into_owned();
        *given.entry(token).or_default() += 1;
    }
    Ok(given)
}

#[tokio::test]
async fn a_thousand_callers_on_three_envoys_have_the_provider_asked_once() -> Result<()> {
    let stack = Stack::start(&THREE).await?;
    let envoys = Gateway::of_region(&stack, &stack.region()?.name)?;
    let envoys: Vec<_> = envoys.into_iter().map(Arc::new).collect();
    let (asked, gate) = (Arc::new(AtomicUsize::new(0)), Gate::default());
    let (counted, held) = (Arc::clone(&asked), gate.clone());
    let provider = Target::answering(move |request| {
        let number = counted.fetch_add(usize::from(request.complete), Ordering::SeqCst) + 1;
        let life = if number == 1 { LIFE_S } else { 3_600 };
        let body = json!({"access_token": format!("t{number}"), "expires_in": life});
        match (number, answer::json(body.to_string())) {
            (2.., Script::AfterRequest(mut steps)) => {
                steps.insert(0, Step::Wait(held.clone()));
                Script::AfterRequest(steps)
            }
            (_, script @ (Script::AfterRequest(_) | Script::AfterHead(_))) => script,
        }
    })
    .await?;
    let target = Target::answering(|request| {
        let given = request.head.all("authorization").join(",");
        respond("200 OK", &[], given.as_bytes())
    })
    .await?;
    let secret = json!({
        "grantType": "client_credentials", "tokenUrl": format!("{}/token", provider.url()),
        "clientId": "me", "clientSecret": "canary-client-secret",
    });
    let plan = ProxyPlan::to(&target.url()).injecting(Secret::new("oauth2", secret));
    let proxy = envoys[0].proxy(&plan).await?;
    let only = |token: &str| BTreeMap::from([(format!("Bearer {token}"), CALLERS)]);
    ensure!(thousand(&envoys, &proxy).await? == only("t1"));

    // While the provider takes its time.
    let life = Duration::from_secs(LIFE_S);
    wait::until_within(life, "the refresh", || async {
        Ok((asked.load(Ordering::SeqCst) > 1).then_some(()))
    })
    .await?;
    ensure!(thousand(&envoys, &proxy).await? == only("t1"));
    gate.open();
    // While the new token is on its way to the Envoys, and after.
    let mixed = thousand(&envoys, &proxy).await?;
    let known = |token: &String| ["Bearer t1", "Bearer t2"].contains(&token.as_str());
    ensure!(mixed.keys().all(known), "{mixed:?}");
    for gateway in &envoys {
        wait::until("the new token", || async {
            let reply = gateway.call(&proxy.get("/")).await?;
            ensure!(reply.status == 200, "a call failed: {}", reply.status);
            Ok((reply.body == b"Bearer t2").then_some(()))
        })
        .await?;
    }
    ensure!(thousand(&envoys, &proxy).await? == only("t2"));
    ensure!(
        asked.load(Ordering::SeqCst) == 2,
        "the provider was asked more often"
    );
    Ok(())
}

/// A provider that takes every refresh token once and gives another one, as those do that look for
/// stolen ones.
#[derive(Clone)]
struct Rotating {
    grants: Arc<Mutex<BTreeMap<String, Grant>>>,
    /// Opened when an answer has left.
    sent: Gate,
}

/// Of one client.
#[derive(Clone, Debug, Default)]
struct Grant {
    /// Refresh tokens that were taken.
    redeemed: Vec<String>,
    /// Requests with one that had been.
    refused: usize,
    /// Of its tokens, in order; the last counts for all that follow.
    lives_s: Vec<u64>,
}

impl Rotating {
    async fn start() -> Result<(Self, Target)> {
        let provider = Self {
            grants: Arc::default(),
            sent: Gate::default(),
        };
        let answering = provider.clone();
        let target = Target::answering(move |request| answering.answer(request)).await?;
        Ok((provider, target))
    }

    fn answer(&self, request: &Recorded) -> Script {
        if !request.complete {
            // Nobody is asked before the body is there.
            return Script::AfterRequest(Vec::new());
        }
        // Nothing in it needs an escape.
        let form = String::from_utf8_lossy(&request.body);
        let pairs = form.split('&').filter_map(|pair| pair.split_once('='));
        let form: BTreeMap<_, _> = pairs.collect();
        let field = |name: &str| form.get(name).copied().unwrap_or_default();
        let (client, token) = (field("client_id"), field("refresh_token"));
        let mut grants = self.grants.lock().unwrap_or_else(PoisonError::into_inner);
        let grant = grants.entry(client.to_owned()).or_default();
        let number = grant.redeemed.len();
        let script = if token == format!("{client}-r{number}") {
            grant.redeemed.push(token.to_owned());
            let life = grant.lives_s.get(number).or(grant.lives_s.last());
            let body = json!({
                "access_token": format!("{client}-t{number}"), "expires_in": life,
                "refresh_token": format!("{client}-r{}", number + 1),
            });
            answer::json(body.to_string())
        } else {
            grant.refused += 1;
            let body = json!({ "error": "invalid_grant" }).to_string();
            let json = [("content-type", "application/json")];
            respond("400 Bad Request", &json, body.as_bytes())
        };
        match script {
            Script::AfterRequest(mut steps) => {
                steps.push(Step::Open(self.sent.clone()));
                Script::AfterRequest(steps)
            }
            other @ Script::AfterHead(_) => other,
        }
    }

    fn grant(&self, client: &str) -> Grant {
        let grants = self.grants.lock().unwrap_or_else(PoisonError::into_inner);
        grants.get(client).cloned().unwrap_or_default()
    }
}

/// What became of a kill.
#[derive(Debug, Default)]
struct Outcomes {
    /// What the provider said was in the store.
    kept: usize,
    /// It was lost, and the provider took the older refresh token for stolen.
    lost: usize,
}

#[tokio::test]
async fn a_region_server_that_dies_with_an_answer_neither_loops_nor_redeems_twice() -> Result<()> {
    let kills = binaries::variable(KILLS_VARIABLE);
    let kills = kills.map_or(Ok(KILLS), |text| text.parse())?;
    let mut stack = Stack::start(&["--no-restart"]).await?;
    let (provider, server) = Rotating::start().await?;
    let mut outcomes = Outcomes::default();
    let mut settled = Vec::new();
    for kill in 0..kills {
        // At the first answer, and at the one to a refresh.
        let answers = 1 + kill % 2;
        let client = unique("client");
        let one = killed(&mut stack, (&provider, &server), &client, answers).await?;
        let shown = settle(&stack, &one).await?;
        let grant = provider.grant(&client);
        let status = shown["credentialStatus"].as_str().unwrap_or_default();
        match status {
            "active" => outcomes.kept += 1,
            "reconsent_needed" => {
                let token = &shown["credentialToken"];
                ensure!(token["nextRefreshAt"].is_null(), "it goes on: {shown}");
                ensure!(token["lastErrorCode"] == "invalid_grant", "{shown}");
                outcomes.lost += 1;
            }
            _ => anyhow::bail!("{shown}"),
        }
        // Each of them once: the one that was rotated, and that of the secret.
        ensure!(grant.refused <= answers, "{status}: {grant:?}");
        settled.push((client, status.to_owned(), grant));
    }
    // Long after: nobody has asked again for what is over.
    for (client, status, grant) in &settled {
        let now = provider.grant(client);
        let more = (now.redeemed.len(), now.refused) != (grant.redeemed.len(), grant.refused);
        ensure!(
            !more || status == "active",
            "{client}: {grant:?}, then {now:?}"
        );
        ensure!(
            now.refused == grant.refused,
            "{client}: {grant:?}, then {now:?}"
        );
    }
    println!("{kills} kills: {outcomes:?}");
    Ok(())
}

/// A credential whose region server was killed when so many answers had left the provider.
async fn killed(
    stack: &mut Stack,
    (provider, server): (&Rotating, &Target),
    client: &str,
    answers: usize,
) -> Result<String> {
    let grant = Grant {
        // Of the shortest that is refreshed in time.
        lives_s: vec![if answers == 1 { 3_600 } else { 6 }, 3_600],
        ..Grant::default()
    };
    {
        let mut grants = provider
            .grants
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        grants.insert(client.to_owned(), grant);
    }
    let gateway = Gateway::of(stack)?;
    let secret = json!({
        "grantType": "refresh_token", "tokenUrl": format!("{}/token", server.url()),
        "clientId": client, "clientAuth": "none", "refreshToken": format!("{client}-r0"),
    });
    let body = json!({
        "credentialName": client, "credentialType": "target", "credentialAuthType": "oauth2",
        "credentialRegion": gateway.region, "credentialSecret": secret,
    });
    let made = gateway.api.create("credentials", &body).await?;
    for _ in 0..answers {
        let sent = tokio::time::timeout(Duration::from_mins(1), provider.sent.pass());
        sent.await.context("the provider was not asked")?;
    }
    stack.kill(stack.xds_pid()?).await?;
    stack.revive().await?;
    id(&made, "credentialId")
}

/// The credential once its region server is up and has found out.
async fn settle(stack: &Stack, credential: &str) -> Result<Value> {
    let gateway = Gateway::of(stack)?;
    let path = format!("credentials/{credential}");
    // The lease of the process that died, and then a request.
    let shown = wait::until_within(Duration::from_mins(2), "the end of it", || async {
        let shown = gateway.api.get(&path).await?.succeeded()?.json;
        let is_over = ["active", "reconsent_needed"].map(json_text);
        let is_over = is_over.contains(&shown["credentialStatus"]);
        Ok(is_over.then_some(shown))
    });
    shown.await
}

fn json_text(text: &str) -> Value {
    Value::String(text.to_owned())
}
