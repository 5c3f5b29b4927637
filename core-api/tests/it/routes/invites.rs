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

#[tokio::test]
async fn an_invite_that_is_sent_again_has_another_token() {
    for world in World::each().await {
        let first = world.invite(json!(["user"])).await;
        let path = world.at(&format!("invites/{}/resend", id_of(&first, "inviteId")));
        world.pass(Duration::from_hours(8 * 24));
        let again = world.call("POST", &path).by(Who::Admin).send().await;
        assert_eq!(again.status, 200, "{}", again.text);
        assert_eq!(again.body["inviteId"], first["inviteId"]);
        assert_eq!(again.header("cache-control"), "no-store");
        let void = world.accept(first["inviteToken"].as_str().unwrap()).await;
        void.expect(404, "NOT_FOUND");
        world.pass(Duration::from_hours(6 * 24));
        let token = again.body["inviteToken"].as_str().unwrap();
        assert_eq!(world.accept(token).await.status, 201);
        let late = world.call("POST", &path).send().await;
        late.expect(409, "CONFLICT");
        let owners = world.invite(json!(["owner"])).await;
        let path = world.at(&format!("invites/{}/resend", id_of(&owners, "inviteId")));
        let admin = world.call("POST", &path).by(Who::Admin).send().await;
        admin.expect(403, "FORBIDDEN");
        assert_eq!(world.call("POST", &path).send().await.status, 200);
    }
}

#[tokio::test]
async fn somebody_new_may_choose_a_password() {
    for world in World::each().await {
        let invite = world.invite(json!(["user"])).await;
        let accept = async |invite: &Value, password: &str| {
            let body = json!({
                "inviteToken": invite["inviteToken"], "firstName": "New", "lastName": "Face",
                "password": password,
            });
            let call = world.call("POST", "/invites/accept").by(Who::Anonymous);
            call.json(&body).send().await
        };
        for bad in ["too short", "passwordpassword", "new@example.com"] {
            let refused = accept(&invite, bad).await;
            assert_eq!(
                refused.expect(400, "VALIDATION_FAILED").fields(),
                ["password"]
            );
        }
        let password = "seven grey herons on a wire";
        assert_eq!(accept(&invite, password).await.status, 201);
        let body = json!({"email": "New@example.com", "password": password});
        let session = world
            .call("POST", "/session")
            .by(Who::Anonymous)
            .json(&body);
        assert_eq!(session.send().await.status, 204);
        let again = world.invite(json!(["user"])).await;
        accept(&again, password).await.expect(409, "CONFLICT");
        let unused = world.accept(again["inviteToken"].as_str().unwrap()).await;
        assert_eq!(unused.status, 201, "it was not used up: {}", unused.text);
    }
}

#[tokio::test]
async fn a_user_answers_invites_to_an_address_that_is_theirs() {
    for world in World::each().await {
        let guest = world.invite(json!(["user"])).await;
        let guest = world.accept(guest["inviteToken"].as_str().unwrap()).await;
        let token = id_of(&guest.body, "token");
        let call = |method: &str, path: &str| {
            let call = world.call(method, path).by(Who::Anonymous);
            call.header("Authorization", &token)
        };
        let list = async || call("GET", "/users/me/invites").send().await.body["data"].clone();
        let abroad = format!("/clients/{}/invites", world.abroad);
        let invite = async |email: &str| {
            let body = json!({"email": email, "roles": ["admin"]});
            let made = world.call("POST", &abroad).by(Who::Stranger).json(&body);
            id_of(&made.send().await.body, "inviteId")
        };
        assert_eq!(list().await, json!([]));
        let (first, second) = (
            invite("NEW@example.com").await,
            invite("new@example.com").await,
        );
        invite("other@example.com").await;
        let shown = list().await;
        assert_eq!(shown.as_array().unwrap().len(), 2);
        assert_eq!(
            (&shown[0]["clientId"], &shown[0]["clientName"]),
            (&json!(world.abroad), &json!("Org"))
        );
        let answer = |id: &str, word: &str| format!("/users/me/invites/{id}/{word}");
        let foreign = world
            .call("POST", &answer(&first, "accept"))
            .by(Who::User)
            .send()
            .await;
        foreign.expect(404, "NOT_FOUND");
        // An address that somebody only says is theirs.
        let claim = world.call("PATCH", "/users/me").by(Who::User);
        let claim = claim
            .json(&json!({"email": "new@example.com"}))
            .send()
            .await;
        assert_eq!(claim.status, 200);
        for word in ["accept", "decline"] {
            let claimed = world
                .call("POST", &answer(&first, word))
                .by(Who::User)
                .send()
                .await;
            claimed.expect(404, "NOT_FOUND");
        }
        let declined = call("POST", &answer(&first, "decline")).send().await;
        assert_eq!(declined.status, 204, "{}", declined.text);
        let gone = world
            .call("GET", &format!("{abroad}/{first}"))
            .by(Who::Stranger);
        gone.send().await.expect(404, "NOT_FOUND");
        let accepted = call("POST", &answer(&second, "accept")).send().await;
        assert_eq!(accepted.status, 200, "{}", accepted.text);
        assert_eq!(
            accepted.body,
            json!({"clientId": world.abroad, "roles": ["admin"]})
        );
        let targets = format!("/clients/{}/targets", world.abroad);
        assert_eq!(call("GET", &targets).send().await.status, 200);
        let again = call("POST", &answer(&second, "accept")).send().await;
        again.expect(404, "NOT_FOUND");
        let third = invite("new@example.com").await;
        call("POST", &answer(&third, "accept"))
            .send()
            .await
            .expect(409, "CONFLICT");
        world.pass(Duration::from_hours(8 * 24));
        assert_eq!(list().await, json!([]), "what has ended is not shown");
        invite("new@example.com").await;
        call("PATCH", "/users/me")
            .json(&json!({"email": "x@example.com"}))
            .send()
            .await;
        assert_eq!(list().await, json!([]), "nor what is to an address before");
    }
}
