//! Calls in odd shapes get past no rule.

use anyhow::{Context, Result, ensure};
use requestrocket_integration_tests::attached::Layer;
use requestrocket_integration_tests::caller::Request;
use serde_json::json;

use super::Scene;

const OVERRIDES: [&str; 3] = [
    "x-http-method-override",
    "x-http-method",
    "x-method-override",
];

/// A target that obeys them would do what no rule has seen.
#[tokio::test]
async fn override_headers_are_dropped_when_a_rule_has_methods() -> Result<()> {
    let scene = Scene::start().await?;
    let call = OVERRIDES
        .iter()
        .fold(scene.proxy.request("POST", "/x"), |call, name| {
            call.with(name, "DELETE").with(&name.to_uppercase(), "PUT")
        });
    scene.passes(&call).await?;
    for name in OVERRIDES {
        ensure!(
            !scene.target.last()?.head.all(name).is_empty(),
            "{name} went for no rule"
        );
    }
    for layer in Layer::ALL {
        let rule = json!({ "effect": "deny", "methods": ["DELETE"], "path": { "pattern": "^/x" } });
        let rule = scene.rule(layer, &rule).await?;
        scene.passes(&call).await?;
        for name in OVERRIDES {
            let seen = scene.target.last()?.head.all(name);
            ensure!(seen.is_empty(), "{name} passed a rule of {}", layer.word());
        }
        scene
            .denied(&scene.proxy.request("DELETE", "/x"), layer, &rule)
            .await?;
        let path = format!("{}/rules/{rule}", scene.proxy.record(layer));
        scene.gateway.detach(&path).await?;
    }
    scene.passes(&call).await?;
    ensure!(
        !scene.target.last()?.head.all(OVERRIDES[0]).is_empty(),
        "dropped for no rule"
    );
    Ok(())
}

#[tokio::test]
async fn no_spelling_of_a_method_gets_past_a_rule() -> Result<()> {
    let scene = Scene::start().await?;
    let rule = json!({ "effect": "deny", "methods": ["GET", "POST", "DELETE"] });
    scene.rule(Layer::Proxy, &rule).await?;
    let before = scene.target.count();
    for method in [
        "GET", "HEAD", "POST", "DELETE", "get", "Get", "gEt", "TRACE", "GET ", "PURGE",
    ] {
        let call = scene
            .proxy
            .request(method, "/?_method=PUT")
            .with("x-http-method-override", "PUT");
        let reply = scene.gateway.raw(method, &call.bytes()).await?;
        let status = reply.map_or(0, |reply| reply.status);
        ensure!(
            matches!(status, 0 | 400 | 403 | 405),
            "`{method}` was answered {status}"
        );
    }
    ensure!(scene.target.count() == before, "the target was asked");
    scene.passes(&scene.proxy.request("PUT", "/")).await?;
    Ok(())
}

#[tokio::test]
async fn no_shape_of_a_query_gets_past_a_deny_rule() -> Result<()> {
    let scene = Scene::start().await?;
    let thousand = (0..1_000)
        .map(|number| format!("p{number}=1&"))
        .collect::<Vec<_>>()
        .concat();
    let queries = [
        ("role=admin".to_owned(), true),
        ("role=user&role=admin".to_owned(), true),
        ("role=admin&role=user".to_owned(), true),
        ("&&role=admin&&".to_owned(), true),
        ("%72ole=admin".to_owned(), true),
        ("role=%61dmin".to_owned(), true),
        ("role=%61%64%6D%69%6e".to_owned(), true),
        (format!("{thousand}role=admin"), true),
        ("role=admin#x".to_owned(), true),
        // Other names and values for the targets that we know of.
        ("role=admin;x".to_owned(), false),
        ("x=1;role=admin".to_owned(), false),
        ("role=+admin".to_owned(), false),
        ("role=%2561dmin".to_owned(), false),
        ("role[]=admin".to_owned(), false),
        ("role".to_owned(), false),
    ];
    let call = |query: &str| scene.proxy.get(&format!("/?{query}"));
    let calls = queries
        .iter()
        .filter(|(query, _)| !query.contains('#'))
        .map(|(query, is_match)| (call(query), *is_match))
        .collect();
    let conditions = json!({
        "query": [{ "name": { "pattern": "^role$" }, "value": { "pattern": "^admin$" } }],
    });
    scene.stops(&conditions, &calls).await?;
    // What passed, passed byte for byte.
    for (query, _) in queries
        .iter()
        .filter(|(query, is_match)| !is_match && !query.is_empty())
    {
        scene.passes(&call(query)).await?;
        ensure!(
            scene.target.last()?.path() == format!("/?{query}"),
            "{query} was changed"
        );
    }
    Ok(())
}

/// A fragment is no part of a request; whatever the codec makes of one, the rule holds.
#[tokio::test]
async fn a_fragment_hides_nothing() -> Result<()> {
    let scene = Scene::start().await?;
    let rule = json!({
        "effect": "deny",
        "query": [{ "name": { "pattern": "^role$" }, "value": { "pattern": "^admin" } }],
    });
    scene.rule(Layer::Proxy, &rule).await?;
    let before = scene.target.count();
    for rest in ["/?role=admin#", "/?role=admin#x", "/?a=1&role=admin#&b"] {
        let reply = scene.gateway.call(&scene.proxy.get(rest)).await?;
        ensure!(
            matches!(reply.status, 400 | 403),
            "`{rest}` was answered {}",
            reply.status
        );
    }
    ensure!(scene.target.count() == before, "the target was asked");
    Ok(())
}

#[tokio::test]
async fn no_shape_of_a_header_gets_past_a_deny_rule() -> Result<()> {
    let scene = Scene::start().await?;
    let with = |lines: &[(&str, &str)]| -> Request {
        let call = scene.proxy.get("/");
        lines
            .iter()
            .fold(call, |call, (name, value)| call.with(name, value))
    };
    let many: Vec<(String, &str)> = (0..100).map(|n| (format!("x-fill-{n}"), "1")).collect();
    let mut many: Vec<(&str, &str)> = many.iter().map(|(n, v)| (n.as_str(), *v)).collect();
    many.push(("x-role", "admin"));
    let calls = vec![
        (with(&[("X-ROLE", "admin")]), true),
        (with(&[("x-role", "  admin\t")]), true),
        (with(&[("x-role", "user"), ("X-Role", "admin")]), true),
        (with(&[("x-role", "admin"), ("x-role", "")]), true),
        (with(&many), true),
        // Many targets read it under the same name.
        (with(&[("x_role", "admin")]), true),
        (with(&[("x-role", "")]), false),
        (with(&[("x-role", "a dmin")]), false),
    ];
    // Nor does it matter which of them a rule names.
    for name in ["^x-role$", "^x_role$"] {
        let conditions = json!({
            "headers": [{ "name": { "pattern": name }, "value": { "pattern": "^admin$" } }],
        });
        scene.stops(&conditions, &calls).await?;
    }
    Ok(())
}

/// Bytes that are no text must not make a condition undecided.
#[tokio::test]
async fn values_that_are_no_text_do_not_open_anything() -> Result<()> {
    let scene = Scene::start().await?;
    let conditions = json!({
        "effect": "deny",
        "headers": [{ "name": { "pattern": "^x-role$" }, "value": { "pattern": "admin" } }],
    });
    let rule = scene.rule(Layer::Proxy, &conditions).await?;
    for value in [&b"\xff\xfeadmin"[..], b"admin\xff", b"\xc3\x28 admin \x80"] {
        let call = scene.proxy.get("/").with("x-role", value);
        scene
            .denied(&call, Layer::Proxy, &rule)
            .await
            .with_context(|| value.escape_ascii().to_string())?;
    }
    Ok(())
}
