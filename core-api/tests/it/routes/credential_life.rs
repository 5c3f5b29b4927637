//! The life of a credential: when it ends, and how its secret gives way to a new one.

use std::time::Duration;

use requestrocket_proto::region::v1::{CredentialUse, CredentialUses};
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

fn rotation(token: &str, seconds: i64) -> Value {
    json!({"credentialSecret": {"token": token}, "rotation": {"overlapSeconds": seconds}})
}

#[tokio::test]
async fn a_former_secret_is_shown_until_its_end_or_until_it_is_ended() {
    for world in World::each().await {
        let (path, shown) = created(&world, &body("proxy")).await;
        assert_eq!(shown["credentialPrevious"], Value::Null);
        let patch = rotation("second-token", 60);
        let rotated = world.call("PATCH", &path).json(&patch).send().await;
        assert_eq!(
            (rotated.status, &rotated.body["credentialVersion"]),
            (200, &json!(2))
        );
        let previous = json!({"validUntil": END});
        assert_eq!(rotated.body["credentialPrevious"], previous);
        assert!(rotated.body.get("rotation").is_none());
        // What was shown may be sent back, and changes nothing of it.
        let put = world.call("PUT", &path).json(&rotated.body).send().await;
        assert_eq!(
            (put.status, &put.body["credentialPrevious"]),
            (200, &previous)
        );
        let other = json!({"credentialPrevious": {"validUntil": "2027-01-01T00:00:00.000Z"}});
        let refused = world.call("PATCH", &path).json(&other).send().await;
        assert_eq!(
            refused.expect(400, "FIELD_IMMUTABLE").fields(),
            ["credentialPrevious"]
        );

        let end = || world.call("DELETE", &format!("{path}/previous"));
        let stale = end()
            .header("If-Match", rotated.header("etag"))
            .send()
            .await;
        stale.expect(412, "PRECONDITION_FAILED");
        let newest = world.number("SELECT newest FROM revision").await;
        let ended = end().send().await;
        assert_eq!(ended.status, 204);
        let version = ended.header("requestrocket-config-version");
        assert_eq!(version, (newest + 1).to_string());
        let shown = world.call("GET", &path).send().await.body;
        assert_eq!(shown["credentialPrevious"], Value::Null);
        end().send().await.expect(404, "NOT_FOUND");

        // A new secret without an overlap ends what was accepted before.
        let patch = rotation("third-token", 60);
        world.call("PATCH", &path).json(&patch).send().await;
        let patch = json!({"credentialSecret": {"token": "fourth-token"}});
        let answer = world.call("PATCH", &path).json(&patch).send().await;
        assert_eq!(answer.body["credentialPrevious"], Value::Null);

        let patch = rotation("fifth-token", 60);
        let shown = world.call("PATCH", &path).json(&patch).send().await;
        world.pass(Duration::from_mins(1));
        let later = world.call("GET", &path).send().await.body;
        assert_eq!(later["credentialPrevious"], Value::Null);
        let put = world.call("PUT", &path).json(&shown.body).send().await;
        assert_eq!(put.status, 200, "as it was shown before: {}", put.text);
        end().send().await.expect(404, "NOT_FOUND");
    }
}

#[tokio::test]
async fn a_rotation_is_of_new_secrets_of_callers() {
    for world in World::each().await {
        let (proxy, _) = created(&world, &body("proxy")).await;
        let (target, _) = created(&world, &body("target")).await;
        let field = "rotation.overlapSeconds";
        for (path, patch, want) in [
            (&proxy, rotation("second-token", 604_801), field),
            (&proxy, rotation("second-token", -1), field),
            (
                &proxy,
                json!({"rotation": {"overlapSeconds": 5}}),
                "rotation",
            ),
            (&target, rotation("second-token", 5), "rotation"),
        ] {
            let answer = world.call("PATCH", path).json(&patch).send().await;
            let refused = answer.expect(400, "VALIDATION_FAILED");
            assert_eq!(refused.fields(), [want], "{patch}");
        }
        let mut sent = body("proxy");
        sent["rotation"] = json!({"overlapSeconds": 5});
        let list = world.at("credentials");
        let answer = world.call("POST", &list).json(&sent).send().await;
        assert_eq!(answer.expect(400, "UNKNOWN_FIELD").fields(), ["rotation"]);
        let most = rotation("second-token", 604_800);
        let answer = world.call("PATCH", &proxy).json(&most).send().await;
        let until = &answer.body["credentialPrevious"]["validUntil"];
        assert_eq!(until, "2026-01-08T00:00:00.000Z");
    }
}

#[tokio::test]
async fn the_last_use_is_shown_as_the_region_tells_it_and_changes_no_tag() {
    for world in World::each().await {
        let (path, shown) = created(&world, &body("proxy")).await;
        assert_eq!(shown["credentialLastUsedAt"], Value::Null);
        let before = world.call("GET", &path).send().await;
        let uses = CredentialUses {
            is_first: true,
            uses: vec![CredentialUse {
                credential_id: id_of(&shown, "credentialId"),
                used_at_ms: 1_767_225_600_123,
            }],
        };
        let fleets = &world.state.fleets;
        fleets.update(REGION, |state| state.take_uses(uses).unwrap());
        let answer = world.call("GET", &path).send().await;
        let at = &answer.body["credentialLastUsedAt"];
        assert_eq!(at, "2026-01-01T00:00:00.123Z");
        assert_eq!(answer.header("etag"), before.header("etag"));
        let list = world.call("GET", &world.at("credentials")).send().await;
        assert_eq!(list.body["data"][0]["credentialLastUsedAt"], *at);
        // What was shown before may be sent back; nobody sets it.
        let put = world.call("PUT", &path).json(&shown).send().await;
        assert_eq!((put.status, &put.body["credentialLastUsedAt"]), (200, at));
        let set = json!({"credentialLastUsedAt": "yesterday"});
        let set = world.call("PATCH", &path).json(&set).send().await;
        let fields = set.expect(400, "FIELD_IMMUTABLE").fields();
        assert_eq!(fields, ["credentialLastUsedAt"]);
    }
}
