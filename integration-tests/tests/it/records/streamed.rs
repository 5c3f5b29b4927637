//! Records as answers that go on: exports, and what comes.

use std::collections::BTreeSet;

use anyhow::{Context, Result, ensure};
use requestrocket_integration_tests::core_api::CoreApi;
use requestrocket_integration_tests::gateway::{Gateway, Proxy};
use requestrocket_integration_tests::target::Target;
use serde_json::Value;

use super::{all, of};

const LINES: (&str, &str) = ("accept", "application/x-ndjson");

async fn exported(api: &CoreApi, path: &str) -> Result<Vec<Value>> {
    let text = api.begin(path, &[LINES]).await?.text().await?;
    let records = text.lines().map(serde_json::from_str);
    Ok(records.collect::<Result<_, _>>()?)
}

async fn call(gateway: &Gateway, proxy: &Proxy, paths: std::ops::Range<usize>) -> Result<()> {
    for number in paths {
        gateway.call(&proxy.get(&format!("/n/{number}"))).await?;
    }
    Ok(())
}

#[tokio::test]
async fn an_export_has_every_record_and_nobody_elses() -> Result<()> {
    let gateway = Gateway::shared().await?;
    let target = Target::unrecorded().await?;
    let proxy = gateway.proxy_to(&target.url()).await?;
    // More than are fetched at a time.
    call(&gateway, &proxy, 0..230).await?;
    all(&gateway, &proxy, 230).await?;
    let list = format!("proxies/{}/requests", proxy.id);
    let records = exported(&gateway.api, &list).await?;
    let paths: BTreeSet<_> = records.iter().map(|it| it["path"].to_string()).collect();
    ensure!(
        (records.len(), paths.len()) == (230, 230),
        "{}",
        records.len()
    );
    let moments: Vec<_> = records
        .iter()
        .map(|it| it["completedAt"].as_str())
        .collect();
    ensure!(moments.is_sorted_by(|one, next| one >= next), "the order");
    let one = exported(&gateway.api, &format!("{list}?pathContains=n/229")).await?;
    ensure!(one.len() == 1 && one[0]["path"] == "/n/229", "{one:?}");
    let neighbour = gateway.neighbour().await?;
    let none = exported(&neighbour.api, "requests").await?;
    ensure!(none.is_empty(), "{none:?}");
    ensure!(neighbour.api.begin(&list, &[LINES]).await.is_err());
    Ok(())
}

#[tokio::test]
async fn exports_that_nobody_reads_keep_no_call_and_no_record() -> Result<()> {
    let gateway = Gateway::shared().await?;
    let neighbour = gateway.neighbour().await?;
    let target = Target::unrecorded().await?;
    let proxy = gateway.proxy_to(&target.url()).await?;
    call(&gateway, &proxy, 0..210).await?;
    let mut unread = Vec::new();
    for _ in 0..4 {
        unread.push(gateway.api.begin("requests", &[LINES]).await?);
    }
    let reply = gateway.call(&proxy.get("/meanwhile")).await?;
    of(&gateway, &proxy, &reply).await?;
    ensure!(neighbour.api.begin("requests", &[LINES]).await.is_ok());
    drop(unread);
    Ok(())
}

/// Reads an event; gives its id and record.
async fn event(response: &mut reqwest::Response, text: &mut String) -> Result<(String, Value)> {
    loop {
        if let Some((first, rest)) = text.clone().split_once("\n\n") {
            rest.clone_into(text);
            let field = |name| first.lines().find_map(|line| line.strip_prefix(name));
            if let Some(data) = field("data: ") {
                let id = field("id: ").context("an id")?;
                return Ok((id.to_owned(), serde_json::from_str(data)?));
            }
            continue;
        }
        let piece = response.chunk().await?.context("the answer ended")?;
        text.push_str(std::str::from_utf8(&piece)?);
    }
}

#[tokio::test]
async fn who_follows_sees_calls_as_they_end_and_misses_none_in_a_break() -> Result<()> {
    let gateway = Gateway::shared().await?;
    let target = Target::unrecorded().await?;
    let proxy = gateway.proxy_to(&target.url()).await?;
    call(&gateway, &proxy, 0..1).await?;
    all(&gateway, &proxy, 1).await?;
    let path = format!("proxies/{}/requests/tail?pathContains=/n/", proxy.id);
    let mut following = gateway.api.begin(&path, &[]).await?;
    gateway.call(&proxy.get("/other")).await?;
    call(&gateway, &proxy, 1..2).await?;
    let mut text = String::new();
    let (id, record) = event(&mut following, &mut text).await?;
    ensure!(record["path"] == "/n/1", "{record}");
    drop(following);
    call(&gateway, &proxy, 2..4).await?;
    all(&gateway, &proxy, 5).await?;
    let mut following = gateway.api.begin(&path, &[("last-event-id", &id)]).await?;
    let mut seen = BTreeSet::new();
    for _ in 0..2 {
        let (_, record) = event(&mut following, &mut text).await?;
        seen.insert(record["path"].as_str().context("path")?.to_owned());
    }
    ensure!(
        seen == BTreeSet::from(["/n/2".to_owned(), "/n/3".to_owned()]),
        "{seen:?}"
    );
    Ok(())
}
