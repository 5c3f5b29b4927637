use std::collections::BTreeSet;

use requestrocket_proto::region::v1::change::Kind;

use super::*;
use crate::domain::gateway::base_url::BaseUrl;
use crate::domain::records::{id_of, name_of, target};
use crate::store::gateway::region::region_fetch;
use crate::store::gateway::target::target_insert;
use crate::store::log::write::Kind as RecordKind;
use crate::store::testing::{TestStore, note, put_base, run, sqlite, stores};

/// Puts a target into eu-1 at `revision`.
async fn put(store: &TestStore, name: &str, base_url: &str, revision: u64) {
    let mut conn = store.conn().await;
    let mut target = target(name);
    target.form.base_url = BaseUrl::stored(base_url.to_owned());
    target_insert(&mut conn, &target).await.unwrap();
    note(&mut conn, "eu-1", RecordKind::Target, name, revision).await;
}

async fn remove(store: &TestStore, name: &str, revision: i64) {
    let id = id_of(name);
    let statements = format!(
        "DELETE FROM target WHERE target_id = '{id}';
         UPDATE change SET revision = {revision}, is_removed = 1 WHERE record_id = '{id}';
         UPDATE revision SET newest = {revision}"
    );
    run(&mut *store.conn().await, &statements).await;
}

async fn based() -> Vec<TestStore> {
    let stores = stores().await;
    for store in &stores {
        put_base(store).await;
    }
    stores
}

async fn begin(store: &TestStore, region: &str, stored: u64) -> Feed {
    let mut conn = store.conn().await;
    let row = region_fetch(&mut conn, region).await.unwrap().unwrap();
    Feed::begin(&mut conn, &region.parse().unwrap(), &row, stored)
        .await
        .unwrap()
}

/// What a test calls the records of a batch; one that is removed has a dash before it.
fn names(batch: &ConfigBatch) -> Vec<String> {
    let name = |change: &Change| match change.kind.clone().unwrap() {
        Kind::Organisation(organisation) => name_of(&organisation.organisation_id),
        Kind::Credential(credential) => name_of(&credential.credential_id),
        Kind::Target(target) => name_of(&target.target_id),
        Kind::Proxy(proxy) => name_of(&proxy.proxy_id),
        Kind::Removed(removed) => format!("-{}", name_of(&removed.id)),
    };
    batch.changes.iter().map(name).collect()
}

#[tokio::test]
async fn a_new_region_gets_everything_and_then_only_what_changes() {
    for store in based().await {
        put(&store, "t1", "http://a", 2).await;
        put(&store, "t2", "http://b", 3).await;
        remove(&store, "t1", 4).await;
        let mut feed = begin(&store, "eu-1", 0).await;
        assert_eq!(feed.told(), 0);
        let full = feed.next(&store.db).await.unwrap().unwrap();
        assert_eq!((full.revision, full.is_full, full.is_last), (4, true, true));
        assert_eq!(names(&full), ["o", "t2"]);
        assert_eq!(feed.next(&store.db).await.unwrap(), None);
        put(&store, "t3", "http://c", 5).await;
        remove(&store, "t2", 6).await;
        let delta = feed.next(&store.db).await.unwrap().unwrap();
        assert_eq!(
            (delta.revision, delta.is_full, delta.is_last),
            (6, false, true)
        );
        assert_eq!(names(&delta), ["t3", "-t2"]);
        assert_eq!(feed.next(&store.db).await.unwrap(), None);
        assert_eq!(feed.told(), 6);
    }
}

#[tokio::test]
async fn a_region_without_records_still_gets_an_end_of_its_full_sync() {
    for store in based().await {
        put(&store, "t1", "http://a", 2).await;
        let mut feed = begin(&store, "us-1", 0).await;
        let full = feed.next(&store.db).await.unwrap().unwrap();
        assert_eq!((full.revision, full.is_full, full.is_last), (2, true, true));
        assert_eq!(names(&full), ["o"]);
    }
}

#[tokio::test]
async fn where_a_region_stands_decides_between_delta_and_full_sync() {
    for store in based().await {
        put(&store, "t1", "http://a", 2).await;
        put(&store, "t2", "http://b", 3).await;
        let raise = "UPDATE region SET log_horizon = 2 WHERE region_name = 'eu-1'";
        run(&mut *store.conn().await, raise).await;
        for (stored, is_full) in [
            (0, true),
            (1, true),
            (2, false),
            (3, false),
            (4, true),
            (u64::MAX, true),
        ] {
            let feed = begin(&store, "eu-1", stored).await;
            assert_eq!(feed.is_full, is_full, "{stored}");
        }
        let mut feed = begin(&store, "eu-1", 2).await;
        assert_eq!(names(&feed.next(&store.db).await.unwrap().unwrap()), ["t2"]);
    }
}

#[tokio::test]
async fn many_changes_come_in_batches_and_each_record_once() {
    for store in based().await {
        for number in 0..1_100 {
            put(&store, &format!("t{number:04}"), "http://a", 2 + number / 2).await;
        }
        for stored in [0, 1] {
            let mut feed = begin(&store, "eu-1", stored).await;
            let (mut seen, mut sizes, mut told) = (BTreeSet::new(), Vec::new(), 1);
            while let Some(batch) = feed.next(&store.db).await.unwrap() {
                assert_eq!(batch.is_full, stored == 0);
                assert!(batch.revision >= told, "revisions never go back");
                told = batch.revision;
                sizes.push((batch.changes.len(), batch.is_last));
                for name in names(&batch) {
                    assert!(seen.insert(name), "told twice");
                }
            }
            let targets = seen.iter().filter(|name| name.starts_with('t')).count();
            assert_eq!((targets, told), (1_100, 551));
            let total = if stored == 0 { 1_101 } else { 1_100 };
            assert_eq!(sizes, [(500, false), (500, false), (total - 1_000, true)]);
        }
    }
}

#[tokio::test]
async fn a_batch_that_ends_inside_a_revision_does_not_claim_it() {
    for store in based().await {
        put(&store, "t0", "http://a", 2).await;
        for number in 0..600 {
            put(&store, &format!("u{number:03}"), "http://a", 3).await;
        }
        let mut feed = begin(&store, "eu-1", 1).await;
        let first = feed.next(&store.db).await.unwrap().unwrap();
        assert_eq!((first.revision, first.changes.len()), (2, 500));
        let second = feed.next(&store.db).await.unwrap().unwrap();
        assert_eq!((second.revision, second.changes.len()), (3, 101));
    }
}

#[tokio::test]
async fn large_records_make_small_batches() {
    let store = sqlite().await;
    put_base(&store).await;
    let long = format!("http://{}", "a".repeat(400 * 1024));
    for number in 0..6 {
        put(&store, &format!("t{number}"), &long, 2 + number).await;
    }
    let mut feed = begin(&store, "eu-1", 1).await;
    let mut sizes = Vec::new();
    while let Some(batch) = feed.next(&store.db).await.unwrap() {
        assert!(batch.encoded_len() < 2 * FULL_BATCH_BYTES);
        sizes.push((batch.changes.len(), batch.revision, batch.is_last));
    }
    assert_eq!(sizes, [(3, 4, false), (3, 7, true)]);
}

#[tokio::test]
async fn a_record_that_changes_during_a_full_sync_is_not_missed() {
    let store = sqlite().await;
    put_base(&store).await;
    for number in 0..600 {
        put(&store, &format!("t{number:03}"), "http://a", 2 + number).await;
    }
    let mut feed = begin(&store, "eu-1", 0).await;
    let first = feed.next(&store.db).await.unwrap().unwrap();
    assert!(!first.is_last);
    let id = id_of("t599");
    let late = format!(
        "UPDATE change SET revision = 700 WHERE record_id = '{id}';
         UPDATE revision SET newest = 700"
    );
    run(&mut *store.conn().await, &late).await;
    let second = feed.next(&store.db).await.unwrap().unwrap();
    assert!(second.is_last && names(&second).contains(&"t599".to_owned()));
    assert_eq!(second.revision, 700);
}

#[tokio::test]
async fn a_record_that_goes_during_a_full_sync_is_taken_back() {
    let store = sqlite().await;
    put_base(&store).await;
    for number in 0..600 {
        put(&store, &format!("t{number:03}"), "http://a", 2 + number).await;
    }
    let mut feed = begin(&store, "eu-1", 0).await;
    let first = feed.next(&store.db).await.unwrap().unwrap();
    assert!(names(&first).contains(&"t000".to_owned()));
    remove(&store, "t000", 700).await;
    let second = feed.next(&store.db).await.unwrap().unwrap();
    assert!(second.is_full && second.is_last);
    assert!(names(&second).contains(&"-t000".to_owned()));
}
