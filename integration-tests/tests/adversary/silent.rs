//! A target that takes connections and never says anything.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use anyhow::Result;
use requestrocket_integration_tests::wait;
use tokio::net::TcpListener;
use tokio::task::JoinSet;

/// It costs a socket for each connection and nothing else.
#[derive(Debug)]
pub(crate) struct Silent {
    pub(crate) url: String,
    taken: Arc<AtomicUsize>,
    _tasks: JoinSet<()>,
}

impl Silent {
    pub(crate) async fn start() -> Result<Self> {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await?;
        let url = format!("http://{}", listener.local_addr()?);
        let taken = Arc::new(AtomicUsize::new(0));
        let counted = taken.clone();
        let mut tasks = JoinSet::new();
        tasks.spawn(async move {
            let mut kept = Vec::new();
            while let Ok((socket, _)) = listener.accept().await {
                kept.push(socket);
                counted.fetch_add(1, Ordering::Relaxed);
            }
        });
        Ok(Self {
            url,
            taken,
            _tasks: tasks,
        })
    }

    /// How many connections were made to it.
    pub(crate) fn taken(&self) -> usize {
        self.taken.load(Ordering::Relaxed)
    }

    /// Waits until so many connections were made to it.
    pub(crate) async fn has(&self, count: usize) -> Result<()> {
        let limit = Duration::from_mins(1);
        wait::until_within(limit, "calls at the silent target", || async {
            Ok((self.taken() >= count).then_some(()))
        })
        .await
    }
}
