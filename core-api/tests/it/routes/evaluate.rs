use serde_json::{Value, json};

use super::rules::records;
use crate::world::{REGION, Who, World, id_of};

impl World {
    /// What a trial at the proxy answers.
    pub(crate) async fn trial(&self, proxy: &str, what: &str, body: &Value) -> Value {
        let path = self.at(&format!("proxies/{proxy}/{what}"));
        let answer = self.call("POST", &path).json(body).send().await;
        assert_eq!(answer.status, 200, "{}", answer.text);
        answer.body
    }

    /// A rule; its id.
    async fn rule(&self, record: &str, rule: &Value) -> String {
        let made = self.create(&format!("{record}/rules"), rule).await;
        id_of(&made, "ruleId")
    }
}

fn layer<'a>(answer: &'a Value, name: &str) -> &'a Value {
    let layers = answer["layers"].as_array().unwrap();
    layers.iter().find(|layer| layer["layer"] == name).unwrap()
}

#[tokio::test]
async fn an_evaluation_says_what_decides_on_each_layer_and_why_the_rest_does_not_match() {
    for world in World::each().await {
        let proxy = world.proxy().await;
        let [(_, id), (_, target), (_, credential)] = records(&proxy);
        let caller = id_of(&proxy, "proxyProxyCredentialId");
        let deny = json!({
            "effect": "deny", "priority": 900, "methods": ["POST"],
            "headers": [{"name": {"pattern": "^x-team$"}, "value": {"pattern": "^billing$"}}],
        });
        let denies = world.rule(&format!("targets/{target}"), &deny).await;
        let allow = json!({"effect": "allow", "path": {"pattern": "^/v1/"}});
        let allows = world.rule(&format!("targets/{target}"), &allow).await;
        let off = json!({"effect": "deny", "ruleActive": false});
        world.rule(&format!("proxies/{id}"), &off).await;
        let model = json!({
            "effect": "deny", "body": [{"path": "$.model", "value": {"pattern": "gpt"}}],
        });
        let models = world.rule(&format!("proxies/{id}"), &model).await;
        let claims = json!({"effect": "deny", "claims": [{"path": "$.roles[*]",
            "value": {"pattern": "^guest$"}}]});
        let guests = world.rule(&format!("credentials/{caller}"), &claims).await;
        world
            .rule(
                &format!("credentials/{credential}"),
                &json!({"effect": "allow"}),
            )
            .await;

        let call = json!({
            "method": "get", "path": "/v1/a", "headers": [["X-Team", "billing"]], "query": "a=1",
            "body": "{\"model\":\"gpt-5\"}", "claims": {"roles": ["admin"]},
        });
        let before = world.dump_of_records().await;
        let told = world.trial(&id, "evaluate", &call).await;
        assert_eq!(world.dump_of_records().await, before, "nothing is changed");
        assert_eq!(told["effect"], "deny");
        let names: Vec<_> = told["layers"].as_array().unwrap().iter().collect();
        let names: Vec<_> = names.iter().map(|l| l["layer"].as_str().unwrap()).collect();
        assert_eq!(
            names,
            ["proxyCredential", "targetCredential", "target", "proxy"]
        );
        let of_target = layer(&told, "target");
        assert_eq!(
            (&of_target["effect"], &of_target["decidedBy"]),
            (&json!("allow"), &json!(allows))
        );
        assert_eq!(
            of_target["rules"][0]["ruleId"],
            denies.as_str(),
            "highest priority first"
        );
        assert_eq!(of_target["rules"][0]["matched"], false);
        assert_eq!(of_target["rules"][0]["failed"][0]["condition"], "methods");
        assert!(of_target["rules"][0]["failed"][0]["problem"].is_string());
        let matched = json!({"ruleId": allows, "matched": true, "failed": []});
        assert_eq!(of_target["rules"][1], matched);
        let of_proxy = layer(&told, "proxy");
        assert_eq!(
            (&of_proxy["effect"], &of_proxy["decidedBy"]),
            (&json!("deny"), &json!(models))
        );
        assert_eq!(
            of_proxy["rules"].as_array().unwrap().len(),
            1,
            "inactive rules are none"
        );
        let of_caller = layer(&told, "proxyCredential");
        assert_eq!(of_caller["decidedBy"], "default");
        assert_eq!(of_caller["rules"][0]["ruleId"], guests.as_str());
        let failed = &of_caller["rules"][0]["failed"][0]["condition"];
        assert_eq!(failed, "claims[0].value");

        let harmless = json!({"method": "GET", "path": "/v1/a"});
        let told = world.trial(&id, "evaluate", &harmless).await;
        assert_eq!(told["effect"], "allow");
    }
}

#[tokio::test]
async fn the_credential_of_the_sample_is_one_of_the_proxys() {
    for world in World::each().await {
        let mut sent = world.proxy_body(REGION).await;
        let (first, second) = (
            world.credential(REGION, "proxy").await,
            world.credential(REGION, "proxy").await,
        );
        sent["proxyProxyCredentialIds"] = json!([first, second]);
        let id = id_of(&world.create("proxies", &sent).await, "proxyId");
        let denies = world
            .rule(&format!("credentials/{second}"), &json!({"effect": "deny"}))
            .await;
        for (credential, want) in [
            (Value::Null, "default"),
            (json!(first), "default"),
            (json!(second), denies.as_str()),
        ] {
            let call = json!({"method": "GET", "path": "/", "credentialId": credential});
            let told = world.trial(&id, "evaluate", &call).await;
            assert_eq!(layer(&told, "proxyCredential")["decidedBy"], want);
        }
        let path = world.at(&format!("proxies/{id}/evaluate"));
        let target_credential = id_of(&sent, "proxyTargetCredentialId");
        for other in [target_credential, world.credential(REGION, "proxy").await] {
            let call = json!({"method": "GET", "path": "/", "credentialId": other});
            let answer = world.call("POST", &path).json(&call).send().await;
            let fields = answer.expect(400, "REFERENCE_NOT_FOUND").fields();
            assert_eq!(fields, ["credentialId"]);
        }
    }
}

#[tokio::test]
async fn a_proxy_that_does_not_serve_can_be_tried() {
    for world in World::each().await {
        let proxy = world.proxy().await;
        let [(_, id), (_, target), (_, credential)] = records(&proxy);
        let path = world.at(&format!("proxies/{id}"));
        let off = json!({"proxyActive": false});
        assert_eq!(
            world.call("PATCH", &path).json(&off).send().await.status,
            200
        );
        let call = json!({"method": "GET", "path": "/"});
        let told = world.trial(&id, "evaluate", &call).await;
        assert_eq!(
            (&told["effect"], told["layers"].as_array().unwrap().len()),
            (&json!("allow"), 4)
        );
        for (record, left) in [
            (format!("targets/{target}?force=true"), 3),
            (format!("credentials/{credential}?force=true"), 2),
            (
                format!("credentials/{}", id_of(&proxy, "proxyProxyCredentialId")),
                1,
            ),
        ] {
            assert_eq!(
                world.call("DELETE", &world.at(&record)).send().await.status,
                204
            );
            let told = world.trial(&id, "evaluate", &call).await;
            assert_eq!(told["layers"].as_array().unwrap().len(), left, "{record}");
        }
        world
            .rule(&format!("proxies/{id}"), &json!({"effect": "deny"}))
            .await;
        let told = world.trial(&id, "evaluate", &call).await;
        assert_eq!(told["effect"], "deny");
    }
}

#[tokio::test]
async fn a_sample_that_no_rule_would_see_is_refused() {
    for world in World::each().await {
        let id = id_of(&world.proxy().await, "proxyId");
        let path = world.at(&format!("proxies/{id}/evaluate"));
        for (bad, code, want) in [
            (json!({}), "VALIDATION_FAILED", vec!["method", "path"]),
            (
                json!({"method": "TRACE", "path": "/"}),
                "VALIDATION_FAILED",
                vec!["method"],
            ),
            (
                json!({"method": "GET", "path": "a"}),
                "VALIDATION_FAILED",
                vec!["path"],
            ),
            (
                json!({"method": "GET", "path": "/a?b"}),
                "VALIDATION_FAILED",
                vec!["path"],
            ),
            (
                json!({"method": "GET", "path": "/%2e%2e/a"}),
                "VALIDATION_FAILED",
                vec!["path"],
            ),
            (
                json!({"method": "GET", "path": "/", "query": "a b"}),
                "VALIDATION_FAILED",
                vec!["query"],
            ),
            (
                json!({"method": "GET", "path": "/", "headers": {"a": "b"}, "body": {}, "claims": []}),
                "VALIDATION_FAILED",
                vec!["body", "claims", "headers"],
            ),
            (
                json!({"method": "GET", "path": "/", "extra": 1,
                    "headers": [["a", "b"], ["a"], ["a b", "c"], ["a", "b\nc"]]}),
                "UNKNOWN_FIELD",
                vec!["extra", "headers[1]", "headers[2]", "headers[3]"],
            ),
        ] {
            let answer = world.call("POST", &path).json(&bad).send().await;
            let mut fields = answer.expect(400, code).fields();
            fields.sort_unstable();
            assert_eq!(fields, want, "{bad}");
        }
    }
}

#[tokio::test]
async fn who_may_try_a_call() {
    for world in World::each().await {
        let id = id_of(&world.proxy().await, "proxyId");
        let call = json!({"method": "GET", "path": "/", "response": {"status": 200, "body": ""}});
        for (what, call) in [
            ("evaluate", json!({"method": "GET", "path": "/"})),
            ("preview", call),
        ] {
            let path = world.at(&format!("proxies/{id}/{what}"));
            for (who, want) in [
                (Who::Anonymous, 401),
                (Who::Stranger, 404),
                (Who::User, 200),
                (Who::Admin, 200),
                (Who::Owner, 200),
                (Who::Operator, 403),
            ] {
                let answer = world.call("POST", &path).by(who).json(&call).send().await;
                assert_eq!(answer.status, want, "{what} by {who:?}");
            }
            let unknown = "proxies/00000000-0000-4000-8000-000000000000";
            let path = world.at(&format!("{unknown}/{what}"));
            let answer = world.call("POST", &path).json(&json!({})).send().await;
            answer.expect(404, "NOT_FOUND");
        }
    }
}

#[tokio::test]
async fn what_is_too_much_for_the_engine_together_is_refused_when_it_is_saved() {
    for world in World::each().await {
        let proxy = id_of(&world.proxy().await, "proxyId");
        let nodes = |from: usize| -> Vec<Value> {
            (from..from + 50)
                .map(|n| json!({"path": format!("$.a{n}")}))
                .collect()
        };
        for (kind, wrap) in [
            (
                "rules",
                (|body| json!({"effect": "deny", "body": body})) as fn(Vec<Value>) -> Value,
            ),
            ("meters", |body| {
                json!({
                    "meterName": "M", "meterType": "request_count", "conditions": {"body": body},
                })
            }),
        ] {
            let list = format!("proxies/{proxy}/{kind}");
            world.create(&list, &wrap(nodes(0))).await;
            world.create(&list, &wrap(nodes(50))).await;
            // The same paths again are none more.
            world.create(&list, &wrap(nodes(20))).await;
            let more = wrap(nodes(100));
            let answer = world
                .call("POST", &world.at(&list))
                .json(&more)
                .send()
                .await;
            answer.expect(409, "LIMIT_REACHED");
            assert_eq!(
                world
                    .number(&format!(
                        "SELECT COUNT(*) FROM {}",
                        kind.trim_end_matches('s')
                    ))
                    .await,
                3
            );
        }
    }
}

#[tokio::test]
async fn a_rule_that_is_being_written_is_tried_in_its_layer_and_stays_unwritten() {
    for world in World::each().await {
        let proxy = world.proxy().await;
        let [(_, id), (_, target), _] = records(&proxy);
        let stored = json!({"effect": "deny", "path": {"pattern": "^/secret"}});
        let stored = world.rule(&format!("targets/{target}"), &stored).await;
        let before = world.dump_of_records().await;
        let told = async |path: &str, draft: Value| {
            let call = json!({"method": "GET", "path": path, "draft": draft});
            world.trial(&id, "evaluate", &call).await
        };

        let new = json!({"layer": "proxy", "rule": {"effect": "deny", "methods": ["GET"]}});
        let with_new = told("/a", new).await;
        assert_eq!(with_new["effect"], "deny");
        let decided = "00000000-0000-0000-0000-000000000000";
        assert_eq!(layer(&with_new, "proxy")["decidedBy"], decided);

        let wider = json!({"effect": "deny", "path": {"pattern": "^/public"}});
        let other = json!({"layer": "target", "rule": wider, "replaces": stored});
        assert_eq!(told("/secret", other.clone()).await["effect"], "allow");
        let replaced = told("/public", other).await;
        assert_eq!(layer(&replaced, "target")["decidedBy"], stored.as_str());

        let off = json!({"effect": "deny", "ruleActive": false});
        let off = json!({"layer": "target", "rule": off, "replaces": stored});
        assert_eq!(told("/secret", off).await["effect"], "allow");
        assert_eq!(told("/secret", Value::Null).await["effect"], "deny");
        assert_eq!(world.dump_of_records().await, before, "nothing is changed");
    }
}

#[tokio::test]
async fn a_rule_that_is_not_written_right_yet_says_what_is_wrong_with_it() {
    for world in World::each().await {
        let proxy = world.proxy().await;
        let path = world.at(&format!("proxies/{}/evaluate", id_of(&proxy, "proxyId")));
        for (draft, field) in [
            (json!({"layer": "proxy"}), "draft.rule"),
            (
                json!({"layer": "caller", "rule": {"effect": "deny"}}),
                "draft.layer",
            ),
            (
                json!({"layer": "proxy", "rule": {"effect": "deny", "path": {"pattern": "("}}}),
                "draft.rule.path.pattern",
            ),
            (
                json!({"layer": "proxy", "rule": {"effect": "deny"}, "replaces": "x"}),
                "draft.replaces",
            ),
            (
                json!({"layer": "proxy", "rule": {"effect": "deny"}, "rules": []}),
                "draft.rules",
            ),
        ] {
            let call = json!({"method": "GET", "path": "/", "draft": draft});
            let answer = world.call("POST", &path).json(&call).send().await;
            assert_eq!(answer.status, 400, "{}", answer.text);
            let fields: Vec<_> = answer.body["details"].as_array().unwrap().iter().collect();
            let fields: Vec<_> = fields.iter().map(|it| it["field"].as_str()).collect();
            assert_eq!(fields, [Some(field)], "{}", answer.text);
        }
    }
}
