//! Calls from pages of other origins: a real Chromium through a real Envoy to a real target.

use anyhow::{Context, Result, ensure};
use requestrocket_integration_tests::browser::{PageCall, Seen, browse};
use requestrocket_integration_tests::caller::{Reply, Request};
use requestrocket_integration_tests::gateway::{Gateway, Proxy, ProxyPlan};
use requestrocket_integration_tests::target::{Script, Target, head, send};
use serde_json::{Value, json};

const CODE: &str = "requestrocket-proxy-code";
const READ: &[&str] = &[
    CODE,
    "requestrocket-request-id",
    "retry-after",
    "ratelimit",
    "x-total",
    "x-hidden",
];

/// A target that has an opinion of its own about other origins.
async fn opinionated() -> Result<Target> {
    Target::answering(|_| {
        Script::AfterRequest(vec![
            head(
                "200 OK",
                &[
                    ("content-length", "2"),
                    ("vary", "accept"),
                    ("access-control-allow-origin", "https://evil.example"),
                    ("access-control-allow-credentials", "true"),
                    ("access-control-expose-headers", "x-hidden"),
                    ("x-total", "7"),
                    ("x-hidden", "1"),
                ],
            ),
            send("ok"),
        ])
    })
    .await
}

/// Whose pages call.
struct Pages {
    server: Target,
}

impl Pages {
    async fn start() -> Result<Self> {
        let server = Target::answering(|_| {
            let about = [("content-type", "text/html"), ("content-length", "9")];
            Script::AfterRequest(vec![head("200 OK", &about), send("<p>a page")])
        })
        .await?;
        Ok(Self { server })
    }

    /// An origin of this server by another name.
    fn origin(&self, host: &str) -> String {
        format!("http://{host}:{}", self.server.address.port())
    }
}

fn call(gateway: &Gateway, proxy: &Proxy, page: &str, options: Value) -> PageCall {
    PageCall {
        page: page.to_owned(),
        url: format!("http://{}{}", gateway.address, proxy.path("/in?x=1")),
        options,
        read: READ,
    }
}

fn authorised(proxy: &Proxy) -> Value {
    json!({ "headers": { "authorization": proxy.authorization } })
}

fn check(seen: &Seen, status: u16, code: &str) -> Result<String> {
    let Seen::Answer {
        status: got,
        text,
        headers,
    } = seen
    else {
        anyhow::bail!("kept from the page: {seen:?}")
    };
    ensure!(*got == status, "{got} {text}");
    ensure!(headers[CODE].as_deref() == Some(code), "{headers:?}");
    ensure!(headers["requestrocket-request-id"].is_some(), "{headers:?}");
    Ok(text.clone())
}

#[tokio::test]
async fn pages_of_allowed_origins_read_answers_and_refusals_and_others_nothing() -> Result<()> {
    let gateway = Gateway::shared().await?;
    let (target, pages) = (opinionated().await?, Pages::start().await?);
    let (one, below) = (pages.origin("127.0.0.1"), pages.origin("*.example.test"));
    let cors = json!({ "allowedOrigins": [one, below], "exposedHeaders": ["X-Total"] });
    let plan = ProxyPlan::to(&target.url()).with("proxyCors", cors);
    let proxy = gateway.proxy(&plan).await?;
    let closed = gateway.proxy_to(&target.url()).await?;
    let posted = json!({
        "method": "POST", "body": "{}",
        "headers": { "authorization": proxy.authorization, "content-type": "application/json" },
    });
    let foreign_header = json!({
        "headers": { "authorization": proxy.authorization, "x-not-allowed": "1" },
    });
    let wrong = json!({ "headers": { "authorization": "a-wrong-key" } });
    let good = authorised(&proxy);
    let deep = pages.origin("a.b.example.test");
    let calls = [
        call(&gateway, &proxy, &one, good.clone()),
        call(&gateway, &proxy, &deep, posted),
        call(&gateway, &proxy, &one, wrong),
        call(&gateway, &proxy, &one, json!({})),
        call(&gateway, &proxy, &one, foreign_header),
        call(&gateway, &proxy, &pages.origin("localhost"), good.clone()),
        call(&gateway, &proxy, &pages.origin("localhost"), json!({})),
        call(&gateway, &closed, &one, good),
    ];
    let seen = browse(&calls).await?;
    assert_eq!(check(&seen[0], 200, "proxy-access-granted")?, "ok");
    assert_eq!(check(&seen[1], 200, "proxy-access-granted")?, "ok");
    let Seen::Answer { headers, .. } = &seen[0] else {
        anyhow::bail!("{seen:?}")
    };
    assert_eq!(headers["x-total"].as_deref(), Some("7"));
    assert_eq!(headers["x-hidden"], None);
    ensure!(check(&seen[2], 403, "proxy-access-denied")?.contains("CREDENTIAL_INVALID"));
    ensure!(check(&seen[3], 401, "proxy-access-denied")?.contains("CREDENTIAL_MISSING"));
    for kept in &seen[4..] {
        let want = Seen::Kept {
            kept: "TypeError".to_owned(),
        };
        assert_eq!(*kept, want);
    }
    let methods: Vec<_> = target
        .requests()
        .iter()
        .map(|it| it.method().to_owned())
        .collect();
    assert_eq!(methods, ["GET", "POST"]);
    Ok(())
}

#[tokio::test]
async fn limits_and_targets_that_fail_are_told_to_pages_too() -> Result<()> {
    let gateway = Gateway::shared().await?;
    let (target, pages) = (opinionated().await?, Pages::start().await?);
    let page = pages.origin("127.0.0.1");
    let cors = json!({ "allowedOrigins": [page], "allowedHeaders": ["*"] });
    let limited = ProxyPlan::to(&target.url())
        .with("proxyCors", cors.clone())
        .with("proxyMaxRequestsPerDay", 1);
    let limited = gateway.proxy(&limited).await?;
    let refusing = ProxyPlan::to("http://127.0.0.1:9").with("proxyCors", cors);
    let refusing = gateway.proxy(&refusing).await?;
    let calls = [
        call(&gateway, &limited, &page, authorised(&limited)),
        call(&gateway, &limited, &page, authorised(&limited)),
        call(&gateway, &refusing, &page, authorised(&refusing)),
    ];
    let seen = browse(&calls).await?;
    // Two questions were asked before: they count nowhere.
    check(&seen[0], 200, "proxy-access-granted")?;
    ensure!(check(&seen[1], 429, "rate-limit-exceeded")?.contains("RATE_LIMITED"));
    let Seen::Answer { headers, .. } = &seen[1] else {
        anyhow::bail!("{seen:?}")
    };
    ensure!(headers["retry-after"].is_some() && headers["ratelimit"].is_some());
    ensure!(check(&seen[2], 502, "proxy-access-granted")?.contains("TARGET_UNREACHABLE"));
    Ok(())
}

#[tokio::test]
async fn pages_may_bring_credentials_where_that_is_allowed() -> Result<()> {
    let gateway = Gateway::shared().await?;
    let (target, pages) = (opinionated().await?, Pages::start().await?);
    let page = pages.origin("127.0.0.1");
    let with = json!({ "allowedOrigins": [page], "allowCredentials": true });
    let with = gateway
        .proxy(&ProxyPlan::to(&target.url()).with("proxyCors", with))
        .await?;
    let any = json!({ "allowedOrigins": ["*"] });
    let any = gateway
        .proxy(&ProxyPlan::to(&target.url()).with("proxyCors", any))
        .await?;
    let including = |proxy: &Proxy| {
        let headers = json!({ "authorization": proxy.authorization });
        json!({ "credentials": "include", "headers": headers })
    };
    let calls = [
        call(&gateway, &with, &page, including(&with)),
        call(&gateway, &any, &page, including(&any)),
        call(&gateway, &any, &page, authorised(&any)),
    ];
    let seen = browse(&calls).await?;
    check(&seen[0], 200, "proxy-access-granted")?;
    ensure!(matches!(seen[1], Seen::Kept { .. }), "{:?}", seen[1]);
    check(&seen[2], 200, "proxy-access-granted")?;
    Ok(())
}

const ORIGIN: &str = "https://app.example.com";

async fn asked(gateway: &Gateway, path: &str, origin: &str) -> Result<Reply> {
    let request = Request::new("OPTIONS", path)
        .with("origin", origin)
        .with("access-control-request-method", "DELETE")
        .with("access-control-request-headers", "authorization, x-a");
    gateway.call(&request).await
}

fn names(reply: &Reply) -> Vec<String> {
    let lines = reply.head.lines.iter();
    let names = lines.map(|(name, _)| name.to_ascii_lowercase());
    names
        .filter(|name| name.starts_with("access-control-"))
        .collect()
}

#[tokio::test]
async fn questions_of_browsers_are_answered_by_the_gateway() -> Result<()> {
    let gateway = Gateway::shared().await?;
    let target = opinionated().await?;
    let cors = json!({
        "allowedOrigins": [ORIGIN, "https://*.example.org"], "allowedHeaders": ["*"], "maxAgeSeconds": 5,
    });
    let plan = ProxyPlan::to(&target.url()).with("proxyCors", cors);
    let proxy = gateway.proxy(&plan).await?;
    for origin in [ORIGIN, "https://a.example.org", "https://a.b.example.org"] {
        let reply = asked(&gateway, &proxy.path("/a"), origin).await?;
        assert_eq!((reply.status, reply.text().as_str()), (204, ""), "{origin}");
        for (name, value) in [
            ("access-control-allow-origin", origin),
            ("access-control-allow-headers", "authorization, x-a"),
            ("access-control-max-age", "5"),
            (CODE, "proxy-access-granted"),
        ] {
            assert_eq!(reply.header(name)?, value, "{name}");
        }
        ensure!(
            reply
                .header("access-control-allow-methods")?
                .contains("DELETE")
        );
        ensure!(reply.header("vary")?.contains("Origin"));
        ensure!(!names(&reply).contains(&"access-control-allow-credentials".to_owned()));
    }
    for origin in [
        "https://evil.example.com",
        "https://app.example.com.evil.com",
        "https://appxexample.com",
        "https://example.org",
        "https://evil.com/.example.org",
        "http://app.example.com",
        "https://app.example.com:8443",
        "null",
    ] {
        let reply = asked(&gateway, &proxy.path("/a"), origin).await?;
        assert_eq!(
            (reply.status, reply.code().as_str()),
            (403, "ORIGIN_NOT_ALLOWED"),
            "{origin}"
        );
        ensure!(names(&reply).is_empty(), "{:?}", names(&reply));
        assert_eq!(
            reply.json()?["requestId"],
            reply.header("requestrocket-request-id")?
        );
    }
    ensure!(target.requests().is_empty(), "a question was forwarded");
    Ok(())
}

#[tokio::test]
async fn what_is_no_question_of_a_browser_is_a_call() -> Result<()> {
    let gateway = Gateway::shared().await?;
    let target = opinionated().await?;
    let cors = json!({ "allowedOrigins": [ORIGIN] });
    let plan = ProxyPlan::to(&target.url()).with("proxyCors", cors);
    let proxy = gateway.proxy(&plan).await?;
    let call = Request::new("OPTIONS", &proxy.path("/a")).with("origin", ORIGIN);
    let refused = gateway.call(&call).await?;
    assert_eq!(
        (refused.status, refused.code().as_str()),
        (401, "CREDENTIAL_MISSING")
    );
    assert_eq!(refused.header("access-control-allow-origin")?, ORIGIN);
    let passed = gateway
        .call(&proxy.request("OPTIONS", "/a").with("origin", ORIGIN))
        .await?;
    assert_eq!(passed.status, 200);
    assert_eq!(target.last()?.method(), "OPTIONS");
    Ok(())
}

#[tokio::test]
async fn answers_say_who_may_read_them_and_the_targets_word_does_not_count() -> Result<()> {
    let gateway = Gateway::shared().await?;
    let target = opinionated().await?;
    let cors = json!({ "allowedOrigins": [ORIGIN] });
    let plan = ProxyPlan::to(&target.url()).with("proxyCors", cors);
    let proxy = gateway.proxy(&plan).await?;
    let closed = gateway.proxy_to(&target.url()).await?;
    for (origin, allowed) in [
        (Some(ORIGIN), true),
        (Some("https://evil.example"), false),
        (None, false),
    ] {
        let mut request = proxy.get("/a");
        if let Some(origin) = origin {
            request = request.with("origin", origin);
        }
        let reply = gateway.call(&request).await?;
        assert_eq!(reply.status, 200);
        let vary = reply.header("vary")?.to_ascii_lowercase();
        assert_eq!(vary, "accept,origin", "{origin:?}");
        let want: &[&str] = if allowed {
            &[
                "access-control-allow-origin",
                "access-control-expose-headers",
            ]
        } else {
            &[]
        };
        let mut got = names(&reply);
        got.sort_unstable();
        assert_eq!(got, want, "{origin:?}");
    }
    let reply = gateway
        .call(&closed.get("/a").with("origin", ORIGIN))
        .await?;
    assert_eq!(
        reply.header("access-control-allow-origin")?,
        "https://evil.example"
    );
    // Without `proxyCors` a question is a call without a credential; so it is for no proxy at all.
    let unknown = "/api/7f8a4f0e-0000-4000-8000-000000000000/a".to_owned();
    for path in [closed.path("/a"), unknown] {
        let reply = asked(&gateway, &path, ORIGIN).await?;
        assert_eq!(
            (reply.status, reply.code().as_str()),
            (401, "CREDENTIAL_MISSING"),
            "{path}"
        );
    }
    Ok(())
}

/// Envoy takes an empty header for none: then it is a call like any other.
#[tokio::test]
async fn a_question_that_names_no_method_is_a_call() -> Result<()> {
    let gateway = Gateway::shared().await?;
    let target = opinionated().await?;
    let cors = json!({"allowedOrigins": [ORIGIN]});
    let plan = ProxyPlan::to(&target.url()).with("proxyCors", cors);
    let proxy = gateway.proxy(&plan).await?;
    let call = Request::new("OPTIONS", &proxy.path("/a"))
        .with("origin", ORIGIN)
        .with("access-control-request-method", "");
    let refused = gateway.call(&call).await?;
    assert_eq!(refused.status, 401);
    let allowed = "access-control-allow-origin";
    assert_eq!(refused.head.all(allowed), [ORIGIN]);
    let answer = gateway
        .call(&call.with("authorization", &proxy.authorization))
        .await?;
    assert_eq!(answer.status, 200);
    assert_eq!(answer.head.all(allowed), [ORIGIN]);
    Ok(())
}

/// Whatever the Core API takes an Envoy takes: what one refuses would keep what was before.
#[tokio::test]
async fn the_longest_lists_reach_envoy() -> Result<()> {
    let gateway = Gateway::shared().await?;
    let target = opinionated().await?;
    let names = |prefix: &str| -> Vec<String> {
        (10..110)
            .map(|n| format!("{prefix}{n:->width$}", width = 64 - prefix.len()))
            .collect()
    };
    let label = "a".repeat(60);
    let origins: Vec<String> = (10..110)
        .map(|n| format!("https://*.{label}.{label}.{label}.{n}x.example.com"))
        .collect();
    let cors = json!({
        "allowedOrigins": origins, "allowedHeaders": names("%%%%%%%%%%%%%%%%%%%%"),
        "exposedHeaders": names("x"),
    });
    let plan = ProxyPlan::to(&target.url()).with("proxyCors", cors);
    // Waits until it is applied, and fails when it is rejected.
    let proxy = gateway.proxy(&plan).await?;
    let origin = origins.last().context("none")?.replace('*', "b.c");
    let reply = asked(&gateway, &proxy.path("/a"), &origin).await?;
    assert_eq!(reply.status, 204);
    assert_eq!(reply.head.all("access-control-allow-origin"), [origin]);
    Ok(())
}
