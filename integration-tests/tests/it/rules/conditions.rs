//! What makes a rule match.

use anyhow::{Context, Result, ensure};
use requestrocket_integration_tests::attached::Layer;
use requestrocket_integration_tests::caller::Request;
use serde_json::{Value, json};

use super::Scene;

/// A call and whether the rule matches it.
pub(super) type Calls = Vec<(Request, bool)>;

impl Scene {
    /// A deny rule with these conditions stops what it matches, and an allow rule lets only that
    /// pass where the default denies.
    pub(super) async fn matches(&self, conditions: &Value, calls: &Calls) -> Result<()> {
        self.stops(conditions, calls).await?;
        self.lets_pass(conditions, calls).await
    }

    pub(super) async fn stops(&self, conditions: &Value, calls: &Calls) -> Result<()> {
        let rule = self
            .rule(Layer::Proxy, &with_effect("deny", conditions))
            .await?;
        for (call, is_match) in calls {
            let label = || format!("{} {:?} under deny {conditions}", call.path, call.lines);
            if *is_match {
                self.denied(call, Layer::Proxy, &rule).await
            } else {
                self.passes(call).await.map(drop)
            }
            .with_context(label)?;
        }
        self.gateway.detach(&self.path_of(&rule)).await
    }

    pub(super) async fn lets_pass(&self, conditions: &Value, calls: &Calls) -> Result<()> {
        let default = |effect| {
            self.gateway
                .default_effect(&self.proxy, Layer::Proxy, effect)
        };
        let rule = self
            .rule(Layer::Proxy, &with_effect("allow", conditions))
            .await?;
        default("deny").await?;
        for (call, is_match) in calls {
            let label = || format!("{} {:?} under allow {conditions}", call.path, call.lines);
            if *is_match {
                self.passes(call).await.map(drop)
            } else {
                self.denied(call, Layer::Proxy, "default").await
            }
            .with_context(label)?;
        }
        default("allow").await?;
        self.gateway.detach(&self.path_of(&rule)).await
    }

    fn path_of(&self, rule: &str) -> String {
        format!("proxies/{}/rules/{rule}", self.proxy.id)
    }
}

fn with_effect(effect: &str, conditions: &Value) -> Value {
    let mut rule = conditions.clone();
    rule["effect"] = effect.into();
    rule
}

#[tokio::test]
async fn methods() -> Result<()> {
    let scene = Scene::start().await?;
    let calls = |matching: &[&str]| -> Calls {
        ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"]
            .map(|method| (scene.proxy.request(method, "/"), matching.contains(&method)))
            .into()
    };
    for (methods, matching) in [
        (json!(["GET"]), &["GET", "HEAD"][..]),
        (json!(["HEAD"]), &["HEAD"]),
        (json!(["post", "Delete"]), &["POST", "DELETE"]),
        (
            json!([]),
            &["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"],
        ),
    ] {
        // An answer to HEAD has no body to show the denial with.
        let calls: Calls = calls(matching)
            .into_iter()
            .filter(|(call, _)| call.method != "HEAD")
            .collect();
        scene
            .matches(&json!({ "methods": methods }), &calls)
            .await?;
    }
    let rule = json!({ "effect": "deny", "methods": ["GET"] });
    scene.rule(Layer::Proxy, &rule).await?;
    let reply = scene
        .gateway
        .call(&scene.proxy.request("HEAD", "/"))
        .await?;
    ensure!(reply.status == 403, "HEAD got past a rule on GET");
    Ok(())
}

#[tokio::test]
async fn path() -> Result<()> {
    let scene = Scene::start().await?;
    let get = |path: &str| scene.proxy.get(path);
    let cases: Vec<(Value, Calls)> = vec![
        (
            json!({ "pattern": "admin" }),
            vec![
                (get("/x/admin/y"), true),
                (get("/%61dmin"), true),
                (get("/x/../admin"), true),
                (get("/ADMIN"), false),
                (get("/x?admin"), false),
            ],
        ),
        (
            json!({ "pattern": "^/ADMIN$", "flags": "i" }),
            vec![(get("/admin"), true), (get("/admin/"), false)],
        ),
        (
            json!({ "pattern": "(?i)^/admin" }),
            vec![(get("/AdMiN/1"), true), (get("/x/admin"), false)],
        ),
        (
            json!({ "pattern": "^/$" }),
            vec![(get(""), true), (get("/"), true), (get("//"), false)],
        ),
        (
            json!({ "pattern": "^/a%2Fb$" }),
            vec![
                (get("/a%2Fb"), true),
                (get("/a%2fb"), false),
                (get("/a/b"), false),
            ],
        ),
        (
            json!({ "pattern": "^/open", "presence": "absent" }),
            vec![(get("/closed"), true), (get("/open/1"), false)],
        ),
    ];
    for (path, calls) in cases {
        scene.matches(&json!({ "path": path }), &calls).await?;
    }
    Ok(())
}

/// Rules see the caller's path, not the target's base path.
#[tokio::test]
async fn the_base_path_of_the_target_is_no_part_of_the_path() -> Result<()> {
    let scene = Scene::below("/base", |plan| plan).await?;
    let calls = vec![
        (scene.proxy.get("/x"), false),
        (scene.proxy.get("/base"), true),
    ];
    let conditions = json!({ "path": { "pattern": "^/base" } });
    scene.matches(&conditions, &calls).await?;
    ensure!(scene.target.last()?.path() == "/base/base");
    Ok(())
}

#[tokio::test]
async fn headers() -> Result<()> {
    let scene = Scene::start().await?;
    let with = |lines: &[(&str, &str)]| {
        let call = scene.proxy.get("/");
        lines
            .iter()
            .fold(call, |call, (name, value)| call.with(name, value))
    };
    let admin = json!({ "name": { "pattern": "^x-role$" }, "value": { "pattern": "^admin$" } });
    let cases: Vec<(Value, Calls)> = vec![
        (
            json!([{ "name": { "pattern": "^X-Role$" } }]),
            vec![
                (with(&[("x-role", "any")]), true),
                (with(&[("X-ROLE", "")]), true),
                (with(&[("x-roles", "any")]), false),
                (with(&[]), false),
            ],
        ),
        (
            json!([admin]),
            vec![
                (with(&[("x-role", "admin")]), true),
                (with(&[("x-role", "ADMIN")]), false),
                (with(&[("x-role", "user, admin")]), false),
                (with(&[("x-other", "admin")]), false),
            ],
        ),
        (
            json!([admin, { "name": { "pattern": "^x-team$" } }]),
            vec![
                (with(&[("x-role", "admin"), ("x-team", "a")]), true),
                (with(&[("x-role", "admin")]), false),
                (with(&[("x-team", "a")]), false),
            ],
        ),
        (
            json!([{ "name": { "pattern": "^x-role$" }, "presence": "absent" }]),
            vec![(with(&[]), true), (with(&[("x-role", "a")]), false)],
        ),
        (
            json!([{
                "name": { "pattern": "^x-role$" },
                "value": { "pattern": "^admin$", "flags": "i" },
                "presence": "absent",
            }]),
            vec![
                (with(&[("x-role", "user")]), true),
                (with(&[("x-role", "user"), ("x-role", "Admin")]), false),
            ],
        ),
    ];
    for (headers, calls) in cases {
        scene
            .matches(&json!({ "headers": headers }), &calls)
            .await?;
    }
    Ok(())
}

#[tokio::test]
async fn query() -> Result<()> {
    let scene = Scene::start().await?;
    let get = |query: &str| scene.proxy.get(&format!("/q{query}"));
    let cases: Vec<(Value, Calls)> = vec![
        (
            json!([{ "name": { "pattern": "^role$" } }]),
            vec![
                (get("?role=x"), true),
                (get("?role"), true),
                (get("?r%6Fle="), true),
                (get("?Role=x"), false),
                (get("?roles=x"), false),
                (get(""), false),
            ],
        ),
        (
            json!([{ "name": { "pattern": "^q$" }, "value": { "pattern": "^a b&c$" } }]),
            vec![
                (get("?q=a+b%26c"), true),
                (get("?q=a%20b%26c"), true),
                (get("?q=a+b&c"), false),
            ],
        ),
        (
            json!([{ "name": { "pattern": "^q$" }, "value": { "pattern": "^$" } }]),
            vec![(get("?q"), true), (get("?q="), true), (get("?q=x"), false)],
        ),
        (
            json!([{ "name": { "pattern": "^debug$" }, "presence": "absent" }]),
            vec![(get("?x=1"), true), (get("?x=1&debug"), false)],
        ),
    ];
    for (query, calls) in cases {
        scene.matches(&json!({ "query": query }), &calls).await?;
    }
    Ok(())
}

/// Any occurrence for a deny rule, all for an allow rule.
#[tokio::test]
async fn repeated_names() -> Result<()> {
    let scene = Scene::start().await?;
    let both = scene.proxy.get("/?role=user&role=admin");
    let both = both.with("x-role", "user").with("x-role", "admin");
    let value = json!({ "pattern": "^admin$" });
    for (member, name) in [("query", "^role$"), ("headers", "^x-role$")] {
        let conditions = json!({ member: [{ "name": { "pattern": name }, "value": value }] });
        scene
            .stops(&conditions, &vec![(both.clone(), true)])
            .await?;
        scene
            .lets_pass(&conditions, &vec![(both.clone(), false)])
            .await?;
    }
    Ok(())
}

#[tokio::test]
async fn all_conditions_must_hold() -> Result<()> {
    let scene = Scene::start().await?;
    let conditions = json!({
        "methods": ["POST"],
        "path": { "pattern": "^/a" },
        "headers": [{ "name": { "pattern": "^x-a$" } }],
        "query": [{ "name": { "pattern": "^a$" } }],
        "body": [{ "path": "$.a" }],
    });
    let call = |method: &str, path: &str, header: &str, body: &str| {
        let call = scene.proxy.request(method, path).with(header, "1");
        call.body(body.to_owned())
    };
    let calls = vec![
        (call("POST", "/a?a", "x-a", r#"{"a":1}"#), true),
        (call("PUT", "/a?a", "x-a", r#"{"a":1}"#), false),
        (call("POST", "/b?a", "x-a", r#"{"a":1}"#), false),
        (call("POST", "/a?b", "x-a", r#"{"a":1}"#), false),
        (call("POST", "/a?a", "x-b", r#"{"a":1}"#), false),
        (call("POST", "/a?a", "x-a", r#"{"b":1}"#), false),
    ];
    scene.matches(&conditions, &calls).await
}

/// Only verified tokens have claims.
#[tokio::test]
async fn a_caller_without_a_verified_token_has_no_claims() -> Result<()> {
    let scene = Scene::start().await?;
    let call = scene.proxy.get("/");
    let present = json!({ "claims": [{ "path": "$.sub" }] });
    scene
        .matches(&present, &vec![(call.clone(), false)])
        .await?;
    let absent = json!({ "claims": [{ "path": "$.sub", "presence": "absent" }] });
    scene.matches(&absent, &vec![(call, true)]).await
}

/// One call each: what the aliases mean is what is enforced.
#[tokio::test]
async fn aliases() -> Result<()> {
    let scene = Scene::start().await?;
    let call = scene.proxy.request("POST", "/V1?Q=1").with("x-a", "B");
    let call = call.body(r#"{"m":"X"}"#);
    for alias in [
        json!({ "pathPattern": "^/v1", "regexFlags": "gi" }),
        json!({ "path": { "path": { "pattern": "^/V1" } } }),
        json!({ "pathPattern": "^/v2", "pathPresence": "must_not_exist" }),
        json!({ "headerChecks": [{ "name": { "pattern": "x-a" }, "presence": "must_exist" }] }),
        json!({ "queryChecks": [{ "name": { "pattern": "^Q$" } }] }),
        json!({ "body": [{ "jsonPath": "$.m", "matchValue": { "pattern": "^X$" } }] }),
        json!({ "body": [{ "jsonPath": { "pattern": "$.m" } }] }),
    ] {
        scene.matches(&alias, &vec![(call.clone(), true)]).await?;
    }
    Ok(())
}
