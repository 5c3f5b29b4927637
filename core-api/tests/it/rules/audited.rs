//! Every operation of the document that changes something, and the rows of the audit log.

use requestrocket_core_api::bootstrap::mint_setup_token;
use requestrocket_core_api::service::people::password::add_reset_token;
use serde_json::{Value, json};

use crate::world::{Answer, REGION, Who, World, id_of};

const EMAIL: &str = "owner@example.com";
const PASSWORD: &str = "correct horse battery staple";
/// POSTs that change nothing. Who asks for a letter is a stranger; the log tells when it is used.
const TRIALS: [&str; 5] = ["evaluate", "preview", "rehearse", "test", "forgot"];

/// An operation that can be carried out.
struct Ready {
    path: String,
    body: Value,
    who: Who,
    takes_body: bool,
    /// Of who comes by a session.
    cookie: Option<String>,
}

impl Ready {
    async fn send(&self, world: &World, method: &str, who: Who, body: &Value) -> Answer {
        let call = world.call(&method.to_uppercase(), &self.path).by(who);
        let call = match &self.cookie {
            Some(cookie) if who == self.who => call
                .header("Cookie", cookie)
                .header("Origin", "http://localhost"),
            _ => call,
        };
        match method {
            "delete" => call.send().await,
            _ => call.json(body).send().await,
        }
    }
}

async fn rows(world: &World) -> i64 {
    world.number("SELECT COUNT(*) FROM audit_row").await
}

#[tokio::test]
async fn an_operation_leaves_one_row_and_a_refused_one_none() {
    for world in World::each().await {
        let document = world.call("GET", "/openapi.json").send().await.body;
        let mut walked = 0;
        for (path, item) in document["paths"].as_object().unwrap() {
            for method in item.as_object().unwrap().keys() {
                let last = path.rsplit('/').next().unwrap();
                if method == "get" || TRIALS.contains(&last) {
                    continue;
                }
                let mut ready = ready(&world, method, path).await;
                ready.takes_body = item[method]["requestBody"].is_object();
                let before = rows(&world).await;
                refused(&world, method, &ready).await;
                assert_eq!(rows(&world).await, before, "refused: {method} {path}");
                let done = ready.send(&world, method, ready.who, &ready.body).await;
                assert!(
                    (200..300).contains(&done.status),
                    "{method} {path}: {}",
                    done.text
                );
                assert_eq!(rows(&world).await, before + 1, "{method} {path}");
                walked += 1;
            }
        }
        assert!(walked >= 50, "the document has operations: {walked}");
    }
}

#[tokio::test]
async fn a_trial_leaves_no_row() {
    for world in World::each().await {
        let proxy = id_of(&world.proxy().await, "proxyId");
        let before = rows(&world).await;
        for (trial, body) in [
            ("evaluate", json!({"method": "GET", "path": "/"})),
            ("preview", json!({"response": {"body": "{}"}})),
            (
                "rehearse",
                json!({"rules": [], "from": "2026-01-01T00:00:00Z", "to": "2026-01-02T00:00:00Z"}),
            ),
        ] {
            let path = world.at(&format!("proxies/{proxy}/{trial}"));
            world.call("POST", &path).json(&body).send().await;
        }
        let target = world.target(REGION).await;
        let before = rows(&world).await.max(before);
        let path = world.at(&format!("targets/{target}/test"));
        world.call("POST", &path).json(&json!({})).send().await;
        assert_eq!(rows(&world).await, before);
    }
}

/// Everybody who may not, and whoever may with a body that is none.
async fn refused(world: &World, method: &str, ready: &Ready) {
    let mut answers = Vec::new();
    if ready.takes_body {
        let wrong = json!({"unknown member": 1});
        answers.push(ready.send(world, method, ready.who, &wrong).await);
    }
    // Who comes by a token has no session to end.
    let nobody = match ready.cookie {
        Some(_) => Who::Owner,
        None => Who::Anonymous,
    };
    if ready.who != nobody {
        answers.push(ready.send(world, method, nobody, &ready.body).await);
    }
    if ready.path.starts_with("/clients/") {
        answers.push(ready.send(world, method, Who::Stranger, &ready.body).await);
    }
    for answer in answers {
        assert!((400..500).contains(&answer.status), "{}", answer.text);
    }
}

/// Makes what the operation needs, anew for each.
async fn ready(world: &World, method: &str, template: &str) -> Ready {
    let mut path = template.replace("{clientId}", &world.home);
    let mut who = Who::Owner;
    for (name, kind) in [
        ("{proxyId}", "proxies"),
        ("{targetId}", "targets"),
        ("{credentialId}", "credentials"),
    ] {
        if path.contains(name) {
            path = path.replace(name, &record(world, kind, template).await);
        }
    }
    for (name, kind) in [
        ("{ruleId}", "rules"),
        ("{filterId}", "filters"),
        ("{meterId}", "meters"),
    ] {
        if let Some(collection) = path.strip_suffix(&format!("/{name}")) {
            let made = world
                .call("POST", collection)
                .json(&body(world, kind).await);
            let id = id_of(&made.send().await.body, name.trim_matches(['{', '}']));
            path = path.replace(name, &id);
        }
    }
    let user = |role: &str| {
        let home = &world.home;
        format!(
            "SELECT user_id FROM member WHERE organisation_id = '{home}' \
             AND roles LIKE '%{role}%'"
        )
    };
    if path.contains("{userId}") {
        let role = if method == "delete" { "admin" } else { "user" };
        path = path.replace("{userId}", &world.text(&user(role)).await);
    }
    if path.contains("{inviteId}") {
        let invite = world.create("invites", &body(world, "invites").await).await;
        path = path.replace("{inviteId}", &id_of(&invite, "inviteId"));
    }
    if path.contains("{webhookId}") {
        let webhook = world
            .create("webhooks", &body(world, "webhooks").await)
            .await;
        path = path.replace("{webhookId}", &id_of(&webhook, "webhookId"));
    }
    if path.contains("{tokenId}") {
        let made = world
            .call("POST", "/users/me/tokens")
            .json(&body(world, "tokens").await);
        path = path.replace("{tokenId}", &id_of(&made.send().await.body, "tokenId"));
    }
    if (method, template) == ("delete", "/clients/{clientId}") {
        let made = world
            .call("POST", "/clients")
            .json(&body(world, "clients").await);
        path = format!("/clients/{}", id_of(&made.send().await.body, "clientId"));
    }
    if path.contains("{notificationId}") {
        path = path.replace("{notificationId}", &notification(world, template).await);
    }
    let last = template.rsplit('/').next().unwrap();
    if template.starts_with("/users/me/invites/") {
        world
            .run("UPDATE user_account SET proved_address = 'new@example.com' WHERE first_name = 'Owner'")
            .await;
        let abroad = format!("/clients/{}/invites", world.abroad);
        world
            .run(&format!(
                "DELETE FROM member WHERE organisation_id = '{}' AND user_id IN \
            (SELECT user_id FROM user_account WHERE first_name = 'Owner')",
                world.abroad
            ))
            .await;
        let made = world
            .call("POST", &abroad)
            .by(Who::Stranger)
            .json(&body(world, "invites").await);
        let id = id_of(&made.send().await.body, "inviteId");
        path = template.replace("{inviteId}", &id);
    } else if ["accept", "session", "setup", "reset"].contains(&last) {
        who = Who::Anonymous;
    } else if ["entries", "system"].contains(&last) {
        who = Who::Operator;
    }
    if (method, template) == ("delete", "/users/me") {
        // Somebody who owns nothing, and whom nothing behind this needs.
        who = Who::Admin;
    }
    let mut cookie = None;
    if ["session", "{sessionId}", "password"].contains(&last) {
        let setup = world.call("POST", "/session/setup").by(Who::Anonymous);
        let answer = setup.json(&body(world, "setup").await).send().await;
        let set = answer.header("set-cookie").split(';').next().unwrap();
        cookie = (method == "delete" && last == "session").then(|| set.to_owned());
        let sessions = world.call("GET", "/users/me/sessions").send().await.body;
        path = path.replace("{sessionId}", &id_of(&sessions["data"][0], "sessionId"));
    }
    let body = match method {
        "delete" => Value::Null,
        "put" if last == "password" => {
            json!({"current": PASSWORD, "new": "seven grey herons on a wire"})
        }
        "put" => world.call("GET", &path).send().await.body,
        "patch" if last == "{notificationId}" => json!({"read": true}),
        "patch" if last == "me" => json!({"lastName": "Another"}),
        "patch" if last == "{userId}" => json!({"roles": ["user", "admin"]}),
        "patch" if last == "{webhookId}" => json!({"webhookActive": false}),
        "patch" => json!({"labels": {"a": "b"}}),
        _ => body(world, last).await,
    };
    Ready {
        path,
        body,
        who,
        takes_body: false,
        cookie,
    }
}

/// A notification that the path leads to; its id.
async fn notification(world: &World, template: &str) -> String {
    let said = world
        .call("POST", "/notifications/system")
        .by(Who::Operator);
    let said = said.json(&body(world, "system").await).send().await.body;
    let id = id_of(&said, "notificationId");
    let user = "SELECT user_id FROM user_account WHERE first_name = 'Owner'";
    let owner = match template.split('/').nth(1) {
        Some("clients") => format!("client:{}", world.home),
        Some("users") => format!("user:{}", world.text(user).await),
        _ => return id,
    };
    world
        .run(&format!(
            "UPDATE notification SET owner = '{owner}' WHERE notification_id = '{id}'"
        ))
        .await;
    id
}

/// A record that nothing is bound to; its id.
async fn record(world: &World, kind: &str, template: &str) -> String {
    match kind {
        "proxies" => id_of(&world.proxy().await, "proxyId"),
        "targets" => world.target(REGION).await,
        _ if template.ends_with("/switch") => world.credential(REGION, "target").await,
        _ if template.ends_with("/consent") => {
            let secret = json!({
                "grantType": "authorization_code", "clientId": "me", "clientSecret": "s3cret",
                "authorizationUrl": "https://a.example/authorize",
                "tokenUrl": "https://a.example/token",
            });
            let body = json!({
                "credentialName": "C", "credentialType": "target", "credentialRegion": REGION,
                "credentialAuthType": "oauth2", "credentialSecret": secret,
            });
            id_of(&world.create("credentials", &body).await, "credentialId")
        }
        _ => {
            let id = world.credential(REGION, "proxy").await;
            if template.ends_with("/previous") {
                let path = world.at(&format!("credentials/{id}"));
                let secret = json!({"token": "an0ther-t0ken"});
                let body = json!({
                    "credentialSecret": secret, "rotation": {"overlapSeconds": 600},
                });
                world.call("PATCH", &path).json(&body).send().await;
            }
            id
        }
    }
}

/// What to POST to a path that ends so.
async fn body(world: &World, last: &str) -> Value {
    match last {
        "clients" => json!({"clientName": world.name()}),
        "credentials" => json!({
            "credentialName": world.name(), "credentialType": "proxy", "credentialRegion": REGION,
            "credentialAuthType": "bearer", "credentialSecret": {"token": "t0ken-t0ken"},
        }),
        "targets" => json!({
            "targetName": world.name(), "targetBaseURL": "https://api.example.com",
            "targetRegion": REGION,
        }),
        "proxies" => world.proxy_body(REGION).await,
        "rules" => json!({"effect": "deny"}),
        "filters" => json!({"operation": "destroy", "paths": ["$.a"]}),
        "meters" => json!({"meterName": "M", "meterType": "request_count"}),
        "webhooks" => json!({"url": "https://a.example/hook"}),
        "invites" => json!({"email": "new@example.com", "roles": ["user"]}),
        "tokens" => json!({"tokenName": world.name()}),
        "entries" => json!({"amount": "12.50", "note": "Invoice 7"}),
        "consent" | "resend" | "decline" | "read-all" => Value::Null,
        "system" => json!({"title": "T", "message": "M"}),
        "switch" => json!({"slot": "current"}),
        "setup" => {
            let user = world.text("SELECT user_id FROM user_account WHERE first_name = 'Owner'");
            let user = user.await.parse().unwrap();
            let token = mint_setup_token(&world.state, Some(user)).await.unwrap();
            json!({"token": token.expose(), "email": EMAIL, "password": PASSWORD})
        }
        "reset" => {
            let user = world.text("SELECT user_id FROM user_account WHERE first_name = 'Owner'");
            let user = user.await.parse().unwrap();
            let mut tx = world.state.db.begin().await.unwrap();
            let (token, _) = add_reset_token(&mut tx, user, world.state.now())
                .await
                .unwrap();
            tx.commit().await.unwrap();
            json!({"token": token.expose(), "password": PASSWORD})
        }
        "session" => json!({"email": EMAIL, "password": PASSWORD}),
        "accept" => {
            let body = json!({"email": "guest@example.com", "roles": ["user"]});
            let invite = world.create("invites", &body).await;
            json!({
                "inviteToken": id_of(&invite, "inviteToken"),
                "firstName": "New", "lastName": "Guest",
            })
        }
        other => panic!("say here what to POST to `{other}`"),
    }
}
