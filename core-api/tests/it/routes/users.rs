use std::time::Duration;

use serde_json::{Value, json};

use crate::world::{Who, World, id_of};

impl World {
    async fn me(&self) -> crate::world::Answer {
        self.call("GET", "/users/me").send().await
    }

    async fn new_token(&self, body: &Value) -> Value {
        let answer = self
            .call("POST", "/users/me/tokens")
            .json(body)
            .send()
            .await;
        assert_eq!(answer.status, 201, "{}", answer.text);
        answer.body
    }

    async fn status_with(&self, token: &str) -> u16 {
        let call = self.call("GET", "/users/me").by(Who::Anonymous);
        call.header("Authorization", token).send().await.status
    }
}

#[tokio::test]
async fn a_user_sees_and_changes_their_own_account() {
    for world in World::each().await {
        let before = world.me().await;
        let mut names: Vec<_> = before
            .body
            .as_object()
            .unwrap()
            .keys()
            .map(String::as_str)
            .collect();
        names.sort_unstable();
        let want = [
            "bio",
            "createdAt",
            "email",
            "firstName",
            "lastName",
            "phone",
            "tokens",
            "updatedAt",
            "userId",
            "visibility",
        ];
        assert_eq!(names, want);
        let body = json!({"email": "me@example.com", "lastName": "Changed"});
        let changed = world
            .call("PATCH", "/users/me")
            .header("If-Match", before.header("etag"));
        let changed = changed.json(&body).send().await;
        assert_eq!(changed.status, 200, "{}", changed.text);
        let after = world.me().await;
        assert_eq!(
            (&after.body["email"], &after.body["lastName"]),
            (&body["email"], &body["lastName"])
        );
        assert_eq!(after.body["firstName"], before.body["firstName"]);
        assert_eq!(after.header("etag"), changed.header("etag"));
        let stale = world
            .call("PATCH", "/users/me")
            .header("If-Match", before.header("etag"));
        stale
            .json(&body)
            .send()
            .await
            .expect(412, "PRECONDITION_FAILED");
        // What GET shows may be sent back, later too, when a token was used meanwhile.
        world.pass(Duration::from_mins(5));
        world
            .call("PUT", "/users/me")
            .json(&after.body)
            .send()
            .await
            .expect(200, "");
        let other = world
            .call("GET", "/users/me")
            .by(Who::Admin)
            .send()
            .await
            .body;
        assert_ne!(other["email"], body["email"]);
    }
}

#[tokio::test]
async fn what_is_wrong_with_an_account_is_named() {
    for world in World::each().await {
        for (method, body, code, field) in [
            (
                "PUT",
                json!({"email": "a@b", "firstName": "A"}),
                "VALIDATION_FAILED",
                "lastName",
            ),
            (
                "PATCH",
                json!({"email": "nobody"}),
                "VALIDATION_FAILED",
                "email",
            ),
            (
                "PATCH",
                json!({"firstName": null}),
                "VALIDATION_FAILED",
                "firstName",
            ),
            ("PATCH", json!({"userId": "x"}), "FIELD_IMMUTABLE", "userId"),
            ("PATCH", json!({"tokens": []}), "UNKNOWN_FIELD", "tokens"),
            (
                "PATCH",
                json!({"roles": ["owner"]}),
                "UNKNOWN_FIELD",
                "roles",
            ),
        ] {
            let answer = world.call(method, "/users/me").json(&body).send().await;
            assert_eq!(answer.expect(400, code).fields(), [field], "{body}");
        }
        let operator = world
            .call("GET", "/users/me")
            .by(Who::Operator)
            .send()
            .await;
        operator.expect(403, "FORBIDDEN");
        world
            .call("GET", "/users/me")
            .by(Who::Anonymous)
            .send()
            .await
            .expect(401, "UNAUTHENTICATED");
    }
}

#[tokio::test]
async fn a_token_is_shown_once_counts_and_is_revoked() {
    for world in World::each().await {
        let made = world.new_token(&json!({"tokenName": "CI"})).await;
        let token = id_of(&made, "token");
        let mut names: Vec<_> = made
            .as_object()
            .unwrap()
            .keys()
            .map(String::as_str)
            .collect();
        names.sort_unstable();
        let want = [
            "clientIds",
            "createdAt",
            "expiresAt",
            "lastUsedAddress",
            "lastUsedAt",
            "roles",
            "token",
            "tokenId",
            "tokenName",
            "tokenPrefix",
        ];
        assert_eq!(names, want);
        let prefix = id_of(&made, "tokenPrefix");
        assert!(token.starts_with(&prefix) && prefix.len() == 6, "{prefix}");
        assert!(made["expiresAt"].is_null() && made["lastUsedAt"].is_null());
        let path = format!("/users/me/tokens/{}", id_of(&made, "tokenId"));
        for again in ["/users/me", "/users/me/tokens", &path] {
            assert!(
                !world.call("GET", again).send().await.text.contains(&token),
                "{again}"
            );
        }
        assert!(!world.dump().await.contains(&token));
        assert_eq!(world.status_with(&token).await, 200);
        let used = world.call("GET", &path).send().await.body;
        assert!(used["lastUsedAt"].is_string());
        assert_eq!(used["lastUsedAddress"], "0.0.0.0", "without a connection");
        // The one in use may be revoked.
        let revoke = world
            .call("DELETE", &path)
            .by(Who::Anonymous)
            .header("Authorization", &token);
        assert_eq!(revoke.send().await.status, 204);
        assert_eq!(world.status_with(&token).await, 401);
        world
            .call("GET", &path)
            .send()
            .await
            .expect(404, "NOT_FOUND");
        assert_eq!(world.me().await.body["tokens"].as_array().unwrap().len(), 1);
    }
}

#[tokio::test]
async fn a_token_ends_when_it_expires() {
    for world in World::each().await {
        let made = world
            .new_token(&json!({"tokenName": "T", "expiresAt": "2026-01-01T01:00:00+00:30"}))
            .await;
        assert_eq!(made["expiresAt"], "2026-01-01T00:30:00.000Z");
        let token = id_of(&made, "token");
        world.pass(Duration::from_mins(30) - Duration::from_millis(1));
        assert_eq!(world.status_with(&token).await, 200);
        world.pass(Duration::from_millis(1));
        assert_eq!(world.status_with(&token).await, 401);
    }
}

#[tokio::test]
async fn a_bad_token_request_names_the_field() {
    for world in World::each().await {
        for (body, code, field) in [
            (json!({}), "VALIDATION_FAILED", "tokenName"),
            (json!({"tokenName": ""}), "VALIDATION_FAILED", "tokenName"),
            (
                json!({"tokenName": "T", "expiresAt": "tomorrow"}),
                "VALIDATION_FAILED",
                "expiresAt",
            ),
            (
                json!({"tokenName": "T", "expiresAt": "2026-01-01T00:00:00Z"}),
                "VALIDATION_FAILED",
                "expiresAt",
            ),
            (
                json!({"tokenName": "T", "token": "u-mine"}),
                "UNKNOWN_FIELD",
                "token",
            ),
        ] {
            let answer = world
                .call("POST", "/users/me/tokens")
                .json(&body)
                .send()
                .await;
            assert_eq!(answer.expect(400, code).fields(), [field], "{body}");
        }
    }
}

#[tokio::test]
async fn tokens_are_each_users_own() {
    for world in World::each().await {
        let made = world.new_token(&json!({"tokenName": "mine"})).await;
        let path = format!("/users/me/tokens/{}", id_of(&made, "tokenId"));
        for who in [Who::Admin, Who::Stranger] {
            for method in ["GET", "DELETE"] {
                world
                    .call(method, &path)
                    .by(who)
                    .send()
                    .await
                    .expect(404, "NOT_FOUND");
            }
            let listed = world
                .call("GET", "/users/me/tokens")
                .by(who)
                .send()
                .await
                .body;
            assert_eq!(listed["pagination"]["total"], 1, "their own");
        }
        assert_eq!(world.status_with(&id_of(&made, "token")).await, 200);
        for (method, path) in [
            ("GET", "/users/me/tokens"),
            ("GET", path.as_str()),
            ("DELETE", &path),
        ] {
            world
                .call(method, path)
                .by(Who::Operator)
                .send()
                .await
                .expect(403, "FORBIDDEN");
        }
        let search = world
            .call("GET", "/users/me/tokens?search=MIN")
            .send()
            .await
            .body;
        assert_eq!(search["pagination"]["total"], 1);
    }
}

#[tokio::test]
async fn a_repeated_request_does_not_show_the_token_again() {
    for world in World::each().await {
        let body = json!({"tokenName": "T"});
        let make = async || {
            let call = world
                .call("POST", "/users/me/tokens")
                .header("Idempotency-Key", "once");
            call.json(&body).send().await
        };
        let (first, second) = (make().await, make().await);
        assert_eq!(first.header("cache-control"), "no-store");
        assert_eq!(second.header("idempotent-replayed"), "true");
        assert_eq!(first.body["tokenId"], second.body["tokenId"]);
        assert!(second.body.get("token").is_none());
        let tag = first.header("etag");
        let location = first.header("location");
        assert_eq!(world.call("GET", location).send().await.header("etag"), tag);
        let stale = world
            .call("DELETE", location)
            .header("If-Match", "\"r0\"")
            .send()
            .await;
        stale.expect(412, "PRECONDITION_FAILED");
    }
}

#[tokio::test]
async fn colleagues_see_what_a_user_shows_them() {
    for world in World::each().await {
        let change = async |body: Value| {
            let call = world.call("PATCH", "/users/me").by(Who::User).json(&body);
            call.send().await
        };
        let shown = async || {
            let members = world
                .call("GET", &world.at("members?limit=100"))
                .send()
                .await;
            let members = members.body["data"].as_array().unwrap().clone();
            let user = members
                .into_iter()
                .find(|member| member["firstName"] == "User");
            let user = user.unwrap();
            (user["phone"].clone(), user["bio"].clone())
        };
        assert_eq!(shown().await, (Value::Null, Value::Null));
        let about = json!({"phone": "+49 30 1", "bio": "Two\nlines."});
        let changed = change(about.clone()).await;
        assert_eq!(changed.body["visibility"], "colleagues", "{}", changed.text);
        assert_eq!(
            shown().await,
            (about["phone"].clone(), about["bio"].clone())
        );
        let hidden = change(json!({"visibility": "none"})).await;
        assert_eq!(
            (&hidden.body["phone"], &hidden.body["bio"]),
            (&about["phone"], &about["bio"])
        );
        assert_eq!(shown().await, (Value::Null, Value::Null));
        let wrong = json!({"phone": "call me", "bio": "\u{7}", "visibility": "all"});
        let wrong = change(wrong).await;
        let fields = wrong.expect(400, "VALIDATION_FAILED").fields();
        assert_eq!(fields, ["phone", "bio", "visibility"]);
    }
}

#[tokio::test]
async fn a_user_goes_and_what_they_made_stays() {
    for world in World::each().await {
        let body = json!({
            "targetName": "T", "targetBaseURL": "https://t.example.com", "targetRegion": "local-1",
        });
        let made = world
            .call("POST", &world.at("targets"))
            .by(Who::User)
            .json(&body);
        let made = made.send().await.body;
        let tag = world.call("GET", "/users/me").by(Who::User).send().await;
        let stale = world.call("DELETE", "/users/me").by(Who::User);
        let stale = stale.header("If-Match", "\"r1\"").send().await;
        stale.expect(412, "PRECONDITION_FAILED");
        let gone = world.call("DELETE", "/users/me").by(Who::User);
        let gone = gone.header("If-Match", tag.header("etag")).send().await;
        assert_eq!(gone.status, 204, "{}", gone.text);
        let after = world.call("GET", "/users/me").by(Who::User).send().await;
        after.expect(401, "UNAUTHENTICATED");
        let target = world.at(&format!("targets/{}", id_of(&made, "targetId")));
        assert_eq!(world.call("GET", &target).send().await.body, made);
        let last = world.call("DELETE", "/users/me").send().await;
        assert!(last.expect(409, "LAST_OWNER").text.contains(&world.home));
        let operator = world
            .call("DELETE", "/users/me")
            .by(Who::Operator)
            .send()
            .await;
        operator.expect(403, "FORBIDDEN");
    }
}
