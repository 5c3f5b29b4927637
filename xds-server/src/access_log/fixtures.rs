//! Logs for tests, in each store at hand.

use std::collections::BTreeMap;

use requestrocket_process::test_db::EmptyDb;
use requestrocket_proto::record::v1::Record;
use sqlx::Connection as _;
use time::Date;

use super::call::Call;
use super::day::{self, day_of};
use super::numbers::Changes;
use super::place::Place;
use super::postgres::Writing;

/// A log that ends with this.
#[derive(Debug)]
pub(super) struct TestLog {
    pub(super) place: Place,
    pub(super) db: EmptyDb,
}

impl TestLog {
    /// One of each kind, with nothing in it.
    pub(super) async fn each() -> Vec<Self> {
        let mut logs = Vec::new();
        for db in EmptyDb::each().await.unwrap() {
            let log = Self::of(db);
            if let Place::Postgres(postgres) = &log.place {
                postgres.prepare().await.unwrap();
            }
            logs.push(log);
        }
        logs
    }

    /// Files.
    pub(super) fn files() -> Self {
        Self::of(EmptyDb::sqlite().unwrap())
    }

    fn of(db: EmptyDb) -> Self {
        let place = Place::of(db.folder(), &db.url).unwrap();
        if let Place::Files(folder) = &place {
            std::fs::create_dir_all(folder).unwrap();
        }
        Self { place, db }
    }

    /// Writes these, a commit for each day.
    pub(super) async fn write(&self, records: impl IntoIterator<Item = Record>) {
        let mut days: BTreeMap<_, Vec<Call>> = BTreeMap::new();
        for record in records {
            let day = days.entry(day_of(record.completed_at_ms)).or_default();
            day.push(Call {
                record,
                number: None,
            });
        }
        for (day, calls) in days {
            self.commit(day, &calls).await;
        }
    }

    async fn commit(&self, day: Date, calls: &[Call]) {
        let changes = Changes::default();
        match &self.place {
            Place::Files(folder) => {
                let mut conn = day::open(folder, day).await.unwrap();
                day::calls_insert(&mut conn, calls, &changes).await.unwrap();
                conn.close().await.unwrap();
            }
            Place::Postgres(postgres) => {
                let mut writing = Writing::open(postgres.clone()).await.unwrap();
                writing.calls_insert(day, calls, &changes).await.unwrap();
                writing.close().await;
            }
        }
    }
}
