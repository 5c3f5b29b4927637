//! Steady traffic in the background that counts what it got.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use anyhow::{Result, bail};
use tokio::task::JoinSet;

use crate::caller::{Connection, Request};
use crate::wait;

/// Callers that repeat one request over their own connections until stopped.
#[derive(Debug)]
pub struct Traffic {
    state: Arc<State>,
    callers: JoinSet<Option<String>>,
}

#[derive(Debug, Default)]
struct State {
    stop: AtomicBool,
    granted: AtomicU64,
}

impl Traffic {
    /// Starts `callers` callers.
    pub fn start(address: &str, request: &Request, callers: usize) -> Self {
        let state = Arc::new(State::default());
        let mut set = JoinSet::new();
        for _ in 0..callers {
            set.spawn(repeat(address.to_owned(), request.clone(), state.clone()));
        }
        Self {
            state,
            callers: set,
        }
    }

    /// How many requests were answered with 200.
    pub fn granted(&self) -> u64 {
        self.state.granted.load(Ordering::Relaxed)
    }

    /// Waits until that many further requests were answered with 200.
    pub async fn more(&self, count: u64) -> Result<()> {
        let wanted = self.granted() + count;
        wait::until("traffic to go on", || async {
            Ok((self.granted() >= wanted).then_some(()))
        })
        .await
    }

    /// Ends the traffic; fails when one request did.
    pub async fn finish(mut self) -> Result<u64> {
        self.state.stop.store(true, Ordering::Relaxed);
        while let Some(ended) = self.callers.join_next().await {
            if let Some(problem) = ended? {
                bail!("after {} granted requests: {problem}", self.granted());
            }
        }
        Ok(self.granted())
    }
}

/// Repeats until stopped or until one request fails; says how it failed.
async fn repeat(address: String, request: Request, state: Arc<State>) -> Option<String> {
    let mut connection = None;
    while !state.stop.load(Ordering::Relaxed) {
        let mut current = match connection.take() {
            Some(open) => open,
            None => match Connection::open(&address).await {
                Ok(open) => open,
                Err(error) => return Some(format!("{error:#}")),
            },
        };
        match current.call(&request).await {
            Ok(reply) if reply.status == 200 && reply.complete => {
                state.granted.fetch_add(1, Ordering::Relaxed);
                let closing = reply
                    .head
                    .first("connection")
                    .is_some_and(|value| value == "close");
                connection = (!closing).then_some(current);
            }
            Ok(reply) => return Some(format!("{}: {}", reply.status, reply.text())),
            Err(error) => return Some(format!("{error:#}")),
        }
    }
    None
}
