//! What providers do that no specification asks for, through the client: each has its outcome.

use sqlx::Row as _;

use super::*;

/// A provider that answers all with these bytes.
async fn answering(raw: String) -> Peer {
    Peer::start(move |_| raw.clone()).await
}

fn secret(peer: &Peer, more: &Value) -> Value {
    let mut secret = json!({
        "grantType": "client_credentials", "tokenUrl": format!("{}/token", peer.url),
        "clientId": "me", "clientSecret": "canary-secret",
    });
    for (name, value) in more.as_object().unwrap() {
        secret[name] = value.clone();
    }
    secret
}

const JSON: &str = "content-type: application/json\r\n";
const TEXT: &str = "content-type: text/plain\r\n";
const FORM: &str = "content-type: application/x-www-form-urlencoded\r\n";
const IN_S: &str = "s";
const IN_MS: &str = "ms";

/// Head and body of answers with the token `t` for 1000 seconds, and the unit of their lives.
const TOKENS: [(&str, &str, &str); 10] = [
    (JSON, r#"{"access_token": "t", "expires_in": 1000}"#, IN_S),
    (JSON, r#"{"access_token": "t", "expires_in": "1000"}"#, IN_S),
    (
        JSON,
        r#"{"access_token": "t", "expires_in": 1000000}"#,
        IN_MS,
    ),
    (
        JSON,
        r#"{"access_token": "t", "expires_in": "1000000.0"}"#,
        IN_MS,
    ),
    (
        JSON,
        r#"{"access_token": "t", "token_type": "bEARER", "expires_in": 1000.0}"#,
        IN_S,
    ),
    (TEXT, r#"{"access_token": "t", "expires_in": 1000}"#, IN_S),
    ("", r#"{"access_token": "t", "expires_in": 1000}"#, IN_S),
    (
        FORM,
        "access_token=t&expires_in=1000&token_type=bearer",
        IN_S,
    ),
    (TEXT, "access_token=t&expires_in=1000", IN_S),
    (JSON, "access_token=t&expires_in=1000", IN_S),
];

const PAGE: &str = "content-type: text/html\r\n";
const PAUSE: &str = "retry-after: 120\r\n";
const ELSEWHERE: &str = "location: https://b.example/\r\n";
const CUT: &str = "HTTP/1.1 200 OK\r\ncontent-length: 99\r\n\r\n{\"access_token\"";

/// Answers without a token, the code of each, and the seconds after which it may be asked for again;
/// None: it is of no use.
fn failures() -> Vec<(String, &'static str, Option<u64>)> {
    let answer = peer::answer;
    let denied = r#"{"error": "invalid_client"}"#;
    let broken = r#"{"ok": false, "error": "internal_error"}"#;
    let empty = r#"{"access_token": ""}"#;
    let page = "<html>invalid_grant</html>";
    vec![
        (answer((200, ""), denied), "invalid_client", None),
        (answer((200, ""), broken), "internal_error", Some(0)),
        (answer((200, ""), empty), "missing_token", Some(0)),
        (answer((403, PAGE), page), "http_403", Some(0)),
        (answer((429, PAUSE), ""), "http_429", Some(120)),
        (answer((503, PAUSE), "{}"), "http_503", Some(120)),
        (answer((302, ELSEWHERE), T1), "redirect", Some(0)),
        // It closes without a word, and in the middle of one.
        (String::new(), "connection", Some(0)),
        (CUT.to_owned(), "answer_body", Some(0)),
    ]
}

/// A proxy whose credential is still to come.
async fn waiting(store: crate::store::tests::TestStore) -> Scene {
    let mut scene = Scene::bare(store).await;
    scene
        .apply(vec![
            organisation(false),
            target(&id(30), "https://a.example"),
            proxy(&id(1), &[], &id(30), &id(20)),
        ])
        .await;
    scene
}

#[tokio::test]
async fn what_is_a_token_is_taken_however_it_is_said() {
    for store in test_stores().await {
        let mut scene = waiting(store).await;
        for (version, (head, body, unit)) in (1..).zip(TOKENS) {
            let peer = answering(peer::answer((200, head), body)).await;
            let secret = secret(&peer, &json!({"expiresInUnit": unit}));
            let credential = scene.credential(version, &secret, Auth::Oauth2);
            scene.apply(vec![credential]).await;
            scene.renew().await;
            let given = vec!["authorization = Bearer t".to_owned()];
            assert_eq!(scene.given().await, Some((given, 1_000)), "{head}{body}");
            assert_eq!(scene.life().await, (TokenStatus::Active, 0, None));
        }
    }
}

#[tokio::test]
async fn what_is_none_is_told_and_asked_for_again_unless_that_is_of_no_use() {
    for store in test_stores().await {
        let mut scene = waiting(store).await;
        for (version, (raw, code, least_s)) in (1..).zip(failures()) {
            let peer = answering(raw.clone()).await;
            let credential = scene.credential(version, &secret(&peer, &json!({})), Auth::Oauth2);
            scene.apply(vec![credential]).await;
            scene.renew().await;
            let status = match least_s {
                Some(_) => TokenStatus::Failing,
                None => TokenStatus::InvalidClient,
            };
            let told = (status, 1, Some(code.to_owned()));
            assert_eq!(scene.life().await, told, "{raw}");
            assert_eq!(scene.given().await, None, "{raw}");
            let next_ms = scene.row().await.unwrap().life.next_at_ms;
            let least_ms = least_s.map(|seconds| scene.clock.unix_ms() + seconds * 1_000);
            assert_eq!(next_ms.is_some(), least_ms.is_some(), "{raw}");
            assert!(next_ms >= least_ms, "{raw}");
        }
    }
}

impl Scene {
    async fn leased_until_ms(&self) -> u64 {
        let mut tx = self.renewals.store.begin().await.unwrap();
        let row = sqlx::query("SELECT lease_until_ms FROM token")
            .fetch_one(&mut *tx)
            .await
            .unwrap();
        u64::try_from(row.get::<i64, _>(0)).unwrap()
    }
}

#[tokio::test]
async fn a_provider_that_takes_fifteen_seconds_is_asked_once() {
    for store in test_stores().await {
        let provider = Provider::start(&[(200, T1), (200, T2)]).await;
        provider.peer.gate.send_replace(false);
        let scene = Scene::new(store, &client_credentials(&provider), Auth::Oauth2).await;
        let mut asking = JoinSet::new();
        scene.renewals.begin(&mut asking).await;
        provider.peer.asked(1).await;
        for _ in 0..3 {
            scene.advance(RENEW_EVERY.as_secs());
            let until_ms = scene.clock.unix_ms() + LEASE_MS;
            tokio::time::pause();
            tokio::time::advance(RENEW_EVERY).await;
            tokio::time::resume();
            while scene.leased_until_ms().await < until_ms {
                assert!(asking.try_join_next().is_none(), "it gave up");
                tokio::task::yield_now().await;
            }
            scene.renew().await;
        }
        provider.peer.gate.send_replace(true);
        asking.join_all().await;
        assert_eq!(provider.peer.times(), 1);
        assert_eq!(scene.life().await, (TokenStatus::Active, 0, None));
    }
}
