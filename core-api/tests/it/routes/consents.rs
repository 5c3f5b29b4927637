//! `authorization_code`: somebody is sent to a provider, and comes back with an answer.

use std::collections::BTreeMap;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD as BASE64, URL_SAFE_NO_PAD};
use requestrocket_core_api::region::fleet::Link;
use requestrocket_core_api::service::gateway::consents::remove_abandoned;
use requestrocket_policy::envelope::Binding;
use requestrocket_proto::region::v1::{TokenState, TokenStates, TokenStatus};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use url::Url;

use crate::world::{Answer, REGION, Who, World, id_of};

const CODE: &str = "c0de/canary+";

fn body() -> Value {
    json!({
        "credentialName": "C", "credentialType": "target", "credentialRegion": REGION,
        "credentialAuthType": "oauth2", "credentialSecret": secret(),
    })
}

fn secret() -> Value {
    json!({
        "grantType": "authorization_code", "authorizationUrl": "https://a.example/authorize",
        "tokenUrl": "https://a.example/token", "clientId": "me", "clientSecret": "s3cret-canary",
        "scopes": ["read", "write"], "authorizationParams": {"access_type": "offline"},
    })
}

/// A credential to which nobody has consented, and where to.
async fn pending(world: &World) -> (Value, BTreeMap<String, String>) {
    let shown = world.create("credentials", &body()).await;
    let asked = parameters(&shown);
    (shown, asked)
}

/// Of the address that an answer holds.
fn parameters(shown: &Value) -> BTreeMap<String, String> {
    let url = Url::parse(shown["authorizationUrl"].as_str().unwrap()).unwrap();
    assert_eq!(url.host_str(), Some("a.example"));
    url.query_pairs().into_owned().collect()
}

fn path_of(world: &World, shown: &Value) -> String {
    world.at(&format!("credentials/{}", id_of(shown, "credentialId")))
}

/// A browser that a provider sends back.
async fn back(world: &World, query: &str) -> Answer {
    let path = format!("/webhooks/oauth2?{query}");
    let answer = world.call("GET", &path).by(Who::Anonymous).page().await;
    for (name, part) in [
        ("content-type", "text/html"),
        ("cache-control", "no-store"),
        ("content-security-policy", "default-src 'none'"),
        ("referrer-policy", "no-referrer"),
        ("x-content-type-options", "nosniff"),
    ] {
        assert!(answer.header(name).starts_with(part), "{name}");
    }
    assert_eq!(answer.header("location"), "", "nobody is sent anywhere");
    answer
}

async fn with_code(world: &World, state: &str) -> u16 {
    back(world, &format!("state={state}&code=c0de%2Fcanary%2B"))
        .await
        .status
}

async fn status(world: &World, shown: &Value) -> String {
    let answer = world.call("GET", &path_of(world, shown)).send().await;
    id_of(&answer.body, "credentialStatus")
}

/// What is on its way to the region: the code and verifier, opened.
async fn given(world: &World, shown: &Value) -> Option<(String, String, String)> {
    let id = id_of(shown, "credentialId");
    let select =
        format!("SELECT COALESCE(sealed_consent, '') FROM credential WHERE credential_id = '{id}'");
    let text = world.text(&select).await;
    let sealed: Value = serde_json::from_str(&text).ok()?;
    let record = (
        id.parse().unwrap(),
        shown["credentialVersion"].as_u64().unwrap(),
    );
    let organisation = world.home.parse().unwrap();
    let open = |member: &str, binding: Binding<'_>| {
        let sealed = BASE64.decode(sealed[member].as_str().unwrap()).unwrap();
        let opened = world.private_key.open(&sealed, &binding).unwrap();
        String::from_utf8(opened.expose().to_vec()).unwrap()
    };
    Some((
        open("code", Binding::consent_code(REGION, organisation, record)),
        open(
            "verifier",
            Binding::consent_verifier(REGION, organisation, record),
        ),
        id_of(&sealed, "redirect_uri"),
    ))
}

#[tokio::test]
async fn somebody_consents_and_the_region_gets_what_that_brought() {
    for world in World::each().await {
        let (shown, asked) = pending(&world).await;
        assert_eq!(shown["credentialStatus"], "pending_consent");
        for (name, want) in [
            ("response_type", "code"),
            ("client_id", "me"),
            ("scope", "read write"),
            ("access_type", "offline"),
            ("redirect_uri", "http://localhost/webhooks/oauth2"),
            ("code_challenge_method", "S256"),
        ] {
            assert_eq!(asked[name], want);
        }
        assert_eq!(asked["state"].len(), 43);
        let again = world.call("GET", &path_of(&world, &shown)).send().await;
        assert!(
            again.body.get("authorizationUrl").is_none(),
            "it is shown once"
        );

        let newest = world.number("SELECT newest FROM revision").await;
        assert_eq!(with_code(&world, &asked["state"]).await, 200);
        assert_eq!(
            world.number("SELECT newest FROM revision").await,
            newest + 1
        );
        let (code, verifier, redirect_uri) = given(&world, &shown).await.unwrap();
        assert_eq!(
            (code.as_str(), redirect_uri.as_str()),
            (CODE, asked["redirect_uri"].as_str())
        );
        let challenge = URL_SAFE_NO_PAD.encode(Sha256::digest(&verifier));
        assert_eq!(challenge, asked["code_challenge"]);
        assert_eq!(status(&world, &shown).await, "obtaining");
        // Neither is anywhere else, nor does the state outlive its use.
        let dump = world.dump().await;
        for part in [CODE, &verifier, "s3cret-canary", &asked["state"]] {
            assert!(!dump.contains(part), "{part}");
        }
    }
}

#[tokio::test]
async fn a_state_counts_once_in_time_and_as_it_was_given_out() {
    for world in World::each().await {
        let (shown, asked) = pending(&world).await;
        let state = &asked["state"];
        // Whoever guesses, or has part of it, gets nowhere, and takes nothing away.
        let other = "A".repeat(43);
        for wrong in [
            "",
            &other,
            state.get(..42).unwrap(),
            &state.to_lowercase(),
            "%00",
            "'%20OR%201=1",
        ] {
            let answer = back(&world, &format!("state={wrong}&code=x")).await;
            assert_eq!(answer.status, 400, "{wrong}");
        }
        for query in [
            format!("state={state}"),
            format!("state={state}&code=a&code=b"),
            format!("state={state}&state={state}&code=a"),
            format!("state={state}&code=a&error=b"),
        ] {
            assert_eq!(back(&world, &query).await.status, 400, "{query}");
        }
        let path = format!("/webhooks/oauth2?state={state}&code=x");
        let looked = world.call("HEAD", &path).by(Who::Anonymous).page().await;
        assert_eq!(looked.status, 400);
        for method in ["POST", "PUT", "DELETE"] {
            let answer = world.call(method, &path).send().await;
            answer.expect(405, "METHOD_NOT_ALLOWED");
        }
        assert_eq!(with_code(&world, state).await, 200);
        assert_eq!(with_code(&world, state).await, 400, "a second time");
        assert_eq!(given(&world, &shown).await.unwrap().0, CODE);

        let (late, asked) = pending(&world).await;
        world.pass(Duration::from_mins(10));
        assert_eq!(with_code(&world, &asked["state"]).await, 400);
        assert_eq!(status(&world, &late).await, "pending_consent");
        assert_eq!(given(&world, &late).await, None);
    }
}

#[tokio::test]
async fn nothing_of_an_error_is_repeated_and_it_ends_the_consent() {
    for world in World::each().await {
        let (shown, asked) = pending(&world).await;
        let state = &asked["state"];
        let plain = back(&world, "state=x&code=y").await.text;
        let query = format!(
            "state={state}&error=%3Cscript%3Ealert(1)%3C%2Fscript%3E\
             &error_description=%22%3E%3Cimg+src=x%3E&error_uri=https%3A%2F%2Fevil.example"
        );
        let answer = back(&world, &query).await;
        assert_eq!((answer.status, &answer.text), (400, &plain));
        assert_eq!(with_code(&world, state).await, 400);
        assert_eq!(status(&world, &shown).await, "pending_consent");
    }
}

#[tokio::test]
async fn of_two_answers_at_once_one_counts() {
    for world in World::each().await {
        let (shown, asked) = pending(&world).await;
        let state = &asked["state"];
        let statuses = futures::future::join_all((0..8).map(|_| with_code(&world, state))).await;
        let taken = statuses.iter().filter(|status| **status == 200).count();
        assert_eq!((taken, statuses.len()), (1, 8));
        let id = id_of(&shown, "credentialId");
        let select = format!("SELECT consent FROM credential WHERE credential_id = '{id}'");
        assert_eq!(world.number(&select).await, 1);
    }
}

#[tokio::test]
async fn an_answer_is_of_its_own_credential_and_organisation_alone() {
    for world in World::each().await {
        let (home, asked) = pending(&world).await;
        let path = format!("/clients/{}/credentials", world.abroad);
        let abroad = world.call("POST", &path).by(Who::Stranger).json(&body());
        let abroad = abroad.send().await.body;
        let other = pending(&world).await.0;
        assert_eq!(with_code(&world, &parameters(&abroad)["state"]).await, 200);
        for shown in [&home, &other] {
            assert_eq!(status(&world, shown).await, "pending_consent");
        }
        assert_eq!(with_code(&world, &asked["state"]).await, 200);
        assert_eq!(status(&world, &home).await, "obtaining");
        assert_eq!(status(&world, &other).await, "pending_consent");
        // Nor can a stranger ask for one.
        let path = format!("{}/consent", path_of(&world, &home));
        let answer = world.call("POST", &path).by(Who::Stranger).send().await;
        answer.expect(404, "NOT_FOUND");
    }
}

#[tokio::test]
async fn what_happened_meanwhile_overtakes_an_answer() {
    for world in World::each().await {
        // It was deleted.
        let (gone, asked) = pending(&world).await;
        let deleted = world.call("DELETE", &path_of(&world, &gone)).send().await;
        assert_eq!(deleted.status, 204);
        assert_eq!(with_code(&world, &asked["state"]).await, 400);

        // Its secret is another.
        let (shown, asked) = pending(&world).await;
        let patch = json!({"credentialSecret": secret()});
        let path = path_of(&world, &shown);
        let changed = world.call("PATCH", &path).json(&patch).send().await;
        assert_eq!(changed.header("cache-control"), "no-store");
        let fresh = parameters(&changed.body);
        assert_ne!(fresh["code_challenge"], asked["code_challenge"]);
        assert_eq!(with_code(&world, &asked["state"]).await, 400);
        assert_eq!(with_code(&world, &fresh["state"]).await, 200);
        assert_eq!(given(&world, &changed.body).await.unwrap().0, CODE);

        // Somebody else was sent there.
        let (shown, asked) = pending(&world).await;
        let path = format!("{}/consent", path_of(&world, &shown));
        let again = world.call("POST", &path).by(Who::User).send().await;
        assert_eq!(
            (again.status, again.header("cache-control")),
            (200, "no-store")
        );
        assert_eq!(with_code(&world, &asked["state"]).await, 400);
        assert_eq!(
            with_code(&world, &parameters(&again.body)["state"]).await,
            200
        );

        // Nobody has to consent to it any more.
        let (shown, asked) = pending(&world).await;
        let patch = json!({"credentialAuthType": "none"});
        let path = path_of(&world, &shown);
        world.call("PATCH", &path).json(&patch).send().await;
        assert_eq!(with_code(&world, &asked["state"]).await, 400);
        assert_eq!(status(&world, &shown).await, "active");
        let again = world.call("POST", &format!("{path}/consent")).send().await;
        again.expect(409, "CONFLICT");
    }
}

#[tokio::test]
async fn an_answer_is_taken_with_the_rights_of_who_was_sent() {
    for world in World::each().await {
        let answer = world.call("POST", &world.at("credentials")).by(Who::User);
        let shown = answer.json(&body()).send().await.body;
        let user = id_of(&shown, "createdBy");
        let path = world.at(&format!("members/{user}"));
        assert_eq!(world.call("DELETE", &path).send().await.status, 204);
        assert_eq!(with_code(&world, &parameters(&shown)["state"]).await, 400);
        assert_eq!(status(&world, &shown).await, "pending_consent");
    }
}

#[tokio::test]
async fn those_to_which_nobody_consented_are_not_listed_and_go_after_a_day() {
    for world in World::each().await {
        let listed = async |query: &str| {
            let path = world.at(&format!("credentials?type=target{query}"));
            let answer = world.call("GET", &path).send().await;
            answer.body["pagination"]["total"].as_u64().unwrap()
        };
        let (kept, asked) = pending(&world).await;
        let (used, _) = pending(&world).await;
        let (abandoned, _) = pending(&world).await;
        for (query, want) in [
            ("", 0),
            ("&includeTemporary=false", 0),
            ("&includeTemporary=true", 3),
        ] {
            assert_eq!(listed(query).await, want, "{query}");
        }
        let mut proxy = world.proxy_body(REGION).await;
        proxy["proxyTargetCredentialId"] = used["credentialId"].clone();
        world.create("proxies", &proxy).await;
        assert_eq!(with_code(&world, &asked["state"]).await, 200);
        let others = listed("").await;
        // Another secret makes it pending, but not temporary.
        let patch = json!({"credentialSecret": secret()});
        let path = path_of(&world, &kept);
        let changed = world.call("PATCH", &path).json(&patch).send().await;
        assert_eq!(changed.body["credentialStatus"], "pending_consent");
        assert_eq!(listed("").await, others);

        world.pass(Duration::from_hours(23));
        assert_eq!(remove_abandoned(&world.state).await.unwrap(), 0);
        world.pass(Duration::from_hours(2));
        let path = path_of(&world, &abandoned);
        let again = format!("{path}/consent");
        let asked = world.call("POST", &again).send().await;
        assert_eq!(asked.status, 200);
        assert_eq!(
            remove_abandoned(&world.state).await.unwrap(),
            0,
            "somebody was sent"
        );
        world.pass(Duration::from_mins(10));
        assert_eq!(remove_abandoned(&world.state).await.unwrap(), 1);
        assert_eq!(world.call("GET", &path).send().await.status, 404);
        assert_eq!(listed("&includeTemporary=true").await, others + 1);
    }
}

#[tokio::test]
async fn an_address_is_shown_once_and_kept_nowhere() {
    for world in World::each().await {
        let send = || {
            let call = world.call("POST", &world.at("credentials")).json(&body());
            call.header("Idempotency-Key", "k")
        };
        let first = send().send().await;
        let asked = parameters(&first.body);
        assert_eq!(first.header("cache-control"), "no-store");
        let replay = send().send().await;
        assert_eq!(replay.header("idempotent-replayed"), "true");
        assert!(replay.body.get("authorizationUrl").is_none());
        let again = format!("{}/consent", path_of(&world, &first.body));
        let call = || world.call("POST", &again).header("Idempotency-Key", "k");
        let second = parameters(&call().send().await.body);
        let replay = call().send().await;
        assert_eq!(replay.status, 200, "{}", replay.text);
        assert!(replay.body.get("authorizationUrl").is_none());
        let dump = world.dump().await;
        for asked in [&asked, &second] {
            assert!(!dump.contains(&asked["state"]));
        }
        // What was shown may be sent back.
        let path = path_of(&world, &first.body);
        let put = world.call("PUT", &path).json(&first.body).send().await;
        assert_eq!(put.status, 200, "{}", put.text);
    }
}

#[tokio::test]
async fn a_region_is_believed_about_the_last_consent_only() {
    for world in World::each().await {
        let (shown, asked) = pending(&world).await;
        let tell = |status: TokenStatus, consent: u64| {
            let token = TokenState {
                credential_id: id_of(&shown, "credentialId"),
                version: 1,
                status: status.into(),
                consent,
                ..TokenState::default()
            };
            let report = TokenStates {
                is_first: true,
                tokens: vec![token],
                removed: Vec::new(),
            };
            world.state.fleets.update(REGION, |state| {
                state.link = Link::Up;
                state.take_tokens(report).unwrap();
            });
        };
        tell(TokenStatus::PendingConsent, 0);
        assert_eq!(status(&world, &shown).await, "pending_consent");
        assert_eq!(with_code(&world, &asked["state"]).await, 200);
        assert_eq!(status(&world, &shown).await, "obtaining");
        for (word, told) in [
            ("obtaining", TokenStatus::Obtaining),
            ("active", TokenStatus::Active),
            ("reconsent_needed", TokenStatus::ReconsentNeeded),
        ] {
            tell(told, 1);
            assert_eq!(status(&world, &shown).await, word);
        }
        let again = format!("{}/consent", path_of(&world, &shown));
        let asked = parameters(&world.call("POST", &again).send().await.body);
        assert_eq!(status(&world, &shown).await, "reconsent_needed");
        assert_eq!(with_code(&world, &asked["state"]).await, 200);
        assert_eq!(status(&world, &shown).await, "obtaining");
        tell(TokenStatus::Active, 2);
        assert_eq!(status(&world, &shown).await, "active");
    }
}

#[tokio::test]
async fn who_asks_in_vain_too_often_is_let_wait() {
    for world in World::each().await {
        let world = world.with_failures_per_minute(3);
        let (_, asked) = pending(&world).await;
        // Who looks at links uses up nothing.
        for _ in 0..9 {
            let call = world.call("HEAD", "/webhooks/oauth2?state=x&code=y");
            assert_eq!(call.page().await.status, 400);
        }
        // A token of nobody changes nothing.
        for _ in 0..3 {
            let call = world.call("GET", "/webhooks/oauth2?state=x&code=y");
            assert_eq!(call.page().await.status, 400);
        }
        let call = world.call("GET", "/webhooks/oauth2?state=x&code=y");
        let answer = call.by(Who::Anonymous).page().await;
        assert_eq!(answer.status, 429);
        assert_eq!(answer.header("content-type"), "text/html; charset=utf-8");
        assert_eq!(answer.header("retry-after"), "60");
        assert!(answer.text.contains("Try again later."), "{}", answer.text);
        // Whom a provider sends back is heard all the same.
        assert_eq!(with_code(&world, &asked["state"]).await, 200);
    }
}

#[tokio::test]
async fn what_is_wrong_with_a_consent_is_told_by_its_member() {
    for world in World::each().await {
        for (member, value, code) in [
            ("authorizationUrl", Value::Null, "VALIDATION_FAILED"),
            (
                "authorizationUrl",
                json!("javascript:alert(1)"),
                "INVALID_URL",
            ),
            (
                "authorizationUrl",
                json!("https://10.0.0.1/a"),
                "ADDRESS_NOT_ALLOWED",
            ),
            ("pkce", json!("plain"), "VALIDATION_FAILED"),
            (
                "authorizationParams.state",
                json!({"state": "mine"}),
                "VALIDATION_FAILED",
            ),
            (
                "authorizationParams.redirect_uri",
                json!({"redirect_uri": "x"}),
                "VALIDATION_FAILED",
            ),
            (
                "authorizationParams",
                json!({"a": "b".repeat(4_096)}),
                "INVALID_SECRET",
            ),
        ] {
            let mut sent = body();
            let name = member.split('.').next().unwrap();
            sent["credentialSecret"][name] = value;
            let call = world.call("POST", &world.at("credentials")).json(&sent);
            let answer = call.send().await;
            let want = format!("credentialSecret.{member}");
            assert_eq!(answer.expect(400, code).fields(), [want]);
        }
    }
}
