//! The second secret of a target credential: set, scheduled, switched, ended.

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use requestrocket_policy::envelope::Binding;
use serde_json::{Value, json};

use crate::world::{REGION, World, id_of};

const SOON: &str = "2026-01-01T00:01:00.000Z";

async fn created(world: &World, side: &str, auth_type: &str, secret: Value) -> (String, Value) {
    let sent = json!({
        "credentialName": "C", "credentialType": side, "credentialRegion": REGION,
        "credentialAuthType": auth_type, "credentialSecret": secret,
    });
    let shown = world.create("credentials", &sent).await;
    let path = world.at(&format!("credentials/{}", id_of(&shown, "credentialId")));
    (path, shown)
}

async fn bearer(world: &World) -> (String, Value) {
    created(world, "target", "bearer", json!({"token": "the-first"})).await
}

async fn patched(world: &World, path: &str, next: &Value) -> Value {
    let patch = json!({ "credentialNext": next });
    let answer = world.call("PATCH", path).json(&patch).send().await;
    assert_eq!(answer.status, 200, "{}", answer.text);
    answer.body
}

async fn refused(world: &World, path: &str, next: &Value) -> Vec<String> {
    let patch = json!({ "credentialNext": next });
    let answer = world.call("PATCH", path).json(&patch).send().await;
    assert_eq!(answer.status, 400, "{}", answer.text);
    answer.fields().into_iter().map(str::to_owned).collect()
}

async fn switched(world: &World, path: &str, slot: &str) -> Value {
    let path = format!("{path}/switch");
    let answer = world
        .call("POST", &path)
        .json(&json!({ "slot": slot }))
        .send()
        .await;
    assert_eq!(answer.status, 200, "{}", answer.text);
    answer.body
}

/// What was sealed for the region in that column, opened as of that version.
async fn opened(world: &World, shown: &Value, column: &str, version: u64) -> Value {
    let id = id_of(shown, "credentialId");
    let select = format!("SELECT {column} FROM credential WHERE credential_id = '{id}'");
    let sealed = BASE64.decode(world.text(&select).await).unwrap();
    let (organisation, id) = (world.home.parse().unwrap(), id.parse().unwrap());
    let binding = Binding::secret(REGION, organisation, id, version);
    let secret = world.private_key.open(&sealed, &binding).unwrap();
    serde_json::from_slice(secret.expose()).unwrap()
}

fn stands(shown: &Value) -> (u64, &Value, &Value) {
    (
        shown["credentialVersion"].as_u64().unwrap(),
        &shown["credentialActiveSlot"],
        &shown["credentialNext"],
    )
}

fn next(version: u64, switch_at: Option<&str>) -> Value {
    json!({"credentialVersion": version, "switchAt": switch_at, "failedAt": null})
}

#[tokio::test]
async fn it_is_sealed_scheduled_given_and_takes_the_place_of_the_first() {
    for world in World::each().await {
        let (path, shown) = bearer(&world).await;
        assert_eq!(stands(&shown), (1, &json!("current"), &Value::Null));
        let sent = json!({"credentialSecret": {"token": "the-second"}, "switchAt": SOON});
        let shown = patched(&world, &path, &sent).await;
        assert_eq!(stands(&shown), (1, &json!("current"), &next(2, Some(SOON))));
        let secret = opened(&world, &shown, "sealed_next", 2).await;
        assert_eq!(secret, json!({"token": "the-second"}));
        let dump = world.dump().await;
        assert!(!dump.contains("the-second") && !shown.to_string().contains("the-second"));
        // What is shown may be sent back, and changes nothing; so does what leaves it out.
        let mut without = shown.clone();
        without.as_object_mut().unwrap().remove("credentialNext");
        for sent in [&shown, &without] {
            let put = world.call("PUT", &path).json(sent).send().await;
            assert_eq!(put.status, 200, "{}", put.text);
            assert_eq!(stands(&put.body), stands(&shown));
        }
        world.pass(Duration::from_mins(1));
        let shown = world.call("GET", &path).send().await.body;
        assert_eq!(stands(&shown), (1, &json!("next"), &next(2, Some(SOON))));
        // A third one: what targets are given becomes the first.
        let sent = json!({"credentialSecret": {"token": "the-third"}});
        let shown = patched(&world, &path, &sent).await;
        assert_eq!(stands(&shown), (2, &json!("current"), &next(3, None)));
        let first = opened(&world, &shown, "sealed_secret", 2).await;
        assert_eq!(first, json!({"token": "the-second"}));
        // Ended before it was given, the first stays.
        let shown = patched(&world, &path, &Value::Null).await;
        assert_eq!(stands(&shown), (2, &json!("current"), &Value::Null));
        // At once, and ended when it is given.
        let sent = json!({"credentialSecret": {"token": "the-fourth"}, "switchAt": "now"});
        let shown = patched(&world, &path, &sent).await;
        assert_eq!(stands(&shown), (2, &json!("next"), &next(3, Some(SOON))));
        let shown = patched(&world, &path, &Value::Null).await;
        assert_eq!(stands(&shown), (3, &json!("current"), &Value::Null));
        let first = opened(&world, &shown, "sealed_secret", 3).await;
        assert_eq!(first, json!({"token": "the-fourth"}));
    }
}

#[tokio::test]
async fn it_is_switched_by_hand_and_each_switch_is_told() {
    for world in World::each().await {
        let (path, _) = bearer(&world).await;
        let switch = format!("{path}/switch");
        let to = |slot: Value| world.call("POST", &switch).json(&slot).send();
        let none = to(json!({"slot": "next"})).await;
        assert_eq!(none.expect(400, "VALIDATION_FAILED").fields(), ["slot"]);
        let sent = json!({"credentialSecret": {"token": "the-second"}, "switchAt": SOON});
        patched(&world, &path, &sent).await;
        let revision = || world.number("SELECT newest FROM revision");
        let before = revision().await;
        // It is the first already; the second still comes at its moment.
        let shown = switched(&world, &path, "current").await;
        assert_eq!(stands(&shown), (1, &json!("current"), &next(2, Some(SOON))));
        assert_eq!(revision().await, before, "no region has to hear of it");
        let now = "2026-01-01T00:00:00.000Z";
        let shown = switched(&world, &path, "next").await;
        assert_eq!(stands(&shown), (1, &json!("next"), &next(2, Some(now))));
        assert_eq!(revision().await, before + 1);
        let shown = switched(&world, &path, "current").await;
        assert_eq!(stands(&shown), (1, &json!("current"), &next(2, None)));
        assert_eq!(revision().await, before + 2);
        // From another moment on.
        let shown = patched(&world, &path, &json!({"switchAt": SOON})).await;
        assert_eq!(stands(&shown), (1, &json!("current"), &next(2, Some(SOON))));
        for (slot, fields) in [(json!({"slot": "third"}), ["slot"]), (json!({}), ["slot"])] {
            assert_eq!(
                to(slot).await.expect(400, "VALIDATION_FAILED").fields(),
                fields
            );
        }
    }
}

#[tokio::test]
async fn a_new_first_secret_counts_at_once() {
    for world in World::each().await {
        let secret = |token: &str| json!({"credentialSecret": {"token": token}});
        let (path, _) = bearer(&world).await;
        patched(&world, &path, &secret("the-second")).await;
        let patch = |body: Value| world.call("PATCH", &path).json(&body).send();
        // One that is still to come stays.
        let shown = patch(secret("the-third")).await.body;
        assert_eq!(stands(&shown), (3, &json!("current"), &next(2, None)));
        switched(&world, &path, "next").await;
        let shown = patch(secret("the-fourth")).await.body;
        assert_eq!(stands(&shown), (4, &json!("current"), &Value::Null));
        // Both at once.
        let mut both = secret("the-fifth");
        both["credentialNext"] = secret("the-sixth");
        let shown = patch(both).await.body;
        assert_eq!(stands(&shown), (5, &json!("current"), &next(6, None)));
        // Of another type it is none.
        let mut other = json!({"credentialAuthType": "apiKey"});
        other["credentialSecret"] = json!({"key": "the-seventh"});
        let shown = patch(other).await.body;
        assert_eq!(stands(&shown), (7, &json!("current"), &Value::Null));
    }
}

#[tokio::test]
async fn what_targets_refused_is_not_given_any_more() {
    for world in World::each().await {
        let (path, shown) = bearer(&world).await;
        let sent = json!({"credentialSecret": {"token": "the-second"}, "switchAt": "now"});
        patched(&world, &path, &sent).await;
        let id = id_of(&shown, "credentialId");
        // As the region's report is taken.
        let failed =
            format!("UPDATE credential SET next_failed_at = '{SOON}' WHERE credential_id = '{id}'");
        world.run(&failed).await;
        let shown = world.call("GET", &path).send().await.body;
        let now = "2026-01-01T00:00:00.000Z";
        let want = json!({"credentialVersion": 2, "switchAt": now, "failedAt": SOON});
        assert_eq!(stands(&shown), (1, &json!("current"), &want));
        let put = world.call("PUT", &path).json(&shown).send().await;
        assert_eq!(stands(&put.body), stands(&shown), "{}", put.text);
        let switch = format!("{path}/switch");
        let again = world.call("POST", &switch).json(&json!({"slot": "next"}));
        let again = again.send().await;
        assert_eq!(again.expect(400, "VALIDATION_FAILED").fields(), ["slot"]);
        let later = refused(&world, &path, &json!({"switchAt": SOON})).await;
        assert_eq!(later, ["credentialNext.credentialSecret"]);
        let sent = json!({"credentialSecret": {"token": "the-third"}});
        let shown = patched(&world, &path, &sent).await;
        assert_eq!(stands(&shown), (1, &json!("current"), &next(3, None)));
    }
}

#[tokio::test]
async fn what_cannot_have_two_secrets_says_so() {
    for world in World::each().await {
        let oauth = json!({
            "grantType": "client_credentials", "tokenUrl": "https://a.example/token",
            "clientId": "me", "clientSecret": "s",
        });
        for (side, auth_type, secret) in [
            ("proxy", "bearer", json!({"token": "t0ken-t0ken"})),
            ("target", "oauth2", oauth.clone()),
            ("target", "none", Value::Null),
        ] {
            let (path, shown) = created(&world, side, auth_type, secret.clone()).await;
            let active = if side == "proxy" {
                Value::Null
            } else {
                json!("current")
            };
            assert_eq!(shown["credentialActiveSlot"], active);
            let sent = json!({"credentialSecret": secret, "switchAt": "now"});
            assert_eq!(refused(&world, &path, &sent).await, ["credentialNext"]);
        }
        let (path, _) = bearer(&world).await;
        for (sent, field) in [
            (json!({}), "credentialNext.credentialSecret"),
            (
                json!({"switchAt": "now"}),
                "credentialNext.credentialSecret",
            ),
            (
                json!({"credentialSecret": {"key": "k"}}),
                "credentialNext.credentialSecret.token",
            ),
            (
                json!({"credentialSecret": {"token": "t"}, "switchAt": "soon"}),
                "credentialNext.switchAt",
            ),
            (
                json!({"credentialSecret": {"token": "t"}, "credentialVersion": 7}),
                "credentialNext.credentialVersion",
            ),
            (
                json!({"credentialSecret": {"token": "t"}, "slot": "next"}),
                "credentialNext.slot",
            ),
        ] {
            let fields = refused(&world, &path, &sent).await;
            assert!(fields.iter().any(|it| it == field), "{fields:?} {field}");
        }
    }
}
