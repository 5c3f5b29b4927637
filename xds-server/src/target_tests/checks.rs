//! Targets that are called now and then: when each is due, and what the last call came to.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use imbl::OrdMap;
use requestrocket_process::tasks::TaskSet;
use requestrocket_proto::region::v1::{TargetCheck, TargetChecks, TargetTest};
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::MissedTickBehavior;
use tokio_util::sync::CancellationToken;

use super::TargetTests;
use crate::records::record::Target;
use crate::store::StoreFailed;
use crate::store::target::{target_list_checked, target_user_fetch};

/// Between two looks at what is due.
const EVERY: Duration = Duration::from_secs(2);
/// Calls at a time; what is due beyond comes later.
const MAX_OPEN: usize = 16;
/// Of these one organisation has at most so many: targets that do not answer hold up only its own.
const MAX_OPEN_EACH: usize = 4;
/// Checks of one message.
const CHECKS_A_MESSAGE: usize = 1_000;

/// What came of the last call of each target, by id.
pub type Checks = OrdMap<Arc<str>, Arc<TargetCheck>>;

/// Calls targets in their time. Cheap to clone, and the same for all clones.
#[derive(Clone, Debug)]
pub struct TargetChecking {
    tests: TargetTests,
    checks: Arc<watch::Sender<Checks>>,
}

/// When each target was called, Unix time in milliseconds.
type Begun = BTreeMap<String, u64>;

/// How many of each organisation's are called now.
#[derive(Debug, Default)]
struct Open(BTreeMap<String, usize>);

impl Open {
    /// Takes a place for a call; false: there is none.
    fn take(&mut self, organisation: &str) -> bool {
        let own = self.0.get(organisation).copied().unwrap_or(0);
        let is_free = own < MAX_OPEN_EACH && self.0.values().sum::<usize>() < MAX_OPEN;
        if is_free {
            self.0.insert(organisation.to_owned(), own + 1);
        }
        is_free
    }

    fn give_back(&mut self, organisation: &str) {
        let left = self.0.remove(organisation).unwrap_or(0).saturating_sub(1);
        if left > 0 {
            self.0.insert(organisation.to_owned(), left);
        }
    }
}

impl TargetChecking {
    /// None was called yet.
    #[must_use]
    pub fn new(tests: TargetTests) -> Self {
        Self {
            tests,
            checks: Arc::default(),
        }
    }

    /// Calls them in their time until the process ends.
    #[must_use]
    pub fn start(tests: TargetTests, tasks: &TaskSet) -> Self {
        let checking = Self::new(tests);
        let (running, stopping) = (checking.clone(), tasks.stopping());
        tasks.spawn("target checks", async move {
            running.run(stopping).await;
            Ok(())
        });
        checking
    }

    /// How targets answer, and word of every call.
    #[must_use]
    pub fn subscribe(&self) -> watch::Receiver<Checks> {
        self.checks.subscribe()
    }

    async fn run(self, stopping: CancellationToken) {
        let mut ticks = tokio::time::interval(EVERY);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        // Tasks: a check that has the store's lock goes on while this waits for the store.
        let (mut begun, mut calls) = (Begun::new(), JoinSet::new());
        let mut open = Open::default();
        loop {
            tokio::select! {
                () = stopping.cancelled() => return,
                _ = ticks.tick() => match self.due(&mut begun, &mut open).await {
                    Ok(due) => for target in due {
                        calls.spawn(self.clone().check(target));
                    },
                    Err(error) => tracing::warn!(%error, "targets are not checked"),
                },
                Some(done) = calls.join_next() => if let Ok(organisation) = done {
                    open.give_back(&organisation);
                }
            }
        }
    }

    /// Targets that are due and have a place, which count as called from now on.
    async fn due(&self, begun: &mut Begun, open: &mut Open) -> Result<Vec<Target>, StoreFailed> {
        let mut tx = self.tests.store.begin().await?;
        let targets = target_list_checked(&mut tx).await?;
        drop(tx);
        let now_ms = self.tests.clock.unix_ms();
        let due = take_due(targets, begun, (now_ms, open));
        self.checks.send_if_modified(|checks| {
            let is_gone = |id: &&Arc<str>| !begun.contains_key(&***id);
            let gone: Vec<Arc<str>> = checks.keys().filter(is_gone).map(Arc::clone).collect();
            for id in &gone {
                checks.remove(id);
            }
            !gone.is_empty()
        });
        Ok(due)
    }

    /// Gives back whose target it was.
    async fn check(self, target: Target) -> String {
        let (id, checked_at_ms) = (target.target_id.clone(), self.tests.clock.unix_ms());
        let organisation = target.organisation_id.clone();
        match self.call(target).await {
            Ok(test) => {
                let check = TargetCheck {
                    target_id: id.clone(),
                    test: Some(test),
                    checked_at_ms,
                };
                self.checks.send_modify(|checks| {
                    checks.insert(id.into(), Arc::new(check));
                });
            }
            Err(error) => tracing::warn!(target_id = id, %error, "target is not checked"),
        }
        organisation
    }

    async fn call(&self, target: Target) -> Result<TargetTest, StoreFailed> {
        let mut tx = self.tests.store.begin().await?;
        let credential = target_user_fetch(&mut tx, &target).await?;
        drop(tx);
        let path = match target.test_path.as_str() {
            "" => "/".to_owned(),
            path => path.to_owned(),
        };
        self.tests.call(target, credential.as_deref(), &path).await
    }
}

/// Those that wait longest come first; what is known of others that are not checked any more goes.
fn take_due(
    targets: Vec<Target>,
    begun: &mut Begun,
    (now_ms, open): (u64, &mut Open),
) -> Vec<Target> {
    let known = std::mem::take(begun);
    let mut due = Vec::new();
    for target in targets {
        let last_ms = known.get(&target.target_id).copied();
        let period_ms = u64::from(target.check_seconds) * 1_000;
        let due_ms = last_ms.map_or(0, |last_ms| last_ms.saturating_add(period_ms));
        if let Some(last_ms) = last_ms {
            begun.insert(target.target_id.clone(), last_ms);
        }
        if due_ms <= now_ms {
            due.push((due_ms, target));
        }
    }
    due.sort_by_key(|(due_ms, _)| *due_ms);
    let due = due.into_iter().map(|(_, target)| target);
    let taken: Vec<Target> = due
        .filter(|target| open.take(&target.organisation_id))
        .collect();
    begun.extend(
        taken
            .iter()
            .map(|target| (target.target_id.clone(), now_ms)),
    );
    taken
}

/// What makes `after` of `before`, in messages; `None`: nothing was told yet.
#[must_use]
pub fn told(before: Option<&Checks>, after: &Checks) -> Vec<TargetChecks> {
    let is_news = |(id, check): &(&Arc<str>, &Arc<TargetCheck>)| {
        before.is_none_or(|before| before.get(*id) != Some(*check))
    };
    let news = after.iter().filter(is_news);
    let news: Vec<TargetCheck> = news.map(|(_, check)| TargetCheck::clone(check)).collect();
    let messages = news.chunks(CHECKS_A_MESSAGE).map(|checks| TargetChecks {
        checks: checks.to_vec(),
    });
    messages.collect()
}

#[cfg(test)]
mod tests;
