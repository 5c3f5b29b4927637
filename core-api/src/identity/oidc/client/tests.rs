use std::sync::Mutex;

use axum::Json;
use axum::Router;
use axum::routing::{get, post};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ipnet::Ipv4Net;
use requestrocket_policy::secret_form::endpoint::Endpoint;
use requestrocket_process::tasks::TaskSet;
use ring::hmac;
use ring::rand::SystemRandom;
use ring::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair as _};
use serde_json::json;
use tokio::net::TcpListener;

use super::*;

const NOW_MS: u64 = 1_767_225_600_000;
const BACK: &str = "https://core.example/session/oidc/corp/callback";

/// A provider whose every answer is the test's.
struct Scripted {
    client: Client,
    attempt: Attempt,
    key: EcdsaKeyPair,
    answers: Arc<Mutex<Answers>>,
    _tasks: TaskSet,
}

#[derive(Default)]
struct Answers {
    token: Value,
    user_info: Value,
    keys: Value,
    keys_asked: usize,
}

fn key_pair() -> EcdsaKeyPair {
    let (random, algorithm) = (SystemRandom::new(), &ECDSA_P256_SHA256_FIXED_SIGNING);
    let document = EcdsaKeyPair::generate_pkcs8(algorithm, &random).unwrap();
    EcdsaKeyPair::from_pkcs8(algorithm, document.as_ref(), &random).unwrap()
}

fn key_set(key: &EcdsaKeyPair, id: &str) -> Value {
    let (x, y) = key.public_key().as_ref()[1..].split_at(32);
    let [x, y] = [x, y].map(|one| URL_SAFE_NO_PAD.encode(one));
    json!({"keys": [{"kty": "EC", "crv": "P-256", "kid": id, "x": x, "y": y}]})
}

fn signed(key: &EcdsaKeyPair, id: &str, claims: &Value) -> String {
    let part = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
    let head = json!({"alg": "ES256", "kid": id});
    let text = format!("{}.{}", part(&head), part(claims));
    let signature = key.sign(&SystemRandom::new(), text.as_bytes()).unwrap();
    format!("{text}.{}", URL_SAFE_NO_PAD.encode(signature))
}

fn corp(issuer: String) -> Provider {
    let discovery = format!("{issuer}/.well-known/openid-configuration");
    Provider {
        name: "corp".parse().unwrap(),
        title: "Corp".to_owned(),
        discovery: Endpoint::parse(&discovery).unwrap(),
        issuer,
        client_id: "gateway".to_owned(),
        client_secret: SecretText::new("a secret of thirty-two characters".to_owned()),
        scopes: vec!["openid".to_owned()],
        groups_claim: "groups".to_owned(),
        makes_users: true,
        grants: Vec::new(),
    }
}

impl Scripted {
    async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let issuer = format!("http://{}", listener.local_addr().unwrap());
        let key = key_pair();
        let answers = Arc::new(Mutex::new(Answers {
            keys: key_set(&key, "k"),
            ..Answers::default()
        }));
        let described = json!({
            "issuer": issuer, "authorization_endpoint": format!("{issuer}/auth?kind=a"),
            "token_endpoint": format!("{issuer}/token"), "jwks_uri": format!("{issuer}/jwks"),
            "userinfo_endpoint": format!("{issuer}/me"),
        });
        let told = [(); 3].map(|()| Arc::clone(&answers));
        let [token, user_info, keys] = told;
        let routes = Router::new()
            .route(
                "/.well-known/openid-configuration",
                get(move || async move { Json(described) }),
            )
            .route(
                "/token",
                post(move || async move { Json(token.lock().unwrap().token.clone()) }),
            )
            .route(
                "/me",
                get(move || async move { Json(user_info.lock().unwrap().user_info.clone()) }),
            )
            .route(
                "/jwks",
                get(move || async move {
                    let mut answers = keys.lock().unwrap();
                    answers.keys_asked += 1;
                    Json(answers.keys.clone())
                }),
            );
        let tasks = TaskSet::default();
        tasks.spawn("provider", async move {
            Ok(axum::serve(listener, routes).await?)
        });
        let outbound = Outbound::new(&[Ipv4Net::default().into()]);
        Self {
            client: Client::new(corp(issuer), outbound),
            attempt: Attempt::begin(None).unwrap(),
            key,
            answers,
            _tasks: tasks,
        }
    }

    /// Claims that are right.
    fn claims(&self) -> Value {
        let provider = self.client.provider();
        json!({
            "iss": provider.issuer, "aud": "gateway", "sub": "1", "email": "ada@example.com",
            "email_verified": true, "nonce": self.attempt.nonce(&provider.name),
            "iat": NOW_MS / 1000, "exp": NOW_MS / 1000 + 60,
        })
    }

    async fn who(&self, token: String, issuer: Option<&str>) -> Result<Known, Failed> {
        self.answers.lock().unwrap().token =
            json!({"id_token": token, "access_token": "at", "token_type": "Bearer"});
        let sent = Sent {
            code: SecretText::new("code".to_owned()),
            issuer: issuer.map(str::to_owned),
        };
        self.client.who(&self.attempt, sent, (BACK, NOW_MS)).await
    }

    async fn who_by(&self, claims: &Value) -> Result<Known, Failed> {
        self.who(signed(&self.key, "k", claims), None).await
    }
}

#[tokio::test]
async fn a_browser_is_sent_with_what_its_attempt_makes() {
    let provider = Scripted::start().await;
    let url = provider
        .client
        .authorization_url(&provider.attempt, (BACK, NOW_MS));
    let url = url.await.unwrap();
    let sent: std::collections::BTreeMap<_, _> = url.query_pairs().into_owned().collect();
    let name = &provider.client.provider().name;
    assert_eq!(sent["kind"], "a");
    assert_eq!(sent["state"], provider.attempt.state(name));
    assert_eq!(sent["code_challenge_method"], "S256");
    assert_eq!(sent["code_challenge"], provider.attempt.challenge(name));
    assert_eq!(sent["redirect_uri"], BACK);
    let verifier = provider.attempt.verifier(name);
    assert!(!url.as_str().contains(verifier.expose()));
}

#[tokio::test]
async fn only_a_token_for_this_attempt_of_this_provider_now_says_who_it_is() {
    let provider = Scripted::start().await;
    let known = provider.who_by(&provider.claims()).await.unwrap();
    assert_eq!(
        (known.subject.as_str(), known.groups),
        ("1", Some(Vec::new()))
    );
    let other = "https://other.example";
    for (name, value) in [
        ("iss", json!(other)),
        ("aud", json!("another")),
        ("aud", json!(["gateway", "another"])),
        ("azp", json!("another")),
        ("nonce", json!("of another attempt")),
        ("nonce", Value::Null),
        ("exp", json!(NOW_MS / 1000 - 120)),
        ("exp", Value::Null),
        ("iat", json!(NOW_MS / 1000 + 3600)),
        ("sub", Value::Null),
    ] {
        let mut claims = provider.claims();
        claims[name] = value.clone();
        if value.is_null() {
            claims.as_object_mut().unwrap().remove(name);
        }
        let refused = provider.who_by(&claims).await;
        assert!(
            matches!(refused, Err(Failed::Unproved(_))),
            "{name} {value}: {refused:?}"
        );
    }
    let mut both = provider.claims();
    (both["aud"], both["azp"]) = (json!(["gateway", "another"]), json!("gateway"));
    provider.who_by(&both).await.unwrap();
}

#[tokio::test]
async fn only_the_providers_key_signs() {
    let provider = Scripted::start().await;
    let claims = provider.claims();
    let part = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
    let unsigned = format!("{}.{}.", part(&json!({"alg": "none"})), part(&claims));
    let text = format!(
        "{}.{}",
        part(&json!({"alg": "HS256", "kid": "k"})),
        part(&claims)
    );
    let secret = provider.client.provider().client_secret.expose();
    let key = hmac::Key::new(hmac::HMAC_SHA256, secret.as_bytes());
    let by_secret = URL_SAFE_NO_PAD.encode(hmac::sign(&key, text.as_bytes()));
    for token in [
        unsigned,
        format!("{text}.{by_secret}"),
        signed(&key_pair(), "k", &claims),
        "no token".to_owned(),
    ] {
        let refused = provider.who(token, None).await;
        assert!(matches!(refused, Err(Failed::Unproved(_))), "{refused:?}");
    }
}

#[tokio::test]
async fn an_answer_that_names_another_provider_is_none() {
    let provider = Scripted::start().await;
    let token = signed(&provider.key, "k", &provider.claims());
    let issuer = provider.client.provider().issuer.clone();
    provider.who(token.clone(), Some(&issuer)).await.unwrap();
    let mixed_up = provider.who(token, Some("https://other.example")).await;
    assert!(matches!(mixed_up, Err(Failed::Unproved(_))), "{mixed_up:?}");
}

#[tokio::test]
async fn what_the_token_does_not_say_is_asked_for_of_the_same_person() {
    let provider = Scripted::start().await;
    let mut claims = provider.claims();
    claims.as_object_mut().unwrap().remove("email");
    for (subject, is_known) in [("1", true), ("2", false)] {
        provider.answers.lock().unwrap().user_info =
            json!({"sub": subject, "email": "ada@example.com", "groups": ["a"]});
        let known = provider.who_by(&claims).await;
        let groups = known.as_ref().ok().and_then(|known| known.groups.clone());
        assert_eq!(
            groups.is_some_and(|groups| groups == ["a"]),
            is_known,
            "{known:?}"
        );
    }
}

#[tokio::test]
async fn a_key_that_is_not_known_has_the_set_asked_for_once_more() {
    let provider = Scripted::start().await;
    provider.who_by(&provider.claims()).await.unwrap();
    let newer = key_pair();
    let asked = || provider.answers.lock().unwrap().keys_asked;
    assert_eq!(asked(), 1);
    provider.answers.lock().unwrap().keys = key_set(&newer, "newer");
    let token = signed(&newer, "newer", &provider.claims());
    provider.who(token, None).await.unwrap();
    assert_eq!(asked(), 2);
}
