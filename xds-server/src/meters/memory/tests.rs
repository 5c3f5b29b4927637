//! Writing behind: what fails is written later, what is over goes.

use requestrocket_policy::limit::{Counter, CounterKind, Micros, Report, Window};
use uuid::Uuid;

use super::*;
use crate::meters::totals::Incarnation;
use crate::store::tests::test_stores;

const MINUTE_MS: u64 = 60_000;

fn at(wall_ms: u64) -> At {
    At {
        wall_ms,
        steady_ms: wall_ms,
    }
}

fn told(own: u64) -> Request {
    let counter = Counter {
        kind: CounterKind::Meter,
        id: Uuid::from_u128(7),
    };
    Request {
        incarnation: Incarnation([1; 16]),
        sent_at_ms: 0,
        received_ms: 0,
        reports: vec![Report {
            counter,
            window: Window::Minute,
            start_ms: 0,
            own: Micros::units(own),
            limit: Micros::ZERO,
            wanted: Micros::ZERO,
            queued: Micros::ZERO,
        }],
    }
}

async fn stored(store: &Store) -> Vec<Micros> {
    let mut tx = store.begin().await.unwrap();
    let rows = counter_list(&mut tx, 0).await.unwrap();
    rows.into_iter().map(|row| row.own).collect()
}

#[tokio::test]
async fn what_could_not_be_written_is_written_later() {
    for test in test_stores().await {
        let memory = Memory::open(test.store.clone(), 1, at(0)).await.unwrap();
        memory.sync(&told(3), at(0));
        // The table is not there for a while.
        let mut tx = test.store.begin().await.unwrap();
        let away = "ALTER TABLE counter RENAME TO away";
        sqlx::query(away).execute(&mut *tx).await.unwrap();
        tx.commit().await.unwrap();
        memory.write().await;
        let mut tx = test.store.begin().await.unwrap();
        let back = "ALTER TABLE away RENAME TO counter";
        sqlx::query(back).execute(&mut *tx).await.unwrap();
        tx.commit().await.unwrap();
        assert_eq!(stored(&test.store).await, []);
        memory.write().await;
        assert_eq!(stored(&test.store).await, [Micros::units(3)]);
    }
}

#[tokio::test]
async fn what_changed_by_the_end_is_written() {
    for test in test_stores().await {
        let memory = Memory::open(test.store.clone(), 1, at(0)).await.unwrap();
        memory.sync(&told(3), at(0));
        let stopping = CancellationToken::new();
        stopping.cancel();
        memory.keep(|| 0, stopping).await;
        assert_eq!(stored(&test.store).await, [Micros::units(3)]);
    }
}

#[tokio::test]
async fn what_is_over_goes_from_memory_and_store() {
    for test in test_stores().await {
        let memory = Memory::open(test.store.clone(), 1, at(0)).await.unwrap();
        memory.sync(&told(3), at(0));
        memory.write().await;
        memory.clean_up(MINUTE_MS + 2 * SKEW_MS - 1).await;
        assert_eq!(memory.totals().len(), 1);
        assert_eq!(stored(&test.store).await.len(), 1);
        memory.clean_up(MINUTE_MS + 2 * SKEW_MS).await;
        assert!(memory.totals().is_empty());
        assert_eq!(stored(&test.store).await, []);
    }
}
