//! Strangers fail so often in a minute, and nobody else suffers for it.

use std::time::Duration;

use serde_json::json;

use crate::world::{Who, World};

#[tokio::test]
async fn an_address_fails_so_often_in_a_minute() {
    for world in World::each().await {
        let world = world.with_failures_per_minute(4);
        let path = world.at("targets");
        let get = async |token: &str| {
            let call = world.call("GET", &path).by(Who::Anonymous);
            call.header("Authorization", token).send().await
        };
        let accept = async || {
            let call = world.call("POST", "/invites/accept").by(Who::Anonymous);
            let body = json!({"inviteToken": "i-x", "firstName": "A", "lastName": "B"});
            call.json(&body).send().await
        };
        for _ in 0..10 {
            assert_eq!(world.call("GET", &path).send().await.status, 200);
        }
        for _ in 0..2 {
            get("u-unknown").await.expect(401, "UNAUTHENTICATED");
            accept().await.expect(404, "NOT_FOUND");
        }
        for answer in [
            get("u-unknown").await,
            accept().await,
            world.call("GET", &path).by(Who::Anonymous).send().await,
        ] {
            answer.expect(429, "RATE_LIMITED");
            assert_eq!(answer.header("retry-after"), "60");
        }
        assert_eq!(world.call("GET", &path).send().await.status, 200);
        let health = world.call("GET", "/healthz").by(Who::Anonymous);
        assert_eq!(health.send().await.status, 200);
        world.pass(Duration::from_mins(1));
        get("u-unknown").await.expect(401, "UNAUTHENTICATED");
    }
}
