//! Every test runs on SQLite, and on PostgreSQL when `REQUESTROCKET_TEST_POSTGRES_URL` is set. Time
//! is moved by hand, and the carrier is the test's own.

mod delivering;
mod fairly;
mod in_order;
mod once;
mod operated;
mod servers;

use std::sync::Mutex as StdMutex;
use std::time::Duration;

use bytes::Bytes;
use requestrocket_process::clock::Clock;
use requestrocket_process::tasks::TaskSet;
use time::OffsetDateTime;
use tokio::sync::{mpsc, oneshot};

use super::fixtures::{intake, request};
use super::*;
use crate::fixtures::{REGION, Region, organisation};
use crate::queue::machine::State;
use crate::store::tests::test_stores;

/// A region with a queue.
struct World {
    region: Arc<Region>,
    clock: Clock,
    queue: Queue,
    tasks: TaskSet,
}

/// An attempt that the test answers.
struct Carried {
    attempt: Attempt,
    answer: oneshot::Sender<Outcome>,
}

/// Hands attempts to the test.
struct ByHand {
    carried: mpsc::UnboundedSender<Carried>,
    pace: Pace,
}

impl Carrier for ByHand {
    async fn carry(&self, attempt: Attempt) -> Outcome {
        let (answer, answered) = oneshot::channel();
        self.carried.send(Carried { attempt, answer }).unwrap();
        match answered.await {
            Ok(outcome) => outcome,
            // Dropped: this one never hears of it.
            Err(_) => std::future::pending().await,
        }
    }

    fn pace(&self, _: &str) -> Pace {
        self.pace
    }
}

/// What the test has of a server.
struct Hand(mpsc::UnboundedReceiver<Carried>);

impl Hand {
    async fn next(&mut self) -> Carried {
        let next = tokio::time::timeout(Duration::from_secs(30), self.0.recv());
        next.await.expect("an attempt within 30 s").unwrap()
    }

    /// The next attempt, answered.
    async fn answer(&mut self, outcome: Outcome) -> Attempt {
        let Carried { attempt, answer } = self.next().await;
        answer.send(outcome).unwrap();
        attempt
    }

    fn is_idle(&mut self) -> bool {
        self.0.try_recv().is_err()
    }
}

async fn worlds() -> Vec<World> {
    let mut worlds = Vec::new();
    for store in test_stores().await {
        let region = Arc::new(Region::with(store).await);
        region
            .ingest
            .apply_delta(1, vec![organisation(false)])
            .await
            .unwrap();
        let moment = OffsetDateTime::from_unix_timestamp(1_700_000_000).unwrap();
        let (clock, tasks) = (Clock::manual(moment), TaskSet::default());
        let queue = Queue::new(&region.store.store, (REGION, &region.keys), &clock, &tasks);
        worlds.push(World {
            region,
            clock,
            queue,
            tasks,
        });
    }
    worlds
}

impl World {
    fn start(&self) -> Hand {
        self.start_at(Pace::default())
    }

    fn start_at(&self, pace: Pace) -> Hand {
        let (carried, came) = mpsc::unbounded_channel();
        start(self.queue.clone(), ByHand { carried, pace }, &self.tasks);
        Hand(came)
    }

    /// Another server of the region.
    async fn neighbour(&self) -> Self {
        let (region, clock) = (Arc::clone(&self.region), self.clock.clone());
        let (store, tasks) = (region.store.again().await, TaskSet::default());
        let queue = Queue::new(&store, (REGION, &region.keys), &clock, &tasks);
        Self {
            region,
            clock,
            queue,
            tasks,
        }
    }

    async fn accept(&self, intake: Intake) -> String {
        match self.queue.accept(intake).await.unwrap() {
            Accepted::New(id) => id,
            Accepted::Replayed(id) => panic!("{id} was there before"),
        }
    }

    async fn status(&self, id: &str) -> Status {
        let status = self.queue.status("p", id, Duration::ZERO).await;
        status.unwrap().expect("it is there")
    }

    /// Waits for a state.
    async fn until(&self, id: &str, state: State) -> Status {
        let seen = StdMutex::new(None);
        let reached = async {
            loop {
                let status = self.status(id).await;
                if status.state == state {
                    return status;
                }
                *seen.lock().unwrap() = Some(status);
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        };
        let reached = tokio::time::timeout(Duration::from_secs(30), reached).await;
        reached.unwrap_or_else(|_| panic!("never {state:?}: {:?}", seen.lock().unwrap()))
    }

    /// Moves time, and has the workers look.
    fn advance(&self, by: Duration) {
        self.clock.advance(by);
        self.queue.0.came.notify_one();
    }
}

fn ordered(key: &str, stops: bool) -> Intake {
    let key = key.parse().unwrap();
    Intake {
        ordering: Some(Ordering { key, stops }),
        ..intake(request("/a"))
    }
}

fn answered(status: u16) -> Outcome {
    Outcome::Answered(Answer {
        status,
        headers: vec![("x-a".to_owned(), Bytes::from_static(b"1"))],
        body: Bytes::from_static(b"canary-response"),
        is_truncated: false,
    })
}

fn unreachable() -> Outcome {
    Outcome::Unreachable {
        error: "connection refused".to_owned(),
    }
}
