//! Callers that send what no honest client does, to a proxy of somebody else and to one of theirs.

use std::time::Duration;

use anyhow::{Context, Result, ensure};
use requestrocket_integration_tests::caller::{Connection, Request};
use requestrocket_integration_tests::gateway::{Gateway, Proxy, unique};
use requestrocket_integration_tests::target::Target;
use requestrocket_integration_tests::target::answer::json as of_json;
use tokio::time::interval;

use crate::attack::at_once;
use crate::heavy;
use crate::scene::{Scene, sized};
use crate::witness::{STRANGER, Witness, is_free_of_secrets};

/// Names that mean something between the gateway's own parts, and those of a caller's identity.
const INNER: [&str; 8] = [
    "x-rr-route",
    "x-rr-again",
    "x-rr-scope",
    "x-rr-request-id",
    "x_rr_route",
    "X-Envoy-Original-Path",
    "x-envoy-retry-on",
    "authorization",
];

/// Requests of which each tries to be taken for another; all say who sends them.
fn forged(proxy: &Proxy, authorization: &str, who: &str) -> Vec<Vec<u8>> {
    let get = |rest: &str| {
        let call = Request::get(&proxy.path(&format!("/{who}{rest}")));
        call.with("authorization", authorization)
    };
    let mut requests = Vec::new();
    for name in INNER {
        for value in [proxy.id.as_str(), "1", "", "true"] {
            requests.push(get("").with(name, value));
            requests.push(get("").with(name, value).with("connection", name));
            requests.push(get("").with("connection", format!("close, {name}")));
            let trailers = format!("0\r\n{name}: {value}\r\n\r\n");
            let mut post = get("").with("transfer-encoding", "chunked");
            post.method = "POST".into();
            post.body = trailers.into();
            requests.push(post);
        }
    }
    for path in [
        "/../..",
        "/%2e%2e/x",
        "/..;/x",
        "%2f..%2f..",
        "//",
        "/\\..\\x",
        "/%00",
        "?/api/",
        "#x",
        ";a=b",
        "/%252e%252e/",
    ] {
        requests.push(get(path));
    }
    for (name, value) in [
        ("upgrade", "h2c"),
        ("upgrade", "websocket"),
        ("transfer-encoding", "chunked, identity"),
        ("content-length", "3"),
        ("content-length", "-1"),
        ("expect", "100-continue"),
        ("host", "127.0.0.1:1"),
        ("x-http-method-override", "DELETE"),
        ("x_http_method_override", "DELETE"),
        ("range", "bytes=0-0,1-1,2-2"),
    ] {
        requests.push(get("").with(name, value));
    }
    let mut all: Vec<_> = requests.iter().map(Request::bytes).collect();
    for method in ["CONNECT", "TRACE", "PRI", "get", "\u{0}"] {
        let mut request = get("");
        request.method = method.into();
        all.push(request.bytes());
    }
    all
}

/// Sends bytes and takes what comes; a request that waits for more is left alone.
async fn send(address: &str, bytes: &[u8]) -> Result<Option<u16>> {
    let mut connection = Connection::open(address).await?;
    connection.send(bytes).await?;
    // A second request behind it makes an end of a request that was not complete.
    let _ = connection.send(b"\r\n\r\nGET / HTTP/1.1\r\n\r\n").await;
    let Ok(Some(reply)) = connection.answer("GET").await else {
        return Ok(None);
    };
    ensure!(
        is_free_of_secrets(&reply.text()),
        "a secret is in an answer"
    );
    Ok(Some(reply.status))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_forged_request_is_taken_for_another() -> Result<()> {
    let scene = Scene::new().await?;
    let address = scene.gateway.address.as_str();
    let witness = Witness::new("a-forgers-target");
    let target = witness.target(|_| of_json("{}")).await?.keeping_newest();
    let plan = witness.plan(&target.url());
    let own = scene.gateway.proxy(&plan).await?;
    let others = [&scene.innocent.plain, &scene.innocent.inspected];
    let strange = async {
        for other in others {
            for key in ["", "wrong", own.authorization.as_str()] {
                for bytes in forged(other, key, STRANGER) {
                    let status = send(address, &bytes).await?;
                    let shown = bytes.escape_ascii();
                    ensure!(
                        status.is_none_or(|status| status >= 400),
                        "{status:?}: {shown}"
                    );
                }
            }
        }
        Ok(())
    };
    scene
        .beside("forged requests to another's proxy", strange)
        .await?;
    let at_home = async {
        for bytes in forged(&own, &own.authorization, "owner") {
            send(address, &bytes).await?;
        }
        Ok(())
    };
    scene
        .beside("forged requests to the own proxy", at_home)
        .await?;
    witness.check()
}

/// Strangers and callers of a proxy whose policy is as heavy as may be, while it changes.
async fn guesses(gateway: &Gateway, proxy: &Proxy, count: usize) -> Result<()> {
    let mut due = interval(Duration::from_secs(1) / 30);
    for _ in 0..count {
        due.tick().await;
        let guess = Request::get(&proxy.path("/")).with("authorization", unique("guess"));
        at_once(&gateway.address, &[403], vec![guess]).await?;
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn wrong_credentials_at_a_heavy_proxy_cost_no_other_call() -> Result<()> {
    let scene = Scene::new().await?;
    let target = Target::unrecorded().await?;
    let heavy = heavy::proxy(&scene.gateway, &target.url()).await?;
    let count = sized(45, 900);
    let steady = guesses(&scene.gateway, &heavy, count);
    scene
        .beside("30 wrong keys a second, a heavy policy", steady)
        .await?;
    let changing = async {
        let changes = heavy::changes(&scene.gateway, &heavy, sized(20, 300));
        tokio::try_join!(guesses(&scene.gateway, &heavy, count), changes)
            .context("guesses and changes")?;
        Ok(())
    };
    scene
        .beside("the same while the policy changes", changing)
        .await
}
