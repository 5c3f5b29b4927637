use requestrocket_core_api::region::fleet::Link;
use requestrocket_proto::region::v1::NodeStatus;
use serde_json::json;

use crate::world::{OTHER_REGION, REGION, UNBORN_REGION, Who, World};

#[tokio::test]
async fn regions_show_where_they_are_and_what_is_connected() {
    for world in World::each().await {
        let node = |id: &str, is_connected| NodeStatus {
            node_id: id.to_owned(),
            is_connected,
            ..NodeStatus::default()
        };
        world.state.fleets.update(REGION, |state| {
            state.link = Link::Up;
            state.nodes = vec![node("a", true), node("b", true), node("c", false)];
        });
        world.state.fleets.update(OTHER_REGION, |state| {
            state.link = Link::Down { since_ms: 0 };
            state.nodes = vec![node("d", true)];
        });
        let path = "/regions?sort=name&order=asc";
        for who in [
            Who::User,
            Who::Admin,
            Who::Owner,
            Who::Stranger,
            Who::Operator,
        ] {
            let listed = world.call("GET", path).by(who).send().await;
            let region = |name: &str, url: Option<&str>, connected: bool, envoys: u8| {
                json!({"regionName": name, "regionBaseURL": url, "regionConnected": connected,
                    "envoys": envoys})
            };
            let want = json!([
                region(REGION, Some("http://127.0.0.1:9"), true, 2),
                region(OTHER_REGION, Some("http://127.0.0.1:10"), false, 0),
                region(UNBORN_REGION, None, false, 0),
            ]);
            assert_eq!(listed.body["data"], want, "{who:?}");
            let pagination = json!({"page": 1, "limit": 20, "total": 3, "pages": 1});
            assert_eq!(listed.body["pagination"], pagination);
        }
        let call = world.call("GET", path).by(Who::Anonymous);
        call.send().await.expect(401, "UNAUTHENTICATED");
        let second = world
            .call("GET", "/regions?sort=name&order=asc&page=2&limit=2")
            .send()
            .await;
        assert_eq!(second.body["data"][0]["regionName"], UNBORN_REGION);
    }
}
