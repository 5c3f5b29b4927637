//! Tokens that may do less than their user.

use serde_json::{Value, json};

use crate::world::{Answer, Who, World, id_of};

/// A token of the owner's, made with another one.
async fn made_with(world: &World, token: Option<&str>, body: &Value) -> Answer {
    let call = world.call("POST", "/users/me/tokens").json(body);
    match token {
        Some(token) => call.by(Who::Anonymous).header("Authorization", token),
        None => call,
    }
    .send()
    .await
}

/// A token of the owner's.
async fn token(world: &World, limits: &Value) -> String {
    let mut body = json!({"tokenName": world.name()});
    body.as_object_mut()
        .unwrap()
        .extend(limits.as_object().unwrap().clone());
    let made = made_with(world, None, &body).await;
    assert_eq!(made.status, 201, "{}", made.text);
    for (member, value) in limits.as_object().unwrap() {
        assert_eq!(&made.body[member], value);
    }
    id_of(&made.body, "token")
}

async fn call(world: &World, token: &str, (method, path): (&str, &str), body: &Value) -> Answer {
    let call = world.call(method, path).by(Who::Anonymous);
    let call = call.header("Authorization", token);
    if body.is_null() {
        call
    } else {
        call.json(body)
    }
    .send()
    .await
}

async fn second_organisation(world: &World) -> String {
    let made = world
        .call("POST", "/clients")
        .json(&json!({"clientName": world.name()}))
        .send()
        .await;
    id_of(&made.body, "clientId")
}

#[tokio::test]
async fn a_token_has_the_roles_it_names_and_no_other() {
    for world in World::each().await {
        let user = token(&world, &json!({"roles": ["user"]})).await;
        let admin = token(&world, &json!({"roles": ["admin", "user"]})).await;
        let members = world.at("members");
        // The owner is owner and nothing else: what a token names of other roles gives nothing.
        for limited in [&user, &admin] {
            let answer = call(&world, limited, ("GET", &members), &Value::Null).await;
            answer.expect(403, "FORBIDDEN");
        }
        let owner = world.call("GET", "/users/me").send().await;
        let path = format!("{members}/{}", id_of(&owner.body, "userId"));
        let all = json!({"roles": ["owner", "admin", "user"]});
        let granted = world.call("PATCH", &path).json(&all).send().await;
        assert_eq!(granted.status, 200, "{}", granted.text);
        for (limited, (method, path, body), want) in [
            (&user, ("GET", world.at("targets"), Value::Null), 200),
            (&user, ("GET", members.clone(), Value::Null), 403),
            (&admin, ("GET", members.clone(), Value::Null), 200),
            (&admin, ("DELETE", world.at(""), Value::Null), 403),
            (
                &admin,
                ("PATCH", path.clone(), json!({"roles": ["user"]})),
                403,
            ),
        ] {
            let path = path.trim_end_matches('/');
            let answer = call(&world, limited, (method, path), &body).await;
            assert_eq!(answer.status, want, "{method} {path}: {}", answer.text);
        }
        // What the user is no longer, the token is not either.
        let fewer = world
            .call("PATCH", &path)
            .json(&json!({"roles": ["owner"]}))
            .send()
            .await;
        assert_eq!(fewer.status, 200, "{}", fewer.text);
        let answer = call(&world, &admin, ("GET", &members), &Value::Null).await;
        answer.expect(403, "FORBIDDEN");
    }
}

#[tokio::test]
async fn for_a_token_there_are_only_the_organisations_that_it_names() {
    for world in World::each().await {
        let other = second_organisation(&world).await;
        let limited = token(&world, &json!({"clientIds": [other]})).await;
        let list = call(&world, &limited, ("GET", "/clients"), &Value::Null).await;
        assert_eq!(list.body["pagination"]["total"], 1, "{}", list.text);
        assert_eq!(list.body["data"][0]["clientId"], json!(other));
        for (path, want) in [
            (format!("/clients/{other}/targets"), 200),
            (world.at("targets"), 404),
            (world.at("").trim_end_matches('/').to_owned(), 404),
        ] {
            let answer = call(&world, &limited, ("GET", &path), &Value::Null).await;
            assert_eq!(answer.status, want, "{path}: {}", answer.text);
        }
        let all = world.call("GET", "/clients").send().await;
        assert_eq!(all.body["pagination"]["total"], 2);
    }
}

#[tokio::test]
async fn a_token_makes_none_with_more_rights() {
    for world in World::each().await {
        let other = second_organisation(&world).await;
        let limits = json!({
            "roles": ["admin"], "clientIds": [other], "expiresAt": "2026-02-01T00:00:00.000Z",
        });
        let limited = token(&world, &limits).await;
        let home = world.at("").trim_end_matches('/').replace("/clients/", "");
        for (member, more) in [
            ("roles", json!(["owner"])),
            ("roles", json!(["admin", "user"])),
            ("clientIds", json!([home])),
            ("clientIds", json!([other, home])),
            ("expiresAt", json!("2026-02-01T00:00:00.001Z")),
        ] {
            let body = json!({"tokenName": "more", member: more});
            let answer = made_with(&world, Some(&limited), &body).await;
            answer.expect(403, "FORBIDDEN");
            assert!(answer.text.contains(member), "{}", answer.text);
        }
        let same = made_with(&world, Some(&limited), &json!({"tokenName": "same"})).await;
        assert_eq!(same.status, 201, "{}", same.text);
        for (member, value) in limits.as_object().unwrap() {
            assert_eq!(&same.body[member], value, "handed on");
        }
    }
}

/// The token that an accepted invite brings is made by the one that accepts it.
#[tokio::test]
async fn a_token_that_ends_gets_no_endless_one_by_an_invite() {
    for world in World::each().await {
        let ends = json!({"expiresAt": "2026-02-01T00:00:00.000Z"});
        let limited = token(&world, &ends).await;
        let invite = json!({"email": "somebody@example.com", "roles": ["user"]});
        let path = format!("/clients/{}/invites", world.abroad);
        let made = world.call("POST", &path).by(Who::Stranger).json(&invite);
        let invite = json!({"inviteToken": id_of(&made.send().await.body, "inviteToken")});
        let accepted = call(&world, &limited, ("POST", "/invites/accept"), &invite).await;
        assert_eq!(accepted.status, 201, "{}", accepted.text);
        let tokens = world.call("GET", "/users/me/tokens").send().await;
        let tokens = tokens.body["data"].as_array().unwrap().clone();
        let first = tokens.iter().find(|one| one["tokenName"] == "First token");
        assert_eq!(first.unwrap()["expiresAt"], ends["expiresAt"]);
    }
}

/// Anybody may leave, but a token for less than its user is does not take that user away.
#[tokio::test]
async fn a_restricted_token_does_not_leave_for_its_user() {
    for world in World::each().await {
        let member = world.call("GET", "/users/me").by(Who::User).send().await;
        let path = format!("{}/{}", world.at("members"), id_of(&member.body, "userId"));
        let body = json!({"tokenName": "few", "roles": ["user"]});
        let made = world.call("POST", "/users/me/tokens").by(Who::User);
        let few = id_of(&made.json(&body).send().await.body, "token");
        let refused = call(&world, &few, ("DELETE", &path), &Value::Null).await;
        refused.expect(403, "FORBIDDEN");
        let left = world.call("DELETE", &path).by(Who::User).send().await;
        assert_eq!(left.status, 204, "{}", left.text);
    }
}

/// Else it could make itself a better one: by an invite, by another address for its user, or by an
/// organisation of its own.
#[tokio::test]
async fn a_restricted_token_changes_nothing_of_its_user() {
    for world in World::each().await {
        let whole = token(&world, &json!({})).await;
        for limits in [
            json!({"roles": ["owner"]}),
            json!({"clientIds": [second_organisation(&world).await]}),
        ] {
            let limited = token(&world, &limits).await;
            let tokens = world.call("GET", "/users/me/tokens").send().await;
            let others = tokens.body["data"].as_array().unwrap().iter();
            let (own, others): (Vec<_>, Vec<_>) =
                others.partition(|one| limited.starts_with(one["tokenPrefix"].as_str().unwrap()));
            let path = |one: &Value| format!("/users/me/tokens/{}", id_of(one, "tokenId"));
            let invite = json!({"inviteToken": "i-none"});
            for (method, path, body) in [
                (
                    "PATCH",
                    "/users/me".to_owned(),
                    json!({"email": "new@example.com"}),
                ),
                ("POST", "/clients".to_owned(), json!({"clientName": "mine"})),
                ("POST", "/invites/accept".to_owned(), invite),
                ("DELETE", path(others[0]), Value::Null),
            ] {
                let answer = call(&world, &limited, (method, &path), &body).await;
                answer.expect(403, "FORBIDDEN");
            }
            let revoked = call(&world, &limited, ("DELETE", &path(own[0])), &Value::Null).await;
            assert_eq!(revoked.status, 204, "{}", revoked.text);
        }
        let me = call(&world, &whole, ("GET", "/users/me"), &Value::Null).await;
        assert_eq!(me.status, 200);
    }
}

#[tokio::test]
async fn limits_that_mean_nothing_are_refused() {
    for world in World::each().await {
        let foreign = "00000000-0000-4000-8000-000000000000";
        for (limits, field) in [
            (json!({"roles": []}), "roles"),
            (json!({"roles": ["king"]}), "roles[0]"),
            (json!({"clientIds": []}), "clientIds"),
            (json!({"clientIds": ["x"]}), "clientIds[0]"),
            (json!({"clientIds": [foreign]}), "clientIds"),
        ] {
            let mut body = limits.clone();
            body["tokenName"] = json!("T");
            let answer = made_with(&world, None, &body).await;
            assert_eq!(
                answer.expect(400, "VALIDATION_FAILED").fields(),
                [field],
                "{limits}"
            );
        }
    }
}
