use requestrocket_policy::envelope::Binding;
use serde_json::{Value, json};

use crate::world::{REGION, UNBORN_REGION, World, id_of};

fn body(side: &str, auth_type: &str, secret: &Value) -> Value {
    json!({
        "credentialName": "C", "credentialType": side, "credentialAuthType": auth_type,
        "credentialRegion": REGION, "credentialSecret": secret,
    })
}

#[tokio::test]
async fn a_credential_never_shows_its_secret() {
    for world in World::each().await {
        let sent = body("proxy", "bearer", &json!({"token": "hunter2-hunter2"}));
        let created = world.create("credentials", &sent).await;
        let id = id_of(&created, "credentialId");
        let mut want = json!({
            "credentialId": id, "clientId": world.home, "credentialName": "C",
            "credentialType": "proxy", "credentialAuthType": "bearer", "credentialRegion": REGION,
            "credentialDefaultRuleEffect": "allow", "credentialActive": true,
            "credentialVersion": 1, "credentialStatus": "active", "credentialExpiresAt": null, "credentialPrevious": null, "credentialNext": null,
            "credentialActiveSlot": null, "credentialLastUsedAt": null,
            "credentialAllowedHosts": [],
            "labels": {}, "createdAt": "2026-01-01T00:00:00.000Z", "updatedAt": "2026-01-01T00:00:00.000Z",
        });
        want["createdBy"] = created["createdBy"].clone();
        assert_eq!(created, want);
        let path = world.at(&format!("credentials/{id}"));
        assert_eq!(world.call("GET", &path).send().await.body, want);
    }
}

#[tokio::test]
async fn what_is_stored_opens_with_the_regions_key_only_for_its_owner_and_version() {
    for world in World::each().await {
        let sent = body("target", "apiKey", &json!({"key": "k-1", "name": "X-Key"}));
        let id = id_of(&world.create("credentials", &sent).await, "credentialId");
        let path = world.at(&format!("credentials/{id}"));
        let change = json!({"credentialSecret": {"key": "k-2", "location": "query", "name": "q"}});
        let changed = world.call("PATCH", &path).json(&change).send().await;
        assert_eq!(changed.body["credentialVersion"], 2);
        let select = format!("SELECT sealed_secret FROM credential WHERE credential_id = '{id}'");
        let select = sqlx::AssertSqlSafe(select);
        let (sealed,): (String,) = sqlx::query_as(select)
            .fetch_one(world.state.db.pool())
            .await
            .unwrap();
        let sealed = base64::Engine::decode(&base64::engine::general_purpose::STANDARD, sealed);
        let (home, id) = (world.home.parse().unwrap(), id.parse().unwrap());
        let binding = |version| Binding::secret(REGION, home, id, version);
        let sealed = sealed.unwrap();
        let opened = world.private_key.open(&sealed, &binding(2)).unwrap();
        let want = json!({"key": "k-2", "location": "query", "name": "q"});
        assert_eq!(
            serde_json::from_slice::<Value>(opened.expose()).unwrap(),
            want
        );
        assert!(world.private_key.open(&sealed, &binding(1)).is_err());
    }
}

#[tokio::test]
async fn a_generated_key_is_shown_once() {
    for world in World::each().await {
        for secret in [json!({}), Value::Null] {
            let sent = body("proxy", "apiKey", &secret);
            let call = world.call("POST", &world.at("credentials")).json(&sent);
            let created = call.send().await;
            assert_eq!(
                (created.status, created.header("cache-control")),
                (201, "no-store")
            );
            let key = created.body["credentialSecret"]["key"].as_str().unwrap();
            assert!(
                key.starts_with("rr_local-1_") && key.len() == 11 + 38,
                "{key}"
            );
            let path = world.at(&format!(
                "credentials/{}",
                id_of(&created.body, "credentialId")
            ));
            let read = world.call("GET", &path).send().await;
            assert_eq!(read.body["credentialSecret"], Value::Null);

            let renamed = world
                .call("PUT", &path)
                .json(&json!({"credentialName": "N"}))
                .send()
                .await;
            assert_eq!(renamed.body["credentialVersion"], 1, "the secret stays");
            let rotation = json!({"credentialName": "N", "credentialSecret": {}});
            let rotated = world.call("PUT", &path).json(&rotation).send().await;
            assert_eq!(
                (rotated.status, rotated.header("cache-control")),
                (200, "no-store")
            );
            assert_eq!(rotated.body["credentialVersion"], 2);
            assert_ne!(
                rotated.body["credentialSecret"]["key"].as_str().unwrap(),
                key
            );
            assert!(!world.dump().await.contains(key));
        }
    }
}

#[tokio::test]
async fn secrets_have_one_shape_for_each_type_and_side() {
    let long = "x".repeat(8193);
    let cases = [
        ("proxy", "apiKey", json!({"key": "k"}), None),
        (
            "proxy",
            "apiKey",
            json!({"key": "k", "location": "header"}),
            Some(("UNKNOWN_FIELD", "credentialSecret.location")),
        ),
        (
            "proxy",
            "apiKey",
            json!({"key": ""}),
            Some(("INVALID_SECRET", "credentialSecret.key")),
        ),
        (
            "proxy",
            "apiKey",
            json!({"key": long}),
            Some(("INVALID_SECRET", "credentialSecret.key")),
        ),
        (
            "proxy",
            "apiKey",
            json!({"key": "a\r\nb"}),
            Some(("INVALID_SECRET", "credentialSecret.key")),
        ),
        (
            "proxy",
            "apiKey",
            json!({"key": 7}),
            Some(("VALIDATION_FAILED", "credentialSecret.key")),
        ),
        (
            "proxy",
            "apiKey",
            json!("k"),
            Some(("VALIDATION_FAILED", "credentialSecret")),
        ),
        (
            "target",
            "apiKey",
            json!({}),
            Some(("VALIDATION_FAILED", "credentialSecret.key")),
        ),
        (
            "target",
            "apiKey",
            json!({"key": "k", "location": "query", "name": "q", "prefix": "p"}),
            None,
        ),
        (
            "target",
            "apiKey",
            json!({"key": "k", "location": "cookie"}),
            Some(("VALIDATION_FAILED", "credentialSecret.location")),
        ),
        (
            "target",
            "apiKey",
            json!({"key": "k", "name": "Host"}),
            Some(("INVALID_SECRET", "credentialSecret.name")),
        ),
        (
            "target",
            "apiKey",
            json!({"key": "k", "name": "requestrocket-x"}),
            Some(("INVALID_SECRET", "credentialSecret.name")),
        ),
        ("proxy", "bearer", json!({"token": "t", "prefix": ""}), None),
        (
            "target",
            "bearer",
            json!({"token": "t", "tokens": 1}),
            Some(("UNKNOWN_FIELD", "credentialSecret.tokens")),
        ),
        (
            "proxy",
            "basicAuth",
            json!({"username": "u", "password": "p:w"}),
            None,
        ),
        (
            "target",
            "basicAuth",
            json!({"username": "u:", "password": "p"}),
            Some(("INVALID_SECRET", "credentialSecret.username")),
        ),
        (
            "target",
            "basicAuth",
            json!({"username": "key", "password": ""}),
            None,
        ),
        (
            "proxy",
            "basicAuth",
            json!({"username": "", "password": "p"}),
            None,
        ),
        (
            "target",
            "basicAuth",
            json!({"username": "", "password": ""}),
            Some(("INVALID_SECRET", "credentialSecret.password")),
        ),
        ("target", "key", json!({"key": "k"}), None),
        (
            "target",
            "basicAuth",
            json!({"username": "u"}),
            Some(("VALIDATION_FAILED", "credentialSecret.password")),
        ),
        ("proxy", "jwt", json!({"token": "e30.e30.x"}), None),
        (
            "target",
            "signedJwt",
            json!({"algorithm": "HS256", "sharedSecret": "s", "claims": {"iss": "us"}}),
            None,
        ),
        (
            "target",
            "signedJwt",
            json!({"algorithm": "RS256", "privateKey": "hunter2"}),
            Some(("INVALID_SECRET", "credentialSecret.privateKey")),
        ),
        (
            "target",
            "awsSigV4",
            json!({"accessKeyId": "A", "secretAccessKey": "s", "region": "r", "service": "s3"}),
            None,
        ),
        (
            "target",
            "hmac",
            json!({"key": "k", "stringToSign": "{method}", "header": "X-Sig"}),
            None,
        ),
        (
            "target",
            "hmac",
            json!({"key": "k", "stringToSign": "{secret}", "header": "X-Sig"}),
            Some(("INVALID_SECRET", "credentialSecret.stringToSign")),
        ),
        (
            "proxy",
            "hmac",
            json!({"key": "k", "stringToSign": "{method}", "header": "X-Sig"}),
            Some(("VALIDATION_FAILED", "credentialAuthType")),
        ),
        (
            "target",
            "custom",
            json!({"headers": {"X-A": "1"}, "query": {"b": "2"}}),
            None,
        ),
        (
            "target",
            "custom",
            json!({"headers": {"X-A": "1", "x-a": "2"}}),
            Some(("INVALID_SECRET", "credentialSecret.headers")),
        ),
        (
            "target",
            "custom",
            json!({}),
            Some(("VALIDATION_FAILED", "credentialSecret.headers")),
        ),
        (
            "target",
            "custom",
            json!({"headers": {"Content-Length": "1"}}),
            Some(("INVALID_SECRET", "credentialSecret.headers.Content-Length")),
        ),
        (
            "proxy",
            "custom",
            json!({"headers": {"X-A": "1"}}),
            Some(("VALIDATION_FAILED", "credentialAuthType")),
        ),
        ("target", "none", json!({}), None),
        ("target", "none", Value::Null, None),
        (
            "target",
            "none",
            json!({"key": "k"}),
            Some(("UNKNOWN_FIELD", "credentialSecret.key")),
        ),
        (
            "proxy",
            "none",
            json!({}),
            Some(("VALIDATION_FAILED", "credentialAuthType")),
        ),
        (
            "target",
            "bearer",
            Value::Null,
            Some(("VALIDATION_FAILED", "credentialSecret")),
        ),
        (
            "proxy",
            "jwtVerify",
            json!({"sharedSecret": "a secret of thirty-two bytes, ok", "audience": ["a"]}),
            None,
        ),
        (
            "proxy",
            "jwtVerify",
            json!({}),
            Some(("VALIDATION_FAILED", "credentialSecret.publicKey")),
        ),
        (
            "proxy",
            "jwtVerify",
            json!({"sharedSecret": "short"}),
            Some(("INVALID_SECRET", "credentialSecret.sharedSecret")),
        ),
        (
            "proxy",
            "jwtVerify",
            json!({"publicKey": {"kty": "RSA", "n": "AA", "e": "AQAB"}}),
            Some(("INVALID_SECRET", "credentialSecret.publicKey")),
        ),
        (
            "proxy",
            "jwtVerify",
            json!({"jwksUri": "https://a.example/keys", "jwksMaxStaleSeconds": 7200}),
            None,
        ),
        (
            "proxy",
            "oauth2",
            json!({"issuer": "https://a.example", "requiredScopes": ["read"]}),
            None,
        ),
        (
            "proxy",
            "jwtVerify",
            json!({"jwksUri": "https://10.0.0.1/keys"}),
            Some(("ADDRESS_NOT_ALLOWED", "credentialSecret.jwksUri")),
        ),
        (
            "proxy",
            "jwtVerify",
            json!({"issuer": "https://169.254.169.254"}),
            Some(("ADDRESS_NOT_ALLOWED", "credentialSecret.issuer")),
        ),
        (
            "proxy",
            "jwtVerify",
            json!({"jwksUri": "http://1.1.1.1/keys"}),
            Some(("INVALID_URL", "credentialSecret.jwksUri")),
        ),
        (
            "target",
            "jwtVerify",
            json!({"sharedSecret": "a secret of thirty-two bytes, ok"}),
            Some(("VALIDATION_FAILED", "credentialAuthType")),
        ),
        (
            "proxy",
            "oauth2",
            json!({
                "publicKey": {
                    "kty": "OKP",
                    "crv": "Ed25519",
                    "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo",
                },
                "requiredScopes": ["read"],
            }),
            None,
        ),
        (
            "target",
            "oauth2",
            json!({
                "grantType": "client_credentials", "tokenUrl": "https://a.example/token",
                "clientId": "me", "clientSecret": "s",
            }),
            None,
        ),
        (
            "target",
            "oauth2",
            json!({
                "grantType": "client_credentials", "tokenUrl": "https://10.0.0.1/token",
                "clientId": "me", "clientSecret": "s",
            }),
            Some(("ADDRESS_NOT_ALLOWED", "credentialSecret.tokenUrl")),
        ),
        (
            "target",
            "customToken",
            json!({
                "request": {"url": "https://a.example/login", "body": "{secret.nope}"},
                "response": {"tokenPath": "$.token"},
            }),
            Some(("VALIDATION_FAILED", "credentialSecret.request")),
        ),
        (
            "both",
            "bearer",
            json!({"token": "t"}),
            Some(("VALIDATION_FAILED", "credentialType")),
        ),
    ];
    for world in World::each().await {
        for (side, auth_type, secret, problem) in &cases {
            let sent = body(side, auth_type, secret);
            let answer = world
                .call("POST", &world.at("credentials"))
                .json(&sent)
                .send()
                .await;
            match problem {
                None => assert_eq!(answer.status, 201, "{sent}: {}", answer.text),
                Some((code, field)) => {
                    assert_eq!(answer.expect(400, code).fields(), [*field], "{sent}");
                }
            }
        }
    }
}

#[tokio::test]
async fn key_is_another_word_for_api_key() {
    for world in World::each().await {
        let sent = body("target", "key", &json!({"key": "k"}));
        let made = world.create("credentials", &sent).await;
        assert_eq!(made["credentialAuthType"], "apiKey");
        let path = world.at(&format!("credentials/{}", id_of(&made, "credentialId")));
        // The same type by either word needs no secret.
        let again = json!({"credentialAuthType": "key"});
        let answer = world.call("PATCH", &path).json(&again).send().await;
        assert_eq!(answer.status, 200, "{}", answer.text);
        assert_eq!(answer.body["credentialAuthType"], "apiKey");
    }
}

#[tokio::test]
async fn the_type_changes_only_with_a_new_secret() {
    for world in World::each().await {
        let sent = body("target", "bearer", &json!({"token": "t"}));
        let id = id_of(&world.create("credentials", &sent).await, "credentialId");
        let path = world.at(&format!("credentials/{id}"));
        let alone = json!({"credentialAuthType": "jwt"});
        let answer = world.call("PATCH", &path).json(&alone).send().await;
        assert_eq!(
            answer.expect(400, "VALIDATION_FAILED").fields(),
            ["credentialSecret"]
        );
        let both = json!({"credentialAuthType": "jwt", "credentialSecret": {"token": "a.b.c"}});
        let answer = world.call("PATCH", &path).json(&both).send().await;
        assert_eq!(
            (answer.status, &answer.body["credentialVersion"]),
            (200, &json!(2))
        );
        let none = json!({"credentialAuthType": "none"});
        let answer = world.call("PATCH", &path).json(&none).send().await;
        assert_eq!(
            (answer.status, &answer.body["credentialVersion"]),
            (200, &json!(3))
        );
        let same = json!({"credentialSecret": {}});
        let answer = world.call("PATCH", &path).json(&same).send().await;
        assert_eq!(
            (answer.status, &answer.body["credentialVersion"]),
            (200, &json!(3))
        );
    }
}

#[tokio::test]
async fn a_region_that_never_connected_takes_no_secret() {
    for world in World::each().await {
        let mut sent = body("target", "bearer", &json!({"token": "t"}));
        sent["credentialRegion"] = json!(UNBORN_REGION);
        let answer = world
            .call("POST", &world.at("credentials"))
            .json(&sent)
            .send()
            .await;
        answer.expect(409, "REGION_UNAVAILABLE");
        sent["credentialRegion"] = json!("nowhere");
        let answer = world
            .call("POST", &world.at("credentials"))
            .json(&sent)
            .send()
            .await;
        answer.expect(400, "UNKNOWN_REGION");
        assert_eq!(
            world.number("SELECT newest FROM revision").await,
            0,
            "nothing changed"
        );
    }
}

#[tokio::test]
async fn deleting_a_callers_credential_takes_it_off_its_proxies_at_once() {
    for world in World::each().await {
        let mut sent = world.proxy_body(REGION).await;
        let (first, second) = (
            world.credential(REGION, "proxy").await,
            world.credential(REGION, "proxy").await,
        );
        sent["proxyProxyCredentialIds"] = json!([first, second]);
        let proxy = id_of(&world.create("proxies", &sent).await, "proxyId");
        let proxy_path = world.at(&format!("proxies/{proxy}"));
        for (gone, left) in [(&first, json!([second])), (&second, json!([]))] {
            let path = world.at(&format!("credentials/{gone}"));
            let deleted = world.call("DELETE", &path).send().await;
            assert_eq!(deleted.status, 204);
            let after = world.call("GET", &proxy_path).send().await;
            assert_eq!(after.body["proxyProxyCredentialIds"], left);
            let version = deleted.header("requestrocket-config-version");
            assert_eq!(after.header("etag"), format!("\"r{version}\""));
            let changes = format!(
                "SELECT COUNT(*) FROM change WHERE revision = {version} AND \
                 ((record_id = '{gone}' AND is_removed = 1) OR \
                 (record_id = '{proxy}' AND is_removed = 0))"
            );
            assert_eq!(world.number(&changes).await, 2, "the region hears of both");
        }
        // What was left empty may stay so, but not be made so.
        let whole = world.call("GET", &proxy_path).send().await.body;
        assert_eq!(
            world
                .call("PUT", &proxy_path)
                .json(&whole)
                .send()
                .await
                .status,
            200
        );
        let other = world.proxy().await;
        let other = world.at(&format!("proxies/{}", id_of(&other, "proxyId")));
        let empty = json!({"proxyProxyCredentialIds": []});
        let answer = world.call("PATCH", &other).json(&empty).send().await;
        assert_eq!(
            answer.expect(400, "VALIDATION_FAILED").fields(),
            ["proxyProxyCredentialIds"]
        );
    }
}

#[tokio::test]
async fn a_target_credential_in_use_goes_only_by_force() {
    for world in World::each().await {
        let proxy = world.proxy().await;
        let credential = id_of(&proxy, "proxyTargetCredentialId");
        let path = world.at(&format!("credentials/{credential}"));
        world
            .call("DELETE", &path)
            .send()
            .await
            .expect(409, "RESOURCE_IN_USE");
        assert_eq!(
            world
                .call("DELETE", &format!("{path}?force=true"))
                .send()
                .await
                .status,
            204
        );
        let proxy_path = world.at(&format!("proxies/{}", id_of(&proxy, "proxyId")));
        let after = world.call("GET", &proxy_path).send().await;
        assert_eq!(after.body["proxyTargetCredentialId"], credential.as_str());
        assert_eq!(after.body["proxyStatus"], "incomplete");
    }
}
