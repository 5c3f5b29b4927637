//! The life of a credential: when it ends.

use std::time::Duration;

use serde_json::{Value, json};

use crate::world::{REGION, World, id_of};

const END: &str = "2026-01-01T00:01:00.000Z";

fn body(side: &str) -> Value {
    json!({
        "credentialName": "C", "credentialType": side, "credentialRegion": REGION,
        "credentialAuthType": "bearer", "credentialSecret": {"token": "t0ken-t0ken"},
    })
}

async fn created(world: &World, sent: &Value) -> (String, Value) {
    let shown = world.create("credentials", sent).await;
    let path = world.at(&format!("credentials/{}", id_of(&shown, "credentialId")));
    (path, shown)
}

#[tokio::test]
async fn a_credential_is_expired_from_its_end_on() {
    for world in World::each().await {
        let mut paths = Vec::new();
        for side in ["proxy", "target"] {
            let mut sent = body(side);
            sent["credentialExpiresAt"] = json!("2026-01-01T02:01:00+02:00");
            paths.push(created(&world, &sent).await);
        }
        world.pass(Duration::from_secs(59));
        for (path, shown) in &paths {
            assert_eq!(shown["credentialExpiresAt"], END);
            let still = world.call("GET", path).send().await.body;
            for shown in [shown, &still] {
                assert_eq!(shown["credentialStatus"], "active");
            }
        }
        world.pass(Duration::from_secs(1));
        for (path, shown) in &paths {
            let expired = world.call("GET", path).send().await.body;
            assert_eq!(expired["credentialStatus"], "expired");
            // What was shown before may be sent back.
            let put = world.call("PUT", path).json(shown).send().await;
            assert_eq!(
                (put.status, &put.body["credentialStatus"]),
                (200, &expired["credentialStatus"])
            );
            let off = json!({"credentialActive": false});
            let answer = world.call("PATCH", path).json(&off).send().await;
            assert_eq!(answer.body["credentialStatus"], "inactive");
            assert_eq!(answer.body["credentialExpiresAt"], END);
            let endless = json!({"credentialActive": true, "credentialExpiresAt": null});
            let answer = world.call("PATCH", path).json(&endless).send().await;
            assert_eq!(answer.body["credentialExpiresAt"], Value::Null);
            assert_eq!(answer.body["credentialStatus"], "active");
        }
    }
}

#[tokio::test]
async fn a_region_hears_of_an_end_and_of_none_that_cannot_be_read() {
    for world in World::each().await {
        let (path, _) = created(&world, &body("proxy")).await;
        let newest = world.number("SELECT newest FROM revision").await;
        let patch = json!({"credentialExpiresAt": END});
        let answer = world.call("PATCH", &path).json(&patch).send().await;
        let version = answer.header("requestrocket-config-version");
        assert_eq!(version, (newest + 1).to_string());
        for end in [
            json!("tomorrow"),
            json!(1),
            json!(""),
            json!({}),
            json!("2026-01-01"),
        ] {
            let patch = json!({"credentialExpiresAt": end});
            let answer = world.call("PATCH", &path).json(&patch).send().await;
            let refused = answer.expect(400, "VALIDATION_FAILED");
            assert_eq!(refused.fields(), ["credentialExpiresAt"], "{end}");
        }
    }
}
