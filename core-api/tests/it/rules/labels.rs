//! Labels: the same on every record that has them.

use serde_json::{Value, json};

use crate::world::{Answer, REGION, Who, World, id_of};

/// A list, and what to send there for a new record.
struct Kind {
    list: String,
    id: &'static str,
    body: Value,
}

async fn kinds(world: &World) -> Vec<Kind> {
    let proxy = id_of(&world.proxy().await, "proxyId");
    let (target, credential) = (
        world.target(REGION).await,
        world.credential(REGION, "proxy").await,
    );
    let rule = json!({"effect": "deny", "methods": ["GET"]});
    let filter = json!({"operation": "destroy", "paths": ["$.a"]});
    let meter = json!({"meterName": "M", "meterType": "request_count"});
    let new = |list: &str, id, body| Kind {
        list: world.at(list),
        id,
        body,
    };
    vec![
        Kind {
            list: "/clients".to_owned(),
            id: "clientId",
            body: json!({"clientName": "C"}),
        },
        new(
            "credentials",
            "credentialId",
            json!({
                "credentialName": "C", "credentialType": "proxy", "credentialRegion": REGION,
                "credentialAuthType": "bearer", "credentialSecret": {"token": "t0ken-t0ken"},
            }),
        ),
        new(
            "targets",
            "targetId",
            json!({
                "targetName": "T", "targetBaseURL": "https://t.example.com", "targetRegion": REGION,
            }),
        ),
        new("proxies", "proxyId", world.proxy_body(REGION).await),
        new(&format!("targets/{target}/rules"), "ruleId", rule),
        new(
            &format!("credentials/{credential}/filters"),
            "filterId",
            filter,
        ),
        new(&format!("proxies/{proxy}/meters"), "meterId", meter),
    ]
}

impl Kind {
    fn with(&self, labels: Value) -> Value {
        let mut body = self.body.clone();
        body["labels"] = labels;
        body
    }

    /// Creates one; its path.
    async fn create(&self, world: &World, labels: Value) -> String {
        let call = world.call("POST", &self.list).json(&self.with(labels));
        let answer = call.send().await;
        assert_eq!(answer.status, 201, "{}: {}", self.list, answer.text);
        format!("{}/{}", self.list, id_of(&answer.body, self.id))
    }

    /// The paths of those that the list shows, sorted.
    async fn found(&self, world: &World, query: &str) -> Vec<String> {
        let path = format!("{}?{query}", self.list);
        let answer = world.call("GET", &path).send().await;
        assert_eq!(answer.status, 200, "{path}: {}", answer.text);
        let items = answer.body["data"].as_array().unwrap();
        assert_eq!(answer.body["pagination"]["total"], items.len());
        let path = |item| format!("{}/{}", self.list, id_of(item, self.id));
        let mut paths: Vec<_> = items.iter().map(path).collect();
        paths.sort_unstable();
        paths
    }
}

async fn send(world: &World, method: &str, path: &str, body: &Value) -> Answer {
    let answer = world.call(method, path).json(body).send().await;
    assert_eq!(answer.status, 200, "{method} {path}: {}", answer.text);
    answer
}

#[tokio::test]
async fn put_replaces_them_and_patch_merges_pair_by_pair() {
    for world in World::each().await {
        for kind in kinds(&world).await {
            let path = kind
                .create(&world, json!({"env": "prod", "team": "a"}))
                .await;
            for (patch, want) in [
                (json!({}), json!({"env": "prod", "team": "a"})),
                (
                    json!({"labels": {"env": "test", "new": ""}}),
                    json!({"env": "test", "new": "", "team": "a"}),
                ),
                (
                    json!({"labels": {"team": null, "absent": null}}),
                    json!({"env": "test", "new": ""}),
                ),
                (json!({"labels": null}), json!({})),
                (json!({"labels": {"a": "b"}}), json!({"a": "b"})),
            ] {
                let answer = send(&world, "PATCH", &path, &patch).await;
                assert_eq!(answer.body["labels"], want, "{path}: {patch}");
                let stored = world.call("GET", &path).send().await;
                assert_eq!(stored.body["labels"], want, "{path}: {patch}");
                assert_eq!(stored.header("etag"), answer.header("etag"));
            }
            let whole = send(&world, "PUT", &path, &kind.with(json!({"c": "d"}))).await;
            assert_eq!(whole.body["labels"], json!({"c": "d"}), "{path}");
            let without = send(&world, "PUT", &path, &kind.body).await;
            assert_eq!(without.body["labels"], json!({}), "{path}");
        }
    }
}

#[tokio::test]
async fn a_list_shows_what_has_all_labels_that_are_asked_for() {
    for world in World::each().await {
        for kind in kinds(&world).await {
            let prod = kind
                .create(&world, json!({"env": "prod", "tier": "1"}))
                .await;
            let test = kind
                .create(&world, json!({"env": "Prod", "note": "a \"b\"=c"}))
                .await;
            kind.create(&world, json!({})).await;
            for (query, mut want) in [
                ("label=env", vec![&prod, &test]),
                ("label=env%3Dprod", vec![&prod]),
                ("label=env=Prod", vec![&test]),
                ("label=env=pro", vec![]),
                ("label=env=", vec![]),
                ("label=nv", vec![]),
                ("label=env&label=tier=1", vec![&prod]),
                ("label=env=prod&label=note", vec![]),
                ("label=note=a%20%22b%22%3Dc", vec![&test]),
            ] {
                want.sort_unstable();
                let found = kind.found(&world, query).await;
                assert_eq!(found.iter().collect::<Vec<_>>(), want, "{query}");
            }
            for query in [
                "label=",
                "label=-",
                "label=Env",
                "label=a=%07",
                "label=%3Db",
            ] {
                let path = format!("{}?{query}", kind.list);
                let answer = world.call("GET", &path).send().await;
                let refused = answer.expect(400, "VALIDATION_FAILED");
                assert_eq!(refused.fields(), ["label"], "{path}");
            }
        }
        // What has none is not filtered by them.
        let path = world.at("members?label=env");
        let answer = world.call("GET", &path).send().await;
        answer.expect(400, "VALIDATION_FAILED");
    }
}

#[tokio::test]
async fn no_region_hears_of_them_but_the_entity_tag_changes() {
    for world in World::each().await {
        for kind in kinds(&world).await {
            let path = kind.create(&world, json!({"env": "prod"})).await;
            let before = world.call("GET", &path).send().await;
            let newest = world.number("SELECT newest FROM revision").await;
            let mut tags = vec![before.header("etag").to_owned()];
            for value in ["test", "other", "test"] {
                let patch = json!({"labels": {"env": value}});
                let answer = send(&world, "PATCH", &format!("{path}?wait=applied"), &patch).await;
                assert_eq!(answer.header("requestrocket-config-applied"), "true");
                let version = answer.header("requestrocket-config-version");
                assert_eq!(version, newest.to_string(), "{path}");
                assert!(
                    !tags.iter().any(|tag| tag == answer.header("etag")),
                    "{path}"
                );
                tags.push(answer.header("etag").to_owned());
            }
            let after = world.number("SELECT newest FROM revision").await;
            assert_eq!(after, newest, "{path}");
            let stale = world.call("PATCH", &path).header("If-Match", &tags[0]);
            let refused = stale.json(&json!({"labels": {}})).send().await;
            refused.expect(412, "PRECONDITION_FAILED");
        }
    }
}

#[tokio::test]
async fn what_is_refused() {
    let many = |count: usize, value: Value| {
        let pair = |n| (format!("k{n}"), value.clone());
        Value::Object((0..count).map(pair).collect())
    };
    for world in World::each().await {
        for kind in kinds(&world).await {
            let path = kind.create(&world, many(32, json!("v"))).await;
            for (labels, field) in [
                (json!([]), "labels"),
                (json!("a=b"), "labels"),
                (json!({"A": "b"}), "labels.A"),
                (json!({"": "b"}), "labels."),
                (json!({"a": 1}), "labels.a"),
                (json!({"a": {"b": "c"}}), "labels.a"),
                (json!({"a": "b\nc"}), "labels.a"),
                (json!({"a": "x".repeat(129)}), "labels.a"),
                (many(65, json!("v")), "labels"),
            ] {
                for (method, path) in [("POST", &kind.list), ("PUT", &path), ("PATCH", &path)] {
                    let call = world.call(method, path).json(&kind.with(labels.clone()));
                    let answer = call.send().await;
                    let refused = answer.expect(400, "VALIDATION_FAILED");
                    assert_eq!(refused.fields(), [field], "{method} {path}: {labels}");
                }
            }
            for (method, path) in [("POST", &kind.list), ("PUT", &path)] {
                for (labels, field) in [
                    (json!({"a": null}), "labels.a"),
                    (many(33, json!("v")), "labels"),
                ] {
                    let call = world.call(method, path).json(&kind.with(labels));
                    let answer = call.send().await;
                    assert_eq!(answer.expect(400, "VALIDATION_FAILED").fields(), [field]);
                }
            }
            // One more than there may be, but for the one that ends.
            let more = json!({"labels": {"new": "v"}});
            let answer = world.call("PATCH", &path).json(&more).send().await;
            answer.expect(400, "VALIDATION_FAILED");
            let other = json!({"labels": {"new": "v", "k0": null}});
            let answer = send(&world, "PATCH", &path, &other).await;
            assert_eq!(answer.body["labels"].as_object().unwrap().len(), 32);
        }
    }
}

#[tokio::test]
async fn an_operator_leaves_an_organisations_labels_alone() {
    for world in World::each().await {
        let path = format!("/clients/{}", world.home);
        let patch = json!({"labels": {"env": "prod"}});
        let call = world.call("PATCH", &path).by(Who::Operator).json(&patch);
        call.send().await.expect(403, "FORBIDDEN");
    }
}
