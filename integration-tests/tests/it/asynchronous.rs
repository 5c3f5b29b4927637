//! Requests that are answered at once and made later: how they come in, what becomes of them, and
//! that nobody gets in by their way.

mod delivery;
mod intake;
mod strangers;
mod survival;

use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};
use requestrocket_integration_tests::caller::{Reply, Request};
use requestrocket_integration_tests::gateway::{Gateway, Proxy};
use serde_json::Value;

/// Longer than any delivery of these tests takes.
const PATIENCE: Duration = Duration::from_mins(1);

/// An authorised request that is to be made later.
fn later(proxy: &Proxy, method: &str, rest: &str) -> Request {
    let path = format!("/async/{}{rest}", proxy.id);
    Request::new(method, &path).with("authorization", &proxy.authorization)
}

/// An authorised question about one.
fn about(proxy: &Proxy, method: &str, rest: &str) -> Request {
    let path = format!("/requests/{}/{rest}", proxy.id);
    Request::new(method, &path).with("authorization", &proxy.authorization)
}

/// The id of a request that was accepted.
async fn accepted(gateway: &Gateway, request: &Request) -> Result<String> {
    accepted_by(&gateway.call(request).await?)
}

fn accepted_by(reply: &Reply) -> Result<String> {
    ensure!(reply.status == 202, "{} {}", reply.status, reply.text());
    let body = reply.json()?;
    text(&body, "requestId")
}

fn text(body: &Value, member: &str) -> Result<String> {
    let found = body.get(member).and_then(Value::as_str);
    Ok(found
        .with_context(|| format!("no {member} in {body}"))?
        .to_owned())
}

/// How a request stands when it has ended.
async fn ended(gateway: &Gateway, proxy: &Proxy, id: &str) -> Result<Value> {
    let question = about(proxy, "GET", &format!("{id}?wait=20"));
    let asked = async {
        loop {
            let reply = gateway.call(&question).await?;
            ensure!(reply.status == 200, "{} {}", reply.status, reply.text());
            let status = reply.json()?;
            let word = text(&status, "status")?;
            if ["succeeded", "failed", "cancelled"].contains(&word.as_str()) {
                return Ok(status);
            }
        }
    };
    match tokio::time::timeout(PATIENCE, asked).await {
        Ok(status) => status,
        Err(_) => bail!("request {id} does not end"),
    }
}
