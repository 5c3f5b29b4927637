//! Second secrets of target credentials: kept, given from their moment on, and taken back.

use requestrocket_policy::envelope::Binding;
use requestrocket_proto::policy::v1::TargetCredential;
use requestrocket_proto::region::v1::change::Kind;
use requestrocket_proto::region::v1::{CredentialAuthType as Auth, CredentialSide};
use time::macros::datetime;

use super::*;
use crate::fixtures::*;
use crate::records::region_config::ProxyConfig;
use crate::store::tests::{TestStore, test_stores};

const FIRST: &str = "the first secret";
const SECOND: &str = "the second secret";

/// One whose clock stands still.
async fn region_at(store: TestStore) -> (Region, Clock, u64) {
    let mut region = Region::with(store).await;
    let clock = Clock::manual(datetime!(2026-03-01 12:00 UTC));
    let (store, keys) = (region.store.store.clone(), Arc::clone(&region.keys));
    region.ingest = Ingest::at(store, REGION.to_owned(), keys, clock.clone());
    let changes = vec![
        organisation(false),
        region.caller(&id(10), 1, CANARY),
        region.bearer(&id(20), 1, FIRST),
        target(&id(30), "https://api.example.com/v1"),
        proxy(&id(1), &[&id(10)], &id(30), &id(20)),
    ];
    region.ingest.apply_full(1, changes).await.unwrap();
    let now_ms = clock.unix_ms();
    (region, clock, now_ms)
}

/// The target credential with a second secret of version 2, which comes along once.
fn with_next(region: &Region, secret: Option<&str>, given_from_ms: u64) -> region::Change {
    let sealed = secret.map(|token| sealed(region, 2, &format!(r#"{{"token": "{token}"}}"#)));
    let mut change = region.bearer(&id(20), 1, FIRST);
    of(&mut change).sealed_secret = Vec::new().into();
    of(&mut change).next = Some(region::NextSecret {
        version: 2,
        sealed_secret: sealed.unwrap_or_default().into(),
        given_from_ms,
    });
    change
}

fn sealed(region: &Region, version: u64, json: &str) -> Vec<u8> {
    let ids = (ORGANISATION.parse().unwrap(), id(20).parse().unwrap());
    let binding = Binding::secret(REGION, ids.0, ids.1, version);
    let sealing = region.keys.sealing.public_key();
    sealing.seal(json.as_bytes(), &binding).unwrap()
}

fn of(change: &mut region::Change) -> &mut region::Credential {
    match change.kind.as_mut() {
        Some(Kind::Credential(credential)) => credential,
        _ => panic!("no credential"),
    }
}

fn given(update: RegionUpdate) -> Vec<TargetCredential> {
    let configs: Vec<ProxyConfig> = match update {
        RegionUpdate::Full(configs) => configs,
        RegionUpdate::Delta(configs) => configs.into_iter().filter_map(|(_, it)| it).collect(),
    };
    let given = configs.into_iter();
    given.map(|it| it.target_credential.unwrap()).collect()
}

/// What the target of proxy 1 is given, opened, after all is loaded again.
async fn shown(region: &Region) -> String {
    let update = region.ingest.load().await.unwrap().1;
    let [given] = given(update).try_into().unwrap();
    let mut tx = region.store.store.begin().await.unwrap();
    let records = records_fetch_all(&mut tx).await.unwrap();
    let keys = &records.organisations[ORGANISATION].keys;
    let credential = crate::records::record::Credential {
        version: given.version,
        ..records.credentials[&id(20)].clone()
    };
    let of = (REGION, &*region.keys);
    crate::secrets::recipe::opened(of, keys, &credential, &given.injections[0])
}

async fn delta(region: &Region, revision: u64, change: region::Change) -> Vec<u64> {
    let update = region.ingest.apply_delta(revision, vec![change]).await;
    given(update.unwrap()).iter().map(|it| it.version).collect()
}

#[tokio::test]
async fn a_second_secret_is_given_from_its_moment_on() {
    for store in test_stores().await {
        let (region, clock, now_ms) = region_at(store).await;
        let change = with_next(&region, Some(SECOND), now_ms + 5_000);
        assert_eq!(delta(&region, 2, change).await, [1]);
        assert_eq!(shown(&region).await, format!("Bearer {FIRST}"));
        clock.advance(std::time::Duration::from_millis(4_999));
        assert!(
            region
                .ingest
                .switch(clock.unix_ms())
                .await
                .unwrap()
                .is_none()
        );
        clock.advance(std::time::Duration::from_millis(1));
        let switched = region.ingest.switch(clock.unix_ms()).await.unwrap();
        let (revision, update) = switched.unwrap();
        assert_eq!((revision, given(update)[0].version), (2, 2));
        assert_eq!(shown(&region).await, format!("Bearer {SECOND}"));
        assert!(
            region
                .ingest
                .switch(clock.unix_ms())
                .await
                .unwrap()
                .is_none()
        );
        // The record comes again, without secrets: nothing is touched, and nothing lost.
        let again = with_next(&region, None, now_ms + 5_000);
        assert_eq!(delta(&region, 3, again).await, [0; 0]);
        // By hand to the first, and to the second.
        assert_eq!(delta(&region, 4, with_next(&region, None, 0)).await, [1]);
        assert_eq!(shown(&region).await, format!("Bearer {FIRST}"));
        assert_eq!(
            delta(&region, 5, with_next(&region, None, now_ms)).await,
            [2]
        );
        assert_eq!(shown(&region).await, format!("Bearer {SECOND}"));
        // It takes the place of the first, which is gone.
        let mut promoted = region.bearer(&id(20), 2, FIRST);
        of(&mut promoted).sealed_secret = Vec::new().into();
        assert_eq!(delta(&region, 6, promoted).await, [2]);
        assert_eq!(shown(&region).await, format!("Bearer {SECOND}"));
        assert!(region.ingest.slots().borrow().is_empty());
        assert!(region.ingest.unusable().borrow().is_empty());
    }
}

#[tokio::test]
async fn a_second_secret_that_targets_refuse_is_not_given_any_more() {
    for store in test_stores().await {
        let (region, _, now_ms) = region_at(store).await;
        let change = with_next(&region, Some(SECOND), now_ms);
        assert_eq!(delta(&region, 2, change).await, [2]);
        let id = id(20);
        let back = |version| region.ingest.switch_back((&id, version), now_ms + 7);
        assert!(back(1).await.unwrap().is_none(), "it is not that one");
        let (_, update) = back(2).await.unwrap().unwrap();
        assert_eq!(given(update)[0].version, 1);
        assert!(back(2).await.unwrap().is_none(), "it is back");
        assert_eq!(shown(&region).await, format!("Bearer {FIRST}"));
        assert!(region.ingest.switch(now_ms + 8).await.unwrap().is_none());
        let state = *region.ingest.slots().borrow().get(id.as_str()).unwrap();
        assert_eq!((state.version, state.failed_at_ms), (2, now_ms + 7));
        // Whatever the control plane says while it does not know.
        let still = delta(&region, 3, with_next(&region, None, now_ms + 1)).await;
        assert_eq!(still, [1]);
        // Another one is on trial again.
        let mut change = with_next(&region, None, now_ms);
        of(&mut change).next = Some(region::NextSecret {
            version: 3,
            sealed_secret: sealed(&region, 3, r#"{"token": "third"}"#).into(),
            given_from_ms: now_ms,
        });
        assert_eq!(delta(&region, 4, change).await, [3]);
        assert_eq!(shown(&region).await, "Bearer third");
    }
}

#[tokio::test]
async fn a_second_secret_that_cannot_be_used_is_never_given() {
    for store in test_stores().await {
        let (region, _, now_ms) = region_at(store).await;
        let bad = r#"{"token": "a\r\nX-Evil: 1"}"#;
        for (revision, sealed_secret) in [
            (2, Vec::new()),
            (3, sealed(&region, 7, r#"{"token": "of another version"}"#)),
            (4, sealed(&region, 4, bad)),
        ] {
            let mut change = with_next(&region, None, now_ms);
            of(&mut change).next = Some(region::NextSecret {
                version: revision,
                sealed_secret: sealed_secret.into(),
                given_from_ms: now_ms,
            });
            assert_eq!(delta(&region, revision, change).await, [1]);
            assert_eq!(shown(&region).await, format!("Bearer {FIRST}"));
            let state = *region.ingest.slots().borrow().get(id(20).as_str()).unwrap();
            assert_eq!((state.version, state.failed_at_ms), (revision, now_ms));
        }
        // What is obtained has one secret only.
        let oauth = r#"{"grantType": "client_credentials", "clientId": "me", "clientSecret": "s",
                        "tokenUrl": "https://a.example/token"}"#;
        let kind = (CredentialSide::Target, Auth::Oauth2);
        let mut change = region.credential(&id(20), 5, kind, oauth);
        of(&mut change).next = Some(region::NextSecret {
            version: 6,
            sealed_secret: sealed(&region, 6, oauth).into(),
            given_from_ms: now_ms,
        });
        assert_eq!(delta(&region, 5, change).await, [5]);
    }
}
