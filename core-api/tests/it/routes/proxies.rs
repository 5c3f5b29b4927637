use serde_json::{Value, json};

use crate::world::{OTHER_REGION, REGION, Who, World, id_of};

#[tokio::test]
async fn a_proxy_has_its_defaults_and_its_urls() {
    for world in World::each().await {
        world
            .run("UPDATE organisation SET requests_per_minute = 60, requests_per_day = 700")
            .await;
        let sent = world.proxy_body(REGION).await;
        let created = world.create("proxies", &sent).await;
        let id = id_of(&created, "proxyId");
        let credential = &sent["proxyProxyCredentialIds"][0];
        let want = json!({
            "proxyId": id, "clientId": world.home, "proxyName": sent["proxyName"],
            "proxyRegion": REGION, "proxyProxyCredentialIds": [credential],
            "proxyProxyCredentialId": credential, "proxyTargetId": sent["proxyTargetId"],
            "proxyTargetCredentialId": sent["proxyTargetCredentialId"], "proxyActive": true,
            "proxyDefaultRuleEffect": "allow", "proxyTimeoutSeconds": 30,
            "proxyMaxRequestsPerMinute": 60, "proxyMaxRequestsPerDay": 700,
            "proxyMaxResponseBytes": 6_291_456, "proxyMaxInspectedBytes": 1_048_576,
            "proxyAlias": null, "proxyCors": null, "proxyBaseURL": format!("http://127.0.0.1:9/api/{id}"),
            "proxyAsyncBaseURL": format!("http://127.0.0.1:9/async/{id}"),
            "proxyStatus": "pending", "createdBy": created["createdBy"],
            "labels": {}, "createdAt": "2026-01-01T00:00:00.000Z", "updatedAt": "2026-01-01T00:00:00.000Z",
        });
        assert_eq!(created, want);
        let path = world.at(&format!("proxies/{id}"));
        assert_eq!(world.call("GET", &path).send().await.body, want);
        let listed = world.call("GET", &world.at("proxies")).send().await;
        assert_eq!(listed.body["data"], json!([want]));
        assert_eq!(world.call("DELETE", &path).send().await.status, 204);
        for kept in [
            format!("targets/{}", id_of(&sent, "proxyTargetId")),
            format!("credentials/{}", credential.as_str().unwrap()),
        ] {
            assert_eq!(world.call("GET", &world.at(&kept)).send().await.status, 200);
        }
    }
}

#[tokio::test]
async fn limits_follow_the_organisation_only_when_they_are_left_to_it() {
    for world in World::each().await {
        let path = world.at(&format!(
            "proxies/{}",
            id_of(&world.proxy().await, "proxyId")
        ));
        world
            .run("UPDATE organisation SET requests_per_minute = 60")
            .await;
        let patch = json!({"proxyName": "renamed"});
        let renamed = world.call("PATCH", &path).json(&patch).send().await;
        assert_eq!(
            renamed.body["proxyMaxRequestsPerMinute"],
            Value::Null,
            "untouched"
        );
        let patch = json!({"proxyMaxRequestsPerMinute": null});
        let reset = world.call("PATCH", &path).json(&patch).send().await;
        assert_eq!(reset.body["proxyMaxRequestsPerMinute"], 60);
        let patch = json!({"proxyMaxRequestsPerMinute": 5});
        let own = world.call("PATCH", &path).json(&patch).send().await;
        assert_eq!(own.body["proxyMaxRequestsPerMinute"], 5);
    }
}

#[tokio::test]
async fn numbers_have_their_ranges() {
    for world in World::each().await {
        let path = world.at(&format!(
            "proxies/{}",
            id_of(&world.proxy().await, "proxyId")
        ));
        for (name, good, bad) in [
            ("proxyTimeoutSeconds", [1_i64, 60], [0_i64, 61]),
            (
                "proxyMaxResponseBytes",
                [1024, 1 << 30],
                [1023, (1 << 30) + 1],
            ),
            (
                "proxyMaxInspectedBytes",
                [1024, 16 << 20],
                [1023, (16 << 20) + 1],
            ),
            ("proxyMaxRequestsPerMinute", [1, 1 << 40], [0, 1 << 60]),
            ("proxyMaxRequestsPerDay", [1, 1 << 40], [0, 1 << 60]),
        ] {
            for value in good {
                let answer = world
                    .call("PATCH", &path)
                    .json(&json!({name: value}))
                    .send()
                    .await;
                assert_eq!(
                    (answer.status, &answer.body[name]),
                    (200, &json!(value)),
                    "{name}"
                );
            }
            let odd = [json!(-1), json!(1.5), json!("30"), json!(true), json!([1])];
            for value in bad.map(|number: i64| json!(number)).into_iter().chain(odd) {
                let answer = world
                    .call("PATCH", &path)
                    .json(&json!({name: value}))
                    .send()
                    .await;
                assert_eq!(
                    answer.expect(400, "VALIDATION_FAILED").fields(),
                    [name],
                    "{value}"
                );
            }
        }
    }
}

#[tokio::test]
async fn what_a_proxy_binds_must_belong_together() {
    for world in World::each().await {
        let good = world.proxy_body(REGION).await;
        let elsewhere = world.proxy_body(OTHER_REGION).await;
        let credential = elsewhere["proxyProxyCredentialIds"][0].clone();
        let foreign_path = format!("/clients/{}/targets", world.abroad);
        let foreign = json!({
            "targetName": "F", "targetBaseURL": "https://f.example.com", "targetRegion": REGION,
        });
        let call = world
            .call("POST", &foreign_path)
            .by(Who::Stranger)
            .json(&foreign);
        let foreign = call.send().await.body["targetId"].clone();
        let unknown = json!(uuid::Uuid::new_v4());
        for (name, value, code, field) in [
            (
                "proxyTargetId",
                elsewhere["proxyTargetId"].clone(),
                "REGION_MISMATCH",
                "proxyTargetId",
            ),
            (
                "proxyTargetCredentialId",
                elsewhere["proxyTargetCredentialId"].clone(),
                "REGION_MISMATCH",
                "proxyTargetCredentialId",
            ),
            (
                "proxyProxyCredentialIds",
                json!([credential]),
                "REGION_MISMATCH",
                "proxyProxyCredentialIds[0]",
            ),
            (
                "proxyTargetCredentialId",
                good["proxyProxyCredentialIds"][0].clone(),
                "CREDENTIAL_TYPE_MISMATCH",
                "proxyTargetCredentialId",
            ),
            (
                "proxyProxyCredentialIds",
                json!([good["proxyTargetCredentialId"]]),
                "CREDENTIAL_TYPE_MISMATCH",
                "proxyProxyCredentialIds[0]",
            ),
            (
                "proxyTargetId",
                foreign,
                "REFERENCE_NOT_FOUND",
                "proxyTargetId",
            ),
            (
                "proxyTargetId",
                unknown.clone(),
                "REFERENCE_NOT_FOUND",
                "proxyTargetId",
            ),
            (
                "proxyTargetId",
                good["proxyTargetCredentialId"].clone(),
                "REFERENCE_NOT_FOUND",
                "proxyTargetId",
            ),
            (
                "proxyProxyCredentialIds",
                json!([unknown]),
                "REFERENCE_NOT_FOUND",
                "proxyProxyCredentialIds[0]",
            ),
            (
                "proxyProxyCredentialIds",
                json!([
                    good["proxyProxyCredentialIds"][0],
                    good["proxyProxyCredentialIds"][0]
                ]),
                "VALIDATION_FAILED",
                "proxyProxyCredentialIds[1]",
            ),
            (
                "proxyProxyCredentialIds",
                json!([]),
                "VALIDATION_FAILED",
                "proxyProxyCredentialIds",
            ),
            (
                "proxyProxyCredentialIds",
                json!(["x"]),
                "VALIDATION_FAILED",
                "proxyProxyCredentialIds[0]",
            ),
            (
                "proxyTargetId",
                json!("x"),
                "VALIDATION_FAILED",
                "proxyTargetId",
            ),
        ] {
            let mut bad = good.clone();
            bad[name] = value;
            let answer = world
                .call("POST", &world.at("proxies"))
                .json(&bad)
                .send()
                .await;
            assert_eq!(answer.expect(400, code).fields(), [field], "{bad}");
        }
        let id = id_of(&world.create("proxies", &good).await, "proxyId");
        let path = world.at(&format!("proxies/{id}"));
        let moved = json!({"proxyTargetId": elsewhere["proxyTargetId"]});
        world
            .call("PATCH", &path)
            .json(&moved)
            .send()
            .await
            .expect(400, "REGION_MISMATCH");
    }
}

#[tokio::test]
async fn one_credential_may_be_named_in_the_singular() {
    for world in World::each().await {
        let mut sent = world.proxy_body(REGION).await;
        let list = sent["proxyProxyCredentialIds"].take();
        sent.as_object_mut()
            .unwrap()
            .remove("proxyProxyCredentialIds");
        let answer = world
            .call("POST", &world.at("proxies"))
            .json(&sent)
            .send()
            .await;
        assert_eq!(
            answer.expect(400, "VALIDATION_FAILED").fields(),
            ["proxyProxyCredentialIds"]
        );
        sent["proxyProxyCredentialId"] = list[0].clone();
        let created = world.create("proxies", &sent).await;
        assert_eq!(created["proxyProxyCredentialIds"], list);
        let path = world.at(&format!("proxies/{}", id_of(&created, "proxyId")));
        let other = json!(world.credential(REGION, "proxy").await);
        for patch in [
            json!({"proxyProxyCredentialId": other}),
            json!({"proxyProxyCredentialIds": [list[0]]}),
            json!({"proxyProxyCredentialIds": [other, list[0]], "proxyProxyCredentialId": other}),
        ] {
            let answer = world.call("PATCH", &path).json(&patch).send().await;
            assert_eq!(answer.status, 200, "{patch}: {}", answer.text);
        }
        let torn = json!({"proxyProxyCredentialIds": [list[0]], "proxyProxyCredentialId": other});
        let answer = world.call("PATCH", &path).json(&torn).send().await;
        assert_eq!(
            answer.expect(400, "VALIDATION_FAILED").fields(),
            ["proxyProxyCredentialId"]
        );
    }
}

#[tokio::test]
async fn an_alias_is_one_proxys_in_its_region() {
    for world in World::each().await {
        let path = world.at(&format!(
            "proxies/{}",
            id_of(&world.proxy().await, "proxyId")
        ));
        let alias = json!({"proxyAlias": "stripe-v2"});
        assert_eq!(
            world.call("PATCH", &path).json(&alias).send().await.status,
            200
        );
        // Of the same proxy again, and after a change elsewhere.
        assert_eq!(
            world.call("PATCH", &path).json(&alias).send().await.status,
            200
        );
        let mut other = world.proxy_body(REGION).await;
        other["proxyAlias"] = json!("stripe-v2");
        let answer = world
            .call("POST", &world.at("proxies"))
            .json(&other)
            .send()
            .await;
        assert_eq!(answer.expect(409, "ALIAS_TAKEN").fields(), ["proxyAlias"]);
        let mut elsewhere = world.proxy_body(OTHER_REGION).await;
        elsewhere["proxyAlias"] = json!("stripe-v2");
        world.create("proxies", &elsewhere).await;
        let freed = world
            .call("PATCH", &path)
            .json(&json!({"proxyAlias": null}))
            .send()
            .await;
        assert_eq!(freed.body["proxyAlias"], Value::Null);
        world.create("proxies", &other).await;
        for bad in [
            "ab",
            "-abc",
            "ABC",
            "a_b",
            "123e4567-e89b-42d3-a456-426614174000",
        ] {
            let answer = world
                .call("PATCH", &path)
                .json(&json!({"proxyAlias": bad}))
                .send()
                .await;
            assert_eq!(
                answer.expect(400, "VALIDATION_FAILED").fields(),
                ["proxyAlias"],
                "{bad}"
            );
        }
    }
}

#[tokio::test]
async fn pages_that_may_call_a_proxy_are_read_with_their_defaults() {
    for world in World::each().await {
        let mut body = world.proxy_body(REGION).await;
        body["proxyCors"] = json!({"allowedOrigins": ["https://a.example.com"]});
        let made = world.create("proxies", &body).await;
        let want = json!({
            "allowedOrigins": ["https://a.example.com"],
            "allowedHeaders": ["authorization", "content-type"], "exposedHeaders": [],
            "allowCredentials": false, "maxAgeSeconds": 600,
        });
        assert_eq!(made["proxyCors"], want);
        let path = world.at(&format!("proxies/{}", id_of(&made, "proxyId")));
        let patch = json!({"proxyCors": {"maxAgeSeconds": 5}});
        let patched = world.call("PATCH", &path).json(&patch).send().await;
        assert_eq!(patched.body["proxyCors"]["maxAgeSeconds"], 5);
        assert_eq!(
            patched.body["proxyCors"]["allowedOrigins"],
            want["allowedOrigins"]
        );
        let none = json!({"proxyCors": null});
        let none = world.call("PATCH", &path).json(&none).send().await;
        assert_eq!(none.body["proxyCors"], Value::Null);
    }
}

#[tokio::test]
async fn pages_that_may_call_a_proxy_are_checked() {
    for world in World::each().await {
        let path = world.at(&format!(
            "proxies/{}",
            id_of(&world.proxy().await, "proxyId")
        ));
        for (cors, fields) in [
            (json!({}), &["proxyCors.allowedOrigins"][..]),
            (json!({"allowedOrigins": []}), &["proxyCors.allowedOrigins"]),
            (
                json!({"allowedOrigins": ["*", "https://a.b"]}),
                &["proxyCors.allowedOrigins"],
            ),
            (
                json!({"allowedOrigins": ["https://a.b", "a.b", "https://a.b/"]}),
                &["proxyCors.allowedOrigins[1]", "proxyCors.allowedOrigins[2]"],
            ),
            (
                json!({"allowedOrigins": ["*"], "allowCredentials": true}),
                &["proxyCors.allowCredentials"],
            ),
            (
                json!({"allowedOrigins": ["*"], "allowedHeaders": ["*", "x"]}),
                &["proxyCors.allowedHeaders"],
            ),
            (
                json!({"allowedOrigins": ["*"], "exposedHeaders": ["*"]}),
                &["proxyCors.exposedHeaders[0]"],
            ),
            (
                json!({"allowedOrigins": ["*"], "maxAgeSeconds": 86_401}),
                &["proxyCors.maxAgeSeconds"],
            ),
            (json!("*"), &["proxyCors"]),
        ] {
            let sent = json!({ "proxyCors": cors });
            let answer = world.call("PATCH", &path).json(&sent).send().await;
            assert_eq!(
                answer.expect(400, "VALIDATION_FAILED").fields(),
                fields,
                "{sent}"
            );
        }
        let sent = json!({"proxyCors": {"allowedOrigins": ["*"], "origins": 1}});
        let answer = world.call("PATCH", &path).json(&sent).send().await;
        assert_eq!(
            answer.expect(400, "UNKNOWN_FIELD").fields(),
            ["proxyCors.origins"]
        );
    }
}

#[tokio::test]
async fn what_was_read_can_be_written_back() {
    for world in World::each().await {
        for kind in ["proxies", "targets", "credentials"] {
            world.proxy().await;
            let listed = world.call("GET", &world.at(kind)).send().await;
            let document = &listed.body["data"][0];
            let name = match kind {
                "proxies" => "proxyId",
                "targets" => "targetId",
                _ => "credentialId",
            };
            let path = world.at(&format!("{kind}/{}", id_of(document, name)));
            for method in ["PUT", "PATCH"] {
                let document = world.call("GET", &path).send().await.body;
                let answer = world.call(method, &path).json(&document).send().await;
                assert_eq!(answer.status, 200, "{}", answer.text);
                assert_eq!(
                    answer.body, document,
                    "nothing but time changes, and that stands still"
                );
            }
        }
    }
}

#[tokio::test]
async fn the_answer_says_how_far_a_change_came() {
    for world in World::each().await {
        let sent = world.proxy_body(REGION).await;
        let path = world.at("proxies");
        let wait = format!("{path}?wait=applied&waitSeconds=1");
        let answer = world.call("POST", &wait).json(&sent).send().await;
        assert_eq!(answer.header("requestrocket-config-applied"), "no-envoy");
        let id = id_of(&answer.body, "proxyId");
        assert_eq!(answer.header("location"), format!("{path}/{id}"));
        let path = format!("{path}/{id}");
        for bad in [
            "wait=now",
            "wait=",
            "wait=applied&waitSeconds=0",
            "waitSeconds=31",
            "x=1",
        ] {
            let call = world
                .call("PATCH", &format!("{path}?{bad}"))
                .json(&json!({}));
            call.send().await.expect(400, "VALIDATION_FAILED");
        }
        let answer = world
            .call("DELETE", &format!("{path}?wait=applied"))
            .send()
            .await;
        assert_eq!(
            (answer.status, answer.header("requestrocket-config-applied")),
            (204, "no-envoy")
        );
    }
}

#[tokio::test]
async fn an_inactive_proxy_says_so() {
    for world in World::each().await {
        let path = world.at(&format!(
            "proxies/{}",
            id_of(&world.proxy().await, "proxyId")
        ));
        let off = world
            .call("PATCH", &path)
            .json(&json!({"proxyActive": false}))
            .send()
            .await;
        assert_eq!(off.body["proxyStatus"], "inactive");
    }
}
