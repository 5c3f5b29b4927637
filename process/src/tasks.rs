//! The tasks of a process, and its end: a signal, or the first task that fails.

use std::future::Future;

use tokio::signal::unix::{SignalKind, signal};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

/// Background tasks that shutdown waits for.
///
/// Invariant: no task outlives [`TaskSet::shutdown`]; each watches [`TaskSet::stopping`].
#[derive(Clone, Debug, Default)]
pub struct TaskSet {
    tracker: TaskTracker,
    stop: CancellationToken,
}

impl TaskSet {
    /// Runs `task`. One that ends with an error stops the whole process: `name` is in the log.
    pub fn spawn<F>(&self, name: &'static str, task: F)
    where
        F: Future<Output = anyhow::Result<()>> + Send + 'static,
    {
        let stop = self.stop.clone();
        self.tracker.spawn(async move {
            if let Err(error) = task.await {
                tracing::error!(task = name, error = format!("{error:#}"), "task failed");
                stop.cancel();
            }
        });
    }

    /// Ends when the process is to stop.
    #[must_use]
    pub fn stopping(&self) -> CancellationToken {
        self.stop.clone()
    }

    /// Waits for SIGINT, SIGTERM or a failed task, then for every task to end.
    ///
    /// # Errors
    /// The signal handlers cannot be installed.
    pub async fn run_until_stopped(&self) -> std::io::Result<()> {
        let mut interrupt = signal(SignalKind::interrupt())?;
        let mut terminate = signal(SignalKind::terminate())?;
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
            () = self.stop.cancelled() => {}
        }
        self.shutdown().await;
        Ok(())
    }

    /// Asks every task to stop and waits for them.
    pub async fn shutdown(&self) {
        self.stop.cancel();
        self.tracker.close();
        self.tracker.wait().await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_failed_task_stops_the_others() {
        let tasks = TaskSet::default();
        let stopping = tasks.stopping();
        tasks.spawn("waits", async move {
            stopping.cancelled().await;
            Ok(())
        });
        tasks.spawn("fails", async { anyhow::bail!("broken") });
        tasks.run_until_stopped().await.unwrap();
    }
}
