use serde_json::{Value, json};

use super::rules::records;
use crate::world::{World, id_of};

/// Filters on all four records; their ids by stage.
async fn filters(world: &World, proxy: &Value) -> [String; 4] {
    let [(_, id), (_, target), (_, credential)] = records(proxy);
    let caller = id_of(proxy, "proxyProxyCredentialId");
    let mut ids = Vec::new();
    for (record, filter) in [
        (
            format!("credentials/{credential}"),
            json!({"operation": "retain", "paths": ["$.a", "$.b", "$.c"]}),
        ),
        (
            format!("targets/{target}"),
            json!({"operation": "destroy", "paths": ["$.b.x"]}),
        ),
        (
            format!("credentials/{caller}"),
            json!({"operation": "destroy", "paths": ["$.c[0]"], "methods": ["GET"]}),
        ),
        (
            format!("proxies/{id}"),
            json!({"operation": "destroy", "paths": ["$.a"], "filterActive": false}),
        ),
    ] {
        let made = world.create(&format!("{record}/filters"), &filter).await;
        ids.push(id_of(&made, "filterId"));
    }
    ids.try_into().unwrap()
}

#[tokio::test]
async fn a_preview_shows_what_is_left_and_which_filter_of_which_stage_did_it() {
    for world in World::each().await {
        let proxy = world.proxy().await;
        let id = id_of(&proxy, "proxyId");
        let [retain, destroy, first, _] = filters(&world, &proxy).await;
        let body = r#"{"a": 1, "b": {"x": 1, "y": 2}, "c": [1, 2.50], "secret": true}"#;
        let sample = json!({
            "method": "GET", "path": "/", "response": {"status": 200, "body": body,
                "headers": [["Content-Type", "application/json"]]},
        });
        let before = world.dump_of_records().await;
        let told = world.trial(&id, "preview", &sample).await;
        assert_eq!(world.dump_of_records().await, before, "nothing is changed");
        assert_eq!(told["status"], 200);
        assert_eq!(told["body"], r#"{"a": 1, "b": { "y": 2}, "c": [ 2.50]}"#);
        assert_eq!(told["cut"], false);
        let change = |path: &str, stage: &str, filter: Value, operation: &str| json!({"path": path, "stage": stage, "filterId": filter, "operation": operation});
        let changes = told["changes"].as_array().unwrap();
        for want in [
            change("$['a']", "targetCredential", json!(retain), "retain"),
            change("$['secret']", "targetCredential", Value::Null, "retain"),
            change("$['b']['x']", "target", json!(destroy), "destroy"),
            change("$['c'][0]", "proxyCredential", json!(first), "destroy"),
        ] {
            assert!(changes.contains(&want), "{want} in {}", told["changes"]);
        }
        assert!(
            changes.iter().all(|change| change["stage"] != "proxy"),
            "it is inactive"
        );

        let post = json!({"method": "POST", "path": "/", "response": {"body": body}});
        let told = world.trial(&id, "preview", &post).await;
        assert_eq!(told["body"], r#"{"a": 1, "b": { "y": 2}, "c": [1, 2.50]}"#);
    }
}

#[tokio::test]
async fn a_preview_answers_as_the_gateway_would() {
    for world in World::each().await {
        let proxy = world.proxy().await;
        let id = id_of(&proxy, "proxyId");
        filters(&world, &proxy).await;
        for (response, status, body) in [
            (
                json!({"status": 404, "body": "{\"d\":1}"}),
                404,
                Some("{\"d\":1}"),
            ),
            (json!({"status": 204}), 204, Some("")),
            (json!({"body": "{\"d\":1}"}), 200, Some("{}")),
            (json!({"headers": [], "body": "{}"}), 422, None),
            (
                json!({"headers": [["content-type", "text/html"]], "body": "<p>"}),
                422,
                None,
            ),
            (json!({"body": "{\"d\":1"}), 422, None),
            (json!({"status": 206, "body": "{}"}), 422, None),
        ] {
            let sample = json!({"method": "GET", "path": "/", "response": response});
            let told = world.trial(&id, "preview", &sample).await;
            assert_eq!(told["status"], status, "{sample}");
            if let Some(body) = body {
                assert_eq!(told["body"], body, "{sample}");
                continue;
            }
            let refusal: Value = serde_json::from_str(told["body"].as_str().unwrap()).unwrap();
            assert_eq!(refusal["code"], "RESPONSE_NOT_FILTERABLE");
            assert_eq!(told["changes"], json!([]));
        }
    }
}

#[tokio::test]
async fn a_preview_of_a_stream_names_records_and_where_it_is_cut() {
    for world in World::each().await {
        let id = id_of(&world.proxy().await, "proxyId");
        let filter = json!({"operation": "destroy", "paths": ["$.a"]});
        let filter = world
            .create(&format!("proxies/{id}/filters"), &filter)
            .await;
        let change = json!({"path": "$['a']", "stage": "proxy", "filterId": filter["filterId"],
            "operation": "destroy", "record": 1});
        for (body, left, cut) in [
            ("{\"b\":1}\n{\"a\":1}\n", "{\"b\":1}\n{}\n", false),
            ("{\"b\":1}\n{\"a\":1}\nno\n", "{\"b\":1}\n{}\n", true),
        ] {
            let response = json!({"headers": [["content-type", "application/x-ndjson"]],
                "body": body});
            let sample = json!({"method": "GET", "path": "/", "response": response});
            let told = world.trial(&id, "preview", &sample).await;
            let want = json!({"status": 200, "body": left, "cut": cut, "changes": [change]});
            assert_eq!(told, want);
        }
    }
}

#[tokio::test]
async fn a_preview_that_would_tell_too_much_is_refused() {
    for world in World::each().await {
        let id = id_of(&world.proxy().await, "proxyId");
        let filter = json!({"operation": "destroy", "paths": ["$.*[*]"]});
        let list = format!("proxies/{id}/filters");
        world.create(&list, &filter).await;
        // Each of the changes says its path, which holds the long name.
        let record = json!({"n".repeat(600): vec![0; 1_000]}).to_string() + "\n";
        let response = json!({"headers": [["content-type", "application/x-ndjson"]],
            "body": record.repeat(20)});
        let sample = json!({"method": "GET", "path": "/", "response": response});
        let path = world.at(&format!("proxies/{id}/preview"));
        let answer = world.call("POST", &path).json(&sample).send().await;
        answer.expect(400, "VALIDATION_FAILED");
        assert_eq!(answer.fields(), ["response.body"]);
    }
}

#[tokio::test]
async fn every_problem_of_a_preview_is_named_at_once() {
    for world in World::each().await {
        let id = id_of(&world.proxy().await, "proxyId");
        let path = world.at(&format!("proxies/{id}/preview"));
        for (bad, want) in [
            (json!({}), vec!["method", "path", "response"]),
            (
                json!({"method": "GET", "path": "/", "response": {"status": 99, "headers": 1,
                    "body": {}, "extra": 1}}),
                vec![
                    "response.body",
                    "response.extra",
                    "response.headers",
                    "response.status",
                ],
            ),
        ] {
            let answer = world.call("POST", &path).json(&bad).send().await;
            assert_eq!(answer.status, 400);
            let mut fields = answer.fields();
            fields.sort_unstable();
            assert_eq!(fields, want, "{bad}");
        }
    }
}

#[tokio::test]
async fn a_sample_is_bounded() {
    for world in World::each().await {
        let id = id_of(&world.proxy().await, "proxyId");
        for (kind, length, status) in [
            ("preview", 65_000, 200),
            ("preview", 66_000, 413),
            ("evaluate", 66_000, 413),
        ] {
            let path = world.at(&format!("proxies/{id}/{kind}"));
            let mut sample = json!({"method": "POST", "path": "/"});
            if kind == "preview" {
                sample["response"] = json!({"body": format!("\"{}\"", "x".repeat(length))});
            } else {
                sample["body"] = json!("x".repeat(length));
            }
            let answer = world.call("POST", &path).json(&sample).send().await;
            assert_eq!(answer.status, status, "{kind} {length}: {}", answer.text);
        }
    }
}

#[tokio::test]
async fn a_sample_on_which_filters_work_too_long_is_refused() {
    for world in World::each().await {
        let proxy = id_of(&world.proxy().await, "proxyId");
        let paths: Vec<_> = (0..100).map(|n| format!("$.a{n}")).collect();
        let filter = json!({"operation": "destroy", "paths": paths});
        for _ in 0..10 {
            let path = format!("proxies/{proxy}/filters");
            world.create(&path, &filter).await;
        }
        let sample = |records: usize| {
            json!({
                "method": "GET", "path": "/", "response": {
                    "body": "{}\n".repeat(records),
                    "headers": [["Content-Type", "application/x-ndjson"]],
                },
            })
        };
        let told = world.trial(&proxy, "preview", &sample(10)).await;
        assert_eq!(told["body"], "{}\n".repeat(10));
        let path = world.at(&format!("proxies/{proxy}/preview"));
        let answer = world.call("POST", &path).json(&sample(20_000)).send().await;
        answer.expect(400, "VALIDATION_FAILED");
        assert_eq!(answer.fields(), ["response.body"]);
    }
}

#[tokio::test]
async fn a_filter_that_is_being_written_is_tried_in_its_layer_and_stays_unwritten() {
    for world in World::each().await {
        let proxy = world.proxy().await;
        let id = id_of(&proxy, "proxyId");
        let [_, destroy, ..] = filters(&world, &proxy).await;
        let before = world.dump_of_records().await;
        let told = async |draft: Value| {
            let body = r#"{"a": 1, "b": {"x": 1, "y": 2}}"#;
            let response = json!({"body": body});
            let sample =
                json!({"method": "GET", "path": "/", "response": response, "draft": draft});
            world.trial(&id, "preview", &sample).await
        };
        let new = json!({"operation": "destroy", "paths": ["$.a"]});
        let with_new = told(json!({"layer": "proxy", "filter": new})).await;
        assert_eq!(with_new["body"], r#"{ "b": { "y": 2}}"#);
        let ours = json!({"path": "$['a']", "stage": "proxy", "operation": "destroy",
            "filterId": "00000000-0000-0000-0000-000000000000"});
        let changes = with_new["changes"].as_array().unwrap();
        assert!(changes.contains(&ours), "{ours} in {}", with_new["changes"]);

        let other = json!({"operation": "destroy", "paths": ["$.b.y"]});
        let draft = json!({"layer": "target", "filter": other, "replaces": destroy});
        assert_eq!(told(draft).await["body"], r#"{"a": 1, "b": {"x": 1}}"#);
        assert_eq!(world.dump_of_records().await, before, "nothing is changed");

        let path = world.at(&format!("proxies/{id}/preview"));
        let bad = json!({"method": "GET", "path": "/", "response": {},
            "draft": {"layer": "proxy", "filter": {"operation": "destroy", "paths": ["a"]}}});
        let answer = world.call("POST", &path).json(&bad).send().await;
        assert_eq!(answer.status, 400, "{}", answer.text);
        assert_eq!(answer.body["details"][0]["field"], "draft.filter.paths[0]");
    }
}
