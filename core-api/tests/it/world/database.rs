//! An empty store of its own for each test.

use std::fmt::Write as _;

use requestrocket_core_api::store::MIGRATIONS;
use requestrocket_process::db::{Db, Dialect};
use requestrocket_process::test_db::EmptyDb;
use sqlx::any::AnyRow;
use sqlx::{AssertSqlSafe, Column, Row};

pub(crate) struct Database {
    pub(crate) db: Db,
    empty: EmptyDb,
}

impl Database {
    pub(crate) async fn each() -> Vec<Self> {
        let mut all = Vec::new();
        for empty in EmptyDb::each().await.unwrap() {
            let db = Db::open(&empty.url, &MIGRATIONS).await.unwrap();
            all.push(Self { db, empty });
        }
        all
    }

    /// Every row of every table, and on SQLite every byte of its files.
    pub(crate) async fn dump(&self) -> String {
        let mut text = self.rows(&[]).await.join("\n");
        for file in std::fs::read_dir(self.empty.folder()).unwrap() {
            let bytes = std::fs::read(file.unwrap().path()).unwrap();
            text.push_str(&String::from_utf8_lossy(&bytes));
        }
        text
    }

    /// Every value of every table but `besides`, sorted.
    pub(crate) async fn rows(&self, besides: &[&str]) -> Vec<String> {
        let tables = match self.db.dialect() {
            Dialect::Sqlite => "SELECT name FROM sqlite_master WHERE type = 'table'",
            Dialect::Postgres => {
                "SELECT tablename::text FROM pg_tables WHERE schemaname = current_schema()"
            }
        };
        let tables: Vec<(String,)> = sqlx::query_as(tables)
            .fetch_all(self.db.pool())
            .await
            .unwrap();
        let mut values = Vec::new();
        for (table,) in tables {
            if !table.starts_with("_sqlx") && !besides.contains(&table.as_str()) {
                values.extend(self.table(&table).await);
            }
        }
        values.sort_unstable();
        values
    }

    async fn table(&self, table: &str) -> Vec<String> {
        let select = AssertSqlSafe(format!("SELECT * FROM {table}"));
        let rows = sqlx::query(select).fetch_all(self.db.pool()).await.unwrap();
        let show = |row: &AnyRow| {
            let mut text = table.to_owned();
            for column in row.columns() {
                let ordinal = column.ordinal();
                let number = || {
                    row.get::<Option<i64>, _>(ordinal)
                        .map(|number| number.to_string())
                };
                let value = row
                    .try_get::<Option<String>, _>(ordinal)
                    .unwrap_or_else(|_| number());
                write!(text, " {}={value:?}", column.name()).unwrap();
            }
            text
        };
        rows.iter().map(show).collect()
    }
}
