//! Redaction of responses: what goes, what stays byte for byte, and in which order.

mod codings;
mod hold;
mod hostile;
mod partial;
mod pieces;
mod preview;
mod size;
mod streams;
mod types;

use anyhow::{Context, Result, ensure};
use requestrocket_integration_tests::attached::Layer;
use requestrocket_integration_tests::caller::{Reply, Request};
use requestrocket_integration_tests::canary::Canary;
use requestrocket_integration_tests::gateway::{Secret, unique};
use requestrocket_integration_tests::target::answer::{chunked, json as of_json};
use requestrocket_integration_tests::target::{Script, respond};
use serde_json::{Value, json};

use crate::scene::Plays;
use crate::{expect, scene};

/// Stands in what is to be removed; must never reach a caller.
pub(crate) const SECRET: &str = "CanaryOfRedaction0123456789";

type Scene = scene::Scene<Plays>;

impl Scene {
    /// A scene with one filter on the proxy that destroys these paths.
    async fn destroying(paths: &[&str]) -> Result<Self> {
        let scene = Self::start().await?;
        scene.gateway.destroy(&scene.proxy, paths).await?;
        Ok(scene)
    }

    /// What the target answers from now on.
    /// What a caller gets of this answer. The planted secret must not be in it.
    async fn reply(&self, script: Script) -> Result<Reply> {
        self.reply_to(&self.proxy.get("/r"), script).await
    }

    async fn reply_to(&self, call: &Request, script: Script) -> Result<Reply> {
        self.plays(script);
        let reply = self.gateway.call(call).await?;
        let canary = Canary::new(SECRET);
        canary.absent_from("the body", &reply.body)?;
        canary.absent_from("the head", format!("{:?}", reply.head).as_bytes())?;
        Ok(reply)
    }

    /// The redacted document, which came whole.
    async fn redacted(&self, document: &str) -> Result<String> {
        let reply = self.reply(of_json(document)).await?;
        expect::ok(&reply)?;
        Ok(reply.text())
    }

    async fn filter(&self, layer: Layer, filter: &Value) -> Result<String> {
        self.gateway.filter(&self.proxy, layer, filter).await
    }

    async fn detach(&self, layer: Layer, filter: &str) -> Result<()> {
        let path = format!("{}/filters/{filter}", self.proxy.record(layer));
        self.gateway.detach(&path).await
    }
}

fn destroy(paths: &[&str]) -> Value {
    json!({ "operation": "destroy", "paths": paths })
}

fn retain(paths: &[&str]) -> Value {
    json!({ "operation": "retain", "paths": paths })
}

/// Document and what is to become of it.
type Pairs = &'static [(&'static str, &'static str)];

async fn check(scene: &Scene, filter: &Value, pairs: Pairs) -> Result<()> {
    let id = scene.filter(Layer::Proxy, filter).await?;
    for (document, wanted) in pairs {
        let label = || format!("{document} under {filter}");
        let got = scene.redacted(document).await.with_context(label)?;
        ensure!(
            got == *wanted,
            "{got} instead of {wanted}: {document} under {filter}"
        );
        // Without a length, and in the smallest pieces.
        let bytes: Vec<&[u8]> = document.as_bytes().chunks(1).collect();
        let reply = scene.reply(chunked("application/json", &bytes)).await?;
        expect::ok(&reply).with_context(label)?;
        ensure!(
            reply.text() == *wanted,
            "chunked: {} of {document}",
            reply.text()
        );
    }
    scene.detach(Layer::Proxy, &id).await
}

#[tokio::test]
async fn what_is_destroyed_goes_and_the_rest_keeps_every_byte() -> Result<()> {
    let scene = Scene::start().await?;
    let cases: &[(&[&str], Pairs)] = &[(
        &["$.s"],
        &[
            (r#"{"a":1,"s":2,"c":3}"#, r#"{"a":1,"c":3}"#),
            (r#"{"s":2,"c":3}"#, r#"{"c":3}"#),
            (r#"{"a":1,"s":2}"#, r#"{"a":1}"#),
            (r#"{"s":{"deep":[1,{"x":"}"}]}}"#, r"{}"),
            (r#"{"s":1,"a":2,"s":3,"s":4}"#, r#"{"a":2}"#),
            (r#"{"\u0073":1,"a":2}"#, r#"{"a":2}"#),
            (
                r#"{"S":1,"ss":2,"a":{"s":3}}"#,
                r#"{"S":1,"ss":2,"a":{"s":3}}"#,
            ),
            (
                r#"{"n":12345678901234567890,"x":1e400,"s":1}"#,
                r#"{"n":12345678901234567890,"x":1e400}"#,
            ),
            (
                r#"{"n":-0.10,"t":"\u0041\/\n","s":1}"#,
                r#"{"n":-0.10,"t":"\u0041\/\n"}"#,
            ),
            (r#"{"z":1,"a":2,"s":0,"m":3}"#, r#"{"z":1,"a":2,"m":3}"#),
            (r#"{"ä€😀":"ä€😀","s":"ä"}"#, r#"{"ä€😀":"ä€😀"}"#),
            (r#"["s",{"s":1}]"#, r#"["s",{"s":1}]"#),
            ("12", "12"),
            (r#""s""#, r#""s""#),
            ("null", "null"),
        ],
    )];
    for (paths, pairs) in cases {
        check(&scene, &destroy(paths), pairs).await?;
    }
    Ok(())
}

#[tokio::test]
async fn every_kind_of_path_that_a_stream_can_decide() -> Result<()> {
    let scene = Scene::start().await?;
    let cases: &[(&[&str], Pairs)] = &[
        (
            &["$..s"],
            &[(
                r#"[{"s":1,"a":{"s":2,"b":[{"s":3}]}}]"#,
                r#"[{"a":{"b":[{}]}}]"#,
            )],
        ),
        (
            &["$[0]"],
            &[
                ("[1,2,3]", "[2,3]"),
                ("[1]", "[]"),
                ("[]", "[]"),
                (r#"{"0":1}"#, r#"{"0":1}"#),
            ],
        ),
        (&["$[1]", "$[2]"], &[("[1,2,3,4]", "[1,4]")]),
        (
            &["$[*].s"],
            &[(r#"[{"s":1,"a":1},{"s":2}]"#, r#"[{"a":1},{}]"#)],
        ),
        (
            &["$.a['s','t']"],
            &[(r#"{"a":{"s":1,"t":2,"u":3}}"#, r#"{"a":{"u":3}}"#)],
        ),
        (&["$[1:3]"], &[("[0,1,2,3,4]", "[0,3,4]")]),
        (&["$[::2]"], &[("[0,1,2,3,4]", "[1,3]")]),
        (
            &["$.a.*"],
            &[(r#"{"a":{"x":1},"b":2}"#, r#"{"a":{},"b":2}"#)],
        ),
        (&["$"], &[(r#"{"a":1}"#, "null"), ("1", "null")]),
        (&["$.none", "$.a.none"], &[(r#"{"a":1}"#, r#"{"a":1}"#)]),
    ];
    for (paths, pairs) in cases {
        check(&scene, &destroy(paths), pairs).await?;
    }
    Ok(())
}

#[tokio::test]
async fn what_is_retained_stays_with_its_ancestors() -> Result<()> {
    let scene = Scene::start().await?;
    let cases: &[(&[&str], Pairs)] = &[
        (
            &["$.a.b"],
            &[
                (r#"{"a":{"b":1,"c":2},"d":3}"#, r#"{"a":{"b":1}}"#),
                (r#"{"a":{"c":2},"d":3}"#, r#"{"a":{}}"#),
                (r#"{"a":1,"d":3}"#, r"{}"),
                (r#"{"d":3}"#, r"{}"),
                (r"[1,2]", r"[]"),
                ("1", "null"),
                (r#""text""#, "null"),
                (r#"{"a":{"b":{"x":[1,2]}}}"#, r#"{"a":{"b":{"x":[1,2]}}}"#),
                (
                    r#"{"a":{"b":1},"a":{"b":2,"c":3}}"#,
                    r#"{"a":{"b":1},"a":{"b":2}}"#,
                ),
            ],
        ),
        (
            &["$[1].a"],
            &[(r#"[{"a":1},{"a":2,"b":3},{"a":4}]"#, r#"[{"a":2}]"#)],
        ),
        (
            &["$[*].a"],
            &[(r#"[{"a":1,"b":2},3,{"b":4}]"#, r#"[{"a":1},{}]"#)],
        ),
        (
            &["$.a", "$.b"],
            &[(r#"{"c":1,"b":2,"a":3}"#, r#"{"b":2,"a":3}"#)],
        ),
        (
            &["$..id"],
            &[(
                r#"{"id":1,"x":{"y":2,"id":3},"z":[4,{"w":5}]}"#,
                r#"{"id":1,"x":{"id":3},"z":[{}]}"#,
            )],
        ),
        (&["$"], &[(r#"{"a":1}"#, r#"{"a":1}"#), ("1", "1")]),
    ];
    for (paths, pairs) in cases {
        check(&scene, &retain(paths), pairs).await?;
    }
    Ok(())
}

#[tokio::test]
async fn whitespace_of_what_stays_is_kept() -> Result<()> {
    let scene = Scene::destroying(&["$.s"]).await?;
    let document = "{\r\n  \"a\" : [ 1 ,\t2 ] ,\n  \"s\" : 3 ,\n  \"b\" : { \"c\" : 1.50 }\n}\n";
    let got = scene.redacted(document).await?;
    for kept in [
        "\"a\" : [ 1 ,\t2 ]",
        "\"b\" : { \"c\" : 1.50 }",
        "{\r\n  \"a\"",
    ] {
        ensure!(got.contains(kept), "{kept:?} is not in {got:?}");
    }
    let parsed: Value = serde_json::from_str(&got)?;
    ensure!(parsed == json!({ "a": [1, 2], "b": { "c": 1.5 } }), "{got}");
    let untouched = " [ 1 , 2 ] \n";
    ensure!(
        scene.redacted(untouched).await? == untouched,
        "nothing was to go"
    );
    Ok(())
}

/// Within a stage all paths are resolved against its input.
#[tokio::test]
async fn retained_first_then_destroyed_and_inactive_filters_do_nothing() -> Result<()> {
    let scene = Scene::start().await?;
    let document = r#"{"a":[0,1,2],"b":1,"c":2}"#;
    scene
        .filter(Layer::Proxy, &destroy(&["$.a[0]", "$.b"]))
        .await?;
    scene.filter(Layer::Proxy, &destroy(&["$.a[1]"])).await?;
    ensure!(scene.redacted(document).await? == r#"{"a":[2],"c":2}"#);
    let only = scene.filter(Layer::Proxy, &retain(&["$.a"])).await?;
    scene.filter(Layer::Proxy, &retain(&["$.b"])).await?;
    ensure!(scene.redacted(document).await? == r#"{"a":[2]}"#);
    let path = format!("proxies/{}/filters/{only}", scene.proxy.id);
    let off = json!({ "filterActive": false });
    scene.gateway.api.applied("PATCH", &path, &off).await?;
    ensure!(scene.redacted(document).await? == "{}");
    Ok(())
}

#[tokio::test]
async fn each_stage_redacts_what_the_one_before_left() -> Result<()> {
    let scene = Scene::start().await?;
    // In the order of the stages; in any other the result differs.
    let stages = [
        (Layer::TargetCredential, "$[0]"),
        (Layer::Target, "$[1]"),
        (Layer::ProxyCredential, "$[2]"),
        (Layer::Proxy, "$[3]"),
    ];
    for (layer, path) in stages.iter().rev() {
        scene.filter(*layer, &destroy(&[path])).await?;
    }
    ensure!(scene.redacted("[0,1,2,3,4,5,6,7]").await? == "[1,3,5,7]");

    let scene = Scene::start().await?;
    scene
        .filter(Layer::TargetCredential, &retain(&["$.a"]))
        .await?;
    scene.filter(Layer::Proxy, &retain(&["$.a", "$.b"])).await?;
    ensure!(
        scene.redacted(r#"{"a":1,"b":2}"#).await? == r#"{"a":1}"#,
        "what is gone came back"
    );
    Ok(())
}

#[tokio::test]
async fn every_attachment_redacts_alone() -> Result<()> {
    for layer in Layer::ALL {
        let scene = Scene::start().await?;
        let filter = scene.filter(layer, &destroy(&["$.s"])).await?;
        let document = format!(r#"{{"s":"{SECRET}","a":1}}"#);
        let got = scene.redacted(&document).await?;
        ensure!(got == r#"{"a":1}"#, "{}: {got}", layer.word());
        scene.detach(layer, &filter).await?;
        ensure!(
            scene.redacted(r#"{"s":1}"#).await? == r#"{"s":1}"#,
            "{}",
            layer.word()
        );
    }
    Ok(())
}

#[tokio::test]
async fn the_callers_stage_is_that_of_the_credential_that_was_used() -> Result<()> {
    let keys = [unique("first-key"), unique("second-key")];
    let secrets = keys.each_ref().map(|key| Secret::api_key(key));
    let scene = Scene::with(|plan| plan.callers(&secrets)).await?;
    let path = format!("credentials/{}/filters", scene.proxy.credential_ids[1]);
    scene
        .gateway
        .api
        .applied("POST", &path, &destroy(&["$.s"]))
        .await?;
    for (key, wanted) in [(&keys[0], r#"{"s":1}"#), (&keys[1], "{}")] {
        let call = Request::get(&scene.proxy.path("/")).with("authorization", key);
        let reply = scene.reply_to(&call, of_json(r#"{"s":1}"#)).await?;
        ensure!(reply.text() == wanted, "{} for {key}", reply.text());
    }
    Ok(())
}

#[tokio::test]
async fn conditions_limit_a_filter_to_some_calls() -> Result<()> {
    let scene = Scene::start().await?;
    let mut filter = destroy(&["$.s"]);
    filter["methods"] = json!(["GET"]);
    filter["path"] = json!({ "pattern": "^/users" });
    filter["headers"] = json!([{ "name": { "pattern": "^x-partner$" } }]);
    filter["query"] = json!([{ "name": { "pattern": "^full$" }, "presence": "absent" }]);
    scene.filter(Layer::Target, &filter).await?;
    let call = |method: &str, path: &str| scene.proxy.request(method, path);
    for (call, wanted) in [
        (call("GET", "/users/1").with("x-partner", "a"), "{}"),
        (
            call("GET", "/users/1")
                .with("x-partner", "a")
                .with("x-partner", "b"),
            "{}",
        ),
        (
            call("POST", "/users/1").with("x-partner", "a"),
            r#"{"s":1}"#,
        ),
        (call("GET", "/groups").with("x-partner", "a"), r#"{"s":1}"#),
        (call("GET", "/users/1"), r#"{"s":1}"#),
        (
            call("GET", "/users/1?full=1").with("x-partner", "a"),
            r#"{"s":1}"#,
        ),
    ] {
        let reply = scene.reply_to(&call, of_json(r#"{"s":1}"#)).await?;
        expect::ok(&reply)?;
        ensure!(
            reply.text() == wanted,
            "{} {}: {}",
            call.method,
            call.path,
            reply.text()
        );
    }
    // A call that no filter applies to may have any answer.
    let plain = respond("200 OK", &[("content-type", "text/plain")], b"text");
    expect::ok(
        &scene
            .reply_to(&call("GET", "/groups"), plain.clone())
            .await?,
    )?;
    let filtered = call("GET", "/users/1").with("x-partner", "a");
    expect::not_filterable(&scene.reply_to(&filtered, plain).await?)
}
