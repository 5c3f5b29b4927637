//! A target that repeats what it was sent. The caller never sees the target's secret.

use anyhow::{Context, Result, ensure};
use requestrocket_integration_tests::caller::{Reply, Request};
use requestrocket_integration_tests::codings::gzip;
use requestrocket_integration_tests::gateway::{Gateway, Proxy, ProxyPlan, Secret};
use requestrocket_integration_tests::target::answer::{chunked, coded, typed};
use requestrocket_integration_tests::target::{
    Gate, Recorded, Script, Step, Target, chunk, chunk_bytes, head, respond, send,
};
use requestrocket_integration_tests::wire::{Framing, Part};
use serde_json::json;

use crate::expect;

const TOKEN: &str = "tk-7Q/echo+0001==";
const STARS: &str = "*****************";
const ESCAPED: &str = "tk-7Q%2Fecho%2b0001%3D%3D";
const WARNING: &str = "requestrocket-proxy-warning";

fn bearer() -> Secret {
    Secret::new("bearer", json!({ "token": TOKEN }))
}

/// A proxy whose target answers so, and gets the token.
async fn echoing(answer: impl Fn(&Recorded) -> Script + Send + Sync + 'static) -> Result<Scene> {
    let gateway = Gateway::shared().await?;
    let target = Target::answering(answer).await?;
    let plan = ProxyPlan::to(&target.url()).injecting(bearer());
    let proxy = gateway.proxy(&plan).await?;
    Ok(Scene {
        gateway,
        proxy,
        _target: target,
    })
}

struct Scene {
    gateway: Gateway,
    proxy: Proxy,
    _target: Target,
}

impl Scene {
    async fn get(&self, rest: &str) -> Result<Reply> {
        let reply = self.gateway.call(&self.proxy.get(rest)).await?;
        expect::ok(&reply)?;
        let seen = [
            reply.text(),
            format!("{:?} {:?}", reply.head, reply.trailers),
        ]
        .concat();
        ensure!(!seen.contains(TOKEN), "{seen}");
        Ok(reply)
    }
}

/// What the target got under that name.
fn got(request: &Recorded, name: &str) -> String {
    request.head.all(name).join(",")
}

#[tokio::test]
async fn all_headers_in_a_json_body_and_in_headers() -> Result<()> {
    let scene = echoing(|request| {
        let authorization = got(request, "authorization");
        let body = json!({ "headers": { "Authorization": authorization } }).to_string();
        let challenge = format!("Bearer error_description=\"no {authorization}\"");
        respond(
            "200 OK",
            &[
                ("content-type", "application/json"),
                ("set-cookie", "plain=1"),
                ("set-cookie", &format!("session={ESCAPED}; Path=/")),
                ("www-authenticate", &challenge),
                ("etag", "\"unchanged\""),
            ],
            body.as_bytes(),
        )
    })
    .await?;
    let reply = scene.get("/headers").await?;
    let want = json!({ "headers": { "Authorization": format!("Bearer {STARS}") } });
    assert_eq!(reply.json()?, want);
    let cookie = format!("session={}; Path=/", "*".repeat(ESCAPED.len()));
    assert_eq!(reply.head.all("set-cookie"), ["plain=1", &cookie]);
    let challenge = format!("Bearer error_description=\"no Bearer {STARS}\"");
    assert_eq!(reply.head.all("www-authenticate"), [challenge]);
    assert_eq!(reply.header("etag")?, "\"unchanged\"");
    assert_eq!(reply.header(WARNING)?, "secret-echo");
    Ok(())
}

#[tokio::test]
async fn a_body_alone_is_announced_in_the_head() -> Result<()> {
    let scene = echoing(|request| typed("text/plain", got(request, "authorization"))).await?;
    let reply = scene.get("/").await?;
    assert_eq!(reply.text(), format!("Bearer {STARS}"));
    assert_eq!(reply.header(WARNING)?, "secret-echo");
    let scene = echoing(|_| typed("text/plain", "nothing of it")).await?;
    let reply = scene.get("/").await?;
    assert_eq!(reply.text(), "nothing of it");
    ensure!(reply.head.all(WARNING).is_empty(), "{:?}", reply.head);
    Ok(())
}

#[tokio::test]
async fn the_border_between_two_chunks_may_be_anywhere() -> Result<()> {
    let text = format!("a={TOKEN}&b={ESCAPED}.");
    let wanted = format!("a={STARS}&b={}.", "*".repeat(ESCAPED.len()));
    let played = text.clone();
    let gate = Gate::default();
    let scene = echoing(move |request| {
        let word = request.path().trim_start_matches('/').to_owned();
        let pieces: Vec<&[u8]> = match word.parse::<usize>() {
            Ok(border) => vec![&played.as_bytes()[..border], &played.as_bytes()[border..]],
            Err(_) => played.as_bytes().chunks(1).collect(),
        };
        let headers = [
            ("content-type", "text/plain"),
            ("transfer-encoding", "chunked"),
        ];
        let mut steps = vec![head("200 OK", &headers)];
        for piece in pieces.into_iter().filter(|piece| !piece.is_empty()) {
            steps.push(send(chunk_bytes(piece)));
            // Else Envoy may read two at once.
            steps.push(Step::Wait(gate.clone()));
            gate.open();
        }
        steps.push(send("0\r\n\r\n"));
        Script::AfterRequest(steps)
    })
    .await?;
    for border in 0..=text.len() {
        let reply = scene.get(&format!("/{border}")).await?;
        assert_eq!(reply.text(), wanted, "{border}");
    }
    assert_eq!(scene.get("/each").await?.text(), wanted);
    Ok(())
}

/// A part that ends where the secret may have begun waits for the next; others do not.
#[tokio::test]
async fn streams_are_masked_as_they_come() -> Result<()> {
    let gate = Gate::default();
    let held = gate.clone();
    let scene = echoing(move |_| {
        let mut steps = vec![head(
            "200 OK",
            &[
                ("content-type", "text/event-stream"),
                ("transfer-encoding", "chunked"),
            ],
        )];
        for part in ["data: 1\n\n", &format!("data: {TOKEN}\n\n"), "data: tk-7"] {
            steps.push(chunk(part));
            steps.push(Step::Wait(held.clone()));
        }
        steps.push(chunk("8\n\n"));
        steps.push(send("0\r\n\r\n"));
        Script::AfterRequest(steps)
    })
    .await?;
    let mut connection = scene.gateway.connect().await?;
    let request = scene.proxy.get("/events");
    connection.send(&request.bytes()).await?;
    let reply = connection.answer_head().await?.context("closed")?;
    expect::granted(&reply)?;
    let mut framing = Framing::Chunked;
    for want in ["data: 1\n\n", &format!("data: {STARS}\n\n")] {
        let Part::Data(event) = connection.part(&mut framing).await? else {
            anyhow::bail!("the stream ended")
        };
        assert_eq!(event, want);
        gate.open();
    }
    gate.open();
    let mut rest = Vec::new();
    while let Part::Data(part) = connection.part(&mut framing).await? {
        rest.extend_from_slice(&part);
    }
    assert_eq!(rest, b"data: tk-78\n\n");
    Ok(())
}

#[tokio::test]
async fn trailers_and_what_is_held_before_them() -> Result<()> {
    let scene = echoing(|request| {
        let end = if request.path() == "/all" {
            TOKEN
        } else {
            "tk-7Q/ec"
        };
        let trailers = format!("0\r\nx-sum: {ESCAPED}\r\nx-other: 1\r\n\r\n");
        Script::AfterRequest(vec![
            head(
                "200 OK",
                &[
                    ("transfer-encoding", "chunked"),
                    ("trailer", "x-sum, x-other"),
                ],
            ),
            chunk("it was "),
            chunk(end),
            send(trailers),
        ])
    })
    .await?;
    for (path, want) in [("/all", STARS), ("/part", "tk-7Q/ec")] {
        let reply = scene.get(path).await?;
        assert_eq!(reply.text(), format!("it was {want}"));
        assert_eq!(reply.trailers.all("x-sum"), ["*".repeat(ESCAPED.len())]);
        assert_eq!(reply.trailers.all("x-other"), ["1"]);
    }
    Ok(())
}

#[tokio::test]
async fn what_a_filter_makes_of_a_body() -> Result<()> {
    let document = json!({ "a": TOKEN, "s": 1, "b": [ESCAPED] }).to_string();
    let pieces: Vec<Vec<u8>> = document.as_bytes().chunks(7).map(<[u8]>::to_vec).collect();
    let zipped = gzip(document.as_bytes())?;
    let scene = echoing(move |request| match request.path() {
        "/gzip" => coded("gzip", &zipped),
        _ => chunked("application/json", &pieces),
    })
    .await?;
    let paths = ["$.s", "$.a[-1]"];
    for path in paths {
        scene.gateway.destroy(&scene.proxy, &[path]).await?;
        for rest in ["/gzip", "/plain"] {
            let reply = scene.get(rest).await?;
            let want = json!({ "a": STARS, "b": ["*".repeat(ESCAPED.len())] });
            assert_eq!(reply.json()?, want, "{rest} {path}");
            // A streamed filter lets the head go with the first piece, whatever comes later.
            if (rest, path) != ("/plain", "$.s") {
                assert_eq!(reply.header(WARNING)?, "secret-echo");
            }
        }
    }
    Ok(())
}

/// A meter reads what the target says; the caller gets what is left of it.
#[tokio::test]
async fn a_body_that_a_meter_reads() -> Result<()> {
    let document = json!({ "n": 3, "t": TOKEN }).to_string();
    let pieces: Vec<Vec<u8>> = document.as_bytes().chunks(5).map(<[u8]>::to_vec).collect();
    let scene = echoing(move |_| chunked("application/json", &pieces)).await?;
    let meter = json!({
        "meterName": "values",
        "meterType": "response_value",
        "extraction": { "location": "body", "path": "$.n" },
        "limits": {},
    });
    scene.gateway.meter(&scene.proxy, &meter).await?;
    let reply = scene.get("/").await?;
    assert_eq!(reply.json()?, json!({ "n": 3, "t": STARS }));
    Ok(())
}

#[tokio::test]
async fn what_is_not_the_secret_passes_unchanged() -> Result<()> {
    let body: Vec<u8> = (0..=255_u8).cycle().take(3 << 20).collect();
    let sent = body.clone();
    let scene = echoing(move |_| typed("application/octet-stream", &sent)).await?;
    let reply = scene.get("/").await?;
    ensure!(reply.body == body, "{} bytes", reply.body.len());
    ensure!(reply.head.all(WARNING).is_empty(), "{:?}", reply.head);
    Ok(())
}

/// Basic: neither what is encoded nor the password alone.
#[tokio::test]
async fn user_and_password() -> Result<()> {
    let gateway = Gateway::shared().await?;
    let target = Target::answering(|request| {
        let said = got(request, "authorization");
        typed(
            "text/plain",
            format!("{said} somebody:pass-word-1 pass-word-1"),
        )
    })
    .await?;
    let secret = json!({ "username": "somebody", "password": "pass-word-1" });
    let plan = ProxyPlan::to(&target.url()).injecting(Secret::new("basicAuth", secret));
    let proxy = gateway.proxy(&plan).await?;
    let request: Request = proxy.get("/");
    let reply = gateway.call(&request).await?;
    expect::ok(&reply)?;
    let want = [28, 20, 11].map(|length| "*".repeat(length)).join(" ");
    assert_eq!(reply.text(), format!("Basic {want}"));
    Ok(())
}

/// A prefix without a blank is no scheme: the key behind it is looked for by itself, too.
#[tokio::test]
async fn a_key_is_masked_without_its_prefix() -> Result<()> {
    let gateway = Gateway::shared().await?;
    let target = Target::answering(|request| {
        let got = got(request, "x-key");
        typed("text/plain", got.trim_start_matches("key="))
    })
    .await?;
    let secret = json!({"key": TOKEN, "name": "X-Key", "prefix": "key="});
    let plan = ProxyPlan::to(&target.url()).injecting(Secret::new("apiKey", secret));
    let proxy = gateway.proxy(&plan).await?;
    let reply = gateway.call(&proxy.get("/")).await?;
    expect::ok(&reply)?;
    assert_eq!(reply.text(), STARS);
    Ok(())
}
