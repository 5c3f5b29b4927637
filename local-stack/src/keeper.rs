//! Keeps children alive: one task a child that waits for its death and starts it again.

use std::collections::BTreeMap;
use std::time::Duration;

use requestrocket_process::tasks::TaskSet;
use tokio::process::Child;
use tokio::sync::watch;
use tokio::time::Instant;

use crate::backoff::next_delay;
use crate::child::{Recipe, describe, end};
use crate::report::progress;

/// Process ids by child name: of the child that is ready, or was last.
pub(crate) type Roster = BTreeMap<String, u32>;

/// All children of one stack.
#[derive(Debug)]
pub(crate) struct Keeper {
    tasks: TaskSet,
    roster: watch::Sender<Roster>,
    revive: watch::Sender<()>,
    restart: Restart,
}

/// What follows a child's death.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Restart {
    AtOnce,
    /// It stays down until [`Keeper::revive`].
    WhenTold,
}

impl Keeper {
    pub(crate) fn new(restart: Restart) -> Self {
        let roster = watch::Sender::new(Roster::new());
        Self {
            tasks: TaskSet::default(),
            roster,
            revive: watch::Sender::new(()),
            restart,
        }
    }

    /// Takes over a child that is ready.
    pub(crate) fn keep(&self, recipe: Recipe, child: Child) {
        let kept = Kept {
            tasks: self.tasks.clone(),
            roster: self.roster.clone(),
            revive: self.revive.subscribe(),
            restart: self.restart,
            recipe,
        };
        kept.note(&child);
        self.tasks.spawn("child", async move {
            kept.run(child).await;
            Ok(())
        });
    }

    /// Starts whatever is down.
    pub(crate) fn revive(&self) {
        self.revive.send_replace(());
    }

    /// Changes whenever a restarted child is ready.
    pub(crate) fn roster(&self) -> watch::Receiver<Roster> {
        self.roster.subscribe()
    }

    /// Ends every child and waits for that.
    pub(crate) async fn shutdown(&self) {
        self.tasks.shutdown().await;
    }
}

struct Kept {
    tasks: TaskSet,
    roster: watch::Sender<Roster>,
    revive: watch::Receiver<()>,
    restart: Restart,
    recipe: Recipe,
}

impl Kept {
    async fn run(mut self, mut child: Child) {
        let mut previous = None;
        loop {
            let since = Instant::now();
            if !self.outlive(&mut child).await {
                return;
            }
            let Some(next) = self.start_again(&mut previous, since.elapsed()).await else {
                return;
            };
            child = next;
        }
    }

    /// True once the child died; false once it was ended because the stack stops.
    async fn outlive(&mut self, child: &mut Child) -> bool {
        let stopping = self.tasks.stopping();
        let sign = self.recipe.ready.clone();
        let mut ready = std::pin::pin!(sign.shown());
        let mut is_ready = false;
        loop {
            tokio::select! {
                // A child that is ended because the stack stops has not died.
                biased;
                () = stopping.cancelled() => {
                    end(child).await;
                    return false;
                }
                status = child.wait() => {
                    let how = status.map_or_else(|error| error.to_string(), describe);
                    progress(&format!("{} ended ({how})", self.recipe.name));
                    return true;
                }
                // Said while it runs, this means nothing; said just after its death, it counts.
                _ = self.revive.changed() => if matches!(child.try_wait(), Ok(Some(_))) {
                    self.revive.mark_changed();
                },
                () = &mut ready, if !is_ready => {
                    is_ready = true;
                    self.note(child);
                }
            }
        }
    }

    /// The next child, or `None` because the stack stops.
    async fn start_again(
        &mut self,
        previous: &mut Option<Duration>,
        mut ran_for: Duration,
    ) -> Option<Child> {
        loop {
            let delay = next_delay(*previous, ran_for);
            *previous = Some(delay);
            if !self.wait_for_turn(delay).await {
                return None;
            }
            match self.recipe.spawn() {
                Ok(child) => {
                    progress(&format!("{} was started again", self.recipe.name));
                    return Some(child);
                }
                Err(error) => progress(&format!("{error:#}")),
            }
            ran_for = Duration::ZERO;
        }
    }

    async fn wait_for_turn(&mut self, delay: Duration) -> bool {
        let stopping = self.tasks.stopping();
        let due = async {
            match self.restart {
                Restart::AtOnce => tokio::time::sleep(delay).await,
                Restart::WhenTold => std::future::pending().await,
            }
        };
        tokio::select! {
            () = due => true,
            // The sender is in the keeper, which outlives its tasks.
            _ = self.revive.changed() => true,
            () = stopping.cancelled() => false,
        }
    }

    /// Notes a child that is ready; one that was reaped meanwhile has no id and is not noted.
    fn note(&self, child: &Child) {
        let Some(pid) = child.id() else { return };
        self.roster
            .send_if_modified(|roster| roster.insert(self.recipe.name.clone(), pid) != Some(pid));
    }
}
