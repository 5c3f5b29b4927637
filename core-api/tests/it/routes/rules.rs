use std::time::Duration;

use requestrocket_core_api::region::fleet::Link;
use requestrocket_proto::region::v1::NodeStatus;
use serde_json::{Value, json};

use crate::world::{REGION, World, id_of};

/// The three records that rules of one proxy are attached to, by their segment of the path.
pub(crate) fn records(proxy: &Value) -> [(&'static str, String); 3] {
    [
        ("proxies", id_of(proxy, "proxyId")),
        ("targets", id_of(proxy, "proxyTargetId")),
        ("credentials", id_of(proxy, "proxyTargetCredentialId")),
    ]
}

fn full() -> Value {
    json!({
        "effect": "deny", "priority": 900, "ruleActive": false, "methods": ["get", "POST", "GET"],
        "path": {"pattern": "^/v1", "flags": "i", "presence": "absent"},
        "headers": [{"name": {"pattern": "^x-"}, "value": {"pattern": "a"}}],
        "query": [{"name": {"pattern": "q"}, "presence": "absent"}],
        "body": [{"path": "$.model", "value": {"pattern": "gpt"}}],
        "claims": [{"path": "$.roles[*]"}], "notes": "no models",
    })
}

/// The main form of [`full`].
fn shown(rule: &Value) -> Value {
    json!({
        "ruleId": rule["ruleId"], "clientId": rule["clientId"], "attachedTo": rule["attachedTo"],
        "effect": "deny", "priority": 900, "ruleActive": false, "methods": ["GET", "POST"],
        "path": {"pattern": "^/v1", "flags": "i", "presence": "absent"},
        "headers": [{"name": {"pattern": "^x-"}, "value": {"pattern": "a"}, "presence": "present"}],
        "query": [{"name": {"pattern": "q"}, "presence": "absent"}],
        "body": [{"path": "$.model", "value": {"pattern": "gpt"}, "presence": "present"}],
        "claims": [{"path": "$.roles[*]", "presence": "present"}], "notes": "no models",
        "createdBy": rule["createdBy"], "labels": {}, "createdAt": "2026-01-01T00:00:00.000Z",
        "updatedAt": rule["updatedAt"],
    })
}

#[tokio::test]
async fn a_rule_is_created_read_replaced_changed_and_deleted_on_every_record() {
    for world in World::each().await {
        let proxy = world.proxy().await;
        for (kind, id) in records(&proxy) {
            let list = world.at(&format!("{kind}/{id}/rules"));
            let created = world.call("POST", &list).json(&full()).send().await;
            assert_eq!(created.status, 201, "{}", created.text);
            let rule = created.body.clone();
            let path = format!("{list}/{}", id_of(&rule, "ruleId"));
            assert_eq!(created.header("location"), path);
            let attached_to = json!({"type": kind_of(kind), "id": id});
            assert_eq!(rule["attachedTo"], attached_to);
            assert_eq!(rule["clientId"], world.home.as_str());
            assert_eq!(rule, shown(&rule));
            let got = world.call("GET", &path).send().await;
            assert_eq!(
                (&got.body, got.header("etag")),
                (&rule, created.header("etag"))
            );

            let replaced = world
                .call("PUT", &path)
                .json(&json!({"effect": "allow"}))
                .send()
                .await;
            assert_eq!(replaced.status, 200);
            for (member, default) in [
                ("priority", json!(500)),
                ("ruleActive", json!(true)),
                ("methods", json!([])),
                ("path", Value::Null),
                ("headers", json!([])),
                ("query", json!([])),
                ("body", json!([])),
                ("claims", json!([])),
                ("notes", Value::Null),
            ] {
                assert_eq!(replaced.body[member], default, "{member}");
            }
            let mut whole = rule.clone();
            whole["effect"] = json!("allow");
            // What GET showed can be put back, but not with another moment of change.
            let put = world.call("PUT", &path).json(&whole).send().await;
            assert_eq!(put.status, 200, "{}", put.text);
            let patch = json!({"path": {"flags": null}, "notes": null, "effect": "deny"});
            let changed = world.call("PATCH", &path).json(&patch).send().await;
            let want = json!({"pattern": "^/v1", "presence": "absent"});
            assert_eq!(changed.body["path"], want);
            assert_eq!(
                (&changed.body["notes"], &changed.body["effect"]),
                (&Value::Null, &json!("deny"))
            );
            assert_eq!(changed.body["headers"], rule["headers"]);
            assert_eq!(world.call("DELETE", &path).send().await.status, 204);
            world
                .call("GET", &path)
                .send()
                .await
                .expect(404, "NOT_FOUND");
        }
    }
}

fn kind_of(segment: &str) -> &'static str {
    match segment {
        "proxies" => "proxy",
        "targets" => "target",
        _ => "credential",
    }
}

#[tokio::test]
async fn a_rule_is_found_below_its_own_record_only() {
    for world in World::each().await {
        let (proxy, other) = (world.proxy().await, world.proxy().await);
        let rule = json!({"effect": "deny"});
        let [(_, id), (_, target), _] = records(&proxy);
        let made = world.create(&format!("proxies/{id}/rules"), &rule).await;
        let rule = id_of(&made, "ruleId");
        for path in [
            format!("targets/{target}/rules/{rule}"),
            format!("proxies/{}/rules/{rule}", id_of(&other, "proxyId")),
            format!("members/{id}/rules/{rule}"),
            format!("proxies/{target}/rules/{rule}"),
            format!("proxies/{id}/filters/{rule}"),
            format!("proxies/{id}/rules/nonsense"),
        ] {
            for method in ["GET", "DELETE"] {
                let answer = world.call(method, &world.at(&path)).send().await;
                answer.expect(404, "NOT_FOUND");
            }
        }
        let unknown = world.at("targets/00000000-0000-4000-8000-000000000000/rules");
        world
            .call("GET", &unknown)
            .send()
            .await
            .expect(404, "NOT_FOUND");
        let post = world.call("POST", &unknown).json(&json!({})).send().await;
        post.expect(404, "NOT_FOUND");
    }
}

#[tokio::test]
async fn every_problem_of_a_rule_is_named_at_once_with_its_place() {
    for world in World::each().await {
        let path = world.at(&format!("targets/{}/rules", world.target(REGION).await));
        let bad = json!({
            "effect": "maybe", "priority": 1001, "ruleActive": "yes", "methods": ["GET", "TRACE"],
            "path": {"pattern": "a(b", "presence": "maybe"},
            "headers": [
                {"name": {"pattern": "ok"}},
                {"name": {"pattern": "[z-a]"}, "value": {"pattern": "x", "flags": "g"}, "extra": 1},
                {"value": {"pattern": "x"}},
            ],
            "query": {"name": 1}, "body": [{"value": "x"}], "notes": "a\u{0}b",
        });
        let answer = world.call("POST", &path).json(&bad).send().await;
        let mut fields = answer.expect(400, "UNKNOWN_FIELD").fields();
        fields.sort_unstable();
        let want = [
            "body[0].path",
            "body[0].value",
            "effect",
            "headers[1].extra",
            "headers[1].name.pattern",
            "headers[1].value.flags",
            "headers[2].name",
            "methods[1]",
            "notes",
            "path.pattern",
            "path.presence",
            "priority",
            "query",
            "ruleActive",
        ];
        assert_eq!(fields, want);
    }
}

#[tokio::test]
async fn a_pattern_that_is_refused_says_where() {
    for world in World::each().await {
        let path = world.at(&format!("targets/{}/rules", world.target(REGION).await));
        for (pattern, position) in [
            ("a(b", 1),
            ("é[", 2),
            (r"(a)\1", 3),
            ("a(?=b)", 1),
            (&"x".repeat(4097), 4096),
        ] {
            let rule = json!({"effect": "deny", "path": {"pattern": pattern}});
            let answer = world.call("POST", &path).json(&rule).send().await;
            answer.expect(400, "INVALID_PATTERN");
            let detail = &answer.body["details"][0];
            assert_eq!(detail["field"], "path.pattern", "{pattern}");
            assert_eq!(detail["position"], position, "{pattern}: {detail}");
            let rule = json!({"effect": "deny", "headers": [{"name": {"pattern": pattern}}]});
            let answer = world.call("POST", &path).json(&rule).send().await;
            let detail = &answer.expect(400, "INVALID_PATTERN").body["details"][0];
            assert_eq!(detail["field"], "headers[0].name.pattern", "{pattern}");
        }
    }
}

#[tokio::test]
async fn other_spellings_become_the_main_form() {
    let path = |pattern: &str, presence: &str| json!({"pattern": pattern, "presence": presence});
    for world in World::each().await {
        let list = format!("targets/{}/rules", world.target(REGION).await);
        for (sent, member, want) in [
            (
                json!({"pathPattern": "^/a"}),
                "path",
                path("^/a", "present"),
            ),
            (
                json!({"pathPattern": "^/a", "pathPresence": "must_not_exist"}),
                "path",
                path("^/a", "absent"),
            ),
            (
                json!({"path": {"path": {"pattern": "^/a"}, "presence": "must_exist"}}),
                "path",
                path("^/a", "present"),
            ),
            (
                json!({"pathPattern": "^/a", "regexFlags": "gi"}),
                "path",
                json!({"pattern": "^/a", "flags": "i", "presence": "present"}),
            ),
            (
                json!({"path": {"pattern": "^/a", "flags": "s"}, "regexFlags": "g"}),
                "path",
                json!({"pattern": "^/a", "flags": "s", "presence": "present"}),
            ),
            (
                json!({"headerChecks": [{"name": {"pattern": "x"}}]}),
                "headers",
                json!([{"name": {"pattern": "x"}, "presence": "present"}]),
            ),
            (
                json!({"queryChecks": [{"name": {"pattern": "x"}}], "regexFlags": "m"}),
                "query",
                json!([{"name": {"pattern": "x", "flags": "m"}, "presence": "present"}]),
            ),
            (
                json!({"body": [{"jsonPath": "$.a", "matchValue": {"pattern": "x"}}]}),
                "body",
                json!([{"path": "$.a", "value": {"pattern": "x"}, "presence": "present"}]),
            ),
            (
                json!({"body": [{"jsonPath": {"pattern": "$.a"}, "presence": "must_not_exist"}]}),
                "body",
                json!([{"path": "$.a", "presence": "absent"}]),
            ),
            (
                json!({"token": [{"claim": "it's", "value": {"pattern": "x"}}]}),
                "claims",
                json!([{"path": r"$['it\'s']", "value": {"pattern": "x"}, "presence": "present"}]),
            ),
        ] {
            let mut rule = sent.clone();
            rule["effect"] = json!("deny");
            let made = world.create(&list, &rule).await;
            assert_eq!(made[member], want, "{sent}");
            // The same in a patch.
            let plain = world.create(&list, &json!({"effect": "deny"})).await;
            let one = world.at(&format!("{list}/{}", id_of(&plain, "ruleId")));
            let patched = world.call("PATCH", &one).json(&sent).send().await;
            assert_eq!(patched.body[member], want, "PATCH {sent}: {}", patched.text);
        }
    }
}

#[tokio::test]
async fn an_alias_beside_its_main_form_is_refused() {
    for world in World::each().await {
        let list = world.at(&format!("targets/{}/rules", world.target(REGION).await));
        let named = json!([{"name": {"pattern": "x"}}]);
        for (both, field) in [
            (
                json!({"path": {"pattern": "a"}, "pathPattern": "a"}),
                "pathPattern",
            ),
            (
                json!({"path": {"pattern": "a"}, "pathPresence": "absent"}),
                "pathPresence",
            ),
            (
                json!({"path": {"pattern": "a", "path": {"pattern": "a"}}}),
                "path.path.pattern",
            ),
            (
                json!({"headers": named, "headerChecks": named}),
                "headerChecks",
            ),
            (json!({"query": named, "queryChecks": named}), "queryChecks"),
            (json!({"claims": [], "token": []}), "token"),
            (
                json!({"body": [{"path": "$.a", "jsonPath": "$.a"}]}),
                "body[0].jsonPath",
            ),
            (
                json!({"claims": [{"path": "$.a", "claim": "a"}]}),
                "claims[0].claim",
            ),
            (
                json!({"body": [{"path": "$.a", "value": {"pattern": "x"},
                    "matchValue": {"pattern": "x"}}]}),
                "body[0].matchValue",
            ),
        ] {
            let mut rule = both.clone();
            rule["effect"] = json!("deny");
            let answer = world.call("POST", &list).json(&rule).send().await;
            assert_eq!(
                answer.expect(400, "VALIDATION_FAILED").fields(),
                [field],
                "{both}"
            );
        }
    }
}

#[tokio::test]
async fn rules_are_listed_by_priority_moment_notes_and_activity() {
    for world in World::each().await {
        let list = format!("targets/{}/rules", world.target(REGION).await);
        for (notes, priority, is_active) in [
            ("beta", 500, true),
            ("Alpha", 900, false),
            ("gamma", 100, true),
        ] {
            let rule = json!({
                "effect": "deny", "notes": notes, "priority": priority, "ruleActive": is_active,
            });
            world.create(&list, &rule).await;
            world.pass(Duration::from_millis(1));
        }
        for (query, want) in [
            ("", vec!["gamma", "Alpha", "beta"]),
            ("?sort=priority", vec!["Alpha", "beta", "gamma"]),
            ("?sort=priority&order=asc", vec!["gamma", "beta", "Alpha"]),
            ("?sort=name&order=asc", vec!["Alpha", "beta", "gamma"]),
            ("?active=true", vec!["gamma", "beta"]),
            ("?active=false", vec!["Alpha"]),
            ("?search=ALP", vec!["Alpha"]),
            ("?limit=1&page=2", vec!["Alpha"]),
        ] {
            let answer = world
                .call("GET", &world.at(&format!("{list}{query}")))
                .send()
                .await;
            let data = answer.body["data"].as_array().unwrap();
            let found: Vec<_> = data
                .iter()
                .map(|rule| rule["notes"].as_str().unwrap())
                .collect();
            assert_eq!(found, want, "{query}");
        }
        for query in [
            "sort=effect",
            "region=local-1",
            "type=proxy",
            "limit=0",
            "bogus=1",
        ] {
            let path = world.at(&format!("{list}?{query}"));
            let answer = world.call("GET", &path).send().await;
            answer.expect(400, "VALIDATION_FAILED");
        }
    }
}

#[tokio::test]
async fn a_record_has_room_for_so_many_rules_and_so_many_bytes() {
    for world in World::each().await {
        let proxy = world.proxy().await;
        let list = format!("proxies/{}/rules", id_of(&proxy, "proxyId"));
        for _ in 0..200 {
            world.create(&list, &json!({"effect": "deny"})).await;
        }
        let path = world.at(&list);
        let more = world
            .call("POST", &path)
            .json(&json!({"effect": "deny"}))
            .send()
            .await;
        more.expect(409, "LIMIT_REACHED");
        // One that is there can still be changed.
        let all = world.call("GET", &path).send().await.body;
        let one = format!("{path}/{}", id_of(&all["data"][0], "ruleId"));
        let patch = json!({"priority": 7});
        assert_eq!(
            world.call("PATCH", &one).json(&patch).send().await.status,
            200
        );

        let list = format!("targets/{}/rules", id_of(&proxy, "proxyTargetId"));
        let pattern = "x".repeat(4096);
        let large: Vec<_> = (0..50)
            .map(|_| json!({"name": {"pattern": pattern}}))
            .collect();
        let large = json!({"effect": "deny", "query": large});
        let made = world.create(&list, &large).await;
        let filters = list.replace("rules", "filters");
        let small = json!({"operation": "destroy", "paths": ["$.a"]});
        world.create(&filters, &small).await;
        let path = world.at(&list);
        let more = world.call("POST", &path).json(&large).send().await;
        more.expect(409, "LIMIT_REACHED");
        let one = format!("{path}/{}", id_of(&made, "ruleId"));
        assert_eq!(
            world.call("PUT", &one).json(&large).send().await.status,
            200
        );
    }
}

#[tokio::test]
async fn a_rule_has_at_most_fifty_conditions_of_all_kinds_together() {
    for world in World::each().await {
        let list = world.at(&format!("targets/{}/rules", world.target(REGION).await));
        let some = |count: usize| vec![json!({"name": {"pattern": "x"}}); count];
        for (headers, query, want) in [(25, 24, 201), (25, 26, 400), (51, 0, 400)] {
            let rule = json!({
                "effect": "deny", "methods": ["GET"], "headers": some(headers), "query": some(query),
            });
            let answer = world.call("POST", &list).json(&rule).send().await;
            assert_eq!(answer.status, want, "{headers} + {query}");
        }
    }
}

#[tokio::test]
async fn what_a_rule_is_attached_to_takes_it_along() {
    for world in World::each().await {
        let proxy = world.proxy().await;
        let rules = "SELECT COUNT(*) FROM rule";
        for (kind, id) in records(&proxy) {
            world
                .create(&format!("{kind}/{id}/rules"), &json!({"effect": "deny"}))
                .await;
            let filter = json!({"operation": "destroy", "paths": ["$.a"]});
            world.create(&format!("{kind}/{id}/filters"), &filter).await;
        }
        assert_eq!(world.number(rules).await, 3);
        for (left, (kind, id)) in [2, 1, 0].into_iter().zip(records(&proxy)) {
            let path = world.at(&format!("{kind}/{id}"));
            assert_eq!(world.call("DELETE", &path).send().await.status, 204);
            assert_eq!(world.number(rules).await, left, "{kind}");
            assert_eq!(world.number("SELECT COUNT(*) FROM redaction").await, left);
        }
        let proxy = world.proxy().await;
        let [(_, id), ..] = records(&proxy);
        world
            .create(&format!("proxies/{id}/rules"), &json!({"effect": "deny"}))
            .await;
        let home = format!("/clients/{}?force=true", world.home);
        assert_eq!(world.call("DELETE", &home).send().await.status, 204);
        assert_eq!(world.number(rules).await, 0);
    }
}

#[tokio::test]
async fn a_rule_makes_every_proxy_that_it_concerns_pending_and_leaves_their_tags() {
    for world in World::each().await {
        let proxy = world.proxy().await;
        let mut sent = world.proxy_body(REGION).await;
        sent["proxyTargetId"] = proxy["proxyTargetId"].clone();
        let other = world.create("proxies", &sent).await;
        let settle = |settled: u64| {
            world.state.fleets.update(REGION, |state| {
                state.link = Link::Up;
                state.nodes = vec![NodeStatus {
                    node_id: "n".to_owned(),
                    is_connected: true,
                    settled_revision: settled,
                    changed_at_ms: 0,
                    rejections: Vec::new(),
                }];
            });
        };
        for (kind, id) in records(&proxy) {
            settle(u64::MAX);
            let record = world.at(&format!("{kind}/{id}"));
            let before = world.call("GET", &record).send().await;
            let newest = world.number("SELECT newest FROM revision").await;
            settle(newest.unsigned_abs());
            let list = world.at(&format!("{kind}/{id}/rules?wait=applied&waitSeconds=1"));
            let made = world
                .call("POST", &list)
                .json(&json!({"effect": "deny"}))
                .send()
                .await;
            assert_eq!(
                made.header("requestrocket-config-applied"),
                "timeout",
                "{kind}"
            );
            let version: u64 = made.header("requestrocket-config-version").parse().unwrap();
            for (proxy, concerns) in [(&proxy, true), (&other, kind == "targets")] {
                let path = world.at(&format!("proxies/{}", id_of(proxy, "proxyId")));
                let status = world
                    .call("GET", &format!("{path}/status"))
                    .send()
                    .await
                    .body;
                assert_eq!(status["desiredVersion"] == version, concerns, "{kind}");
                let word = if concerns { "pending" } else { "applied" };
                let shown = world.call("GET", &path).send().await.body;
                assert_eq!(shown["proxyStatus"], word, "{kind}");
                assert_eq!(status["proxyStatus"], word, "{kind}");
            }
            settle(version);
            let after = world.call("GET", &record).send().await;
            assert_eq!(after.header("etag"), before.header("etag"), "{kind}");
            assert_eq!(after.body["updatedAt"], before.body["updatedAt"]);
            let one = format!(
                "{}/{}",
                world.at(&format!("{kind}/{id}/rules")),
                id_of(&made.body, "ruleId")
            );
            settle(u64::MAX);
            let gone = world
                .call("DELETE", &format!("{one}?wait=applied"))
                .send()
                .await;
            assert_eq!(gone.header("requestrocket-config-applied"), "true");
        }
    }
}
