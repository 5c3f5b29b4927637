//! The life of credentials: when they end.

use requestrocket_proto::region::v1::change::Kind;

use super::*;
use crate::fixtures::*;
use crate::records::region_config::ProxyConfig;
use crate::store::tests::test_stores;

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
