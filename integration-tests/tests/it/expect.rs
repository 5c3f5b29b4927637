//! What every answer of the gateway must look like.

use anyhow::{Result, ensure};
use requestrocket_integration_tests::attached::Layer;
use requestrocket_integration_tests::caller::Reply;

/// The headers that are on every response exactly once; gives the request id back.
fn gateway_headers(reply: &Reply, proxy_code: &str) -> Result<String> {
    ensure!(
        reply.header("requestrocket-proxy-code")? == proxy_code,
        "proxy code of {reply:?}"
    );
    ensure!(
        !reply.header("requestrocket-proxy-message")?.is_empty(),
        "message of {reply:?}"
    );
    let id = reply.header("requestrocket-request-id")?;
    ensure!(is_uuid(&id), "request id `{id}`");
    let inner = ["x-envoy-", "x-rr-"];
    for (name, _) in &reply.head.lines {
        let name = name.to_ascii_lowercase();
        ensure!(
            !inner.iter().any(|prefix| name.starts_with(prefix)),
            "`{name}` reached the caller"
        );
    }
    Ok(id)
}

/// The target's own answer, passed on.
pub(crate) fn granted(reply: &Reply) -> Result<()> {
    gateway_headers(reply, "proxy-access-granted")?;
    ensure!(
        reply.header("requestrocket-proxy-message")? == "Access granted.",
        "message of {reply:?}"
    );
    Ok(())
}

/// 200 of the target.
pub(crate) fn ok(reply: &Reply) -> Result<()> {
    ensure!(reply.status == 200, "{} {}", reply.status, reply.text());
    ensure!(reply.complete, "the body was cut");
    granted(reply)
}

/// An error made by the gateway, in the shape that all of them have.
pub(crate) fn error(reply: &Reply, status: u16, proxy_code: &str, code: &str) -> Result<()> {
    let got = (reply.status, reply.code());
    ensure!(
        got == (status, code.to_owned()),
        "{got:?} instead of {status} {code}: {}",
        reply.text()
    );
    let id = gateway_headers(reply, proxy_code)?;
    ensure!(
        reply.header("content-type")? == "application/json",
        "content type of {reply:?}"
    );
    let body = reply.json()?;
    ensure!(body["status"] == status, "status in {body}");
    ensure!(body["requestId"] == id.as_str(), "request id in {body}");
    ensure!(body["details"].is_array(), "details in {body}");
    ensure!(
        body["error"].as_str().is_some_and(|text| !text.is_empty()),
        "error in {body}"
    );
    Ok(())
}

/// A refusal before the target was asked.
pub(crate) fn denied(reply: &Reply, status: u16, code: &str) -> Result<()> {
    error(reply, status, "proxy-access-denied", code)
}

/// A failure after access was granted.
pub(crate) fn failed(reply: &Reply, status: u16, code: &str) -> Result<()> {
    error(reply, status, "proxy-access-granted", code)
}

/// A rule, or a default effect, or an unreadable body denied the call.
pub(crate) fn rule_denied(reply: &Reply, layer: Layer, rule_id: &str) -> Result<()> {
    denied(reply, 403, "RULE_DENIED")?;
    let body = reply.json()?;
    ensure!(body["layer"] == layer.word(), "layer in {body}");
    ensure!(body["ruleId"] == rule_id, "ruleId in {body}");
    Ok(())
}

/// Filters apply and the answer cannot be redacted.
pub(crate) fn not_filterable(reply: &Reply) -> Result<()> {
    error(
        reply,
        422,
        "response-not-filterable",
        "RESPONSE_NOT_FILTERABLE",
    )
}

/// The answer is longer than the proxy allows.
pub(crate) fn too_large(reply: &Reply) -> Result<()> {
    error(reply, 413, "response-too-large", "RESPONSE_TOO_LARGE")
}

/// A window is full; gives `Retry-After` back.
pub(crate) fn rate_limited(reply: &Reply, meter: &str, window: &str) -> Result<u64> {
    error(reply, 429, "rate-limit-exceeded", "RATE_LIMITED")?;
    let body = reply.json()?;
    ensure!(body["meter"] == meter, "meter in {body}");
    ensure!(body["window"] == window, "window in {body}");
    let wait: u64 = reply.header("retry-after")?.parse()?;
    ensure!(wait >= 1, "retry-after {wait}");
    Ok(wait)
}

pub(crate) fn is_uuid(text: &str) -> bool {
    let lengths: Vec<usize> = text.split('-').map(str::len).collect();
    let hex = text
        .bytes()
        .all(|byte| byte == b'-' || byte.is_ascii_hexdigit());
    hex && lengths == [8, 4, 4, 4, 12]
}
