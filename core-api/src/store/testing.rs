//! Stores for tests: SQLite always, PostgreSQL when `REQUESTROCKET_TEST_POSTGRES_URL` names one.

use requestrocket_process::db::Db;
use requestrocket_process::test_db::EmptyDb;
use sqlx::{AnyConnection, AssertSqlSafe};
use time::OffsetDateTime;

use super::gateway::region::region_ensure;
use super::log::write::{EVERY_REGION, Kind};
use super::people::organisation::organisation_insert;
use crate::domain::records::{self, id_of};

/// A store that ends with the test.
pub(crate) struct TestStore {
    pub(crate) db: Db,
    _empty: EmptyDb,
}

impl TestStore {
    async fn of(empty: EmptyDb) -> Self {
        Self {
            db: Db::open(&empty.url, &super::MIGRATIONS).await.unwrap(),
            _empty: empty,
        }
    }

    pub(crate) async fn conn(&self) -> sqlx::pool::PoolConnection<sqlx::Any> {
        self.db.pool().acquire().await.unwrap()
    }
}

/// One empty store for each database at hand.
pub(crate) async fn stores() -> Vec<TestStore> {
    let mut stores = Vec::new();
    for empty in EmptyDb::each().await.unwrap() {
        stores.push(TestStore::of(empty).await);
    }
    stores
}

/// An empty SQLite store.
pub(crate) async fn sqlite() -> TestStore {
    TestStore::of(EmptyDb::sqlite().unwrap()).await
}

/// Runs statements that a test writes by hand.
pub(crate) async fn run(conn: &mut AnyConnection, statements: &str) {
    for statement in statements
        .split(';')
        .filter(|statement| !statement.trim().is_empty())
    {
        sqlx::query(AssertSqlSafe(statement))
            .execute(&mut *conn)
            .await
            .unwrap();
    }
}

/// Notes that `region` has to hear of a record as of `revision`.
pub(crate) async fn note(
    conn: &mut AnyConnection,
    region: &str,
    kind: Kind,
    name: &str,
    revision: u64,
) {
    let (kind, id) = (kind.as_str(), id_of(name));
    let statements = format!(
        "INSERT INTO change (region_name, kind, record_id, revision, is_removed)
         VALUES ('{region}', '{kind}', '{id}', {revision}, 0);
         UPDATE revision SET newest = {revision}"
    );
    run(conn, &statements).await;
}

/// Regions eu-1 and us-1, and organisation `o`, of which every region has to hear since revision 1.
pub(crate) async fn put_base(store: &TestStore) {
    let mut conn = store.conn().await;
    for region in ["eu-1", "us-1"] {
        let region = region.parse().unwrap();
        region_ensure(&mut conn, &region, OffsetDateTime::UNIX_EPOCH)
            .await
            .unwrap();
    }
    organisation_insert(&mut conn, &records::organisation())
        .await
        .unwrap();
    note(&mut conn, EVERY_REGION, Kind::Organisation, "o", 1).await;
}
