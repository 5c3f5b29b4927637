//! All that one proxy brings together is bounded: its own attachments, and those of its target and
//! of all its credentials.

use requestrocket_policy::compile::check_layer;
use requestrocket_proto::policy::v1 as wire;
use serde_json::{Value, json};

use crate::world::{REGION, World, id_of};

/// Conditions that take more than a third of what a proxy may bring together; different for each
/// `n`, because equal patterns of a record are kept once.
fn heavy(n: usize) -> Value {
    let names: Vec<_> = (0..40)
        .map(|name| json!({"name": {"pattern": format!(r"\w\w\w\w{n}-{name}")}}))
        .collect();
    json!(names)
}

fn rule(n: usize) -> Value {
    json!({"effect": "deny", "query": heavy(n)})
}

/// Every way to attach that much to the proxy is refused, names the proxy, and changes nothing.
async fn expect_no_more(world: &World, proxy: &str) {
    let meter = json!({
        "meterName": "M", "meterType": "request_count", "conditions": {"query": heavy(9)},
    });
    let filter = json!({
        "operation": "destroy", "paths": ["$.a"], "query": heavy(9),
    });
    let before = world.dump_of_records().await;
    for (kind, body) in [("rules", rule(9)), ("filters", filter), ("meters", meter)] {
        let path = world.at(&format!("proxies/{proxy}/{kind}"));
        let answer = world.call("POST", &path).json(&body).send().await;
        answer.expect(409, "LIMIT_REACHED");
        let message = answer.body["error"].as_str().unwrap();
        assert!(message.contains(proxy), "{kind}: {message}");
    }
    assert_eq!(world.dump_of_records().await, before);
}

#[tokio::test]
async fn a_proxy_has_room_for_so_much_from_all_its_records() {
    for world in World::each().await {
        let proxy = world.proxy().await;
        let id = id_of(&proxy, "proxyId");
        let credential = proxy["proxyProxyCredentialId"].as_str().unwrap();
        let of_target = format!("targets/{}/rules", id_of(&proxy, "proxyTargetId"));
        let of_credential = format!("credentials/{credential}/rules");
        let made = world.create(&of_target, &rule(1)).await;
        world.create(&of_credential, &rule(2)).await;
        expect_no_more(&world, &id).await;

        // The same when the proxy has it first, and one of its records is to get more.
        let deleted = format!("{of_target}/{}", id_of(&made, "ruleId"));
        let deleted = world.call("DELETE", &world.at(&deleted)).send().await;
        assert_eq!(deleted.status, 204);
        let own = world.create(&format!("proxies/{id}/rules"), &rule(3)).await;
        let of_injected = format!(
            "credentials/{}/rules",
            id_of(&proxy, "proxyTargetCredentialId")
        );
        for list in [&of_target, &of_credential, &of_injected] {
            let before = world.dump_of_records().await;
            let path = world.at(list);
            let answer = world.call("POST", &path).json(&rule(4)).send().await;
            answer.expect(409, "LIMIT_REACHED");
            assert_eq!(world.dump_of_records().await, before, "{list}");
        }

        // What is there can be changed, as long as it does not become more.
        let own = world.at(&format!("proxies/{id}/rules/{}", id_of(&own, "ruleId")));
        let patch = world.call("PATCH", &own).json(&json!({"priority": 7}));
        assert_eq!(patch.send().await.status, 200);
        let put = world.call("PUT", &own).json(&rule(5)).send().await;
        assert_eq!(put.status, 200);
        // What is switched off is not compiled, and weighs nothing.
        let off = world
            .call("PATCH", &own)
            .json(&json!({"ruleActive": false}));
        assert_eq!(off.send().await.status, 200);
        world.create(&of_target, &rule(6)).await;
        let on = world.call("PATCH", &own).json(&json!({"ruleActive": true}));
        on.send().await.expect(409, "LIMIT_REACHED");
    }
}

#[tokio::test]
async fn a_proxy_cannot_bind_more_than_it_has_room_for() {
    for world in World::each().await {
        let mut body = world.proxy_body(REGION).await;
        let mut credentials = Vec::new();
        for n in 0..3 {
            let credential = world.credential(REGION, "proxy").await;
            world
                .create(&format!("credentials/{credential}/rules"), &rule(n))
                .await;
            credentials.push(credential);
        }
        body["proxyProxyCredentialIds"] = json!(credentials);
        let before = world.dump_of_records().await;
        let path = world.at("proxies");
        let answer = world.call("POST", &path).json(&body).send().await;
        answer.expect(409, "LIMIT_REACHED");
        assert_eq!(world.dump_of_records().await, before);

        body["proxyProxyCredentialIds"] = json!(credentials[..2]);
        let proxy = id_of(&world.create("proxies", &body).await, "proxyId");
        let path = world.at(&format!("proxies/{proxy}"));
        let all = json!({"proxyProxyCredentialIds": credentials});
        let answer = world.call("PATCH", &path).json(&all).send().await;
        answer.expect(409, "LIMIT_REACHED");
        let other = json!({"proxyProxyCredentialIds": credentials[1..]});
        let answer = world.call("PATCH", &path).json(&other).send().await;
        assert_eq!(answer.status, 200, "two others");
    }
}

#[tokio::test]
async fn records_without_attachments_weigh_what_their_empty_layers_do() {
    let empty = wire::Layer {
        default_effect: wire::Effect::Deny.into(),
        ..wire::Layer::default()
    };
    for world in World::each().await {
        world.proxy().await;
        for table in ["credential", "target", "proxy"] {
            let select = format!("SELECT MAX(attached_weight) FROM {table}");
            let want = i64::try_from(check_layer(empty.clone()).unwrap()).unwrap();
            assert_eq!(world.number(&select).await, want, "{table}");
        }
    }
}
