use std::time::Duration;

use requestrocket_process::clock::Clock;
use serde_json::{Value, json};

use super::super::client::Client;
use super::super::issuer::{Issuer as Page, jwk, jwks};
use super::*;

struct Scene {
    page: Page,
    client: Client,
    clock: Clock,
    sources: KeySources,
}

impl Scene {
    async fn new() -> Self {
        Self {
            page: Page::start().await,
            client: Client::new(b"", &["127.0.0.0/8".parse().unwrap()]),
            clock: Clock::manual(time::OffsetDateTime::UNIX_EPOCH),
            sources: KeySources::default(),
        }
    }

    /// The `kid`s that are taken of the set, or why none.
    async fn at(&self, place: KeysAt) -> Result<Vec<String>, String> {
        let world = World {
            client: &self.client,
            clock: &self.clock,
        };
        let published = Published {
            place,
            max_stale_seconds: 0,
        };
        let algorithms = [Algorithm::EdDsa, "RS256".parse().unwrap()];
        let keys = self.sources.keys(world, &published, &algorithms).await;
        let keys = keys.map_err(|failure| failure.code)?;
        Ok(keys.into_iter().filter_map(|key| key.id).collect())
    }

    async fn set(&self) -> Result<Vec<String>, String> {
        let url = format!("{}/keys", self.page.peer.url);
        self.at(KeysAt::KeySet(Endpoint::parse(&url).unwrap()))
            .await
    }

    async fn discovered(&self, issuer: &str) -> Result<Vec<String>, String> {
        let document = format!("{}/.well-known/openid-configuration", self.page.peer.url);
        self.at(KeysAt::Discovery {
            document: Endpoint::parse(&document).unwrap(),
            issuer: issuer.to_owned(),
        })
        .await
    }

    fn publish(&self, body: &str) {
        self.page.put("/keys", (200, ""), body);
    }

    fn describe(&self, document: &Value) {
        let path = "/.well-known/openid-configuration";
        self.page.put(path, (200, ""), &document.to_string());
    }

    fn later(&self) {
        self.clock.advance(Duration::from_secs(30));
    }
}

#[tokio::test]
async fn what_one_entry_is_does_not_matter_to_the_others() {
    let scene = Scene::new().await;
    let mut with_use = jwk("enc");
    with_use["use"] = json!("enc");
    let mut of_other = jwk("es");
    of_other["alg"] = json!("ES256");
    let filler = json!({"kty": "AKP", "alg": "ML-DSA-65", "kid": "pq", "pub": "A".repeat(60_000)});
    let entries = [
        filler,
        with_use,
        of_other,
        json!({"kty": "OKP", "crv": "Ed25519", "x": "AA", "kid": "short"}),
        json!({"kty": "oct", "k": "AAAA", "kid": "secret"}),
        json!("no object"),
        jwk(&"k".repeat(1_025)),
        jwk("a"),
        jwk("a"),
        jwk("b"),
    ];
    scene.publish(&json!({"keys": entries, "other": 1}).to_string());
    assert_eq!(scene.set().await.unwrap(), ["a", "a", "b"]);
}

#[tokio::test]
async fn what_is_no_key_set_is_told() {
    let scene = Scene::new().await;
    let many = jwks(&["a"; 501]);
    let long = format!("{}{}", jwks(&["a"]), " ".repeat(1 << 20));
    let moved = "location: /other\r\n";
    scene.page.put("/other", (200, ""), &jwks(&["a"]));
    let set = jwks(&["a"]);
    for (status, head, body, want) in [
        (200, "", "<html>", "unreadable_keys"),
        (200, "", "{}", "unreadable_keys"),
        (200, "", many.as_str(), "unreadable_keys"),
        (200, "", long.as_str(), "answer_body"),
        (200, "", r#"{"keys": []}"#, "no_keys"),
        (200, "", r#"{"keys": [{"kty": "AKP"}]}"#, "no_keys"),
        (302, moved, "", "redirect"),
        (304, "", "", "redirect"),
        (203, "", set.as_str(), "http_203"),
        (503, "", set.as_str(), "http_503"),
    ] {
        scene.page.put("/keys", (status, head), body);
        assert_eq!(scene.set().await, Err(want.to_owned()), "{status}");
        scene.later();
    }
    assert!(scene.page.peer.paths().iter().all(|path| path == "/keys"));
}

#[tokio::test]
async fn an_issuer_says_where_its_keys_are_and_is_who_it_should_be() {
    let scene = Scene::new().await;
    scene.publish(&jwks(&["a"]));
    let at = format!("{}/keys", scene.page.peer.url);
    let it = "https://issuer.example";
    for (document, want) in [
        (
            json!({"issuer": it, "jwks_uri": at}),
            Ok(vec!["a".to_owned()]),
        ),
        (
            json!({"issuer": "https://issuer.example/", "jwks_uri": at}),
            Err("issuer_mismatch".to_owned()),
        ),
        (
            json!({"issuer": it}),
            Err("unreadable_discovery".to_owned()),
        ),
        (json!([]), Err("unreadable_discovery".to_owned())),
        (
            json!({"issuer": it, "jwks_uri": "file:///etc/passwd"}),
            Err("unreadable_discovery".to_owned()),
        ),
        (
            json!({"issuer": it, "jwks_uri": "http://169.254.169.254/"}),
            Err("address_not_allowed".to_owned()),
        ),
    ] {
        scene.describe(&document);
        assert_eq!(scene.discovered(it).await, want, "{document}");
        scene.later();
    }
}

#[tokio::test]
async fn a_set_that_is_the_same_is_not_sent_again() {
    let scene = Scene::new().await;
    let tagged = (200, "etag: \"1\"\r\n");
    scene.page.put("/keys", tagged, &jwks(&["a"]));
    assert_eq!(scene.set().await.unwrap(), ["a"]);
    scene.later();
    // Whoever shows the tag is answered 304, and has the keys.
    scene.page.put("/keys", tagged, &jwks(&["unseen"]));
    assert_eq!(scene.set().await.unwrap(), ["a"]);
    scene.later();
    scene
        .page
        .put("/keys", (200, "etag: \"2\"\r\n"), &jwks(&["b"]));
    assert_eq!(scene.set().await.unwrap(), ["b"]);
    assert_eq!(scene.page.peer.times(), 3);
}

#[tokio::test]
async fn a_source_is_asked_once_in_thirty_seconds_for_however_many() {
    let scene = Scene::new().await;
    scene.publish(&jwks(&["a"]));
    for _ in 0..100 {
        assert_eq!(scene.set().await.unwrap(), ["a"]);
    }
    assert_eq!(scene.page.peer.times(), 1);
    scene.later();
    scene.publish(&jwks(&["b"]));
    assert_eq!(scene.set().await.unwrap(), ["b"]);
}

#[tokio::test]
async fn who_waits_for_a_source_takes_what_it_says_to_another() {
    let scene = Scene::new().await;
    scene.gate(false);
    let waiting = async { tokio::join!(scene.set(), scene.set(), scene.set()) };
    let open = async {
        scene.page.peer.asked(1).await;
        scene.gate(true);
    };
    let (outcomes, ()) = tokio::join!(waiting, open);
    let missing = Err("http_404".to_owned());
    assert_eq!(outcomes, (missing.clone(), missing.clone(), missing));
    assert_eq!(scene.page.peer.times(), 1);
}

#[tokio::test]
async fn a_source_that_fails_is_asked_once_in_thirty_seconds_for_however_many() {
    let scene = Scene::new().await;
    for _ in 0..100 {
        assert_eq!(scene.set().await, Err("http_404".to_owned()));
    }
    assert_eq!(scene.page.peer.times(), 1);
    scene.publish(&jwks(&["a"]));
    scene.later();
    assert_eq!(scene.set().await.unwrap(), ["a"]);
}

impl Scene {
    fn gate(&self, is_open: bool) {
        self.page.peer.gate.send_replace(is_open);
    }
}
