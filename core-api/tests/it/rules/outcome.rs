//! What becomes of a change after its commit.

use requestrocket_core_api::region::fleet::Link;
use requestrocket_proto::region::v1::{NodeStatus, Rejection};
use serde_json::{Value, json};

use crate::world::{OTHER_REGION, REGION, World, id_of};

/// `region` is connected with one Envoy that has settled everything up to `settled`.
fn connect(world: &World, region: &str, settled: u64, rejections: Vec<Rejection>) {
    world.state.fleets.update(region, |state| {
        state.link = Link::Up;
        state.nodes = vec![NodeStatus {
            node_id: format!("{region}-envoy-1"),
            is_connected: true,
            settled_revision: settled,
            changed_at_ms: 0,
            rejections,
        }];
    });
}

#[tokio::test]
async fn wait_applied_tells_what_the_envoys_did() {
    for world in World::each().await {
        let proxy = world.proxy().await;
        let path = world.at(&format!(
            "proxies/{}?wait=applied&waitSeconds=1",
            id_of(&proxy, "proxyId")
        ));
        let change = || {
            world
                .call("PATCH", &path)
                .json(&json!({"proxyName": "N"}))
                .send()
        };
        connect(&world, OTHER_REGION, 0, Vec::new());
        assert_eq!(
            change().await.header("requestrocket-config-applied"),
            "no-envoy"
        );
        connect(&world, REGION, u64::MAX, Vec::new());
        let applied = change().await;
        assert_eq!(applied.header("requestrocket-config-applied"), "true");
        assert_eq!(applied.body["proxyStatus"], "applied");
        connect(&world, REGION, 0, Vec::new());
        let late = change().await;
        assert_eq!(
            (late.status, late.header("requestrocket-config-applied")),
            (200, "timeout")
        );
        let proxy_id = id_of(&proxy, "proxyId");
        let next = applied
            .header("requestrocket-config-version")
            .parse::<u64>()
            .unwrap()
            + 2;
        let rejection = Rejection {
            proxy_id,
            revision: next,
            brought_by: next,
            detail: "no".to_owned(),
        };
        connect(&world, REGION, u64::MAX, vec![rejection]);
        assert_eq!(
            change().await.header("requestrocket-config-applied"),
            "rejected"
        );
    }
}

#[tokio::test]
async fn a_change_of_any_record_it_uses_makes_a_proxy_pending_again() {
    for world in World::each().await {
        let proxy = world.proxy().await;
        let newest = world.number("SELECT newest FROM revision").await;
        connect(&world, REGION, u64::try_from(newest).unwrap(), Vec::new());
        let path = world.at(&format!("proxies/{}", id_of(&proxy, "proxyId")));
        assert_eq!(
            world.call("GET", &path).send().await.body["proxyStatus"],
            "applied"
        );
        let credential = proxy["proxyProxyCredentialIds"][0].as_str().unwrap();
        for (used, name) in [
            (
                format!("targets/{}", id_of(&proxy, "proxyTargetId")),
                "targetName",
            ),
            (format!("credentials/{credential}"), "credentialName"),
            (
                format!("credentials/{}", id_of(&proxy, "proxyTargetCredentialId")),
                "credentialName",
            ),
        ] {
            let changed = world
                .call("PATCH", &world.at(&used))
                .json(&json!({name: "N"}))
                .send()
                .await;
            assert_eq!(
                world.call("GET", &path).send().await.body["proxyStatus"],
                "pending",
                "{used}"
            );
            let version = changed
                .header("requestrocket-config-version")
                .parse()
                .unwrap();
            connect(&world, REGION, version, Vec::new());
            assert_eq!(
                world.call("GET", &path).send().await.body["proxyStatus"],
                "applied",
                "{used}"
            );
        }
    }
}

#[tokio::test]
async fn a_caller_that_hangs_up_leaves_nothing_half_done() {
    for world in World::each().await {
        // Its Envoy never answers, so that the caller hangs up while the change is announced.
        connect(&world, REGION, 0, Vec::new());
        let body = json!({
            "targetName": "T", "targetBaseURL": "https://t.example.com", "targetRegion": REGION,
        });
        let path = world.at("targets?wait=applied&waitSeconds=30");
        let post = || {
            world
                .call("POST", &path)
                .header("Idempotency-Key", "k")
                .json(&body)
        };
        tokio::select! {
            _ = post().send() => panic!("answered before its wait was over"),
            () = until_one(&world) => {}
        }
        // Shutdown ends the wait, not the work.
        world.state.tasks.shutdown().await;
        let kept = world
            .number("SELECT COUNT(*) FROM idempotency WHERE status = 201")
            .await;
        assert_eq!(kept, 1);
        let list = world.call("GET", &world.at("targets")).send().await;
        let listed: &Value = &list.body["pagination"]["total"];
        assert_eq!(listed, &json!(1));
    }
}

async fn until_one(world: &World) {
    while world.number("SELECT COUNT(*) FROM target").await == 0 {
        tokio::task::yield_now().await;
    }
}
