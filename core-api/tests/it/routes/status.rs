use std::time::Duration;

use requestrocket_core_api::region::fleet::Link;
use requestrocket_proto::region::v1::{NodeStatus, Rejection};
use serde_json::{Value, json};

use crate::world::{REGION, Who, World, id_of};

/// 2026-01-01T00:00:00Z, when every world begins.
const START_MS: u64 = 1_767_225_600_000;

impl World {
    async fn status(&self, proxy: &str) -> Value {
        let path = self.at(&format!("proxies/{proxy}/status"));
        let answer = self.call("GET", &path).send().await;
        assert_eq!(answer.status, 200, "{}", answer.text);
        answer.body
    }

    /// The region reports one node.
    fn report(&self, is_connected: bool, settled: u64, rejections: Vec<Rejection>) {
        let node = NodeStatus {
            node_id: "local-1-envoy-1".to_owned(),
            is_connected,
            settled_revision: settled,
            changed_at_ms: START_MS,
            rejections,
        };
        self.state.fleets.update(REGION, |state| {
            state.link = Link::Up;
            state.nodes = vec![node];
        });
    }
}

#[tokio::test]
async fn status_follows_the_fleet_from_pending_to_applied() {
    for world in World::each().await {
        let proxy = id_of(&world.proxy().await, "proxyId");
        let status = world.status(&proxy).await;
        let desired = status["desiredVersion"].as_u64().unwrap();
        assert_eq!(status["proxyStatus"], "pending");
        assert_eq!(
            (&status["proxyId"], &status["nodes"]),
            (&json!(proxy), &json!([]))
        );
        world.report(true, desired - 1, Vec::new());
        let status = world.status(&proxy).await;
        assert_eq!(
            (&status["proxyStatus"], &status["nodes"][0]["state"]),
            (&json!("pending"), &json!("pending"))
        );
        world.report(true, desired, Vec::new());
        let status = world.status(&proxy).await;
        let node = json!({"nodeId": "local-1-envoy-1", "connected": true, "version": desired,
            "state": "acknowledged", "at": "2026-01-01T00:00:00.000Z", "rejection": null});
        assert_eq!(
            (&status["proxyStatus"], &status["nodes"]),
            (&json!("applied"), &json!([node]))
        );
        let shown = world
            .call("GET", &world.at(&format!("proxies/{proxy}")))
            .send()
            .await
            .body;
        assert_eq!(shown["proxyStatus"], "applied");
        let refused = Rejection {
            proxy_id: proxy.clone(),
            revision: desired,
            brought_by: desired,
            detail: "bad route".to_owned(),
        };
        world.report(true, desired, vec![refused]);
        let status = world.status(&proxy).await;
        assert_eq!(status["proxyStatus"], "rejected");
        assert_eq!(
            (
                &status["nodes"][0]["state"],
                &status["nodes"][0]["rejection"]
            ),
            (&json!("rejected"), &json!("bad route"))
        );
    }
}

#[tokio::test]
async fn a_change_of_what_a_proxy_uses_is_desired_of_the_proxy() {
    for world in World::each().await {
        let proxy = world.proxy().await;
        let id = id_of(&proxy, "proxyId");
        for (path, body) in [
            (
                format!("targets/{}", id_of(&proxy, "proxyTargetId")),
                json!({"targetBaseURL": "https://b.example.com"}),
            ),
            (
                format!("credentials/{}", id_of(&proxy, "proxyTargetCredentialId")),
                json!({"credentialActive": false}),
            ),
            (
                format!("credentials/{}", id_of(&proxy, "proxyProxyCredentialId")),
                json!({"credentialActive": false}),
            ),
            (format!("proxies/{id}"), json!({"proxyTimeoutSeconds": 9})),
        ] {
            let before = world.status(&id).await["desiredVersion"].as_u64().unwrap();
            let changed = world
                .call("PATCH", &world.at(&path))
                .json(&body)
                .send()
                .await;
            let version: u64 = changed
                .header("requestrocket-config-version")
                .parse()
                .unwrap();
            let after = world.status(&id).await["desiredVersion"].as_u64().unwrap();
            assert!(after == version && after > before, "{path}");
        }
        let home = format!("/clients/{}", world.home);
        let body = json!({"clientStatus": "suspended"});
        let changed = world
            .call("PATCH", &home)
            .by(Who::Operator)
            .json(&body)
            .send()
            .await;
        let version: u64 = changed
            .header("requestrocket-config-version")
            .parse()
            .unwrap();
        assert_eq!(world.status(&id).await["desiredVersion"], version);
    }
}

#[tokio::test]
async fn an_inactive_or_incomplete_proxy_says_so() {
    for world in World::each().await {
        let proxy = world.proxy().await;
        let id = id_of(&proxy, "proxyId");
        let path = world.at(&format!("proxies/{id}"));
        world
            .call("PATCH", &path)
            .json(&json!({"proxyActive": false}))
            .send()
            .await
            .expect(200, "");
        assert_eq!(world.status(&id).await["proxyStatus"], "inactive");
        world
            .call("PATCH", &path)
            .json(&json!({"proxyActive": true}))
            .send()
            .await
            .expect(200, "");
        let target = world.at(&format!(
            "targets/{}?force=true",
            id_of(&proxy, "proxyTargetId")
        ));
        assert_eq!(world.call("DELETE", &target).send().await.status, 204);
        assert_eq!(world.status(&id).await["proxyStatus"], "incomplete");
        let shown = world.call("GET", &path).send().await.body;
        assert_eq!(shown["proxyStatus"], "incomplete");
    }
}

#[tokio::test]
async fn a_node_gone_for_ten_minutes_is_left_out() {
    for world in World::each().await {
        let proxy = id_of(&world.proxy().await, "proxyId");
        world.report(false, 1, Vec::new());
        world.pass(Duration::from_mins(10) - Duration::from_millis(1));
        assert_eq!(
            world.status(&proxy).await["nodes"]
                .as_array()
                .unwrap()
                .len(),
            1
        );
        world.pass(Duration::from_millis(1));
        assert_eq!(world.status(&proxy).await["nodes"], json!([]));
    }
}

#[tokio::test]
async fn who_may_see_a_status() {
    for world in World::each().await {
        let proxy = id_of(&world.proxy().await, "proxyId");
        let path = world.at(&format!("proxies/{proxy}/status"));
        for (who, want) in [
            (Who::Anonymous, 401),
            (Who::Stranger, 404),
            (Who::User, 200),
            (Who::Admin, 200),
            (Who::Owner, 200),
            (Who::Operator, 403),
        ] {
            assert_eq!(
                world.call("GET", &path).by(who).send().await.status,
                want,
                "{who:?}"
            );
        }
        let abroad = format!("/clients/{}/proxies/{proxy}/status", world.abroad);
        world
            .call("GET", &abroad)
            .by(Who::Stranger)
            .send()
            .await
            .expect(404, "NOT_FOUND");
        let unknown = world.at("proxies/00000000-0000-4000-8000-000000000000/status");
        world
            .call("GET", &unknown)
            .send()
            .await
            .expect(404, "NOT_FOUND");
        let answer = world.call("GET", &path).send().await;
        let fresh = world
            .call("GET", &path)
            .header("If-None-Match", answer.header("etag"));
        assert_eq!(fresh.send().await.status, 304);
    }
}
