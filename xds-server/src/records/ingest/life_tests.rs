//! The life of credentials: when they end, and what is accepted besides.

use requestrocket_proto::policy::v1::proxy_credential::Presented;
use requestrocket_proto::region::v1::change::Kind;

use super::*;
use crate::fixtures::*;
use crate::records::region_config::ProxyConfig;
use crate::store::tests::{fresh_sqlite, test_stores};

const END_MS: u64 = 1_900_000_000_000;

/// Proxy 1 with caller 10, target 30 and target credential 20.
async fn synced(region: &Region) {
    let changes = vec![
        organisation(false),
        region.caller(&id(10), 1, CANARY),
        region.bearer(&id(20), 1, CANARY),
        target(&id(30), "https://api.example.com/v1"),
        proxy(&id(1), &[&id(10)], &id(30), &id(20)),
    ];
    region.ingest.apply_full(1, changes).await.unwrap();
}

/// The credential as it comes when its secret is known.
fn changed(
    mut given: region::Change,
    change: impl FnOnce(&mut region::Credential),
) -> region::Change {
    if let Some(Kind::Credential(credential)) = &mut given.kind {
        credential.sealed_secret = Vec::new().into();
        change(credential);
    }
    given
}

/// Proxy 1 after the change, which concerns it.
async fn after(region: &Region, revision: u64, change: region::Change) -> ProxyConfig {
    let update = region.ingest.apply_delta(revision, vec![change]);
    match update.await.unwrap() {
        RegionUpdate::Delta(touched) => touched.into_iter().next().unwrap().1.unwrap(),
        RegionUpdate::Full(_) => panic!("full"),
    }
}

#[tokio::test]
async fn a_credential_gets_an_end_and_loses_it_without_a_new_secret() {
    for store in test_stores().await {
        let region = Region::with(store).await;
        synced(&region).await;
        for (revision, ends_at_ms) in [(2, END_MS), (3, 0), (4, END_MS)] {
            let ending = |credential: &mut region::Credential| credential.ends_at_ms = ends_at_ms;
            let caller = changed(region.caller(&id(10), 1, CANARY), ending);
            let config = after(&region, revision, caller).await;
            assert_eq!(config.proxy_credentials[0].ends_at_ms, ends_at_ms);
            let injected = changed(region.bearer(&id(20), 1, CANARY), ending);
            let config = after(&region, revision, injected).await;
            let injected = config.target_credential.unwrap();
            assert_eq!(injected.ends_at_ms, ends_at_ms);
            assert!(!injected.injections.is_empty());
        }
    }
}

fn rotated(mut given: region::Change, previous_ends_at_ms: u64) -> region::Change {
    if let Some(Kind::Credential(credential)) = &mut given.kind {
        credential.previous_ends_at_ms = previous_ends_at_ms;
    }
    given
}

/// What callers may present to the proxy besides, with its end.
fn previous(config: &ProxyConfig) -> Option<(&Presented, u64)> {
    let previous = config.proxy_credentials[0].previous.as_ref()?;
    Some((&previous.presented, previous.ends_at_ms))
}

#[tokio::test]
async fn a_former_secret_is_accepted_until_its_end_or_until_it_is_taken_back() {
    for store in test_stores().await {
        let region = Region::with(store).await;
        synced(&region).await;
        let first = region.ingest.load().await.unwrap().1;
        let RegionUpdate::Full(first) = first else {
            panic!("delta")
        };
        let first = first[0].proxy_credentials[0].presented.clone();
        let second = || region.caller(&id(10), 2, "the second secret");
        let config = after(&region, 2, rotated(second(), END_MS)).await;
        assert_eq!(previous(&config), Some((&first, END_MS)));
        let second_presented = config.proxy_credentials[0].presented.clone();
        assert_ne!(second_presented, first);

        // It is kept without its secret, with another end, and through a start.
        let off = |credential: &mut region::Credential| credential.is_active = false;
        let again = changed(rotated(second(), END_MS + 1), off);
        let config = after(&region, 3, again).await;
        assert_eq!(previous(&config), Some((&first, END_MS + 1)));
        let RegionUpdate::Full(loaded) = region.ingest.load().await.unwrap().1 else {
            panic!("delta")
        };
        assert_eq!(previous(&loaded[0]), Some((&first, END_MS + 1)));

        let taken_back = changed(second(), |_| ());
        let config = after(&region, 4, taken_back).await;
        assert_eq!(previous(&config), None);
        // What was taken back does not return.
        let config = after(&region, 5, changed(rotated(second(), END_MS), off)).await;
        assert_eq!(previous(&config), None);
        let third = rotated(region.caller(&id(10), 3, "the third secret"), END_MS);
        let config = after(&region, 6, third).await;
        assert_eq!(previous(&config), Some((&second_presented, END_MS)));
    }
}

#[tokio::test]
async fn without_an_overlap_or_the_version_before_nothing_else_is_accepted() {
    for (version, ends_at_ms) in [(2, 0), (3, END_MS), (1, END_MS)] {
        let region = Region::with(fresh_sqlite().await).await;
        synced(&region).await;
        let secret = region.caller(&id(10), version, "another secret");
        let config = after(&region, 2, rotated(secret, ends_at_ms)).await;
        assert_eq!(previous(&config), None, "{version} {ends_at_ms}");
    }
}
