//! A POST that is sent twice happens once.

use std::time::Duration;

use serde_json::{Value, json};

use crate::world::{REGION, Who, World};

fn body(name: &str) -> Value {
    json!({"targetName": name, "targetBaseURL": "https://t.example.com", "targetRegion": REGION})
}

#[tokio::test]
async fn the_same_key_answers_the_same() {
    for world in World::each().await {
        let path = world.at("targets");
        let post = |body: &Value| {
            world
                .call("POST", &path)
                .header("Idempotency-Key", "k-1")
                .json(body)
        };
        let first = post(&body("T")).send().await;
        assert_eq!(
            (first.status, first.header("idempotent-replayed")),
            (201, "")
        );
        let prefixed = world
            .call("POST", &format!("/api{path}"))
            .header("Idempotency-Key", "k-1");
        let quoted = world
            .call("POST", &path)
            .header("Idempotency-Key", "\"k-1\"");
        for call in [
            post(&body("T")),
            prefixed.json(&body("T")),
            quoted.json(&body("T")),
        ] {
            let again = call.send().await;
            assert_eq!(
                (again.status, again.header("idempotent-replayed")),
                (201, "true")
            );
            assert_eq!(again.text, first.text);
            for name in [
                "location",
                "etag",
                "requestrocket-config-version",
                "content-type",
            ] {
                assert_eq!(again.header(name), first.header(name), "{name}");
            }
        }
        post(&body("U"))
            .send()
            .await
            .expect(422, "IDEMPOTENCY_KEY_REUSED");
        assert_eq!(world.number("SELECT COUNT(*) FROM target").await, 1);
        // Another caller's key is another key.
        let other = post(&body("T")).by(Who::Admin).send().await;
        assert_eq!(
            (other.status, other.header("idempotent-replayed")),
            (201, "")
        );
        world.pass(Duration::from_hours(24) + Duration::from_millis(1));
        let later = post(&body("U")).send().await;
        assert_eq!(
            (later.status, later.header("idempotent-replayed")),
            (201, "")
        );
    }
}

#[tokio::test]
async fn a_refusal_is_kept_too() {
    for world in World::each().await {
        let path = world.at("targets");
        let post = || {
            world
                .call("POST", &path)
                .header("Idempotency-Key", "k")
                .json(&json!({}))
        };
        let first = post().send().await;
        first.expect(400, "VALIDATION_FAILED");
        let again = post().send().await;
        again.expect(400, "VALIDATION_FAILED");
        assert_eq!(again.header("idempotent-replayed"), "true");
        assert_eq!(again.text, first.text);
        let anonymous = post().by(Who::Anonymous).send().await;
        assert_eq!(
            (anonymous.status, anonymous.header("idempotent-replayed")),
            (401, "")
        );
    }
}

#[tokio::test]
async fn a_replay_never_shows_a_generated_key() {
    for world in World::each().await {
        let body = json!({
            "credentialName": "C", "credentialType": "proxy", "credentialAuthType": "apiKey",
            "credentialRegion": REGION,
        });
        let path = world.at("credentials");
        let post = || {
            world
                .call("POST", &path)
                .header("Idempotency-Key", "k")
                .json(&body)
        };
        let first = post().send().await;
        let key = first.body["credentialSecret"]["key"].as_str().unwrap();
        let again = post().send().await;
        assert_eq!(
            (again.status, again.header("idempotent-replayed")),
            (201, "true")
        );
        assert_eq!(again.body["credentialId"], first.body["credentialId"]);
        assert_eq!(again.body["credentialSecret"], Value::Null);
        assert!(!again.text.contains(key) && !world.dump().await.contains(key));
    }
}

#[tokio::test]
async fn many_at_once_make_one() {
    for world in World::each().await {
        let path = world.at("targets");
        let posts = (0..8).map(|_| {
            world
                .call("POST", &path)
                .header("Idempotency-Key", "k")
                .json(&body("T"))
                .send()
        });
        for answer in futures::future::join_all(posts).await {
            if answer.status != 201 {
                answer.expect(409, "IDEMPOTENCY_IN_PROGRESS");
            }
        }
        assert_eq!(world.number("SELECT COUNT(*) FROM target").await, 1);
    }
}

#[tokio::test]
async fn keys_are_visible_ascii() {
    let longest = "k".repeat(255);
    let too_long = "k".repeat(256);
    for world in World::each().await {
        for (key, is_good) in [
            ("!~", true),
            (longest.as_str(), true),
            ("", false),
            ("a b", false),
            ("\"open", false),
            ("é", false),
            (too_long.as_str(), false),
        ] {
            let call = world
                .call("POST", &world.at("targets"))
                .header("Idempotency-Key", key);
            let answer = call.json(&body("T")).send().await;
            if is_good {
                assert_eq!(answer.status, 201, "{key}");
            } else {
                let fields = answer.expect(400, "VALIDATION_FAILED").fields();
                assert_eq!(fields, ["Idempotency-Key"], "{key}");
            }
        }
    }
}

#[tokio::test]
async fn a_request_that_died_frees_its_key() {
    for world in World::each().await {
        let path = world.at("targets");
        let post = || {
            world
                .call("POST", &path)
                .header("Idempotency-Key", "k")
                .json(&body("T"))
        };
        assert_eq!(post().send().await.status, 201);
        world.run("UPDATE idempotency SET status = NULL").await;
        post().send().await.expect(409, "IDEMPOTENCY_IN_PROGRESS");
        world.pass(Duration::from_mins(3));
        assert_eq!(post().send().await.status, 201);
    }
}

#[tokio::test]
async fn strangers_share_no_keys_and_leave_no_refusals() {
    for world in World::each().await {
        let accept = async |body: &Value| {
            let call = world.call("POST", "/invites/accept").by(Who::Anonymous);
            call.header("Idempotency-Key", "1").json(body).send().await
        };
        for token in ["i-a", "i-b"] {
            let body = json!({"inviteToken": token, "firstName": "A", "lastName": "B"});
            for _ in 0..2 {
                let answer = accept(&body).await;
                answer.expect(404, "NOT_FOUND");
                assert_eq!(answer.header("idempotent-replayed"), "");
            }
        }
        for body in [json!({}), json!({"inviteToken": "i-a"})] {
            assert_eq!(accept(&body).await.status, 400);
        }
        assert_eq!(world.number("SELECT COUNT(*) FROM idempotency").await, 0);
        let mut made = Vec::new();
        for _ in 0..2 {
            let invite = json!({"email": "a@example.com", "roles": ["user"]});
            let invite = world.create("invites", &invite).await;
            let body = json!({
                "inviteToken": invite["inviteToken"], "firstName": "A", "lastName": "B",
            });
            let first = accept(&body).await;
            assert_eq!(first.status, 201, "{}", first.text);
            let again = accept(&body).await;
            assert_eq!(again.header("idempotent-replayed"), "true");
            assert_eq!(again.body["userId"], first.body["userId"]);
            made.push(first.body["userId"].clone());
        }
        assert_ne!(made[0], made[1]);
    }
}

#[tokio::test]
async fn equal_bodies_leave_different_digests() {
    for world in World::each().await {
        for key in ["a", "b"] {
            let call = world.call("POST", &world.at("targets"));
            let call = call.header("Idempotency-Key", key).json(&body("T"));
            assert_eq!(call.send().await.status, 201);
        }
        let select = "SELECT COUNT(DISTINCT body_digest) FROM idempotency";
        assert_eq!(world.number(select).await, 2);
    }
}
