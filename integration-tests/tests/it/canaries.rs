//! No byte of the caller's credential in anything the target receives.

use anyhow::{Context, Result, ensure};
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use requestrocket_integration_tests::caller::Request;
use requestrocket_integration_tests::canary::Canary;
use requestrocket_integration_tests::gateway::{Gateway, Proxy, ProxyPlan, Secret, escape};
use requestrocket_integration_tests::http2;
use requestrocket_integration_tests::target::Target;
use serde_json::json;

/// Nothing of it is changed by percent-encoding, so every placement is spelled by the test.
const SECRET: &str = "CanaryOfTheCaller0123456789abcdefXYZ";

/// Names of the carrier parameter, in the spellings that must be known.
const NAMES: [&str; 9] = [
    "Authorization",
    "authorization",
    "AUTHORIZATION",
    "aUtHoRiZaTiOn",
    "%41uthorization",
    "%61uthorization",
    "Authorizatio%6E",
    "Authorizatio%6e",
    "%41%55%54%48%4F%52%49%5A%41%54%49%4F%4E",
];

fn fully_escaped() -> String {
    SECRET
        .bytes()
        .map(|byte| format!("%{byte:02X}"))
        .collect::<Vec<_>>()
        .concat()
}

/// What stands behind `?` when the credential is carried by a parameter.
fn queries() -> Vec<String> {
    let mut all = Vec::new();
    for name in NAMES {
        all.push(format!("{name}={SECRET}"));
        all.push(format!("a=1&{name}={SECRET}"));
        all.push(format!("{name}={SECRET}&a=1"));
        all.push(format!("a=1&{name}={SECRET}&b=2"));
        all.push(format!("{name}={}", fully_escaped()));
    }
    all.push(format!("&&Authorization={SECRET}&&"));
    all.push(format!("=&Authorization={SECRET}&="));
    all.push(format!("Authorization={SECRET}&Authorization="));
    all.push(format!("Authorization=&authorization={SECRET}"));
    all.push(format!("Authorization={SECRET}&Authorization={SECRET}"));
    all.push(format!(
        "Authorization={SECRET}&%41uthorization={SECRET}&AUTHORIZATION={SECRET}"
    ));
    all.push(format!("a=1;b=2&Authorization={SECRET}"));
    all.push(format!("%ff%zz&Authorization={SECRET}"));
    all
}

/// Ways to carry the credential by header lines, each a list of lines.
fn lines() -> Vec<Vec<(&'static str, String)>> {
    let secret = || SECRET.to_owned();
    vec![
        vec![("authorization", secret())],
        vec![("Authorization", secret())],
        vec![("AUTHORIZATION", secret())],
        vec![("authorization", format!("  {SECRET}  "))],
        vec![("authorization", secret()), ("authorization", secret())],
        vec![
            ("authorization", secret()),
            ("proxy-authorization", secret()),
        ],
        vec![
            ("authorization", secret()),
            (
                "proxy-authorization",
                format!("Basic {}", STANDARD.encode(SECRET)),
            ),
        ],
        vec![
            ("authorization", secret()),
            ("Proxy-Authorization", secret()),
            ("proxy-authorization", secret()),
        ],
        vec![
            ("authorization", secret()),
            ("connection", "authorization".to_owned()),
        ],
        vec![
            ("authorization", secret()),
            ("x-envoy-original-path", format!("/?Authorization={SECRET}")),
        ],
        vec![
            ("authorization", secret()),
            ("requestrocket-proxy-credential", secret()),
        ],
        vec![
            ("authorization", secret()),
            ("requestrocket_authorization", secret()),
        ],
        vec![("authorization", secret()), ("x-rr-scope", secret())],
        vec![("authorization", secret()), ("x-rr-credential", secret())],
    ]
}

struct Scene {
    gateway: Gateway,
    target: Target,
    proxy: Proxy,
    canary: Canary,
}

async fn scene(caller: Secret) -> Result<Scene> {
    let gateway = Gateway::shared().await?;
    let target = Target::start().await?;
    let plan = ProxyPlan::to(&target.url())
        .caller(caller)
        .injecting(Secret::api_key("target-side-key"));
    let proxy = gateway.proxy(&plan).await?;
    Ok(Scene {
        gateway,
        target,
        proxy,
        canary: Canary::new(SECRET),
    })
}

impl Scene {
    /// Nothing received so far holds the credential, and the answer does not quote it.
    async fn check(&self, request: &Request) -> Result<u16> {
        let reply = self.gateway.raw(&request.method, &request.bytes()).await?;
        for seen in self.target.requests() {
            self.canary
                .absent_from("what the target received", &seen.bytes)?;
        }
        let Some(reply) = reply else { return Ok(0) };
        self.canary
            .absent_from("the answer", format!("{reply:?}").as_bytes())?;
        self.canary.absent_from("the answer's body", &reply.body)?;
        Ok(reply.status)
    }
}

#[tokio::test]
async fn a_credential_in_the_query_never_reaches_the_target() -> Result<()> {
    let scene = scene(Secret::api_key(SECRET)).await?;
    let mut granted = 0;
    for (number, query) in queries().into_iter().enumerate() {
        let request = Request::get(&scene.proxy.path(&format!("/p?{query}")));
        let status = scene
            .check(&request)
            .await
            .with_context(|| format!("query {number}"))?;
        ensure!(
            matches!(status, 200 | 400 | 401 | 403),
            "query {number} was answered {status}"
        );
        granted += u32::from(status == 200);
    }
    ensure!(
        granted >= 45,
        "only {granted} placements were let in, so the search proves little"
    );
    ensure!(scene.target.count() >= 45, "the target was hardly asked");
    Ok(())
}

#[tokio::test]
async fn a_credential_in_headers_never_reaches_the_target() -> Result<()> {
    let scene = scene(Secret::api_key(SECRET)).await?;
    for (number, lines) in lines().into_iter().enumerate() {
        for method in ["GET", "POST", "OPTIONS"] {
            let request = Request::new(method, &scene.proxy.path("/h?a=1"));
            let request = lines
                .iter()
                .fold(request, |request, (name, value)| request.with(name, value));
            let request = if method == "POST" {
                request.body("{}")
            } else {
                request
            };
            let status = scene
                .check(&request)
                .await
                .with_context(|| format!("lines {number} {method}"))?;
            ensure!(
                matches!(status, 0 | 200 | 400 | 401 | 403),
                "lines {number} were answered {status}"
            );
        }
    }
    ensure!(scene.target.count() >= 30, "the target was hardly asked");
    Ok(())
}

#[tokio::test]
async fn header_and_query_together_leave_no_copy() -> Result<()> {
    let scene = scene(Secret::api_key(SECRET)).await?;
    for name in NAMES {
        let path = scene
            .proxy
            .path(&format!("/p?x=1&{name}={SECRET}&{name}={SECRET}"));
        let request = Request::get(&path).with("authorization", SECRET);
        let status = scene
            .check(&request)
            .await
            .with_context(|| name.to_owned())?;
        ensure!(status == 200, "{name}: {status}");
        ensure!(
            scene.target.last()?.path() == "/p?x=1",
            "{}",
            scene.target.last()?.path()
        );
    }
    Ok(())
}

#[tokio::test]
async fn every_credential_type_stays_behind() -> Result<()> {
    for (kind, secret, shown) in [
        (
            "bearer",
            json!({ "token": SECRET }),
            format!("Bearer {SECRET}"),
        ),
        (
            "basicAuth",
            json!({ "username": "user", "password": SECRET }),
            format!("Basic {}", STANDARD.encode(format!("user:{SECRET}"))),
        ),
        (
            "jwt",
            json!({ "token": format!("e30.{}.{SECRET}", URL_SAFE_NO_PAD.encode("{}")) }),
            format!("e30.{}.{SECRET}", URL_SAFE_NO_PAD.encode("{}")),
        ),
    ] {
        let scene = scene(Secret::new(kind, secret)).await?;
        let by_header = Request::get(&scene.proxy.path("/")).with("authorization", &shown);
        let by_query = Request::get(
            &scene
                .proxy
                .path(&format!("/?Authorization={}", escape(&shown))),
        );
        for request in [by_header, by_query] {
            let status = scene
                .check(&request)
                .await
                .with_context(|| kind.to_owned())?;
            ensure!(status == 200, "{kind}: {status}");
        }
    }
    Ok(())
}

#[tokio::test]
async fn trailers_and_http2_duplicates_carry_nothing_on() -> Result<()> {
    let scene = scene(Secret::api_key(SECRET)).await?;
    let head = format!(
        "POST {} HTTP/1.1\r\nhost: g\r\nauthorization: {SECRET}\r\ntransfer-encoding: chunked\r\ntrailer: authorization\r\n\r\n",
        scene.proxy.path("/t"),
    );
    let trailers = format!(
        "authorization: {SECRET}\r\nproxy-authorization: {SECRET}\r\nrequestrocket-x: {SECRET}\r\nx-rr-scope: {SECRET}\r\n"
    );
    let reply = scene
        .gateway
        .raw(
            "POST",
            format!("{head}2\r\nhi\r\n0\r\n{trailers}\r\n").as_bytes(),
        )
        .await?;
    ensure!(
        reply.is_some_and(|reply| matches!(reply.status, 200 | 400)),
        "trailers were not answered"
    );
    for values in [vec![SECRET], vec![SECRET, SECRET]] {
        let url = format!("http://{}{}", scene.gateway.address, scene.proxy.path("/2"));
        let request = http::Request::get(url).header("proxy-authorization", SECRET);
        let request = values.iter().fold(request, |request, value| {
            request.header("authorization", *value)
        });
        let reply = http2::call(
            &scene.gateway.address,
            request.body(())?,
            bytes::Bytes::new(),
        )
        .await?;
        let wanted = if values.len() == 1 { 200 } else { 403 };
        ensure!(
            reply.status == wanted,
            "{} lines were answered {}",
            values.len(),
            reply.status
        );
    }
    for seen in scene.target.requests() {
        scene
            .canary
            .absent_from("what the target received", &seen.bytes)?;
    }
    ensure!(scene.target.count() >= 1, "the target was not asked");
    Ok(())
}
