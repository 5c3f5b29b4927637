//! Stores for tests: SQLite always, PostgreSQL when `REQUESTROCKET_TEST_POSTGRES_URL` names one.

use requestrocket_process::db::Db;
use sqlx::{AnyConnection, AssertSqlSafe};
use tempfile::TempDir;
use time::OffsetDateTime;
use uuid::Uuid;

use super::gateway::region::region_ensure;
use super::log::write::{EVERY_REGION, Kind};
use super::people::organisation::organisation_insert;
use crate::domain::records::{self, id_of};

/// An empty store that ends with the test.
pub(crate) struct TestStore {
    pub(crate) db: Db,
    _folder: TempDir,
}

impl TestStore {
    pub(crate) async fn conn(&self) -> sqlx::pool::PoolConnection<sqlx::Any> {
        self.db.pool().acquire().await.unwrap()
    }
}

/// One empty store for each database at hand.
pub(crate) async fn stores() -> Vec<TestStore> {
    let mut stores = vec![sqlite().await];
    if let Some(url) = std::env::var_os("REQUESTROCKET_TEST_POSTGRES_URL") {
        stores.push(postgres(url.to_str().unwrap()).await);
    }
    stores
}

/// An empty SQLite store.
pub(crate) async fn sqlite() -> TestStore {
    let folder = tempfile::tempdir().unwrap();
    let url = format!("sqlite://{}", folder.path().join("core.db").display());
    TestStore {
        db: Db::open(&url, &super::MIGRATIONS).await.unwrap(),
        _folder: folder,
    }
}

/// An own schema in the given database.
async fn postgres(url: &str) -> TestStore {
    let schema = format!("test_{}", Uuid::new_v4().simple());
    let admin = Db::open(url, &sqlx::migrate::Migrator::DEFAULT)
        .await
        .unwrap();
    run(
        &mut admin.pool().acquire().await.unwrap(),
        &format!("CREATE SCHEMA {schema}"),
    )
    .await;
    admin.close().await;
    let mark = if url.contains('?') { '&' } else { '?' };
    let url = format!("{url}{mark}options[search_path]={schema}");
    let db = Db::open(&url, &super::MIGRATIONS).await.unwrap();
    TestStore {
        db,
        _folder: tempfile::tempdir().unwrap(),
    }
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
