//! What heads of responses may hold.

use anyhow::{Context, Result, ensure};
use bytes::Bytes;
use requestrocket_integration_tests::certificates::trusted;
use requestrocket_integration_tests::external::NodeTarget;
use requestrocket_integration_tests::gateway::Gateway;
use requestrocket_integration_tests::http2;
use requestrocket_integration_tests::target::{Script, Target, head, respond, send};

use crate::expect;

/// `x-line-N` so often, each as long as needed.
fn lines(count: usize, bytes: usize) -> Vec<(String, String)> {
    let each = bytes / count;
    (0..count)
        .map(|number| {
            let name = format!("x-line-{number:03}");
            let value = "v".repeat(each.saturating_sub(name.len() + 4));
            (name, value)
        })
        .collect()
}

#[tokio::test]
async fn many_and_long_header_lines_pass() -> Result<()> {
    let gateway = Gateway::shared().await?;
    for (count, bytes) in [
        (101, 4 << 10),
        (200, 8 << 10),
        (100, 96 << 10),
        (200, 96 << 10),
    ] {
        let target = Target::answering(move |_| {
            // One line is the length's.
            let own = lines(count - 1, bytes - 30);
            let own: Vec<_> = own
                .iter()
                .map(|(name, value)| (&**name, &**value))
                .collect();
            respond("200 OK", &own, b"")
        })
        .await?;
        let proxy = gateway.proxy_to(&target.url()).await?;
        let reply = gateway.call(&proxy.get("/")).await?;
        expect::ok(&reply).with_context(|| format!("{count} lines of {bytes} bytes"))?;
        let own = reply
            .head
            .lines
            .iter()
            .filter(|(name, _)| name.starts_with("x-line"));
        assert_eq!(own.count(), count - 1);
    }
    Ok(())
}

const MANY_LINES: &str = "
const server = http2.createSecureServer({ ...tls, maxSendHeaderBlockLength: 1 << 20 });
server.on('stream', (stream, headers) => {
  const [, count, bytes] = headers[':path'].split('/').map(Number);
  const own = { ':status': 200 };
  for (let at = 0; at < count; at += 1) {
    const name = 'x-line-' + String(at).padStart(3, '0');
    own[name] = 'v'.repeat(Math.floor(bytes / count) - name.length - 4);
  }
  stream.respond(own, { sendDate: false });
  stream.end();
});
listen(server);
";

#[tokio::test]
async fn many_and_long_header_lines_pass_over_http2() -> Result<()> {
    let gateway = Gateway::shared().await?;
    let target = NodeTarget::start(&trusted()?.identity(&["localhost"])?, MANY_LINES).await?;
    let proxy = gateway.proxy_to(&target.https_url()).await?;
    for (count, bytes) in [
        (101, 4 << 10),
        (200, 8 << 10),
        (100, 96 << 10),
        (200, 96 << 10),
    ] {
        let what = format!("{count} lines of {bytes} bytes");
        let path = format!("/{count}/{bytes}");
        let reply = gateway.call(&proxy.get(&path)).await?;
        expect::ok(&reply).context(what.clone())?;
        let own = reply
            .head
            .lines
            .iter()
            .filter(|(name, _)| name.starts_with("x-line"));
        assert_eq!(own.count(), count, "{what}");
        let request = http::Request::get(format!("http://gateway.test{}", proxy.path(&path)))
            .header("authorization", &proxy.authorization)
            .body(())?;
        let reply = http2::call(&gateway.address, request, Bytes::new()).await?;
        ensure!(
            reply.status == 200 && reply.headers.len() > count,
            "{what}: {}",
            reply.status
        );
    }
    Ok(())
}

#[tokio::test]
async fn an_answer_that_nobody_asked_for_is_502() -> Result<()> {
    let gateway = Gateway::shared().await?;
    let target = Target::answering(|_| {
        Script::AfterRequest(vec![
            head(
                "101 Switching Protocols",
                &[("connection", "upgrade"), ("upgrade", "websocket")],
            ),
            send("anything"),
        ])
    })
    .await?;
    let proxy = gateway.proxy_to(&target.url()).await?;
    for method in ["POST", "GET"] {
        let reply = gateway.call(&proxy.request(method, "/").body("")).await?;
        expect::failed(&reply, 502, "TARGET_UNREACHABLE").context(method)?;
    }
    Ok(())
}

#[tokio::test]
async fn a_status_without_a_body_passes_whatever_its_head_says_of_one() -> Result<()> {
    let gateway = Gateway::shared().await?;
    let target = Target::answering(|request| {
        let (status, framing) = match request.path() {
            "/204/zero" => ("204 No Content", "content-length: 0\r\n"),
            "/204/length" => ("204 No Content", "content-length: 5\r\n"),
            "/204/chunked" => ("204 No Content", "transfer-encoding: chunked\r\n"),
            "/304/length" => ("304 Not Modified", "content-length: 5\r\n"),
            "/304/chunked" => ("304 Not Modified", "transfer-encoding: chunked\r\n"),
            _ => ("204 No Content", ""),
        };
        Script::AfterRequest(vec![send(format!(
            "HTTP/1.1 {status}\r\n{framing}etag: \"1\"\r\n\r\n"
        ))])
    })
    .await?;
    let proxy = gateway.proxy_to(&target.url()).await?;
    for (path, status) in [
        ("/204/none", 204),
        ("/204/zero", 204),
        ("/304/length", 304),
        ("/304/chunked", 304),
    ] {
        let reply = gateway.call(&proxy.get(path)).await?;
        ensure!(reply.status == status, "{path}: {reply:?}");
        expect::granted(&reply).context(path)?;
        assert_eq!(reply.header("etag")?, "\"1\"");
    }
    // A known limit: Envoy takes these for a broken protocol.
    for path in ["/204/length", "/204/chunked"] {
        let reply = gateway.call(&proxy.get(path)).await?;
        expect::failed(&reply, 502, "TARGET_UNREACHABLE").context(path)?;
    }
    Ok(())
}

/// What concerns the connection to the target is no business of the caller's.
#[tokio::test]
async fn headers_that_connection_names_stay_on_their_hop() -> Result<()> {
    let gateway = Gateway::shared().await?;
    let target = Target::answering(|request| {
        let length = if request.path() == "/chunked" { "transfer-encoding: chunked\r\n" } else { "content-length: 2\r\n" };
        let body = if request.path() == "/chunked" { "2\r\nok\r\n0\r\n\r\n" } else { "ok" };
        Script::AfterRequest(vec![
            send(format!("HTTP/1.1 200 OK\r\n{length}connection: keep-alive, X-Own\r\nconnection: x-other,,requestrocket-proxy-code, content-length\r\n\
                  keep-alive: timeout=5\r\nproxy-connection: keep-alive\r\nx-own: 1\r\nx-own: 2\r\nx-other: 3\r\nx-third: stays\r\n\r\n{body}")),
        ])
    })
    .await?;
    let proxy = gateway.proxy_to(&target.url()).await?;
    for path in ["/length", "/chunked"] {
        let reply = gateway.call(&proxy.get(path)).await?;
        expect::ok(&reply).context(path)?;
        assert_eq!(reply.text(), "ok");
        assert_eq!(reply.header("x-third")?, "stays");
        for name in ["x-own", "x-other", "keep-alive", "proxy-connection"] {
            ensure!(
                reply.head.all(name).is_empty(),
                "{path}: `{name}` of {reply:?}"
            );
        }
    }
    Ok(())
}

/// However many others it names before.
#[tokio::test]
async fn a_name_among_thousands_that_connection_names_stays_on_its_hop() -> Result<()> {
    let gateway = Gateway::shared().await?;
    let target = Target::answering(|_| {
        let names: Vec<String> = (0..8_000).map(|number| format!("x-{number}")).collect();
        let names = names.join(",");
        let head = format!("HTTP/1.1 200 OK\r\ncontent-length: 2\r\nconnection: {names},x-own\r\n");
        Script::AfterRequest(vec![send(format!(
            "{head}x-own: 1\r\nx-other: 2\r\n\r\nok"
        ))])
    })
    .await?;
    let proxy = gateway.proxy_to(&target.url()).await?;
    let reply = gateway.call(&proxy.get("/")).await?;
    expect::ok(&reply)?;
    assert_eq!(reply.header("x-other")?, "2");
    ensure!(reply.head.all("x-own").is_empty(), "{:?}", reply.head);
    Ok(())
}
