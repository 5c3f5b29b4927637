//! Webhooks of organisations, by a real receiver.

use std::time::Duration;

use anyhow::{Context, Result, ensure};
use requestrocket_integration_tests::canary::Canary;
use requestrocket_integration_tests::core_api::CoreApi;
use requestrocket_integration_tests::machine;
use requestrocket_integration_tests::receiver::Receiver;
use requestrocket_integration_tests::stack::{Stack, StackFile};
use requestrocket_integration_tests::wait;
use serde_json::{Value, json};

/// Somebody joins, of which the organisation is told.
async fn join(owner: &CoreApi, email: &str) -> Result<()> {
    let body = json!({"email": email, "roles": ["user"]});
    let invite = owner.create("invites", &body).await?;
    let accept = json!({
        "inviteToken": invite["inviteToken"], "firstName": "Ada", "lastName": "L",
    });
    let nobody = owner.with_authorization(None);
    nobody
        .send("POST", "/invites/accept", &accept)
        .await?
        .succeeded()?;
    Ok(())
}

async fn announce(owner: &CoreApi, file: &StackFile, title: &str) -> Result<()> {
    let operator = owner.with_authorization(Some(&file.operator_token));
    let said = json!({"title": title, "message": "M"});
    operator
        .send("POST", "/notifications/system", &said)
        .await?
        .succeeded()?;
    Ok(())
}

fn text<'a>(value: &'a Value, member: &str) -> Result<&'a str> {
    value[member].as_str().context(format!("no {member}"))
}

#[tokio::test]
async fn a_receiver_believes_what_it_is_sent_and_is_sent_it_until_it_takes_it() -> Result<()> {
    let stack = Stack::start(&[]).await?;
    let (owner, receiver) = (CoreApi::owner(&stack.file)?, Receiver::start().await?);
    let hook = json!({"url": receiver.at("/hook"), "kinds": ["member-added"]});
    let hook = owner.create("webhooks", &hook).await?;
    let (secret, path) = (
        text(&hook, "secret")?,
        format!("webhooks/{}", text(&hook, "webhookId")?),
    );
    receiver.believes(secret).await?;
    let test = || async {
        let path = format!("{path}/test");
        Ok::<_, anyhow::Error>(
            owner
                .send("POST", &path, &json!({}))
                .await?
                .succeeded()?
                .json,
        )
    };
    let tested = test().await?;
    ensure!(
        tested["delivered"] == true && tested["status"] == 204,
        "{tested}"
    );

    receiver.answers(&[500]).await?;
    join(&owner, "ada@example.com").await?;
    let seen = receiver.seen_at_least(3).await?;
    let (first, second) = (seen[1].json()?, seen[2].json()?);
    ensure!(first == second && seen[1].id == seen[2].id, "{seen:?}");
    ensure!(seen[0].id != seen[1].id, "{seen:?}");
    let told = owner.get("notifications").await?.succeeded()?.json;
    let mut data = told["data"][0].clone();
    data.as_object_mut()
        .context("a notification")?
        .remove("read");
    let want = json!({
        "type": "notification.member-added", "timestamp": data["createdAt"], "data": data,
    });
    ensure!(first == want, "{first}");

    let elsewhere = json!({"url": receiver.at("/elsewhere")});
    owner.send("PATCH", &path, &elsewhere).await?.succeeded()?;
    let tested = test().await?;
    ensure!(
        tested["delivered"] == false && tested["status"] == 302,
        "{tested}"
    );
    let paths: Vec<_> = receiver
        .seen()
        .await?
        .into_iter()
        .map(|one| one.path)
        .collect();
    ensure!(
        paths == ["/hook", "/hook", "/hook", "/elsewhere"],
        "{paths:?}"
    );
    Canary::new(secret).absent_below(stack.data_dir())?;
    Canary::new(secret.trim_start_matches("whsec_")).absent_below(stack.data_dir())?;
    Ok(())
}

#[tokio::test]
async fn a_killed_core_api_loses_nothing_and_a_slow_receiver_delays_nobody_elses() -> Result<()> {
    let mut stack = Stack::start(&["--no-restart"]).await?;
    let (owner, receiver) = (CoreApi::owner(&stack.file)?, Receiver::start().await?);
    let others = json!({"clientName": "Others"});
    let others = owner.send("POST", "/clients", &others).await?.succeeded()?;
    let others = owner.in_organisation(text(&others.json, "clientId")?);
    let kinds = ["announcement"];
    for _ in 0..4 {
        let slow = json!({"url": receiver.at("/slow"), "kinds": kinds});
        others.create("webhooks", &slow).await?;
    }
    let hook = json!({"url": receiver.at("/hook"), "kinds": kinds});
    let hook = owner.create("webhooks", &hook).await?;
    receiver.believes(text(&hook, "secret")?).await?;
    let taken = || async {
        let mut seen = receiver.seen().await?;
        seen.retain(|one| one.path == "/hook");
        Ok::<_, anyhow::Error>(seen)
    };
    for title in ["1", "2", "3", "4", "5", "6"] {
        announce(&owner, &stack.file, title).await?;
    }
    // Each of the slow ones takes 15 s.
    wait::until_within(
        Duration::from_secs(12),
        "messages beside slow ones",
        || async { Ok((taken().await?.len() >= 6).then_some(())) },
    )
    .await?;

    receiver.answers(&[0]).await?;
    announce(&owner, &stack.file, "7").await?;
    stack.kill(stack.file.pids.core_api).await?;
    stack.revive().await?;
    let seen = wait::until_within(
        Duration::from_mins(1),
        "the message after a kill",
        || async {
            let seen = taken().await?;
            // The one that was not answered, and the one that was.
            Ok((seen.len() >= 8).then_some(seen))
        },
    )
    .await?;
    let last = seen.last().context("a message")?.json()?;
    ensure!(last["data"]["title"] == "7", "{last}");
    ensure!(seen[6].id == seen[7].id, "{seen:?}");
    let ids: std::collections::BTreeSet<_> = seen.iter().map(|one| &one.id).collect();
    ensure!(ids.len() == 7, "{seen:?}");
    Ok(())
}

#[tokio::test]
async fn inside_nothing_is_called_unless_the_operator_opened_it() -> Result<()> {
    let stack = Stack::start(&["--allow-private-targets", ""]).await?;
    let (owner, receiver) = (CoreApi::owner(&stack.file)?, Receiver::start().await?);
    let inside = receiver.at("/hook");
    for url in [
        inside.clone(),
        inside.replace("127.0.0.1", "localhost"),
        inside.replace("http:", "https:"),
        inside
            .replace("http:", "https:")
            .replace("127.0.0.1", "[::1]"),
        "https://169.254.169.254/latest/meta-data".to_owned(),
    ] {
        let answer = owner.send("POST", "webhooks", &json!({"url": url})).await?;
        let refused = (answer.status, answer.code());
        ensure!(
            refused == (400, "ADDRESS_NOT_ALLOWED"),
            "{url}: {}",
            answer.text
        );
    }
    // A name is looked at when it is connected to; this machine's own leads inside.
    let name = machine::host_name()?;
    let hook = json!({"url": inside.replace("http:", "https:").replace("127.0.0.1", &name)});
    let hook = owner.create("webhooks", &hook).await?;
    let path = format!("webhooks/{}/test", text(&hook, "webhookId")?);
    let tested = owner.send("POST", &path, &json!({})).await?.succeeded()?;
    ensure!(
        tested.text_at("/error") == "address not allowed",
        "{}",
        tested.text
    );
    ensure!(receiver.seen().await?.is_empty(), "somebody was called");
    Ok(())
}
