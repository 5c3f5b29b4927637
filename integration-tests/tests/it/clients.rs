//! Clients and a target that nobody here wrote.

use anyhow::{Result, ensure};
use requestrocket_integration_tests::external::{Httpbin, curl, node, python};
use requestrocket_integration_tests::gateway::{Gateway, Proxy, ProxyPlan, Secret};
use requestrocket_integration_tests::target::{Target, echo_body};
use serde_json::Value;

struct Scene {
    gateway: Gateway,
    _httpbin: Httpbin,
    proxy: Proxy,
}

async fn scene() -> Result<Scene> {
    let gateway = Gateway::shared().await?;
    let httpbin = Httpbin::start().await?;
    let injected = Secret::new(
        "bearer",
        serde_json::json!({ "token": "of-httpbin-target" }),
    );
    let proxy = gateway
        .proxy(&ProxyPlan::to(&httpbin.url()).injecting(injected))
        .await?;
    Ok(Scene {
        gateway,
        _httpbin: httpbin,
        proxy,
    })
}

impl Scene {
    fn url(&self, rest: &str) -> String {
        format!("http://{}{}", self.gateway.address, self.proxy.path(rest))
    }

    fn authorization(&self) -> String {
        format!("Authorization: {}", self.proxy.authorization)
    }
}

#[tokio::test]
async fn curl_uses_httpbin_through_the_gateway() -> Result<()> {
    let scene = scene().await?;
    let authorization = scene.authorization();
    let get = async |arguments: &[&str]| -> Result<String> {
        let mut all = vec!["-H", authorization.as_str()];
        all.extend_from_slice(arguments);
        curl(&all).await?.success()
    };
    let echo: Value = serde_json::from_str(
        &get(&[&scene.url("/anything/a%20b?x=1&x=2"), "-H", "x-mine: 1"]).await?,
    )?;
    assert_eq!(echo["headers"]["X-Mine"], "1");
    assert_eq!(echo["args"]["x"], serde_json::json!(["1", "2"]));
    assert_eq!(echo["method"], "GET");
    ensure!(
        !echo.to_string().contains(&scene.proxy.authorization),
        "{echo}"
    );
    let posted: Value =
        serde_json::from_str(&get(&[&scene.url("/post"), "--json", r#"{"a":[1,2]}"#]).await?)?;
    assert_eq!(posted["json"], serde_json::json!({"a": [1, 2]}));
    let form: Value = serde_json::from_str(
        &get(&[
            &scene.url("/post"),
            "-F",
            "f=@-;filename=x.txt",
            "-F",
            "g=1",
        ])
        .await?,
    )?;
    assert_eq!(form["form"]["g"], "1");
    let status = get(&[
        &scene.url("/status/418"),
        "-o",
        "/dev/null",
        "-w",
        "%{http_code}",
    ])
    .await?;
    assert_eq!(status, "418");
    let head = get(&["--head", &scene.url("/bytes/100")]).await?;
    ensure!(
        head.to_ascii_lowercase().contains("content-length: 100"),
        "{head}"
    );
    let gzip = get(&["--compressed", &scene.url("/gzip")]).await?;
    ensure!(gzip.contains("\"gzipped\""), "{gzip}");
    let streamed = get(&[&scene.url("/stream/20")]).await?;
    assert_eq!(streamed.lines().count(), 20);
    Ok(())
}

#[tokio::test]
async fn curl_may_carry_its_key_in_the_query_and_is_told_when_it_has_none() -> Result<()> {
    let scene = scene().await?;
    let query = curl(&[&format!(
        "{}?show_env=1&Authorization={}",
        scene.url("/get"),
        scene.proxy.authorization
    )])
    .await?
    .success()?;
    ensure!(!query.contains(&scene.proxy.authorization), "{query}");
    let denied = curl(&["-i", &scene.url("/get")]).await?.success()?;
    ensure!(
        denied.starts_with("HTTP/1.1 401") && denied.contains("CREDENTIAL_MISSING"),
        "{denied}"
    );
    Ok(())
}

#[tokio::test]
async fn curl_speaks_http2_with_prior_knowledge() -> Result<()> {
    let gateway = Gateway::shared().await?;
    let target = Target::answering(echo_body).await?;
    let proxy = gateway.proxy_to(&target.url()).await?;
    let url = format!("http://{}{}", gateway.address, proxy.path("/h2"));
    let authorization = format!("Authorization: {}", proxy.authorization);
    let output = curl(&[
        "--http2-prior-knowledge",
        "-H",
        &authorization,
        "--data-binary",
        "payload",
        "-w",
        " %{http_version} %{http_code}",
        &url,
    ])
    .await?
    .success()?;
    assert_eq!(output, "payload 2 200");
    let denied = curl(&[
        "--http2-prior-knowledge",
        "-o",
        "/dev/null",
        "-w",
        "%{http_version} %{http_code}",
        &url,
    ])
    .await?
    .success()?;
    assert_eq!(denied, "2 401");
    Ok(())
}

const REQUESTS: &str = r#"
import sys, requests
url, key = sys.argv[1:3]
s = requests.Session(); s.trust_env = False; s.headers["Authorization"] = key
for method in ["get", "post", "put", "patch", "delete"]:
    r = s.request(method, f"{url}/{method}", params={"q": "ä ö&="})
    assert r.status_code == 200, r.text
    assert r.json()["args"] == {"q": "ä ö&="}, r.text
    assert r.headers["requestrocket-proxy-code"] == "proxy-access-granted"
r = s.post(f"{url}/post", data=(b"x" * 1000 for _ in range(100)))
assert len(r.json()["data"]) == 100000
r = s.post(f"{url}/post", files={"f": ("n.bin", b"content")}, data={"a": "1"})
assert r.json()["files"]["f"] == "content" and r.json()["form"] == {"a": "1"}
with s.get(f"{url}/stream-bytes/100000", stream=True) as r:
    assert sum(len(c) for c in r.iter_content(1000)) == 100000
for path in ["gzip", "deflate", "brotli"]:
    assert s.get(f"{url}/{path}").status_code == 200
assert s.get(f"{url}/range/1000", headers={"Range": "bytes=10-19"}).status_code == 206
r = s.get(f"{url}/cookies/set?a=1", allow_redirects=False)
assert r.status_code == 302 and "a=1" in r.headers["Set-Cookie"]
r = s.get(f"{url}/bearer").json()
assert r["authenticated"] and r["token"] == "*" * len("of-httpbin-target"), r
assert s.options(f"{url}/get").status_code == 200
assert s.head(f"{url}/get").content == b""
r = requests.Session(); r.trust_env = False
a = r.get(f"{url}/get", auth=("someone", "wrong"))
assert a.status_code == 403 and a.json()["code"] == "CREDENTIAL_INVALID", a.text
print("ok")
"#;

#[tokio::test]
async fn python_requests_uses_httpbin_through_the_gateway() -> Result<()> {
    let scene = scene().await?;
    let output = python(REQUESTS, &[&scene.url(""), &scene.proxy.authorization]).await?;
    assert_eq!(output.success()?.trim(), "ok");
    Ok(())
}

const HTTPX: &str = r#"
import asyncio, sys, httpx
url, key = sys.argv[1:3]
async def main(http2):
    async with httpx.AsyncClient(http1=not http2, http2=http2, trust_env=False, headers={"Authorization": key}) as c:
        answers = await asyncio.gather(*(c.get(f"{url}/anything/{i}", params={"i": i}) for i in range(20)))
        for i, r in enumerate(answers):
            assert r.status_code == 200 and r.json()["args"]["i"] == str(i), r.text
            assert r.http_version == ("HTTP/2" if http2 else "HTTP/1.1"), r.http_version
        ids = {r.headers["requestrocket-request-id"] for r in answers}
        assert len(ids) == 20
        async def body():
            for _ in range(10):
                yield b"chunk"
        r = await c.post(f"{url}/post", content=body())
        assert r.json()["data"] == "chunk" * 10, r.text
        async with c.stream("GET", f"{url}/drip", params={"numbytes": 5, "duration": 0, "delay": 0}) as r:
            assert len(await r.aread()) == 5
        r = await c.get(f"{url}/get", headers={"Authorization": "wrong"})
        assert r.status_code == 403, r.text
asyncio.run(main(False)); asyncio.run(main(True))
print("ok")
"#;

#[tokio::test]
async fn python_httpx_uses_httpbin_over_both_protocols() -> Result<()> {
    let scene = scene().await?;
    let output = python(HTTPX, &[&scene.url(""), &scene.proxy.authorization]).await?;
    assert_eq!(output.success()?.trim(), "ok");
    Ok(())
}

const FETCH: &str = r#"
import assert from "node:assert";
const [url, key] = process.argv.slice(-2);
const headers = { authorization: key };
let r = await fetch(`${url}/anything?x=%41`, { headers });
assert.equal(r.status, 200);
assert.equal(r.headers.get("requestrocket-proxy-message"), "Access granted.");
assert.deepEqual((await r.json()).args, { x: "A" });
r = await fetch(`${url}/post`, { method: "POST", headers, body: new URLSearchParams({ a: "1" }) });
assert.deepEqual((await r.json()).form, { a: "1" });
const stream = new ReadableStream({ start(c) { c.enqueue(new TextEncoder().encode("streamed")); c.close(); } });
r = await fetch(`${url}/post`, { method: "POST", headers, body: stream, duplex: "half" });
assert.equal((await r.json()).data, "streamed");
r = await fetch(`${url}/gzip`, { headers });
assert.equal((await r.json()).gzipped, true);
r = await fetch(`${url}/redirect-to?url=http://169.254.169.254/`, { headers, redirect: "manual" });
assert.equal(r.status, 302);
assert.equal(r.headers.get("location"), "http://169.254.169.254/");
r = await fetch(`${url}/get`);
assert.equal(r.status, 401);
assert.equal((await r.json()).code, "CREDENTIAL_MISSING");
let parts = 0;
for await (const part of (await fetch(`${url}/stream-bytes/50000`, { headers })).body) parts += part.length;
assert.equal(parts, 50000);
console.log("ok");
"#;

#[tokio::test]
async fn node_fetch_uses_httpbin_through_the_gateway() -> Result<()> {
    let scene = scene().await?;
    let output = node(FETCH, &[&scene.url(""), &scene.proxy.authorization]).await?;
    assert_eq!(output.success()?.trim(), "ok");
    Ok(())
}

const WEBSOCKETS: &str = r#"
import asyncio, sys, websockets
async def main():
    url, key = sys.argv[1:3]
    async with websockets.connect(url, additional_headers={"Authorization": key}, proxy=None) as ws:
        for m in ["text", b"\x00\xff", "ü" * 40000]:
            await ws.send(m)
            assert await ws.recv() == m
asyncio.run(main())
print("ok")
"#;

#[tokio::test]
async fn python_websockets_talks_through_the_gateway() -> Result<()> {
    let gateway = Gateway::shared().await?;
    let server = crate::streams::EchoServer::start().await?;
    let proxy = gateway.proxy_to(&server.url).await?;
    let url = format!("ws://{}{}", gateway.address, proxy.path("/ws"));
    let output = python(WEBSOCKETS, &[&url, &proxy.authorization]).await?;
    assert_eq!(output.success()?.trim(), "ok");
    Ok(())
}
