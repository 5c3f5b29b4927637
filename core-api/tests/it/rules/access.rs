//! Who may do what: each route by each kind of caller.

use std::time::Duration;

use serde_json::{Value, json};

use crate::world::{REGION, Who, World, id_of};

const EVERYBODY: [Who; 6] = [
    Who::Anonymous,
    Who::Stranger,
    Who::User,
    Who::Admin,
    Who::Owner,
    Who::Operator,
];

/// 401 without a token, 404 for strangers, 403 for an operator, `ok` for members.
fn expected(who: Who, ok: u16) -> u16 {
    match who {
        Who::Anonymous => 401,
        Who::Stranger => 404,
        Who::Operator => 403,
        Who::User | Who::Admin | Who::Owner => ok,
    }
}

#[tokio::test]
async fn members_work_with_resources_and_nobody_else_does() {
    for world in World::each().await {
        for (kind, id_name, change) in [
            ("targets", "targetId", json!({"targetName": "N"})),
            (
                "credentials",
                "credentialId",
                json!({"credentialName": "N"}),
            ),
            ("proxies", "proxyId", json!({"proxyName": "N"})),
        ] {
            for who in EVERYBODY {
                let body = body(&world, kind).await;
                let list = world.at(kind);
                let seen = world.call("GET", &list).by(who).send().await.status;
                assert_eq!(seen, expected(who, 200), "GET {kind} by {who:?}");
                let made = world
                    .call("POST", &list)
                    .by(who)
                    .json(&body)
                    .send()
                    .await
                    .status;
                assert_eq!(made, expected(who, 201), "POST {kind} by {who:?}");
                let path = format!(
                    "{list}/{}",
                    id_of(&world.create(kind, &body).await, id_name)
                );
                for (method, body, ok) in [
                    ("GET", None, 200),
                    ("PATCH", Some(&change), 200),
                    ("PUT", Some(&body), 200),
                    ("DELETE", None, 204),
                ] {
                    let mut call = world.call(method, &path).by(who);
                    if let Some(body) = body {
                        call = call.json(body);
                    }
                    let status = call.send().await.status;
                    assert_eq!(status, expected(who, ok), "{method} {kind} by {who:?}");
                }
            }
        }
    }
}

#[tokio::test]
async fn members_work_with_attachments_and_nobody_else_does() {
    let rule = json!({"effect": "deny"});
    let filter = json!({"operation": "destroy", "paths": ["$.a"]});
    let meter = json!({"meterName": "M", "meterType": "request_count"});
    for world in World::each().await {
        let proxy = world.proxy().await;
        let [(_, proxy), (_, target), (_, credential)] = crate::routes::rules::records(&proxy);
        for (kind, body, id_name) in [
            (format!("proxies/{proxy}/rules"), &rule, "ruleId"),
            (format!("targets/{target}/rules"), &rule, "ruleId"),
            (
                format!("credentials/{credential}/filters"),
                &filter,
                "filterId",
            ),
            (format!("proxies/{proxy}/filters"), &filter, "filterId"),
            (format!("proxies/{proxy}/meters"), &meter, "meterId"),
        ] {
            for who in EVERYBODY {
                let list = world.at(&kind);
                let made = id_of(&world.create(&kind, body).await, id_name);
                let path = format!("{list}/{made}");
                for (method, path, ok) in [
                    ("GET", &list, 200),
                    ("POST", &list, 201),
                    ("GET", &path, 200),
                    ("PATCH", &path, 200),
                    ("PUT", &path, 200),
                    ("DELETE", &path, 204),
                ] {
                    let call = world.call(method, path).by(who);
                    let call = if matches!(method, "POST" | "PUT" | "PATCH") {
                        call.json(body)
                    } else {
                        call
                    };
                    let status = call.send().await.status;
                    assert_eq!(status, expected(who, ok), "{method} {kind} by {who:?}");
                }
            }
        }
    }
}

async fn body(world: &World, kind: &str) -> Value {
    match kind {
        "targets" => json!({
            "targetName": "T", "targetBaseURL": "https://t.example.com", "targetRegion": REGION,
        }),
        "credentials" => json!({
            "credentialName": "C", "credentialType": "target", "credentialRegion": REGION,
            "credentialAuthType": "none",
        }),
        _ => world.proxy_body(REGION).await,
    }
}

#[tokio::test]
async fn a_token_has_two_spellings_and_no_third() {
    for world in World::each().await {
        let path = world.at("targets");
        for (value, status) in [
            ("u-owner", 200),
            ("Bearer u-owner", 200),
            ("bearer u-owner", 200),
            ("u-Owner", 401),
            ("u-unknown", 401),
            ("o-owner", 401),
            ("Basic u-owner", 401),
            ("", 401),
        ] {
            let call = world
                .call("GET", &path)
                .by(Who::Anonymous)
                .header("Authorization", value);
            let answer = call.send().await;
            assert_eq!(answer.status, status, "{value}");
            if status == 401 {
                answer.expect(401, "UNAUTHENTICATED");
                assert_eq!(answer.header("www-authenticate"), "Bearer");
            }
        }
        let twice = world
            .call("GET", &path)
            .header("Authorization", "u-owner")
            .send()
            .await;
        twice.expect(401, "UNAUTHENTICATED");
    }
}

#[tokio::test]
async fn a_token_that_ended_is_refused_at_once() {
    for world in World::each().await {
        let path = world.at("targets");
        world
            .run("UPDATE user_token SET expires_at = '2026-01-01T00:00:10.000Z'")
            .await;
        world.pass(Duration::from_millis(9_999));
        assert_eq!(world.call("GET", &path).send().await.status, 200);
        world.pass(Duration::from_millis(1));
        world
            .call("GET", &path)
            .send()
            .await
            .expect(401, "UNAUTHENTICATED");
        world.run("UPDATE user_token SET expires_at = NULL").await;
        assert_eq!(world.call("GET", &path).send().await.status, 200);
        world.run("DELETE FROM user_token").await;
        world
            .call("GET", &path)
            .send()
            .await
            .expect(401, "UNAUTHENTICATED");
    }
}

#[tokio::test]
async fn the_plan_limits_requests_of_a_token() {
    for world in World::each().await {
        let path = world.at("targets");
        world
            .run("UPDATE organisation SET api_requests_per_minute = 3")
            .await;
        world.pass(Duration::from_secs(20));
        for _ in 0..3 {
            assert_eq!(world.call("GET", &path).send().await.status, 200);
        }
        let refused = world.call("GET", &path).send().await;
        refused.expect(429, "RATE_LIMITED");
        assert_eq!(refused.header("retry-after"), "40");
        assert_eq!(
            world.call("GET", &path).by(Who::Admin).send().await.status,
            200
        );
        world.pass(Duration::from_secs(40));
        assert_eq!(world.call("GET", &path).send().await.status, 200);
        for (plan, limit) in [("basic", 100), ("team", 1000)] {
            world.pass(Duration::from_mins(1));
            world
                .run(&format!("UPDATE organisation SET plan = '{plan}'"))
                .await;
            for _ in 0..limit {
                assert_eq!(
                    world.call("GET", "/clients/x/targets").send().await.status,
                    404
                );
            }
            world
                .call("GET", &path)
                .send()
                .await
                .expect(429, "RATE_LIMITED");
        }
    }
}

#[tokio::test]
async fn use_of_a_token_is_noted_by_the_minute() {
    for world in World::each().await {
        let select = "SELECT COUNT(*) FROM user_token WHERE last_used_at = ";
        for (pass, noted) in [(0, "00:00:00"), (59, "00:00:00"), (1, "00:01:00")] {
            world.pass(Duration::from_secs(pass));
            world.call("GET", &world.at("targets")).send().await;
            let at = format!("{select}'2026-01-01T{noted}.000Z'");
            assert_eq!(world.number(&at).await, 1, "{noted}");
        }
    }
}
