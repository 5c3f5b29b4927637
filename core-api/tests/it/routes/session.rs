//! `/session`, `/users/me/password` and `/users/me/sessions`: people at browsers.

use std::time::{Duration, Instant};

use requestrocket_core_api::bootstrap::mint_setup_token;
use serde_json::{Value, json};
use sqlx::AssertSqlSafe;

use crate::world::{Answer, Call, Who, World};

const PASSWORD: &str = "correct horse battery staple";
const OTHER_PASSWORD: &str = "seven grey herons on a wire";
const EMAIL: &str = "Owner@example.com";
const ORIGIN: &str = "http://localhost";

/// A browser of somebody who signed in.
struct Browser<'a> {
    world: &'a World,
    cookie: String,
}

impl<'a> Browser<'a> {
    /// The browser that keeps what an answer set.
    fn of(world: &'a World, answer: &Answer) -> Self {
        assert_eq!(answer.status, 204, "{}", answer.text);
        let cookie = answer.header("set-cookie").split(';').next().unwrap();
        Self {
            world,
            cookie: cookie.to_owned(),
        }
    }

    /// A call by a page of ours.
    fn call(&self, method: &str, path: &str) -> Call {
        self.bare(method, path).header("Origin", ORIGIN)
    }

    fn bare(&self, method: &str, path: &str) -> Call {
        let call = self.world.call(method, path).by(Who::Anonymous);
        call.header("Cookie", &self.cookie)
    }

    async fn is_signed_in(&self) -> bool {
        let answer = self.bare("GET", "/session").send().await;
        if answer.status != 200 {
            answer.expect(401, "UNAUTHENTICATED");
        }
        answer.status == 200
    }
}

fn sign_in(world: &World, email: &str, password: &str) -> Call {
    let call = world.call("POST", "/session").by(Who::Anonymous);
    call.json(&json!({"email": email, "password": password}))
}

fn set_up(world: &World, token: &str, email: &str, password: &str) -> Call {
    let call = world.call("POST", "/session/setup").by(Who::Anonymous);
    call.json(&json!({"token": token, "email": email, "password": password}))
}

async fn user_id(world: &World, who: &str) -> String {
    let select = format!("SELECT user_id FROM user_account WHERE first_name = '{who}'");
    world.text(&select).await
}

async fn setup_token(world: &World, who: &str) -> String {
    let user = user_id(world, who).await.parse().unwrap();
    let token = mint_setup_token(&world.state, Some(user)).await.unwrap();
    token.expose().to_owned()
}

/// `who` gets a password; their browser.
async fn settle<'a>(world: &'a World, who: &str) -> Browser<'a> {
    let (token, email) = (setup_token(world, who).await, format!("{who}@example.com"));
    let answer = set_up(world, &token, &email, PASSWORD).send().await;
    Browser::of(world, &answer)
}

#[tokio::test]
async fn a_setup_token_makes_a_password_once_and_signs_in() {
    for world in World::each().await {
        let token = setup_token(&world, "Owner").await;
        for (email, password, field) in [
            (EMAIL, "too short", "password"),
            (EMAIL, "passwordpassword", "password"),
            (EMAIL, "owner@example.com", "password"),
            ("nobody", PASSWORD, "email"),
        ] {
            let refused = set_up(&world, &token, email, password).send().await;
            let refused = refused.expect(400, "VALIDATION_FAILED");
            assert_eq!(refused.fields(), [field], "{password}");
            assert!(!refused.text.contains(password), "{}", refused.text);
        }
        let answer = set_up(&world, &token, "me@Example.com", PASSWORD)
            .send()
            .await;
        let cookie = answer.header("set-cookie");
        assert!(
            cookie.ends_with("; HttpOnly; SameSite=Lax; Path=/; Max-Age=604800"),
            "{cookie}"
        );
        assert_eq!(answer.header("cache-control"), "no-store");
        let browser = Browser::of(&world, &answer);
        let session = browser.bare("GET", "/session").send().await;
        let want = json!({
            "userId": user_id(&world, "Owner").await,
            "email": "me@Example.com",
            "expiresAt": "2026-01-01T12:00:00.000Z",
            "provider": null,
        });
        assert_eq!(session.body, want);
        let targets = browser.bare("GET", &world.at("targets")).send().await;
        assert_eq!(targets.status, 200);
        set_up(&world, &token, EMAIL, PASSWORD)
            .send()
            .await
            .expect(404, "NOT_FOUND");
        let (late, unused) = (
            setup_token(&world, "Owner").await,
            setup_token(&world, "Owner").await,
        );
        set_up(&world, &unused, EMAIL, OTHER_PASSWORD).send().await;
        set_up(&world, &late, EMAIL, PASSWORD)
            .send()
            .await
            .expect(404, "NOT_FOUND");
        assert!(!browser.is_signed_in().await, "the password is another");
        let late = setup_token(&world, "Owner").await;
        world.pass(Duration::from_mins(15));
        set_up(&world, &late, EMAIL, PASSWORD)
            .send()
            .await
            .expect(404, "NOT_FOUND");
    }
}

#[tokio::test]
async fn an_address_signs_in_one_user() {
    for world in World::each().await {
        settle(&world, "Owner").await;
        let token = setup_token(&world, "Admin").await;
        let taken = set_up(&world, &token, "OWNER@example.com", PASSWORD)
            .send()
            .await;
        taken.expect(409, "CONFLICT");
        let admin = set_up(&world, &token, "admin@example.com", PASSWORD)
            .send()
            .await;
        let admin = Browser::of(&world, &admin);
        let change = |email: &str| {
            let call = admin.call("PATCH", "/users/me");
            call.json(&json!({"email": email})).send()
        };
        change(EMAIL).await.expect(409, "CONFLICT");
        assert_eq!(change("root@example.com").await.status, 200);
        assert_eq!(
            sign_in(&world, "Root@example.com", PASSWORD)
                .send()
                .await
                .status,
            204
        );
        let gone = sign_in(&world, "admin@example.com", PASSWORD).send().await;
        gone.expect(401, "UNAUTHENTICATED");
        let body = json!({"email": EMAIL, "firstName": "A", "lastName": "B"});
        let user = world.call("PUT", "/users/me").by(Who::User).json(&body);
        assert_eq!(
            user.send().await.status,
            200,
            "who signs in nowhere shares addresses"
        );
    }
}

#[tokio::test]
async fn every_wrong_pair_gets_one_answer() {
    for world in World::each().await {
        settle(&world, "Owner").await;
        let mut answers = Vec::new();
        for (email, password) in [
            (EMAIL, OTHER_PASSWORD),
            // Known, and without a password.
            ("User@example.com", PASSWORD),
            ("nobody@example.com", PASSWORD),
        ] {
            let refused = sign_in(&world, email, password).send().await;
            refused.expect(401, "UNAUTHENTICATED");
            answers.push((refused.text, format!("{:?}", refused.headers)));
        }
        answers.dedup();
        assert_eq!(answers.len(), 1, "{answers:?}");
        assert!(!answers[0].1.contains("set-cookie"));
        for email in [EMAIL, "owner@EXAMPLE.com"] {
            assert_eq!(sign_in(&world, email, PASSWORD).send().await.status, 204);
        }
    }
}

#[tokio::test]
#[expect(clippy::disallowed_methods, reason = "the clock of the test")]
async fn an_unknown_address_takes_as_long_as_a_known_one() {
    let world = World::each().await.remove(0);
    settle(&world, "Owner").await;
    // The shortest of several: a busy machine only ever adds.
    let shortest = async |email: &str| {
        let mut shortest = Duration::MAX;
        for _ in 0..8 {
            let began = Instant::now();
            let refused = sign_in(&world, email, OTHER_PASSWORD).send().await;
            shortest = shortest.min(began.elapsed());
            refused.expect(401, "UNAUTHENTICATED");
        }
        shortest.as_secs_f64()
    };
    let (known, unknown) = (shortest(EMAIL).await, shortest("nobody@example.com").await);
    let ratio = known / unknown;
    assert!((0.5..2.0).contains(&ratio), "{known} s and {unknown} s");
}

#[tokio::test]
async fn a_session_gets_a_new_cookie_at_each_sign_in_and_nobody_can_prepare_one() {
    for world in World::each().await {
        let first = settle(&world, "Owner").await;
        let again = sign_in(&world, EMAIL, PASSWORD).header("Cookie", &first.cookie);
        let second = Browser::of(&world, &again.send().await);
        assert_ne!(first.cookie, second.cookie);
        assert!(!first.is_signed_in().await && second.is_signed_in().await);
        let prepared = "rr-session=s-prepared";
        let answer = sign_in(&world, EMAIL, PASSWORD).header("Cookie", prepared);
        let third = Browser::of(&world, &answer.send().await);
        assert_ne!(third.cookie, prepared);
        assert!(second.is_signed_in().await, "another browser goes on");
        let prepared = Browser {
            world: &world,
            cookie: prepared.to_owned(),
        };
        assert!(!prepared.is_signed_in().await);
        let refused = prepared.bare("GET", "/session").send().await;
        let cleared = "rr-session=; HttpOnly; SameSite=Lax; Path=/; Max-Age=0";
        assert_eq!(refused.header("set-cookie"), cleared);
    }
}

#[tokio::test]
async fn pages_elsewhere_change_nothing_by_a_session() {
    for world in World::each().await {
        let browser = settle(&world, "Owner").await;
        let path = world.at("targets");
        let body = json!({
            "targetName": "T", "targetBaseURL": "https://t.example.com", "targetRegion": "local-1",
        });
        let before = world.number("SELECT COUNT(*) FROM target").await;
        for origin in [
            None,
            Some("https://evil.example"),
            Some("null"),
            Some("http://localhost:81"),
        ] {
            for (method, path) in [
                ("POST", path.as_str()),
                ("PUT", "/users/me"),
                ("PATCH", "/users/me"),
                ("DELETE", "/session"),
            ] {
                let call = browser.bare(method, path).json(&body);
                let call = match origin {
                    Some(origin) => call.header("Origin", origin),
                    None => call,
                };
                call.send().await.expect(403, "FORBIDDEN");
            }
        }
        assert_eq!(world.number("SELECT COUNT(*) FROM target").await, before);
        assert!(browser.is_signed_in().await);
        let own = browser.call("POST", &path).json(&body).send().await;
        assert_eq!(own.status, 201, "{}", own.text);
        // What a form can send by itself.
        for content_type in ["text/plain", "application/x-www-form-urlencoded"] {
            let form = browser
                .call("POST", &path)
                .bytes(content_type, body.to_string());
            form.send().await.expect(415, "UNSUPPORTED_MEDIA_TYPE");
        }
        // Nor do they sign somebody in as somebody else.
        let foreign = sign_in(&world, EMAIL, PASSWORD).header("Origin", "https://evil.example");
        foreign.send().await.expect(403, "FORBIDDEN");
        let token = setup_token(&world, "Admin").await;
        let foreign =
            set_up(&world, &token, "a@b", PASSWORD).header("Origin", "https://evil.example");
        foreign.send().await.expect(403, "FORBIDDEN");
        // A token is no cookie: no page has it by itself. It goes first.
        let both = world.call("POST", &path).by(Who::User).json(&body);
        let both = both.header("Cookie", &browser.cookie).send().await;
        assert_eq!(both.body["createdBy"], user_id(&world, "User").await);
        let unknown = browser
            .call("GET", &path)
            .header("Authorization", "u-unknown");
        unknown.send().await.expect(401, "UNAUTHENTICATED");
    }
}

#[tokio::test]
async fn who_tries_too_many_passwords_is_not_heard_for_a_while() {
    for world in World::each().await {
        let world = world.behind_a_balancer();
        settle(&world, "Owner").await;
        let tried = async |email: &str, password: &str, address: &str| {
            let call = sign_in(&world, email, password).header("X-Forwarded-For", address);
            call.send().await
        };
        for email in [EMAIL, "nobody@example.com"] {
            for _ in 0..10 {
                let refused = tried(email, OTHER_PASSWORD, "192.0.2.1").await;
                refused.expect(401, "UNAUTHENTICATED");
            }
            for password in [OTHER_PASSWORD, PASSWORD] {
                let refused = tried(email, password, "192.0.2.1").await;
                refused.expect(429, "RATE_LIMITED");
                assert_eq!(refused.header("retry-after"), "900");
            }
        }
        assert_eq!(tried(EMAIL, PASSWORD, "192.0.2.2").await.status, 204);
        for host in 3..12 {
            for _ in 0..10 {
                tried(EMAIL, OTHER_PASSWORD, &format!("192.0.2.{host}")).await;
            }
        }
        let refused = tried(EMAIL, PASSWORD, "192.0.2.2").await;
        refused.expect(429, "RATE_LIMITED");
        assert_eq!(refused.header("retry-after"), "3600");
        world.pass(Duration::from_hours(1));
        assert_eq!(tried(EMAIL, PASSWORD, "192.0.2.1").await.status, 204);
    }
}

#[tokio::test]
async fn an_address_that_failed_too_often_is_shut_out_whatever_else_it_shows() {
    for world in World::each().await {
        let world = world.with_failures_per_minute(4);
        let browser = settle(&world, "Owner").await;
        for n in 0..4 {
            let refused = sign_in(&world, &format!("n{n}@example.com"), PASSWORD)
                .send()
                .await;
            refused.expect(401, "UNAUTHENTICATED");
        }
        for call in [
            sign_in(&world, EMAIL, PASSWORD),
            sign_in(&world, EMAIL, PASSWORD).header("Authorization", "u-user"),
            sign_in(&world, EMAIL, PASSWORD).header("Cookie", &browser.cookie),
        ] {
            call.send().await.expect(429, "RATE_LIMITED");
        }
        assert!(browser.is_signed_in().await, "who is signed in goes on");
    }
}

#[tokio::test]
async fn a_session_ends_when_it_idles_and_after_a_week() {
    for world in World::each().await {
        let browser = settle(&world, "Owner").await;
        let (almost, idle) = (
            Duration::from_hours(12).saturating_sub(Duration::from_secs(1)),
            Duration::from_secs(1),
        );
        for _ in 0..13 {
            world.pass(almost);
            assert!(browser.is_signed_in().await);
        }
        // 155:59:47 h have passed; 168 end it although it is used.
        world.pass(almost);
        assert!(browser.is_signed_in().await);
        world.pass(Duration::from_secs(14));
        assert!(!browser.is_signed_in().await);
        let browser = Browser::of(&world, &sign_in(&world, EMAIL, PASSWORD).send().await);
        world.pass(almost);
        world.pass(idle);
        assert!(!browser.is_signed_in().await);
        let count = "SELECT COUNT(*) FROM browser_session";
        assert_eq!(world.number(count).await, 2);
        requestrocket_core_api::service::people::sign_in::remove_ended(&world.state)
            .await
            .unwrap();
        assert_eq!(world.number(count).await, 0);
    }
}

#[tokio::test]
async fn a_new_password_ends_every_session() {
    for world in World::each().await {
        let (here, there) = (
            settle(&world, "Owner").await,
            Browser::of(&world, &sign_in(&world, EMAIL, PASSWORD).send().await),
        );
        let change = |current: &str, new: &str| json!({"current": current, "new": new});
        let path = "/users/me/password";
        let put = async |call: Call, body: Value| call.json(&body).send().await;
        put(
            here.call("PUT", path),
            change(OTHER_PASSWORD, OTHER_PASSWORD),
        )
        .await
        .expect(403, "FORBIDDEN");
        let guessable = put(here.call("PUT", path), change(PASSWORD, "passwordpassword")).await;
        assert_eq!(guessable.expect(400, "VALIDATION_FAILED").fields(), ["new"]);
        assert!(there.is_signed_in().await);
        let none = put(
            world.call("PUT", path).by(Who::User),
            change(PASSWORD, PASSWORD),
        )
        .await;
        none.expect(409, "CONFLICT");
        let answer = put(here.call("PUT", path), change(PASSWORD, OTHER_PASSWORD)).await;
        let renewed = Browser::of(&world, &answer);
        assert!(!here.is_signed_in().await && !there.is_signed_in().await);
        assert!(renewed.is_signed_in().await);
        let old = sign_in(&world, EMAIL, PASSWORD).send().await;
        old.expect(401, "UNAUTHENTICATED");
        assert_eq!(
            sign_in(&world, EMAIL, OTHER_PASSWORD).send().await.status,
            204
        );
        // By a token there is no session to go on with, and the token itself stays.
        let answer = put(world.call("PUT", path), change(OTHER_PASSWORD, PASSWORD)).await;
        assert_eq!((answer.status, answer.header("set-cookie")), (204, ""));
        assert!(!renewed.is_signed_in().await);
        assert_eq!(world.call("GET", "/users/me").send().await.status, 200);
        world
            .run("UPDATE user_token SET roles = '[\"user\"]'")
            .await;
        put(world.call("PUT", path), change(PASSWORD, OTHER_PASSWORD))
            .await
            .expect(403, "FORBIDDEN");
    }
}

#[tokio::test]
async fn sessions_are_listed_and_ended_by_their_user() {
    for world in World::each().await {
        let first = settle(&world, "Owner").await;
        let call = sign_in(&world, EMAIL, PASSWORD).header("User-Agent", "Other/1.0");
        let second = Browser::of(&world, &call.send().await);
        let list = first
            .bare("GET", "/users/me/sessions?search=other")
            .send()
            .await;
        assert_eq!(list.body["pagination"]["total"], 1);
        let listed = &list.body["data"][0];
        assert_eq!(
            (&listed["userAgent"], &listed["isCurrent"]),
            (&json!("Other/1.0"), &json!(false))
        );
        let all = first.bare("GET", "/users/me/sessions").send().await;
        let current = all.body["data"].as_array().unwrap().iter();
        assert_eq!(
            current
                .filter(|session| session["isCurrent"] == true)
                .count(),
            1
        );
        let path = format!(
            "/users/me/sessions/{}",
            listed["sessionId"].as_str().unwrap()
        );
        let stranger = world.call("DELETE", &path).by(Who::Admin).send().await;
        stranger.expect(404, "NOT_FOUND");
        let versioned = first
            .call("DELETE", &path)
            .header("If-Match", "\"r1\"")
            .send()
            .await;
        versioned.expect(412, "PRECONDITION_FAILED");
        assert!(second.is_signed_in().await);
        assert_eq!(first.call("DELETE", &path).send().await.status, 204);
        assert!(!second.is_signed_in().await && first.is_signed_in().await);
        first
            .call("DELETE", &path)
            .send()
            .await
            .expect(404, "NOT_FOUND");
        let out = first.call("DELETE", "/session").send().await;
        assert_eq!(out.status, 204);
        assert!(out.header("set-cookie").starts_with("rr-session=;"));
        assert!(!first.is_signed_in().await);
        for method in ["GET", "DELETE"] {
            world
                .call(method, "/session")
                .send()
                .await
                .expect(403, "FORBIDDEN");
        }
    }
}

#[tokio::test]
async fn a_user_has_a_hundred_sessions_and_the_oldest_goes() {
    let world = World::each().await.remove(0);
    let oldest = settle(&world, "Owner").await;
    world.pass(Duration::from_mins(2));
    let second = Browser::of(&world, &sign_in(&world, EMAIL, PASSWORD).send().await);
    world.pass(Duration::from_mins(2));
    for _ in 0..99 {
        assert_eq!(sign_in(&world, EMAIL, PASSWORD).send().await.status, 204);
    }
    assert_eq!(
        world.number("SELECT COUNT(*) FROM browser_session").await,
        100
    );
    assert!(!oldest.is_signed_in().await && second.is_signed_in().await);
}

#[tokio::test]
async fn what_is_stored_lets_nobody_in() {
    for world in World::each().await {
        let token = setup_token(&world, "Owner").await;
        let unused = setup_token(&world, "Admin").await;
        let answer = set_up(&world, &token, EMAIL, PASSWORD).send().await;
        let browser = Browser::of(&world, &answer);
        let cookie = browser.cookie.split_once('=').unwrap().1;
        let dump = world.dump().await;
        for secret in [PASSWORD, &token, &unused, cookie] {
            assert!(!dump.contains(secret), "{secret}");
        }
        assert!(dump.contains("$argon2id$v=19$m=19456,t=2,p=1$"));
    }
}

/// Rows of failed attempts in one log.
async fn failures(world: &World, log: &str) -> Vec<Value> {
    let select = format!(
        "SELECT document FROM audit_row WHERE log = '{log}' AND action = 'session.signInFailed' \
         ORDER BY number"
    );
    let rows: Vec<(String,)> = sqlx::query_as(AssertSqlSafe(select))
        .fetch_all(world.state.db.pool())
        .await
        .unwrap();
    let row = |row: &(String,)| serde_json::from_str(&row.0).unwrap();
    rows.iter().map(row).collect()
}

#[tokio::test]
async fn failed_attempts_are_in_the_logs_of_whom_they_concern() {
    for world in World::each().await {
        settle(&world, "Owner").await;
        let owner = user_id(&world, "Owner").await;
        let wrong = sign_in(&world, EMAIL, OTHER_PASSWORD).send().await;
        wrong.expect(401, "UNAUTHENTICATED");
        let unknown = sign_in(&world, "nobody@example.com", PASSWORD).send().await;
        unknown.expect(401, "UNAUTHENTICATED");
        // Answers do not wait for the rows.
        world.state.tasks.shutdown().await;
        let rows = failures(&world, &format!("client:{}", world.home)).await;
        assert_eq!(rows.len(), 1);
        assert_eq!(rows[0]["actor"]["type"], "system", "{}", rows[0]);
        assert_eq!(rows[0]["resource"]["id"], owner, "{}", rows[0]);
        assert_eq!(rows[0]["after"]["email"], "owner@example.com");
        assert!(rows[0]["address"].is_string(), "{}", rows[0]);
        assert!(!rows[0].to_string().contains(OTHER_PASSWORD));
        let rows = failures(&world, "operator").await;
        assert_eq!(rows.len(), 1);
        assert_eq!(rows[0]["resource"]["id"], "");
        assert_eq!(rows[0]["after"]["email"], "nobody@example.com");
    }
}
