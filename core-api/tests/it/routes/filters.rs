use serde_json::{Value, json};

use super::rules::records;
use crate::world::{REGION, World, id_of};

#[tokio::test]
async fn a_filter_is_created_read_replaced_changed_and_deleted_on_every_record() {
    for world in World::each().await {
        let proxy = world.proxy().await;
        for (kind, id) in records(&proxy) {
            let list = world.at(&format!("{kind}/{id}/filters"));
            let sent = json!({
                "operation": "destroy", "paths": ["$.b", "$..ssn"], "filterActive": false,
                "methods": ["get"], "pathPattern": "^/v1", "notes": "private",
                "headerChecks": [{"name": {"pattern": "x"}}],
            });
            let created = world.call("POST", &list).json(&sent).send().await;
            assert_eq!(created.status, 201, "{}", created.text);
            let filter = created.body.clone();
            let path = format!("{list}/{}", id_of(&filter, "filterId"));
            assert_eq!(created.header("location"), path);
            let want = json!({
                "filterId": filter["filterId"], "clientId": world.home,
                "attachedTo": filter["attachedTo"], "operation": "destroy",
                "paths": ["$.b", "$..ssn"], "filterActive": false, "methods": ["GET"],
                "path": {"pattern": "^/v1", "presence": "present"},
                "headers": [{"name": {"pattern": "x"}, "presence": "present"}], "query": [],
                "claims": [], "notes": "private", "createdBy": filter["createdBy"],
                "labels": {}, "createdAt": "2026-01-01T00:00:00.000Z", "updatedAt": "2026-01-01T00:00:00.000Z",
            });
            assert_eq!(filter, want);
            assert_eq!(filter["attachedTo"]["id"], id.as_str());
            assert_eq!(world.call("GET", &path).send().await.body, want);

            let sent = json!({"operation": "retain", "paths": ["$.a"]});
            let replaced = world.call("PUT", &path).json(&sent).send().await.body;
            assert_eq!(
                (
                    &replaced["operation"],
                    &replaced["filterActive"],
                    &replaced["path"]
                ),
                (&json!("retain"), &json!(true), &Value::Null)
            );
            let patch = json!({"paths": ["$.c"]});
            let changed = world.call("PATCH", &path).json(&patch).send().await.body;
            assert_eq!(
                (&changed["operation"], &changed["paths"]),
                (&json!("retain"), &json!(["$.c"]))
            );
            assert_eq!(world.call("DELETE", &path).send().await.status, 204);
            world
                .call("GET", &path)
                .send()
                .await
                .expect(404, "NOT_FOUND");
        }
    }
}

#[tokio::test]
async fn every_problem_of_a_filter_is_named_at_once() {
    for world in World::each().await {
        let list = world.at(&format!("targets/{}/filters", world.target(REGION).await));
        for (bad, code, want) in [
            (json!({}), "VALIDATION_FAILED", vec!["operation", "paths"]),
            (
                json!({"operation": "mask", "paths": [], "filterActive": 1}),
                "VALIDATION_FAILED",
                vec!["filterActive", "operation", "paths"],
            ),
            (
                json!({"operation": "retain", "paths": null}),
                "VALIDATION_FAILED",
                vec!["paths"],
            ),
            (
                json!({"operation": "retain", "paths": "$.a"}),
                "VALIDATION_FAILED",
                vec!["paths"],
            ),
            (
                json!({"operation": "retain", "paths": ["$.a"], "body": [{"path": "$.a"}]}),
                "UNKNOWN_FIELD",
                vec!["body"],
            ),
            (
                json!({"operation": "retain", "paths": vec!["$.a"; 101]}),
                "VALIDATION_FAILED",
                vec!["paths"],
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
async fn a_path_that_is_refused_says_where() {
    for world in World::each().await {
        let list = world.at(&format!("targets/{}/filters", world.target(REGION).await));
        for path in [
            "a",
            "$.",
            "$[",
            "$[?",
            "",
            &format!("$.{}", "x".repeat(1024)),
        ] {
            let bad = json!({"operation": "destroy", "paths": ["$.ok", path]});
            let answer = world.call("POST", &list).json(&bad).send().await;
            let detail = &answer.expect(400, "INVALID_JSON_PATH").body["details"][0];
            assert_eq!(detail["field"], "paths[1]", "{path}");
            let position = detail["position"].as_u64().unwrap();
            assert!(position <= path.len() as u64, "{path}: {detail}");
        }
    }
}

#[tokio::test]
async fn a_record_has_room_for_so_many_filters() {
    for world in World::each().await {
        let list = format!("targets/{}/filters", world.target(REGION).await);
        let filter = json!({"operation": "destroy", "paths": ["$.a"]});
        for _ in 0..100 {
            world.create(&list, &filter).await;
        }
        let more = world
            .call("POST", &world.at(&list))
            .json(&filter)
            .send()
            .await;
        more.expect(409, "LIMIT_REACHED");
        // Rules have a room of their own.
        let rules = list.replace("filters", "rules");
        world.create(&rules, &json!({"effect": "deny"})).await;
        let inactive = world
            .call("GET", &world.at(&format!("{list}?active=false")))
            .send()
            .await;
        assert_eq!(inactive.body["pagination"]["total"], 0);
        let sorted = world.at(&format!("{list}?sort=priority"));
        world
            .call("GET", &sorted)
            .send()
            .await
            .expect(400, "VALIDATION_FAILED");
    }
}
