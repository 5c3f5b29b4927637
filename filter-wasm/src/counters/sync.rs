//! What the region server is told, and what becomes of its answers.

use std::collections::BTreeMap;

use requestrocket_policy::{
    exchange::Question,
    limit::{Asked, Grant, Report, answers, request},
};

use super::{Bucket, Counters, charge::Page};
use crate::host::{HostFailure, Shared};

/// Period of `proxy_on_tick`.
pub const TICK_MS: u32 = 200;
/// Without anything to tell, the region server hears from us this often. A new one leases nothing
/// for a second, so that by then everybody has told it all.
const HEARTBEAT_MS: u64 = 500;
/// The region server may take a second to answer a call that waits.
const ASK_TIMEOUT_MS: u32 = 1_500;
const TICK_TIMEOUT_MS: u32 = 1_000;
/// After a failure nobody waits for an answer for so long.
const SILENCE_MS: u64 = 1_000;
/// Reports of one request.
const MAX_REPORTS: usize = 1_000;

/// A request on its way.
#[derive(Debug)]
pub(super) struct Pending {
    sent_at_ms: u64,
    reports: Vec<(Bucket, Report)>,
    /// The stream of the call that waits.
    stream: Option<u32>,
}

/// A call that waited, and what it got.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Answered {
    /// Its stream.
    pub stream: u32,
    /// What the region server said.
    pub asked: Asked,
}

impl Counters {
    /// Asks the region server for the call of `stream`.
    pub fn ask(
        &self,
        host: &impl Shared,
        question: &Question,
        stream: u32,
    ) -> Result<(), HostFailure> {
        let now_ms = host.now_ms()?;
        if now_ms < self.silent_until_ms.get() {
            host.count_unanswered();
            return Err(HostFailure);
        }
        let reports = question
            .reports
            .iter()
            .map(|&(owner, report)| (Bucket::of(owner), report))
            .collect();
        let pending = Pending {
            sent_at_ms: question.read_at_ms,
            reports,
            stream: Some(stream),
        };
        self.send(host, pending, ASK_TIMEOUT_MS)
    }

    /// How many calls of this worker wait for an answer about the same window of a counter.
    pub(super) fn waiting(&self, about: &Report) -> Result<u64, HostFailure> {
        let pending = self.pending.try_borrow().map_err(|_| HostFailure)?;
        let is_about = |(_, report): &(Bucket, Report)| {
            report.counter == about.counter && report.window == about.window
        };
        let waiting = pending.values().filter(|one| one.stream.is_some());
        let same = waiting.filter(|one| one.reports.iter().any(is_about));
        Ok(same.count().try_into().unwrap_or(u64::MAX))
    }

    /// Tells the region server what it may not know.
    pub fn tick(&self, host: &impl Shared) -> Result<(), HostFailure> {
        // Read before the counts: what is counted later under a ceiling is not in them.
        let sent_at_ms = host.now_ms()?;
        // Before the reports are made, so that they hold the account.
        self.give_account(host, sent_at_ms)?;
        let reports = self.due(host, sent_at_ms)?;
        let is_heartbeat = sent_at_ms >= self.told_at_ms.get().saturating_add(HEARTBEAT_MS);
        if reports.is_empty() && !is_heartbeat {
            return Ok(());
        }
        self.told_at_ms.set(sent_at_ms);
        let mut rest = reports.as_slice();
        loop {
            let (now, later) = rest.split_at(rest.len().min(MAX_REPORTS));
            let pending = Pending {
                sent_at_ms,
                reports: now.to_vec(),
                stream: None,
            };
            self.send(host, pending, TICK_TIMEOUT_MS)?;
            if later.is_empty() {
                return Ok(());
            }
            rest = later;
        }
    }

    /// An answer has come. Some: a call waited for it.
    pub fn on_answer(&self, host: &impl Shared, token: u32, bytes: &[u8]) -> Option<Answered> {
        let pending = self.pending.try_borrow_mut().ok()?.remove(&token)?;
        // An answer that cannot be read is none.
        let Some(answered) = answers(bytes, pending.reports.len()) else {
            return self.give_up(host, &pending);
        };
        let mut heard = self.heard.get();
        let now_ms = host.now_ms().unwrap_or(u64::MAX);
        // Another run of the region server has forgotten everything, and is told all of it.
        if heard.hear(answered.epoch, pending.sent_at_ms, now_ms) {
            Bucket::all().for_each(|bucket| self.mark_dirty(bucket));
        }
        self.heard.set(heard);
        let is_applied = self.apply(host, &pending, &answered.grants).is_ok();
        let mut asked = Asked::NotYet;
        for ((_, report), grant) in pending.reports.iter().zip(&answered.grants) {
            asked = match (asked, grant.outcome(report)) {
                // A ceiling that no worker can read is none.
                _ if !is_applied => Asked::Unanswered,
                (_, Asked::Unanswered) => Asked::Unanswered,
                (Asked::NotYet, outcome) => outcome,
                (so_far, _) => so_far,
            };
        }
        let stream = pending.stream?;
        Some(Answered { stream, asked })
    }

    /// Puts grants down.
    fn apply(
        &self,
        host: &impl Shared,
        pending: &Pending,
        grants: &[Grant],
    ) -> Result<(), HostFailure> {
        // Each bucket once: it may hold many counters, and a change rewrites them all.
        let mut by_bucket: BTreeMap<Bucket, Vec<(&Report, &Grant)>> = BTreeMap::new();
        for ((bucket, report), grant) in pending.reports.iter().zip(grants) {
            by_bucket.entry(*bucket).or_default().push((report, grant));
        }
        let mut applied = Ok(());
        for (bucket, granted) in by_bucket {
            let now_ms = host.now_ms().unwrap_or(u64::MAX);
            // One that cannot be changed does not keep the others from their grants.
            applied = applied.and(self.change(host, bucket, |tallies| {
                for (report, grant) in &granted {
                    if let Some(slot) = tallies.tally_mut(report.counter).slot_of(report) {
                        slot.apply(report, grant, pending.sent_at_ms, now_ms);
                    }
                }
            }));
        }
        applied
    }

    /// No answer will come. Some: a call waited for it.
    pub fn on_failure(&self, host: &impl Shared, token: u32) -> Option<Answered> {
        let pending = self.pending.try_borrow_mut().ok()?.remove(&token)?;
        self.give_up(host, &pending)
    }

    fn give_up(&self, host: &impl Shared, pending: &Pending) -> Option<Answered> {
        let now_ms = host.now_ms().unwrap_or(0);
        self.silent_until_ms.set(now_ms.saturating_add(SILENCE_MS));
        let stream = pending.stream?;
        host.count_unanswered();
        let asked = Asked::Unanswered;
        Some(Answered { stream, asked })
    }

    fn send(
        &self,
        host: &impl Shared,
        pending: Pending,
        timeout_ms: u32,
    ) -> Result<(), HostFailure> {
        let reports: Vec<Report> = pending.reports.iter().map(|(_, report)| *report).collect();
        let request = request(self.incarnation, &reports, pending.sent_at_ms);
        let mut all = self.pending.try_borrow_mut().map_err(|_| HostFailure)?;
        let token = host.sync_counters(&request, timeout_ms)?;
        all.insert(token, pending);
        Ok(())
    }

    /// Reports of all dirty buckets; those with nothing left to report are clean again.
    fn due(&self, host: &impl Shared, now_ms: u64) -> Result<Vec<(Bucket, Report)>, HostFailure> {
        let dirty: Vec<Bucket> = match self.dirty.try_borrow() {
            Ok(dirty) => dirty.iter().copied().collect(),
            Err(_) => return Err(HostFailure),
        };
        let mut reports = Vec::new();
        for bucket in dirty {
            let page = Page::read(host, bucket)?;
            let before = reports.len();
            let mut is_at_rest = true;
            for (counter, tally) in page.tallies.iter() {
                let due = tally.due(counter, self.heard.get().epoch(), now_ms);
                reports.extend(due.into_iter().map(|report| (bucket, report)));
                is_at_rest &= tally.is_at_rest(now_ms);
            }
            if is_at_rest && reports.len() == before {
                self.tidy(host, bucket, now_ms)?;
            }
        }
        Ok(reports)
    }

    /// Forgets counters whose windows are over, and that the bucket was dirty.
    fn tidy(&self, host: &impl Shared, bucket: Bucket, now_ms: u64) -> Result<(), HostFailure> {
        let page = Page::read(host, bucket)?;
        if page.tallies.iter().any(|(_, tally)| tally.is_over(now_ms)) {
            self.change(host, bucket, |tallies| tallies.forget_over(now_ms))?;
        }
        if let Ok(mut dirty) = self.dirty.try_borrow_mut() {
            dirty.remove(&bucket);
        }
        Ok(())
    }
}
