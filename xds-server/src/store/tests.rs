//! Every test runs on SQLite, and on PostgreSQL when `REQUESTROCKET_TEST_POSTGRES_URL` is set.

use std::num::NonZeroU32;

use requestrocket_policy::destination::AllowedHosts;
use requestrocket_policy::limit::{Counter, CounterKind, Micros, Window};
use requestrocket_policy::secret_form::auth_type::Side;
use requestrocket_process::test_db::EmptyDb;
use requestrocket_proto::policy::v1 as wire;
use requestrocket_proto::region::v1::Cors;

use super::affected::{Changed, affected_fetch};
use super::counter::*;
use super::credential::*;
use super::organisation::*;
use super::proxy::*;
use super::records::*;
use super::retain::records_retain;
use super::state::*;
use super::target::*;
use super::*;
use crate::fixtures::{layer_denying, limits, meter};
use crate::meters::totals::{Incarnation, Key, Row};
use crate::records::record::*;

/// A fresh store and what keeps its files alive.
pub(crate) struct TestStore {
    pub(crate) store: Store,
    empty: EmptyDb,
}

impl TestStore {
    async fn of(empty: EmptyDb) -> Self {
        let store = Store::open(&empty.url).await.unwrap();
        Self { store, empty }
    }

    /// The same database, as another server has it.
    pub(crate) async fn again(&self) -> Store {
        Store::open(self.url()).await.unwrap()
    }

    pub(crate) fn url(&self) -> &str {
        &self.empty.url
    }

    /// Where SQLite keeps its files.
    pub(crate) fn folder(&self) -> &std::path::Path {
        self.empty.folder()
    }
}

/// One fresh store for each database at hand.
pub(crate) async fn test_stores() -> Vec<TestStore> {
    let mut stores = Vec::new();
    for empty in EmptyDb::each().await.unwrap() {
        stores.push(TestStore::of(empty).await);
    }
    stores
}

pub(crate) async fn fresh_sqlite() -> TestStore {
    TestStore::of(EmptyDb::sqlite().unwrap()).await
}

fn organisation(id: &str) -> Organisation {
    let keys = OrganisationKeys {
        data_key: vec![1, 2, 255],
        digest_key: vec![3],
    };
    Organisation {
        organisation_id: id.to_owned(),
        is_suspended: false,
        credential_limits: limits(60),
        keys,
    }
}

fn digest() -> StoredSecret {
    let digests = vec![wire::SecretDigest {
        hmac_sha256: vec![7; 32].into(),
        valid_until_ms: 5,
    }];
    StoredSecret::Presented(wire::proxy_credential::Presented::ApiKey(wire::ApiKey {
        digests,
    }))
}

fn injection() -> StoredSecret {
    StoredSecret::Injections(vec![wire::Injection {
        location: wire::Location::Header.into(),
        name: "Authorization".to_owned(),
        sealed_value: vec![9; 40].into(),
        reads_body: false,
        bytes_before: 0,
        bytes_behind: 0,
    }])
}

pub(crate) fn credential(id: &str, side: Side) -> Credential {
    let secret = match side {
        Side::Proxy => digest(),
        Side::Target => injection(),
    };
    Credential {
        credential_id: id.to_owned(),
        organisation_id: "o".to_owned(),
        side,
        is_active: true,
        version: 3,
        ends_at_ms: 1_700_000_000_000,
        allowed_hosts: AllowedHosts::read(vec!["a.example".to_owned(), "*.b.example".to_owned()]),
        secret: Ok(secret),
        next: None,
        previous: match digest() {
            StoredSecret::Presented(presented) if side == Side::Proxy => Some(PreviousSecret {
                presented,
                ends_at_ms: 1_800_000_000_000,
            }),
            StoredSecret::Presented(_)
            | StoredSecret::Injections(_)
            | StoredSecret::Obtained(..)
            | StoredSecret::Published(..) => None,
        },
        layer: layer_denying(&[id]),
    }
}

fn target(id: &str) -> Target {
    Target {
        target_id: id.to_owned(),
        organisation_id: "o".to_owned(),
        base_url: "https://api.example.com/v1".to_owned(),
        layer: layer_denying(&[id]),
        check_seconds: 0,
        test_path: String::new(),
    }
}

fn proxy(id: &str, callers: &[&str], target: &str, target_credential: &str) -> Proxy {
    Proxy {
        proxy_id: id.to_owned(),
        organisation_id: "o".to_owned(),
        is_active: true,
        proxy_credential_ids: callers.iter().map(|id| (*id).to_owned()).collect(),
        target_id: target.to_owned(),
        target_credential_id: target_credential.to_owned(),
        timeout_seconds: NonZeroU32::new(30).unwrap(),
        max_response_bytes: 6 << 20,
        max_inspected_bytes: 1 << 20,
        cors: Some(Cors {
            allowed_origins: vec!["https://a.example.com".to_owned()],
            allow_credentials: true,
            ..Cors::default()
        }),
        alias: None,
        layer: layer_denying(&[id]),
        limits: limits(10),
        meters: vec![meter("m1"), meter("m2")],
    }
}

async fn fill(conn: &mut AnyConnection) {
    organisation_upsert(conn, &organisation("o")).await.unwrap();
    organisation_upsert(conn, &organisation("other"))
        .await
        .unwrap();
    for id in ["c1", "c2"] {
        credential_upsert(conn, &credential(id, Side::Proxy))
            .await
            .unwrap();
    }
    credential_upsert(conn, &credential("t1", Side::Target))
        .await
        .unwrap();
    target_upsert(conn, &target("x1")).await.unwrap();
    target_upsert(conn, &target("x2")).await.unwrap();
    proxy_upsert(conn, &proxy("p1", &["c2", "c1"], "x1", "t1"), None)
        .await
        .unwrap();
    proxy_upsert(conn, &proxy("p2", &["c1"], "x2", "gone"), None)
        .await
        .unwrap();
}

#[tokio::test]
async fn records_come_back_as_they_were_written() {
    for test in test_stores().await {
        let mut tx = test.store.begin().await.unwrap();
        fill(&mut tx).await;
        let records = records_fetch_all(&mut tx).await.unwrap();
        assert_eq!(records.organisations.len(), 2);
        assert_eq!(records.organisations["o"], organisation("o"));
        assert_eq!(records.credentials["c1"], credential("c1", Side::Proxy));
        assert_eq!(records.credentials["t1"], credential("t1", Side::Target));
        assert_eq!(records.targets["x1"], target("x1"));
        assert_eq!(
            records.proxies["p1"],
            proxy("p1", &["c2", "c1"], "x1", "t1")
        );

        let some = records_fetch(&mut tx, &["p2", "unknown"]).await.unwrap();
        assert_eq!(some.proxies.keys().collect::<Vec<_>>(), ["p2"]);
        assert_eq!(some.credentials.keys().collect::<Vec<_>>(), ["c1"]);
        assert_eq!(some.targets.keys().collect::<Vec<_>>(), ["x2"]);
        assert_eq!(some.organisations.keys().collect::<Vec<_>>(), ["o"]);
    }
}

#[tokio::test]
async fn a_second_write_replaces_the_first() {
    for test in test_stores().await {
        let mut tx = test.store.begin().await.unwrap();
        fill(&mut tx).await;
        let suspended = Organisation {
            is_suspended: true,
            credential_limits: limits(61),
            ..organisation("o")
        };
        organisation_upsert(&mut tx, &suspended).await.unwrap();
        let stored = organisation_list(&mut tx, Some(&["o"])).await.unwrap();
        assert_eq!(stored, [suspended]);

        let unusable = Credential {
            secret: Err(SecretProblem::Missing),
            version: 4,
            layer: denying_layer(),
            ..credential("c1", Side::Proxy)
        };
        credential_upsert(&mut tx, &unusable).await.unwrap();
        let stored = credential_list(&mut tx, Some(&["c1"])).await.unwrap();
        assert_eq!(stored, [unusable]);

        let renamed = Proxy {
            alias: Some("weather".to_owned()),
            is_active: false,
            max_inspected_bytes: 5,
            cors: None,
            layer: denying_layer(),
            limits: wire::Limits::default(),
            meters: Vec::new(),
            ..proxy("p1", &["c1"], "x2", "t2")
        };
        let before = proxy_list(&mut tx, Some(&["p1"])).await.unwrap().pop();
        proxy_upsert(&mut tx, &renamed, before.as_ref())
            .await
            .unwrap();
        assert_eq!(proxy_list(&mut tx, Some(&["p1"])).await.unwrap(), [renamed]);

        let opened = Target {
            layer: denying_layer(),
            ..target("x1")
        };
        target_upsert(&mut tx, &opened).await.unwrap();
        assert_eq!(target_list(&mut tx, Some(&["x1"])).await.unwrap(), [opened]);
    }
}

#[tokio::test]
async fn a_change_names_the_proxies_it_touches() {
    type Pick = fn(&mut Changed) -> &mut std::collections::BTreeSet<String>;
    let cases: &[(Pick, &str, &[&str])] = &[
        (|c| &mut c.organisations, "o", &["p1", "p2"]),
        (|c| &mut c.organisations, "other", &[]),
        (|c| &mut c.credentials, "c1", &["p1", "p2"]),
        (|c| &mut c.credentials, "c2", &["p1"]),
        (|c| &mut c.credentials, "t1", &["p1"]),
        (|c| &mut c.targets, "x2", &["p2"]),
        (|c| &mut c.proxies, "p2", &["p2"]),
        (|c| &mut c.proxies, "removed", &["removed"]),
    ];
    for test in test_stores().await {
        let mut tx = test.store.begin().await.unwrap();
        fill(&mut tx).await;
        for (pick, id, want) in cases {
            let mut changed = Changed::default();
            pick(&mut changed).insert((*id).to_owned());
            let got = affected_fetch(&mut tx, &changed).await.unwrap();
            assert_eq!(got.iter().collect::<Vec<_>>(), *want, "{id}");
        }
    }
}

#[tokio::test]
async fn what_is_not_kept_goes() {
    for test in test_stores().await {
        let mut tx = test.store.begin().await.unwrap();
        fill(&mut tx).await;
        let ids = |ids: &[&str]| ids.iter().map(|id| (*id).to_owned()).collect();
        let kept = Changed {
            organisations: ids(&["o"]),
            credentials: ids(&["c1", "t1"]),
            targets: ids(&["x1"]),
            proxies: ids(&["p1"]),
        };
        records_retain(&mut tx, &kept).await.unwrap();
        let records = records_fetch_all(&mut tx).await.unwrap();
        assert!(records.organisations.keys().eq(&kept.organisations));
        assert!(records.credentials.keys().eq(&kept.credentials));
        assert!(records.targets.keys().eq(&kept.targets));
        assert!(records.proxies.keys().eq(&kept.proxies));
        // A deleted credential stays in the list of the proxy until that proxy changes.
        assert_eq!(records.proxies["p1"].proxy_credential_ids, ["c2", "c1"]);
    }
}

#[tokio::test]
async fn a_dropped_transaction_leaves_nothing() {
    for test in test_stores().await {
        let mut tx = test.store.begin().await.unwrap();
        fill(&mut tx).await;
        drop(tx);
        let mut tx = test.store.begin().await.unwrap();
        assert!(records_fetch_all(&mut tx).await.unwrap().proxies.is_empty());
    }
}

#[tokio::test]
async fn state_survives_reopening() {
    for test in test_stores().await {
        let mut tx = test.store.begin().await.unwrap();
        assert_eq!(key_check_fetch(&mut tx).await.unwrap(), None);
        assert_eq!(revision_fetch(&mut tx).await.unwrap(), 0);
        let check = KeyCheck {
            envelope: vec![1, 2],
            sealing_public_key: vec![0, 255],
        };
        state_insert(&mut tx, &check).await.unwrap();
        revision_update(&mut tx, 17).await.unwrap();
        tx.commit().await.unwrap();
        test.store.close().await;

        let store = Store::open(test.url()).await.unwrap();
        let mut tx = store.begin().await.unwrap();
        assert_eq!(key_check_fetch(&mut tx).await.unwrap(), Some(check));
        assert_eq!(revision_fetch(&mut tx).await.unwrap(), 17);
    }
}

#[tokio::test]
async fn more_ids_than_one_statement_takes() {
    for test in test_stores().await {
        let mut tx = test.store.begin().await.unwrap();
        let ids: Vec<String> = (0..CHUNK + 3).map(|n| format!("x{n}")).collect();
        for id in &ids {
            target_upsert(&mut tx, &target(id)).await.unwrap();
        }
        let ids: Vec<&str> = ids.iter().map(String::as_str).collect();
        assert_eq!(
            target_list(&mut tx, Some(&ids)).await.unwrap().len(),
            ids.len()
        );
        assert!(target_list(&mut tx, Some(&[])).await.unwrap().is_empty());
        target_delete(&mut tx, &ids).await.unwrap();
        assert!(target_list(&mut tx, None).await.unwrap().is_empty());
    }
}

#[tokio::test]
async fn a_damaged_row_leaves_the_others_usable() {
    for test in test_stores().await {
        let mut tx = test.store.begin().await.unwrap();
        fill(&mut tx).await;
        for sql in [
            "UPDATE credential SET secret = '%%%' WHERE credential_id = 'c1'",
            "UPDATE organisation SET data_key = '%%%' WHERE organisation_id = 'other'",
            "UPDATE proxy SET timeout_seconds = 0 WHERE proxy_id = 'p2'",
        ] {
            damage(&mut tx, sql).await;
        }
        let records = records_fetch_all(&mut tx).await.unwrap();
        assert_eq!(
            records.credentials["c1"].secret,
            Err(SecretProblem::Damaged)
        );
        assert_eq!(records.credentials["c2"].secret, Ok(digest()));
        assert!(records.organisations["other"].keys.data_key.is_empty());
        assert_eq!(records.proxies.keys().collect::<Vec<_>>(), ["p1"]);
    }
}

async fn damage(conn: &mut AnyConnection, sql: &'static str) {
    let done = sqlx::query(sql).execute(conn).await.unwrap();
    assert_eq!(done.rows_affected(), 1, "{sql}");
}

#[tokio::test]
async fn what_is_damaged_denies() {
    for test in test_stores().await {
        let mut tx = test.store.begin().await.unwrap();
        fill(&mut tx).await;
        for sql in [
            "UPDATE credential SET layer = '%%%' WHERE credential_id = 'c1'",
            "UPDATE credential SET layer = NULL WHERE credential_id = 't1'",
            "UPDATE target SET layer = '////' WHERE target_id = 'x1'",
            "UPDATE proxy SET layer = '%%%' WHERE proxy_id = 'p1'",
            "UPDATE organisation SET credential_limits = '%%%' WHERE organisation_id = 'o'",
        ] {
            damage(&mut tx, sql).await;
        }
        let records = records_fetch_all(&mut tx).await.unwrap();
        assert_eq!(records.credentials["c1"].layer, denying_layer());
        assert_eq!(records.credentials["c1"].secret, Ok(digest()));
        assert_eq!(records.credentials["t1"].layer, denying_layer());
        assert_eq!(records.credentials["c2"], credential("c2", Side::Proxy));
        assert_eq!(records.targets["x1"].layer, denying_layer());
        assert_eq!(records.targets["x2"], target("x2"));
        assert_eq!(records.proxies["p1"].layer, denying_layer());
        assert_eq!(records.proxies["p1"].meters.len(), 2);
        assert!(records.organisations["o"].is_suspended);
        assert!(!records.organisations["other"].is_suspended);
    }
}

#[tokio::test]
async fn a_damaged_proxy_is_unknown_until_it_comes_again() {
    for test in test_stores().await {
        for sql in [
            "UPDATE proxy SET limits = '%%%' WHERE proxy_id = 'p1'",
            "UPDATE proxy SET meters = 'AA' WHERE proxy_id = 'p1'",
            "UPDATE proxy SET max_inspected_bytes = NULL WHERE proxy_id = 'p1'",
            "UPDATE proxy SET timeout_seconds = -1 WHERE proxy_id = 'p1'",
        ] {
            let mut tx = test.store.begin().await.unwrap();
            fill(&mut tx).await;
            damage(&mut tx, sql).await;
            let stored = proxy_list(&mut tx, Some(&["p1"])).await.unwrap().pop();
            assert_eq!(stored, None, "{sql}");
            let again = proxy("p1", &["c1"], "x1", "t1");
            proxy_upsert(&mut tx, &again, None).await.unwrap();
            let stored = proxy_list(&mut tx, Some(&["p1"])).await.unwrap();
            assert_eq!(stored, [again], "{sql}");
        }
    }
}

/// As the first release left it, with a proxy that forwards.
async fn first_release(url: &str) {
    let first = MIGRATIONS.iter().filter(|m| m.version == 1).cloned();
    let migrations = Migrator::with_migrations(first.collect());
    let db = Db::open(url, &migrations).await.unwrap();
    for sql in [
        "INSERT INTO region_state VALUES (1, 17, 'AQI=', 'AQI=')",
        "INSERT INTO organisation VALUES ('o', 0, 'AQI=', 'AQI=')",
        "INSERT INTO credential VALUES ('c', 'o', 'proxy', 1, 1, NULL, 'missing')",
        "INSERT INTO target VALUES ('x', 'o', 'https://api.example.com')",
        "INSERT INTO proxy VALUES ('p', 'o', 1, 'x', 't', 30, 5, NULL)",
        "INSERT INTO proxy_credential VALUES ('p', 0, 'c')",
    ] {
        sqlx::query(sql).execute(db.pool()).await.unwrap();
    }
    db.close().await;
}

#[tokio::test]
async fn a_store_of_the_first_release_refuses_and_asks_for_everything() {
    for empty in EmptyDb::each().await.unwrap() {
        first_release(&empty.url).await;
        let store = Store::open(&empty.url).await.unwrap();
        let mut tx = store.begin().await.unwrap();
        assert_eq!(revision_fetch(&mut tx).await.unwrap(), 0);
        let records = records_fetch_all(&mut tx).await.unwrap();
        assert!(records.proxies.is_empty());
        assert!(records.organisations["o"].is_suspended);
        let credential = credential_list(&mut tx, None).await.unwrap().pop().unwrap();
        assert_eq!(credential.layer, denying_layer());
        assert_eq!(records.targets["x"].layer, denying_layer());
        // The full sync writes the list that is already there.
        let again = proxy("p", &["c"], "x", "t");
        proxy_upsert(&mut tx, &again, None).await.unwrap();
        assert_eq!(proxy_list(&mut tx, None).await.unwrap(), [again]);
    }
}

#[test]
fn few_different_statements_are_made() {
    assert_eq!(placeholders(1), "$1");
    assert_eq!(placeholders(3), "$1, $2, $3, $4");
    assert_eq!(
        padded(&[1, 2, 3]).copied().collect::<Vec<_>>(),
        [1, 2, 3, 3]
    );
}

fn count(node: u8, start_ms: u64, own: u64) -> Row {
    Row {
        key: Key {
            counter: Counter {
                kind: CounterKind::Meter,
                id: uuid::Uuid::from_u128(7),
            },
            window: Window::Minute,
            start_ms,
        },
        incarnation: Incarnation([node; 16]),
        own: Micros::new(own),
    }
}

#[tokio::test]
async fn counts_only_grow_and_go_when_their_window_is_over() {
    for test in test_stores().await {
        let mut tx = test.store.begin().await.unwrap();
        let rows = [
            count(1, 0, 5),
            count(1, 60_000, 7),
            count(2, 60_000, 8),
            count(255, 60_000, u64::MAX),
        ];
        counter_upsert(&mut tx, &rows).await.unwrap();
        let changed = [count(1, 60_000, 9), count(2, 60_000, 3)];
        counter_upsert(&mut tx, &changed).await.unwrap();
        let by_node = |mut rows: Vec<Row>| {
            rows.sort_by_key(|row| (row.key, row.incarnation));
            rows
        };
        let most = u64::try_from(i64::MAX).unwrap();
        let open = vec![
            count(1, 60_000, 9),
            count(2, 60_000, 8),
            count(255, 60_000, most),
        ];
        assert_eq!(by_node(counter_list(&mut tx, 60_000).await.unwrap()), open);
        assert_eq!(counter_list(&mut tx, 59_999).await.unwrap().len(), 4);
        counter_delete_ended(&mut tx, 60_000).await.unwrap();
        assert_eq!(by_node(counter_list(&mut tx, 0).await.unwrap()), open);
        counter_delete_ended(&mut tx, 120_000).await.unwrap();
        assert_eq!(counter_list(&mut tx, 0).await.unwrap(), []);
    }
}

#[tokio::test]
async fn every_kind_of_count_comes_back_and_a_damaged_one_is_left_out() {
    for test in test_stores().await {
        let mut tx = test.store.begin().await.unwrap();
        let mut rows = Vec::new();
        for kind in CounterKind::ALL {
            for window in Window::ALL {
                let mut row = count(3, 0, 5);
                (row.key.counter.kind, row.key.window) = (kind, window);
                rows.push(row);
            }
        }
        counter_upsert(&mut tx, &rows).await.unwrap();
        let mut stored = counter_list(&mut tx, 0).await.unwrap();
        stored.sort_by_key(|row| row.key);
        assert_eq!(stored, rows);
        let sql = "UPDATE counter SET incarnation = 'x' WHERE kind = 'plan'";
        sqlx::query(sql).execute(&mut *tx).await.unwrap();
        assert_eq!(counter_list(&mut tx, 0).await.unwrap().len(), 8);
    }
}
