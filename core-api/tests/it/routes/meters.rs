use serde_json::{Value, json};

use crate::world::{World, id_of};

#[tokio::test]
async fn a_meter_is_created_read_replaced_changed_and_deleted() {
    for world in World::each().await {
        let proxy = id_of(&world.proxy().await, "proxyId");
        let list = world.at(&format!("proxies/{proxy}/meters"));
        let sent = json!({
            "meterName": "Tokens", "meterType": "response_value",
            "extraction": {"location": "body", "path": "$.usage.total_tokens"},
            "conditions": {"methods": ["post"], "body": [{"jsonPath": "$.model"}]},
            "limits": {"minute": 1000, "month": 9_007_199_254_740_991_u64},
        });
        let created = world.call("POST", &list).json(&sent).send().await;
        assert_eq!(created.status, 201, "{}", created.text);
        let meter = created.body.clone();
        let path = format!("{list}/{}", id_of(&meter, "meterId"));
        assert_eq!(created.header("location"), path);
        let want = json!({
            "meterId": meter["meterId"], "clientId": world.home,
            "attachedTo": {"type": "proxy", "id": proxy}, "meterName": "Tokens",
            "meterType": "response_value", "meterActive": true,
            "extraction": {"location": "body", "path": "$.usage.total_tokens"},
            "conditions": {"methods": ["POST"], "path": null, "headers": [], "query": [],
                "body": [{"path": "$.model", "presence": "present"}], "claims": []},
            "limits": {"minute": 1000, "hour": null, "day": null,
                "month": 9_007_199_254_740_991_u64},
            "createdBy": meter["createdBy"], "labels": {}, "createdAt": "2026-01-01T00:00:00.000Z",
            "updatedAt": "2026-01-01T00:00:00.000Z",
        });
        assert_eq!(meter, want);
        assert_eq!(world.call("GET", &path).send().await.body, want);

        let patch = json!({
            "limits": {"minute": null, "day": 5}, "conditions": {"body": null},
            "extraction": {"location": "header", "name": "X-Cost", "path": null},
        });
        let changed = world.call("PATCH", &path).json(&patch).send().await;
        assert_eq!(changed.status, 200, "{}", changed.text);
        let limits = json!({"minute": null, "hour": null, "day": 5,
            "month": 9_007_199_254_740_991_u64});
        assert_eq!(changed.body["limits"], limits);
        assert_eq!(
            changed.body["extraction"],
            json!({"location": "header", "name": "X-Cost"})
        );
        assert_eq!(changed.body["conditions"]["methods"], json!(["POST"]));
        assert_eq!(changed.body["conditions"]["body"], json!([]));

        let replacement = json!({"meterName": "Calls", "meterType": "request_count"});
        let replaced = world
            .call("PUT", &path)
            .json(&replacement)
            .send()
            .await
            .body;
        let none = json!({"minute": null, "hour": null, "day": null, "month": null});
        assert_eq!(
            (&replaced["limits"], &replaced["extraction"]),
            (&none, &Value::Null)
        );
        assert_eq!(world.call("DELETE", &path).send().await.status, 204);
        world
            .call("GET", &path)
            .send()
            .await
            .expect(404, "NOT_FOUND");
    }
}

#[tokio::test]
async fn every_problem_of_a_meter_is_named_at_once() {
    for world in World::each().await {
        let proxy = id_of(&world.proxy().await, "proxyId");
        let list = world.at(&format!("proxies/{proxy}/meters"));
        let body = json!({"location": "body", "path": "$.a"});
        for (bad, code, want) in [
            (
                json!({}),
                "VALIDATION_FAILED",
                vec!["meterName", "meterType"],
            ),
            (
                json!({"meterName": "", "meterType": "sum", "meterActive": 0, "limits": {"minute": 0,
                    "hour": 1.5, "day": -1, "week": 1}, "conditions": {"pathPattern": "(", "x": 1}}),
                "UNKNOWN_FIELD",
                vec![
                    "conditions.path.pattern",
                    "conditions.x",
                    "limits.day",
                    "limits.hour",
                    "limits.minute",
                    "limits.week",
                    "meterActive",
                    "meterName",
                    "meterType",
                ],
            ),
            (
                json!({"meterName": "M", "meterType": "response_value"}),
                "VALIDATION_FAILED",
                vec!["extraction"],
            ),
            (
                json!({"meterName": "M", "meterType": "request_count", "extraction": body}),
                "VALIDATION_FAILED",
                vec!["extraction"],
            ),
            (
                json!({"meterName": "M", "meterType": "response_value",
                    "extraction": {"location": "body", "path": "$.a", "name": "x"}}),
                "VALIDATION_FAILED",
                vec!["extraction.name"],
            ),
            (
                json!({"meterName": "M", "meterType": "response_value",
                    "extraction": {"location": "header", "name": "a b"}}),
                "VALIDATION_FAILED",
                vec!["extraction.name"],
            ),
            (
                json!({"meterName": "M", "meterType": "response_value",
                    "extraction": {"location": "trailer", "name": "a"}}),
                "VALIDATION_FAILED",
                vec!["extraction.location"],
            ),
            (
                json!({"meterName": "M", "meterType": "response_value",
                    "extraction": {"location": "body", "path": "a"}}),
                "INVALID_JSON_PATH",
                vec!["extraction.path"],
            ),
            (
                json!({"meterName": "M", "meterType": "request_count",
                    "conditions": {"headers": [], "headerChecks": []}}),
                "VALIDATION_FAILED",
                vec!["conditions.headerChecks"],
            ),
        ] {
            let answer = world.call("POST", &list).json(&bad).send().await;
            let mut fields = answer.expect(400, code).fields();
            fields.sort_unstable();
            assert_eq!(fields, want, "{bad}");
        }
    }
}

#[tokio::test]
async fn meters_are_of_proxies_only_and_so_many() {
    for world in World::each().await {
        let proxy = world.proxy().await;
        let target = id_of(&proxy, "proxyTargetId");
        let path = world.at(&format!("targets/{target}/meters"));
        world
            .call("GET", &path)
            .send()
            .await
            .expect(404, "NOT_FOUND");
        let list = format!("proxies/{}/meters", id_of(&proxy, "proxyId"));
        for number in 0..50 {
            let meter = json!({
                "meterName": format!("m{number:02}"), "meterType": "request_count",
                "meterActive": number % 2 == 0,
            });
            world.create(&list, &meter).await;
        }
        let more = json!({"meterName": "more", "meterType": "request_count"});
        let answer = world
            .call("POST", &world.at(&list))
            .json(&more)
            .send()
            .await;
        answer.expect(409, "LIMIT_REACHED");
        for (query, total, first) in [
            ("?sort=name&order=asc", 50, "m00"),
            ("?active=false&sort=name&order=desc", 25, "m49"),
            ("?search=M07", 1, "m07"),
        ] {
            let answer = world
                .call("GET", &world.at(&format!("{list}{query}")))
                .send()
                .await;
            assert_eq!(answer.body["pagination"]["total"], total, "{query}");
            assert_eq!(answer.body["data"][0]["meterName"], first, "{query}");
        }
        let gone = world.at(&format!("proxies/{}", id_of(&proxy, "proxyId")));
        assert_eq!(world.call("DELETE", &gone).send().await.status, 204);
        assert_eq!(world.number("SELECT COUNT(*) FROM meter").await, 0);
    }
}
