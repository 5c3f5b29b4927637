//! Requests whose framing two readers could understand differently never reach a target.

use anyhow::{Context, Result, ensure};
use requestrocket_integration_tests::caller::{Connection, Request};
use requestrocket_integration_tests::gateway::{Gateway, Proxy};
use requestrocket_integration_tests::target::Target;

use crate::expect;

/// The marker of the request that must never arrive.
const SMUGGLED: &str = "/smuggled";

/// `{start}` is a request line with the proxy's path, `{auth}` its Authorization line.
const HOSTILE: [(&str, &str); 27] = [
    (
        "length and chunked",
        "{post}{auth}content-length: 5\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n{inner}",
    ),
    (
        "chunked and length",
        "{post}{auth}transfer-encoding: chunked\r\ncontent-length: 5\r\n\r\n0\r\n\r\n{inner}",
    ),
    (
        "two lengths",
        "{post}{auth}content-length: 0\r\ncontent-length: 5\r\n\r\nhello{inner}",
    ),
    (
        "a list of lengths",
        "{post}{auth}content-length: 0, 5\r\n\r\nhello{inner}",
    ),
    (
        "a signed length",
        "{post}{auth}content-length: +5\r\n\r\nhello{inner}",
    ),
    (
        "a negative length",
        "{post}{auth}content-length: -1\r\n\r\n{inner}",
    ),
    (
        "a hexadecimal length",
        "{post}{auth}content-length: 0x5\r\n\r\nhello{inner}",
    ),
    (
        "an endless length",
        "{post}{auth}content-length: 99999999999999999999999\r\n\r\n{inner}",
    ),
    (
        "space before the colon",
        "{post}{auth}content-length : 5\r\n\r\nhello{inner}",
    ),
    (
        "chunked spelled oddly",
        "{post}{auth}transfer-encoding: xchunked\r\n\r\n0\r\n\r\n{inner}",
    ),
    (
        "chunked not last",
        "{post}{auth}transfer-encoding: chunked, identity\r\n\r\n0\r\n\r\n{inner}",
    ),
    (
        "two codings",
        "{post}{auth}transfer-encoding: gzip, chunked\r\n\r\n0\r\n\r\n{inner}",
    ),
    (
        "coding with a tab",
        "{post}{auth}transfer-encoding:\tchunked\r\ncontent-length: 3\r\n\r\n0\r\n\r\n{inner}",
    ),
    (
        "a vertical tab in the coding",
        "{post}{auth}transfer-encoding: \x0bchunked\r\n\r\n0\r\n\r\n{inner}",
    ),
    (
        "a folded header",
        "{post}{auth}x-a: 1\r\n\ttransfer-encoding: chunked\r\n\r\n0\r\n\r\n{inner}",
    ),
    (
        "a folded coding",
        "{post}{auth}transfer-encoding:\r\n chunked\r\n\r\n0\r\n\r\n{inner}",
    ),
    ("NUL in a value", "{get}{auth}x-a: a\0b\r\n\r\n"),
    ("NUL in a name", "{get}{auth}x\0a: b\r\n\r\n"),
    ("CR in a value", "{get}{auth}x-a: a\rb\r\n\r\n"),
    ("space in a name", "{get}{auth}x a: b\r\n\r\n"),
    ("no name", "{get}{auth}: b\r\n\r\n"),
    ("no colon", "{get}{auth}nonsense\r\n\r\n"),
    (
        "a bad chunk size",
        "{post}{auth}transfer-encoding: chunked\r\n\r\nzz\r\nhi\r\n0\r\n\r\n",
    ),
    (
        "an endless chunk size",
        "{post}{auth}transfer-encoding: chunked\r\n\r\nfffffffffffffffff\r\nhi\r\n0\r\n\r\n",
    ),
    (
        "a chunk longer than its size",
        "{post}{auth}transfer-encoding: chunked\r\n\r\n1\r\nhihi\r\n0\r\n\r\n{inner}",
    ),
    ("no version", "GET {path}\r\n{auth}\r\n\r\n"),
    (
        "a version of the future",
        "GET {path} HTTP/3.7\r\nhost: g\r\n{auth}\r\n\r\n",
    ),
];

fn bytes(shape: &str, proxy: &Proxy) -> Vec<u8> {
    let path = proxy.path("/outer");
    let inner = format!(
        "GET {} HTTP/1.1\r\nhost: g\r\nauthorization: {}\r\n\r\n",
        proxy.path(SMUGGLED),
        "wrong"
    );
    shape
        .replace("{get}", &format!("GET {path} HTTP/1.1\r\nhost: g\r\n"))
        .replace("{post}", &format!("POST {path} HTTP/1.1\r\nhost: g\r\n"))
        .replace(
            "{auth}",
            &format!("authorization: {}\r\n", proxy.authorization),
        )
        .replace("{path}", &path)
        .replace("{inner}", &inner)
        .into_bytes()
}

/// Envoy repairs these before anything reads them: it unfolds lines and drops a lone CR. Then what
/// follows is judged as a request of its own, here one with a wrong credential.
const REPAIRED: [&str; 3] = ["a folded header", "a folded coding", "CR in a value"];

#[tokio::test]
async fn hostile_framing_is_refused_and_nothing_is_smuggled() -> Result<()> {
    let gateway = Gateway::shared().await?;
    let target = Target::start().await?;
    let proxy = gateway.proxy_to(&target.url()).await?;
    for (name, shape) in HOSTILE {
        let mut connection = gateway.connect().await?;
        connection.send(&bytes(shape, &proxy)).await?;
        let answers = 1 + usize::from(shape.contains("{inner}"));
        let statuses = statuses(&mut connection, answers)
            .await
            .with_context(|| name.to_owned())?;
        let refused = statuses
            .iter()
            .all(|status| [400, 413, 426, 501].contains(status));
        let repaired = REPAIRED.contains(&name) && matches!(statuses[..], [200] | [200, 400 | 403]);
        ensure!(refused || repaired, "{name}: {statuses:?}");
        for seen in target.requests() {
            ensure!(
                !seen.path().contains(SMUGGLED),
                "{name}: the target received {seen:?}"
            );
            ensure!(
                seen.body.is_empty() && lines_are_clean(&seen.bytes),
                "{name}: the target received {seen:?}"
            );
        }
        expect::ok(&gateway.call(&proxy.get("/after")).await?).with_context(|| name.to_owned())?;
    }
    Ok(())
}

/// The statuses of at most that many answers; fewer when the connection is closed.
async fn statuses(connection: &mut Connection, answers: usize) -> Result<Vec<u16>> {
    let mut statuses = Vec::new();
    while statuses.len() < answers {
        let Some(reply) = connection.answer("POST").await? else {
            break;
        };
        statuses.push(reply.status);
        if reply
            .head
            .first("connection")
            .is_some_and(|value| value == "close")
        {
            break;
        }
    }
    Ok(statuses)
}

/// Every CR is followed by a LF and every LF stands behind a CR.
fn lines_are_clean(bytes: &[u8]) -> bool {
    let padded = [b" ", bytes, b" "].concat();
    padded
        .windows(2)
        .all(|pair| (pair[0] == b'\r') == (pair[1] == b'\n'))
}

#[tokio::test]
async fn a_bare_line_feed_does_not_hide_a_header() -> Result<()> {
    let gateway = Gateway::shared().await?;
    let target = Target::start().await?;
    let proxy = gateway.proxy_to(&target.url()).await?;
    let text = format!(
        "GET {} HTTP/1.1\nhost: g\nauthorization: {}\nx-a: 1\ncontent-length: 0\n\n",
        proxy.path("/lf"),
        proxy.authorization,
    );
    let reply = gateway.raw("GET", text.as_bytes()).await?;
    let status = reply.map_or(0, |reply| reply.status);
    ensure!(matches!(status, 0 | 200 | 400), "{status}");
    for seen in target.requests() {
        ensure!(lines_are_clean(&seen.bytes), "a bare line feed went on");
    }
    Ok(())
}

#[tokio::test]
async fn pipelined_requests_are_judged_one_by_one() -> Result<()> {
    let gateway = Gateway::shared().await?;
    let target = Target::start().await?;
    let proxy = gateway.proxy_to(&target.url()).await?;
    let calls = [
        proxy.get("/1"),
        Request::get(&proxy.path("/2")).with("authorization", "wrong"),
        proxy.get("/3"),
        Request::get(&proxy.path("/4")),
        proxy.get("/5"),
    ];
    let bytes: Vec<Vec<u8>> = calls.iter().map(Request::bytes).collect();
    let mut connection = gateway.connect().await?;
    connection.send(&bytes.concat()).await?;
    let statuses = statuses(&mut connection, calls.len()).await?;
    // Envoy may close a pipelined connection behind an answer of its own; a caller sends the rest again.
    ensure!(
        statuses.len() >= 2 && [200, 403, 200, 401, 200].starts_with(&statuses),
        "{statuses:?}"
    );
    let paths: Vec<String> = target
        .requests()
        .iter()
        .map(|seen| seen.path().to_owned())
        .collect();
    ensure!(
        ["/1", "/3", "/5"].starts_with(&paths.iter().map(String::as_str).collect::<Vec<_>>()),
        "{paths:?}"
    );
    Ok(())
}

#[tokio::test]
async fn a_slow_head_is_given_up() -> Result<()> {
    let gateway = Gateway::shared().await?;
    let mut connection = gateway.connect().await?;
    connection
        .send(b"GET /api/x HTTP/1.1\r\nhost: g\r\nx-slow: ")
        .await?;
    let started = tokio::time::Instant::now();
    let reply = connection.answer("GET").await?;
    ensure!(
        started.elapsed().as_secs() < 15,
        "took {:?}",
        started.elapsed()
    );
    ensure!(
        reply.as_ref().is_none_or(|reply| reply.status == 408),
        "{reply:?}"
    );
    Ok(())
}

#[tokio::test]
async fn oversized_heads_are_431_and_odd_bytes_change_nothing() -> Result<()> {
    let gateway = Gateway::shared().await?;
    let target = Target::start().await?;
    let proxy = gateway.proxy_to(&target.url()).await?;
    let many = (0..400).fold(proxy.get("/many"), |request, number| {
        request.with(&format!("x-{number}"), "v")
    });
    let big = proxy.get("/big").with("x-big", "v".repeat(300_000));
    for request in [many, big] {
        let mut connection = gateway.connect().await?;
        // The gateway may answer and close before all of it is out.
        let _ = connection.send(&request.bytes()).await;
        if let Some(reply) = connection.answer("GET").await? {
            ensure!(reply.status == 431, "{}", reply.status);
        }
    }
    for value in [
        &b"\xff\xfe\x80"[..],
        b"\xc3\x28",
        b"\xf0\x9f\x9a\x80",
        b"\x80",
    ] {
        let odd = proxy.get("/odd").with("x-odd", value);
        let reply = gateway.call(&odd).await?;
        expect::ok(&reply)?;
        ensure!(
            target
                .last()?
                .head
                .lines
                .iter()
                .any(|(_, found)| found == value),
            "{value:?} was changed"
        );
        let in_credential = Request::get(&proxy.path("/odd")).with("authorization", value);
        expect::denied(
            &gateway.call(&in_credential).await?,
            403,
            "CREDENTIAL_INVALID",
        )?;
    }
    Ok(())
}
