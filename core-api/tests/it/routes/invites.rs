use std::time::Duration;

use serde_json::{Value, json};

use crate::world::{Who, World, id_of};

impl World {
    async fn invite(&self, roles: Value) -> Value {
        let body = json!({"email": "new@example.com", "roles": roles});
        self.create("invites", &body).await
    }

    /// Somebody without a token accepts.
    async fn accept(&self, token: &str) -> crate::world::Answer {
        let body = json!({"inviteToken": token, "firstName": "New", "lastName": "Face"});
        self.call("POST", "/invites/accept")
            .by(Who::Anonymous)
            .json(&body)
            .send()
            .await
    }
}

#[tokio::test]
async fn who_may_invite() {
    use Who::{Admin, Anonymous, Operator, Owner, Stranger, User};
    let all = [Anonymous, Stranger, User, Admin, Owner, Operator];
    for world in World::each().await {
        let invite = world.at(&format!(
            "invites/{}",
            id_of(&world.invite(json!(["user"])).await, "inviteId")
        ));
        let list = world.at("invites");
        let body = json!({"email": "a@example.com", "roles": ["admin"]});
        let owner = json!({"email": "a@example.com", "roles": ["owner"]});
        for (method, path, body, want) in [
            ("GET", &list, None, [401, 404, 403, 200, 200, 403]),
            ("GET", &invite, None, [401, 404, 403, 200, 200, 403]),
            ("POST", &list, Some(&body), [401, 404, 403, 201, 201, 403]),
            ("POST", &list, Some(&owner), [401, 404, 403, 403, 201, 403]),
        ] {
            for (who, want) in all.into_iter().zip(want) {
                let mut call = world.call(method, path).by(who);
                if let Some(body) = body {
                    call = call.json(body);
                }
                assert_eq!(
                    call.send().await.status,
                    want,
                    "{method} {path} {body:?} {who:?}"
                );
            }
        }
        for (who, want) in [
            (Anonymous, 401),
            (Stranger, 404),
            (User, 403),
            (Operator, 403),
            (Admin, 204),
        ] {
            assert_eq!(
                world.call("DELETE", &invite).by(who).send().await.status,
                want,
                "{who:?}"
            );
        }
    }
}

#[tokio::test]
async fn an_accepted_invite_makes_a_user_a_member_and_a_token() {
    for world in World::each().await {
        let invite = world.invite(json!(["admin"])).await;
        let mut names: Vec<_> = invite
            .as_object()
            .unwrap()
            .keys()
            .map(String::as_str)
            .collect();
        names.sort_unstable();
        assert_eq!(names, ["inviteId", "inviteToken"]);
        let answer = world.accept(&id_of(&invite, "inviteToken")).await;
        assert_eq!(answer.status, 201, "{}", answer.text);
        assert_eq!(answer.header("cache-control"), "no-store");
        assert_eq!(answer.body["clientId"], world.home.as_str());
        let token = id_of(&answer.body, "token");
        let me = world
            .call("GET", "/users/me")
            .by(Who::Anonymous)
            .header("Authorization", &token);
        let me = me.send().await.body;
        assert_eq!(
            (&me["userId"], &me["email"]),
            (&answer.body["userId"], &json!("new@example.com"))
        );
        assert_eq!(
            (&me["firstName"], &me["lastName"]),
            (&json!("New"), &json!("Face"))
        );
        let member = world
            .call("GET", answer.header("location"))
            .send()
            .await
            .body;
        assert_eq!(member["roles"], json!(["admin"]));
        let path = world.at(&format!("invites/{}", id_of(&invite, "inviteId")));
        let used = world.call("GET", &path).send().await.body;
        assert!(used["acceptedAt"].is_string() && used.get("inviteToken").is_none());
    }
}

#[tokio::test]
async fn an_invite_binds_to_the_user_whose_token_is_presented() {
    for world in World::each().await {
        let invite = world.invite(json!(["user"])).await;
        let body = json!({"inviteToken": invite["inviteToken"]});
        let accept = async |who| {
            world
                .call("POST", "/invites/accept")
                .by(who)
                .json(&body)
                .send()
                .await
        };
        accept(Who::Operator).await.expect(403, "FORBIDDEN");
        // One who is a member already does not use the invite up.
        accept(Who::Admin).await.expect(409, "CONFLICT");
        let answer = accept(Who::Stranger).await;
        assert_eq!(answer.status, 201, "{}", answer.text);
        let me = world
            .call("GET", "/users/me")
            .by(Who::Stranger)
            .send()
            .await
            .body;
        assert_eq!(answer.body["userId"], me["userId"]);
        assert_eq!(
            world
                .call("GET", &world.at("targets"))
                .by(Who::Stranger)
                .send()
                .await
                .status,
            200
        );
        let clients = world
            .call("GET", "/clients")
            .by(Who::Stranger)
            .send()
            .await
            .body;
        assert_eq!(clients["pagination"]["total"], 2);
    }
}

#[tokio::test]
async fn an_invite_works_once_and_for_a_week() {
    for world in World::each().await {
        let token = id_of(&world.invite(json!(["user"])).await, "inviteToken");
        assert_eq!(world.accept(&token).await.status, 201);
        world.accept(&token).await.expect(404, "NOT_FOUND");
        world.accept("i-unknown").await.expect(404, "NOT_FOUND");
        let late = id_of(&world.invite(json!(["user"])).await, "inviteToken");
        let withdrawn = world.invite(json!(["user"])).await;
        let path = world.at(&format!("invites/{}", id_of(&withdrawn, "inviteId")));
        assert_eq!(world.call("DELETE", &path).send().await.status, 204);
        world
            .accept(&id_of(&withdrawn, "inviteToken"))
            .await
            .expect(404, "NOT_FOUND");
        world.pass(Duration::from_hours(7 * 24));
        world.accept(&late).await.expect(404, "NOT_FOUND");
    }
}

#[tokio::test]
async fn tokens_are_shown_once_also_to_one_who_repeats() {
    for world in World::each().await {
        let body = json!({"email": "new@example.com", "roles": ["user"]});
        let path = world.at("invites");
        let make = async || {
            world
                .call("POST", &path)
                .header("Idempotency-Key", "k")
                .json(&body)
                .send()
                .await
        };
        let (first, second) = (make().await, make().await);
        let token = id_of(&first.body, "inviteToken");
        assert_eq!(second.header("idempotent-replayed"), "true");
        assert_eq!(second.body, json!({"inviteId": first.body["inviteId"]}));
        let accept = json!({"inviteToken": token, "firstName": "A", "lastName": "B"});
        let accept = async || {
            let call = world.call("POST", "/invites/accept").by(Who::Anonymous);
            call.header("Idempotency-Key", "k")
                .json(&accept)
                .send()
                .await
        };
        let (first, second) = (accept().await, accept().await);
        assert_eq!((first.status, second.status), (201, 201));
        assert!(first.body["token"].is_string() && second.body.get("token").is_none());
        assert!(
            !world.dump().await.contains(&token),
            "only its digest is stored"
        );
        assert!(
            !world
                .dump()
                .await
                .contains(first.body["token"].as_str().unwrap())
        );
    }
}

#[tokio::test]
async fn what_is_wrong_is_named() {
    for world in World::each().await {
        let invites = world.at("invites");
        for (path, body, fields) in [
            (invites.as_str(), json!({}), vec!["email", "roles"]),
            (
                &invites,
                json!({"email": "nobody", "roles": ["user"]}),
                vec!["email"],
            ),
            (
                &invites,
                json!({"email": "a@b", "roles": []}),
                vec!["roles"],
            ),
            (
                &invites,
                json!({"email": "a@b", "roles": ["root"]}),
                vec!["roles[0]"],
            ),
            (
                "/invites/accept",
                json!({}),
                vec!["inviteToken", "firstName", "lastName"],
            ),
            (
                "/invites/accept",
                json!({"inviteToken": 5, "firstName": "", "lastName": "x"}),
                vec!["inviteToken", "firstName"],
            ),
        ] {
            let who = if path == invites {
                Who::Owner
            } else {
                Who::Anonymous
            };
            let answer = world.call("POST", path).by(who).json(&body).send().await;
            assert_eq!(
                answer.expect(400, "VALIDATION_FAILED").fields()[..fields.len()],
                fields,
                "{body}"
            );
        }
    }
}
