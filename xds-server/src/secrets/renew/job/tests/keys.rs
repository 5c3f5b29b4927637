use requestrocket_proto::policy::v1 as wire;
use requestrocket_proto::policy::v1::proxy_credential::Presented;

use super::*;
use crate::records::assemble::assemble_all;
use crate::records::record::Records;
use crate::records::region_config::ProxyConfig;
use crate::secrets::renew::issuer::{Issuer, jwks};

const DAY_S: u64 = 86_400;

fn only_proxy(records: &Records) -> ProxyConfig {
    let (_, assembled) = assemble_all(records).next().unwrap();
    assembled.config.unwrap()
}

/// A proxy with a caller whose keys are published.
struct Keys {
    scene: Scene,
    issuer: Issuer,
}

impl Keys {
    async fn new(store: crate::store::tests::TestStore) -> Self {
        let issuer = Issuer::start().await;
        issuer.put("/keys", (200, ""), &jwks(&["a"]));
        let mut scene = Scene::bare(store).await;
        let credential = caller(&scene, 1, &issuer);
        scene
            .apply(vec![
                organisation(false),
                target(&id(30), "https://a.example"),
                credential,
                proxy(&id(1), &[&id(20)], &id(30), ""),
            ])
            .await;
        Self { scene, issuer }
    }

    /// What the proxy's Envoys verify with.
    async fn verified(&self) -> wire::SignedToken {
        match &only_proxy(&self.scene.records().await).proxy_credentials[0].presented {
            Presented::SignedToken(token) => token.clone(),
            other => panic!("{other:?}"),
        }
    }

    async fn kids(&self) -> Vec<String> {
        let keys = self.verified().await.keys.into_iter();
        keys.filter_map(|key| key.key_id).collect()
    }

    fn publish(&self, status: u16, kids: &[&str]) {
        self.issuer.put("/keys", (status, ""), &jwks(kids));
    }

    fn times(&self) -> usize {
        self.issuer.peer.times()
    }
}

fn caller(scene: &Scene, version: u64, issuer: &Issuer) -> region::Change {
    let secret = json!({"jwksUri": format!("{}/keys", issuer.peer.url), "audience": ["me"]});
    let side = (CredentialSide::Proxy, Auth::JwtVerify);
    let region = &scene.region;
    region.credential(&id(20), version, side, &secret.to_string())
}

#[tokio::test]
async fn keys_are_fetched_once_an_hour_and_given_to_the_filter() {
    for store in test_stores().await {
        let keys = Keys::new(store).await;
        let before = keys.verified().await;
        assert!(before.is_key_set && before.keys.is_empty());
        assert_eq!(keys.scene.life().await, (TokenStatus::Obtaining, 0, None));
        keys.scene.renew().await;
        assert_eq!(keys.kids().await, ["a"]);
        assert_eq!(keys.scene.life().await, (TokenStatus::Active, 0, None));
        keys.scene.advance(2_879);
        keys.scene.renew().await;
        assert_eq!(keys.times(), 1, "it is not due");
        keys.publish(200, &["a", "b"]);
        keys.scene.advance(642);
        keys.scene.renew().await;
        assert_eq!(keys.kids().await, ["a", "b"]);
    }
}

#[tokio::test]
async fn what_does_not_change_is_not_sent_again() {
    for store in test_stores().await {
        let keys = Keys::new(store).await;
        keys.scene.renew().await;
        let first = keys.verified().await;
        assert!(first.keys_until_ms > 0);
        for _ in 0..3 {
            keys.scene.advance(3_600);
            keys.scene.renew().await;
            assert_eq!(keys.verified().await, first);
        }
        assert_eq!(keys.times(), 4);
    }
}

#[tokio::test]
async fn the_last_keys_serve_for_a_day_when_the_source_is_down() {
    for store in test_stores().await {
        let keys = Keys::new(store).await;
        keys.scene.renew().await;
        keys.publish(503, &[]);
        keys.scene.advance(3_600);
        keys.scene.renew().await;
        let code = Some("http_503".to_owned());
        assert_eq!(keys.scene.life().await, (TokenStatus::Failing, 1, code));
        assert_eq!(keys.kids().await, ["a"]);
        keys.scene.advance(DAY_S - 3_601);
        keys.scene.renew().await;
        assert_eq!(keys.kids().await, ["a"]);
        let row = keys.scene.row().await.unwrap();
        let end_ms = row.life.expires_at_ms.unwrap();
        assert!(row.life.next_at_ms.unwrap() <= end_ms, "looked at in time");
        assert!(end_ms <= keys.verified().await.keys_until_ms);
        keys.scene.advance(1);
        keys.scene.renew().await;
        assert_eq!(keys.kids().await, Vec::<String>::new());
        assert_eq!(keys.scene.life().await.0, TokenStatus::Failing);
        // And back.
        keys.publish(200, &["b"]);
        keys.scene.advance(300);
        keys.scene.renew().await;
        assert_eq!(keys.kids().await, ["b"]);
        assert_eq!(keys.scene.life().await, (TokenStatus::Active, 0, None));
    }
}

#[tokio::test]
async fn a_set_without_keys_lets_nobody_in() {
    for store in test_stores().await {
        let keys = Keys::new(store).await;
        keys.scene.renew().await;
        keys.publish(200, &[]);
        keys.scene.advance(3_600);
        keys.scene.renew().await;
        assert_eq!(keys.kids().await, Vec::<String>::new());
        let code = Some("no_keys".to_owned());
        assert_eq!(keys.scene.life().await, (TokenStatus::Failing, 1, code));
    }
}

#[tokio::test]
async fn a_region_that_starts_again_has_the_keys() {
    for store in test_stores().await {
        let keys = Keys::new(store).await;
        keys.scene.renew().await;
        let before = keys.verified().await;
        let publisher = Arc::new(Publisher::new(translation()));
        let ingest = keys.scene.region.ingest.clone();
        let writer = RegionWriter::new(ingest, Arc::clone(&publisher));
        writer.load().await.unwrap();
        assert_eq!(publisher.subscribe().borrow().proxies(), 1);
        assert_eq!(keys.verified().await, before);
        assert_eq!(keys.times(), 1);
    }
}

#[tokio::test]
async fn another_secret_begins_without_keys_and_the_former_keeps_its_own() {
    for store in test_stores().await {
        let mut keys = Keys::new(store).await;
        keys.scene.renew().await;
        let mut other = caller(&keys.scene, 2, &keys.issuer);
        if let Some(region::change::Kind::Credential(credential)) = &mut other.kind {
            credential.previous_ends_at_ms = u64::MAX / 2;
        }
        keys.scene.apply(vec![other]).await;
        assert!(keys.kids().await.is_empty());
        let proxy = only_proxy(&keys.scene.records().await);
        let previous = proxy.proxy_credentials[0].previous.as_ref().unwrap();
        let Presented::SignedToken(token) = &previous.presented else {
            panic!("no token");
        };
        assert_eq!(token.keys.len(), 1);
        keys.scene.advance(30);
        keys.scene.renew().await;
        assert_eq!(keys.kids().await, ["a"]);
    }
}

/// Every proxy of the credential carries them, and each refresh sends them again.
#[tokio::test]
async fn more_keys_than_a_proxy_may_carry_are_not_taken() {
    for store in test_stores().await {
        let keys = Keys::new(store).await;
        let long: Vec<String> = (0..300).map(|number| format!("{number:0>250}")).collect();
        let long: Vec<&str> = long.iter().map(String::as_str).collect();
        keys.publish(200, &long);
        keys.scene.renew().await;
        assert!(keys.kids().await.is_empty());
        let code = Some("too_many_keys".to_owned());
        assert_eq!(keys.scene.life().await.2, code);
    }
}

/// Refreshes of one organisation do not keep the changes of all others waiting.
#[tokio::test]
async fn what_a_refresh_published_is_paid_for_before_the_next() {
    for store in test_stores().await {
        let keys = Keys::new(store).await;
        let pace = &keys.scene.renewals.pace;
        keys.scene.renew().await;
        let now_ms = keys.scene.renewals.now_ms();
        assert!(pace.free_at_ms(ORGANISATION) > now_ms, "it is not paid for");
        pace.published(ORGANISATION, 10 * 3_600_000 * 500, now_ms);
        let paid_ms = pace.free_at_ms(ORGANISATION);
        keys.publish(200, &["b"]);
        keys.scene.advance(3_600);
        keys.scene.renew().await;
        assert_eq!(keys.kids().await, ["b"]);
        let next_ms = keys.scene.row().await.unwrap().life.next_at_ms;
        assert_eq!(next_ms, Some(paid_ms));
    }
}

impl Keys {
    /// What a node is told that met a token of an unknown key, while the region works.
    async fn renewed(&self) -> bool {
        let renewals = self.scene.asked_by_nodes();
        let credential = id(20);
        self.scene.working(renewals.renew(&credential)).await
    }
}

#[tokio::test]
async fn an_unknown_key_has_the_set_looked_at_once_in_thirty_seconds() {
    for store in test_stores().await {
        let keys = Keys::new(store).await;
        assert!(!keys.renewed().await, "they are on their way anyhow");
        keys.scene.renew().await;
        keys.publish(200, &["b"]);
        keys.scene.advance(29);
        for _ in 0..100 {
            assert!(!keys.renewed().await);
        }
        assert_eq!(keys.times(), 1);
        keys.scene.advance(1);
        assert!(keys.renewed().await);
        assert_eq!(keys.kids().await, ["b"]);
        assert!(!keys.renewed().await);
        assert_eq!(keys.times(), 2);
    }
}

#[tokio::test]
async fn a_source_that_fails_is_not_asked_for_strangers() {
    for store in test_stores().await {
        let keys = Keys::new(store).await;
        keys.scene.renew().await;
        keys.publish(503, &[]);
        keys.scene.advance(30);
        assert!(!keys.renewed().await, "it was asked in vain");
        assert_eq!(keys.scene.life().await.0, TokenStatus::Failing);
        let times = keys.times();
        assert!(!keys.renewed().await);
        assert_eq!(keys.times(), times);
        assert_eq!(keys.kids().await, ["a"]);
    }
}
