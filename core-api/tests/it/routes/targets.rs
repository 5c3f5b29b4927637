use serde_json::{Value, json};

use crate::world::{OTHER_REGION, REGION, World, id_of};

fn body() -> Value {
    json!({"targetName": "A", "targetBaseURL": "https://api.example.com/v1", "targetRegion": REGION})
}

#[tokio::test]
async fn a_target_is_created_read_replaced_changed_and_deleted() {
    for world in World::each().await {
        let created = world
            .call("POST", &world.at("targets"))
            .json(&body())
            .send()
            .await;
        assert_eq!(created.status, 201);
        let id = id_of(&created.body, "targetId");
        let path = world.at(&format!("targets/{id}"));
        assert_eq!(created.header("location"), path);
        assert_eq!(created.header("requestrocket-config-version"), "1");
        let mut want = json!({
            "targetId": id, "clientId": world.home, "targetName": "A",
            "targetBaseURL": "https://api.example.com/v1", "targetTestPath": null,
            "targetCheckSeconds": null, "targetHealth": null,
            "targetRegion": REGION, "targetDefaultRuleEffect": "allow",
            "labels": {}, "createdAt": "2026-01-01T00:00:00.000Z", "updatedAt": "2026-01-01T00:00:00.000Z",
        });
        want["createdBy"] = created.body["createdBy"].clone();
        assert_eq!(created.body, want);
        assert_eq!(world.call("GET", &path).send().await.body, want);

        world.pass(std::time::Duration::from_secs(1));
        let replacement = json!({
            "targetName": "B", "targetBaseURL": "http://127.0.0.1:8080",
            "targetTestPath": "/health?deep=1", "targetDefaultRuleEffect": "deny",
        });
        let replaced = world.call("PUT", &path).json(&replacement).send().await;
        assert_eq!(replaced.status, 200);
        assert_eq!(replaced.body["updatedAt"], "2026-01-01T00:00:01.000Z");
        assert_eq!(replaced.body["createdAt"], "2026-01-01T00:00:00.000Z");
        assert_eq!(replaced.body["targetTestPath"], "/health?deep=1");

        let patch = json!({"targetTestPath": null, "targetName": "C"});
        let changed = world.call("PATCH", &path).json(&patch).send().await;
        assert_eq!(changed.status, 200);
        assert_eq!(changed.body["targetTestPath"], Value::Null);
        assert_eq!(changed.body["targetName"], "C");
        assert_eq!(changed.body["targetDefaultRuleEffect"], "deny");

        let deleted = world.call("DELETE", &path).send().await;
        assert_eq!((deleted.status, deleted.text.as_str()), (204, ""));
        assert_eq!(deleted.header("requestrocket-config-version"), "4");
        world
            .call("GET", &path)
            .send()
            .await
            .expect(404, "NOT_FOUND");
        world
            .call("DELETE", &path)
            .send()
            .await
            .expect(404, "NOT_FOUND");
    }
}

#[tokio::test]
async fn every_problem_of_a_target_is_named_at_once() {
    for world in World::each().await {
        let bad = json!({
            "targetName": "", "targetBaseURL": "ftp://h", "targetRegion": 7,
            "targetTestPath": "no-slash", "targetDefaultRuleEffect": "maybe", "extra": 1,
        });
        let answer = world
            .call("POST", &world.at("targets"))
            .json(&bad)
            .send()
            .await;
        let mut fields = answer.expect(400, "UNKNOWN_FIELD").fields();
        fields.sort_unstable();
        let want = [
            "extra",
            "targetBaseURL",
            "targetDefaultRuleEffect",
            "targetName",
            "targetRegion",
            "targetTestPath",
        ];
        assert_eq!(fields, want);
    }
}

#[tokio::test]
async fn urls_that_reach_inwards_are_refused() {
    for world in World::each().await {
        for (url, code) in [
            ("http://10.0.0.1/", "ADDRESS_NOT_ALLOWED"),
            ("http://169.254.169.254/latest", "ADDRESS_NOT_ALLOWED"),
            ("http://[::ffff:10.0.0.1]/", "ADDRESS_NOT_ALLOWED"),
            ("http://0xa000001/", "ADDRESS_NOT_ALLOWED"),
            ("http://012.0.0.1/", "ADDRESS_NOT_ALLOWED"),
            ("http://167772161/", "ADDRESS_NOT_ALLOWED"),
            ("https://user:hunter2@api.example.com/", "INVALID_URL"),
            ("gopher://api.example.com/", "INVALID_URL"),
            ("https://api.example.com/?q", "INVALID_URL"),
            ("https://api.example.com/#f", "INVALID_URL"),
        ] {
            let mut bad = body();
            bad["targetBaseURL"] = json!(url);
            let answer = world
                .call("POST", &world.at("targets"))
                .json(&bad)
                .send()
                .await;
            assert_eq!(
                answer.expect(400, code).fields(),
                ["targetBaseURL"],
                "{url}"
            );
            assert!(!answer.text.contains("hunter2"));
        }
        // Named by the settings.
        let mut good = body();
        good["targetBaseURL"] = json!("http://127.0.0.1:9999");
        world.create("targets", &good).await;
    }
}

#[tokio::test]
async fn regions_must_exist_and_be_the_organisations_to_use() {
    for world in World::each().await {
        let mut other = body();
        other["targetRegion"] = json!("nowhere");
        let path = world.at("targets");
        let answer = world.call("POST", &path).json(&other).send().await;
        assert_eq!(
            answer.expect(400, "UNKNOWN_REGION").fields(),
            ["targetRegion"]
        );
        let only = format!("UPDATE organisation SET allowed_regions = '[\"{REGION}\"]'");
        world.run(&only).await;
        other["targetRegion"] = json!(OTHER_REGION);
        let answer = world.call("POST", &path).json(&other).send().await;
        assert_eq!(
            answer.expect(400, "REGION_NOT_ALLOWED").fields(),
            ["targetRegion"]
        );
        world.create("targets", &body()).await;
    }
}

#[tokio::test]
async fn a_target_in_use_goes_only_by_force() {
    for world in World::each().await {
        let proxy = world.proxy().await;
        let (id, target) = (id_of(&proxy, "proxyId"), id_of(&proxy, "proxyTargetId"));
        let path = world.at(&format!("targets/{target}"));
        let refused = world.call("DELETE", &path).send().await;
        refused.expect(409, "RESOURCE_IN_USE");
        let name = proxy["proxyName"].as_str().unwrap();
        let detail = json!([{"field": "proxyId", "problem": format!("{id} {name}")}]);
        assert_eq!(refused.body["details"], detail);
        assert_eq!(
            world
                .call("DELETE", &format!("{path}?force=false"))
                .send()
                .await
                .status,
            409
        );

        let forced = world
            .call("DELETE", &format!("{path}?force=true"))
            .send()
            .await;
        assert_eq!(forced.status, 204);
        let proxy_path = world.at(&format!("proxies/{id}"));
        let after = world.call("GET", &proxy_path).send().await;
        assert_eq!(after.body["proxyTargetId"], target.as_str());
        assert_eq!(after.body["proxyStatus"], "incomplete");
        assert_eq!(
            after.header("etag"),
            format!("\"r{}\"", forced.header("requestrocket-config-version"))
        );

        // A change elsewhere leaves the dangling id alone; naming it is an error.
        let renamed = world
            .call("PATCH", &proxy_path)
            .json(&json!({"proxyName": "R"}))
            .send()
            .await;
        assert_eq!(
            (renamed.status, &renamed.body["proxyStatus"]),
            (200, &json!("incomplete"))
        );
        let named = json!({"proxyTargetId": target});
        let answer = world.call("PATCH", &proxy_path).json(&named).send().await;
        answer.expect(400, "REFERENCE_NOT_FOUND");
        let repaired = json!({"proxyTargetId": world.target(REGION).await});
        let answer = world
            .call("PATCH", &proxy_path)
            .json(&repaired)
            .send()
            .await;
        assert_eq!(
            (answer.status, &answer.body["proxyStatus"]),
            (200, &json!("pending"))
        );
    }
}

#[tokio::test]
async fn a_target_is_checked_every_minute_to_day_or_never() {
    for world in World::each().await {
        for (seconds, is_taken) in [
            (json!(60), true),
            (json!(86_400), true),
            (Value::Null, true),
            (json!(59), false),
            (json!(86_401), false),
            (json!("60"), false),
        ] {
            let mut body = body();
            body["targetCheckSeconds"] = seconds.clone();
            let sent = world.call("POST", &world.at("targets")).json(&body).send();
            let sent = sent.await;
            if is_taken {
                assert_eq!(sent.body["targetCheckSeconds"], seconds);
                // Not before its region has called it.
                assert_eq!(sent.body["targetHealth"], Value::Null);
            } else {
                sent.expect(400, "VALIDATION_FAILED");
            }
        }
    }
}

#[tokio::test]
async fn a_target_is_tested_by_its_region_with_a_credential_that_fits() {
    for world in World::each().await {
        let target = world
            .call("POST", &world.at("targets"))
            .json(&body())
            .send();
        let target = id_of(&target.await.body, "targetId");
        let path = world.at(&format!("targets/{target}/test"));
        let of_caller = world.credential(REGION, "proxy").await;
        let fitting = world.credential(REGION, "target").await;
        let unknown = "00000000-0000-4000-8000-000000000000";
        for (body, status, code) in [
            (
                json!({"targetCredentialId": unknown}),
                400,
                "REFERENCE_NOT_FOUND",
            ),
            (
                json!({"targetCredentialId": of_caller}),
                400,
                "CREDENTIAL_TYPE_MISMATCH",
            ),
            (json!({"targetCredentialId": 1}), 400, "VALIDATION_FAILED"),
            (json!({"other": 1}), 400, "UNKNOWN_FIELD"),
            // It is not connected.
            (
                json!({"targetCredentialId": fitting}),
                503,
                "REGION_UNAVAILABLE",
            ),
            (json!({}), 503, "REGION_UNAVAILABLE"),
        ] {
            let sent = world.call("POST", &path).json(&body).send().await;
            sent.expect(status, code);
        }
        for column in ["status", "standing"] {
            let set = |word| format!("UPDATE organisation SET {column} = '{word}'");
            world.run(&set("suspended")).await;
            let sent = world.call("POST", &path).json(&json!({})).send().await;
            sent.expect(409, "CONFLICT");
            let before = if column == "status" { "active" } else { "ok" };
            world.run(&set(before)).await;
        }
        let path = world.at(&format!("targets/{unknown}/test"));
        let sent = world.call("POST", &path).json(&json!({})).send().await;
        sent.expect(404, "NOT_FOUND");
    }
}
