//! What was sent as a secret is nowhere to be found.

use serde_json::{Value, json};

use crate::world::{REGION, World, id_of};

const CANARY: &str = "c4n4ry-S3cret-Value";

#[tokio::test]
async fn no_answer_and_no_stored_byte_holds_a_secret() {
    for world in World::each().await {
        let mut answers = Vec::new();
        for (side, auth_type, secret) in [
            ("proxy", "apiKey", json!({"key": CANARY})),
            ("target", "apiKey", json!({"key": CANARY, "prefix": "p"})),
            ("proxy", "bearer", json!({"token": CANARY})),
            (
                "target",
                "basicAuth",
                json!({"username": "u", "password": CANARY}),
            ),
            ("proxy", "jwt", json!({"token": CANARY})),
            (
                "target",
                "custom",
                json!({"headers": {"X-A": CANARY}, "query": {"q": CANARY}}),
            ),
        ] {
            let body = json!({
                "credentialName": "C", "credentialType": side, "credentialAuthType": auth_type,
                "credentialRegion": REGION, "credentialSecret": secret,
            });
            answers.extend(uses(&world, &body).await);
        }
        answers.push(
            world
                .call("GET", &world.at("credentials"))
                .send()
                .await
                .text,
        );
        for answer in answers {
            assert!(!answer.contains(CANARY), "{answer}");
        }
        assert!(!world.dump().await.contains(CANARY));
    }
}

/// Everything that can be done with a credential, with the canary in every body.
async fn uses(world: &World, body: &Value) -> Vec<String> {
    let path = world.at("credentials");
    // With a key, so that the answer is stored.
    let key = uuid::Uuid::new_v4().to_string();
    let created = world
        .call("POST", &path)
        .header("Idempotency-Key", &key)
        .json(body)
        .send()
        .await;
    let mut texts = vec![created.text.clone()];
    let path = format!("{path}/{}", id_of(&created.body, "credentialId"));
    let mut unknown = body.clone();
    unknown["credentialSecret"]["extra"] = json!(CANARY);
    let mut broken = body.clone();
    broken["credentialSecret"] = json!(CANARY);
    let mut elsewhere = body.clone();
    elsewhere["credentialAuthType"] = json!(CANARY);
    elsewhere["credentialName"] = json!([CANARY]);
    elsewhere["credentialVersion"] = json!(CANARY);
    for sent in [body, &unknown, &broken, &elsewhere] {
        for (method, path) in [
            ("PUT", &path),
            ("PATCH", &path),
            ("POST", &world.at("credentials")),
        ] {
            texts.push(world.call(method, path).json(sent).send().await.text);
        }
    }
    let torn = format!("{body}{{\"x\":");
    texts.push(
        world
            .call("PUT", &path)
            .bytes("application/json", torn)
            .send()
            .await
            .text,
    );
    texts.push(world.call("GET", &path).send().await.text);
    texts
}
