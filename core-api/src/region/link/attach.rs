//! The life of one link: hello, then changes down and reports up until either side ends it.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use requestrocket_proto::region::v1::{
    ControlMessage, FleetStatus, Notices, RegionMessage, SlotFailures, Stored, TargetChecks,
    control_message, region_message::Kind,
};
use tokio::sync::{mpsc, watch};
use tonic::{Status, Streaming};

use super::RegionLink;
use super::feed::Feed;
use super::gate::Peer;
use super::hello::Introduction;
use super::inquiry::Inquiries;
use super::links::{Links, OpenLink};
use super::notices;
use super::reports::Reports;
use super::slot_failures;
use super::target_checks;
use super::unavailable;
use crate::region::fleet::{OpenQuestion, RegionState};
use crate::store::gateway::region::{self, RegionRow};

/// A region that says nothing first is let go.
const HELLO_TIMEOUT: Duration = Duration::from_secs(10);
/// Changes whose announcement got lost (another process, a crash) are found after this.
const POLL: Duration = Duration::from_secs(1);
/// Batches on their way; more wait in the store.
const WINDOW: usize = 4;

type Outbound = mpsc::Sender<Result<ControlMessage, Status>>;

/// One region's link before its hello.
pub(super) struct Session {
    link: Arc<RegionLink>,
    links: Links,
    peer: Peer,
}

/// One region's link after it.
struct Attached {
    link: Arc<RegionLink>,
    peer: Peer,
    /// The region was told everything up to here.
    sent: AtomicI64,
    /// What it was asked.
    inquiries: Inquiries,
    /// What it says that it cannot use.
    reports: Reports,
}

/// Why a link ended.
#[derive(Debug)]
enum End {
    /// The region closed it.
    Closed,
    /// A newer link of the same region took over.
    Replaced,
    /// The region enrolled again, with another certificate.
    Revoked,
    /// This process stops.
    Stopping,
    /// It cannot go on.
    Failed(Status),
}

impl Session {
    pub(super) fn open(link: Arc<RegionLink>, links: Links, peer: Peer) -> Self {
        Self { link, links, peer }
    }

    /// Waits for the hello, then runs the link beside the caller.
    pub(super) async fn start(
        self,
        mut inbound: Streaming<RegionMessage>,
    ) -> Result<mpsc::Receiver<Result<ControlMessage, Status>>, Status> {
        let introduction = introduction(&mut inbound).await?;
        // Before the feed begins, so that no announcement falls in between.
        let committed = self.link.fleets.committed();
        let feed = self.begin(introduction).await?;
        let (outbound, batches) = mpsc::channel(WINDOW);
        let tasks = self.link.tasks.clone();
        tasks.spawn("region link", async move {
            self.run(inbound, outbound, feed, committed).await;
            Ok(())
        });
        Ok(batches)
    }

    async fn begin(&self, introduction: Introduction) -> Result<Feed, Status> {
        let Introduction {
            stored_revision,
            key,
            base_url,
        } = introduction;
        let mut tx = self.link.db.begin().await.map_err(unavailable)?;
        let region = self.peer.region();
        let known = region::region_fetch(&mut tx, region.as_str())
            .await
            .map_err(unavailable)?;
        let row = known
            .filter(|row| is_current(row, &self.peer))
            .ok_or_else(revoked_certificate)?;
        let connected = region::region_connected(&mut tx, region, &base_url, &key);
        connected.await.map_err(unavailable)?;
        let feed = Feed::begin(&mut tx, region, &row, stored_revision).await;
        let feed = feed.map_err(unavailable)?;
        tx.commit().await.map_err(unavailable)?;
        tracing::info!(region = %region, stored_revision, "region attached");
        Ok(feed)
    }

    async fn run(
        self,
        inbound: Streaming<RegionMessage>,
        outbound: Outbound,
        feed: Feed,
        committed: watch::Receiver<u64>,
    ) {
        let Self { link, links, peer } = self;
        let OpenLink {
            number,
            replaced,
            revoked,
            questions,
        } = links.open(peer.region(), &link.fleets);
        let stopping = link.tasks.stopping();
        let sent = AtomicI64::new(feed.told());
        let attached = Attached {
            link: link.clone(),
            peer,
            sent,
            inquiries: Inquiries::default(),
            reports: Reports::default(),
        };
        let end = tokio::select! {
            end = attached.listen(inbound) => end,
            end = attached.tell(&outbound, feed, committed) => end,
            end = attached.inquire(&outbound, questions) => end,
            () = revoked.cancelled() => End::Revoked,
            () = replaced.cancelled() => End::Replaced,
            () = stopping.cancelled() => End::Stopping,
        };
        attached.finish(end, &outbound, &links, number);
    }
}

impl Attached {
    /// Takes down what the region reports.
    async fn listen(&self, mut inbound: Streaming<RegionMessage>) -> End {
        loop {
            let Ok(Some(message)) = inbound.message().await else {
                return End::Closed;
            };
            if let Err(refusal) = self.take(message).await {
                return End::Failed(refusal);
            }
        }
    }

    async fn take(&self, message: RegionMessage) -> Result<(), Status> {
        let RegionMessage { kind } = message;
        match kind {
            Some(Kind::Stored(Stored { revision })) => self.stored(revision).await,
            Some(Kind::FleetStatus(FleetStatus { nodes })) => {
                self.link
                    .fleets
                    .update(self.peer.region().as_str(), |state| state.nodes = nodes);
                Ok(())
            }
            Some(Kind::Unusable(unusable)) => {
                let report = self.reports.take(unusable);
                let report = report.map_err(|it| Status::resource_exhausted(it.to_string()))?;
                if let Some(unusable) = report {
                    let region = self.peer.region().as_str();
                    let set = |state: &mut RegionState| state.unusable = unusable;
                    self.link.fleets.update(region, set);
                }
                Ok(())
            }
            Some(Kind::TokenStates(report)) => {
                let region = self.peer.region().as_str();
                let mut taken = Ok(());
                let take = |state: &mut RegionState| taken = state.take_tokens(report);
                self.link.fleets.update(region, take);
                taken.map_err(|it| Status::resource_exhausted(it.to_string()))
            }
            Some(Kind::CredentialUses(report)) => {
                let region = self.peer.region().as_str();
                let mut taken = Ok(());
                let take = |state: &mut RegionState| taken = state.take_uses(report);
                self.link.fleets.update(region, take);
                taken.map_err(|it| Status::resource_exhausted(it.to_string()))
            }
            Some(Kind::SlotFailures(SlotFailures { failures })) => {
                let region = self.peer.region();
                let now = self.link.clock.now().into();
                let done = slot_failures::take(&self.link.db, region, failures, now).await;
                done.map_err(unavailable)
            }
            Some(Kind::Notices(Notices { notices })) => {
                let (region, now) = (self.peer.region(), self.link.clock.now().into());
                let done = notices::take(&self.link.db, region, notices, now).await;
                done.map_err(unavailable)
            }
            Some(Kind::TargetChecks(TargetChecks { checks })) => {
                let (region, now) = (self.peer.region(), self.link.clock.now().into());
                let done = target_checks::take(&self.link.db, region, checks, now).await;
                done.map_err(unavailable)
            }
            Some(Kind::Hello(_)) => Err(Status::invalid_argument("hello comes first and once")),
            Some(Kind::Answer(answer)) => {
                self.inquiries.close(answer);
                Ok(())
            }
            None => Err(Status::invalid_argument("message is of an unknown kind")),
        }
    }

    async fn stored(&self, revision: u64) -> Result<(), Status> {
        let revision = i64::try_from(revision).unwrap_or(i64::MAX);
        // Sealed secrets are forgotten up to there: one that was never sent would be lost.
        if revision > self.sent.load(Ordering::SeqCst) {
            return Err(Status::invalid_argument("stored is ahead of what was sent"));
        }
        let mut tx = self.link.db.begin().await.map_err(unavailable)?;
        let done = region::region_stored(&mut tx, self.peer.region(), revision).await;
        done.map_err(unavailable)?;
        tx.commit().await.map_err(unavailable)
    }

    /// Tells the region what changed, from now on.
    async fn tell(
        &self,
        outbound: &Outbound,
        mut feed: Feed,
        mut committed: watch::Receiver<u64>,
    ) -> End {
        loop {
            // Before the store is read, so that what is committed meanwhile wakes the loop again.
            committed.mark_unchanged();
            if let Err(end) = self.drain(outbound, &mut feed).await {
                return end;
            }
            // Either way the store is asked again; the announcement only makes it soon.
            let _ = tokio::time::timeout(POLL, committed.changed()).await;
        }
    }

    /// Finds a revocation of which this process was not told: by another one, or between hello and
    /// the opening of the link.
    async fn check_certificate(&self) -> Result<(), End> {
        let failed = |error| End::Failed(unavailable(error));
        let mut conn = self.link.db.pool().acquire().await.map_err(failed)?;
        let known = region::region_fetch(&mut conn, self.peer.region().as_str()).await;
        match known.map_err(failed)? {
            Some(row) if is_current(&row, &self.peer) => Ok(()),
            Some(_) | None => Err(End::Revoked),
        }
    }

    async fn drain(&self, outbound: &Outbound, feed: &mut Feed) -> Result<(), End> {
        let next = |error| End::Failed(unavailable(error));
        loop {
            let batch = feed.next(&self.link.db).await.map_err(next)?;
            // Only now: what was read may be newer than an enrolment that was not seen before.
            self.check_certificate().await?;
            let Some(batch) = batch else {
                return Ok(());
            };
            let revision = i64::try_from(batch.revision).unwrap_or(i64::MAX);
            // Before it goes: the acknowledgement may be faster than this task.
            self.sent.fetch_max(revision, Ordering::SeqCst);
            let message = ControlMessage {
                kind: Some(control_message::Kind::Batch(batch)),
            };
            outbound.send(Ok(message)).await.map_err(|_| End::Closed)?;
        }
    }

    /// Asks the region what callers of the API ask.
    async fn inquire(
        &self,
        outbound: &Outbound,
        mut questions: mpsc::Receiver<OpenQuestion>,
    ) -> End {
        while let Some(asked) = questions.recv().await {
            let Some(query) = self.inquiries.open(asked) else {
                continue;
            };
            let message = ControlMessage {
                kind: Some(control_message::Kind::Query(query)),
            };
            if outbound.send(Ok(message)).await.is_err() {
                return End::Closed;
            }
        }
        // A newer link has the questions now.
        End::Replaced
    }

    fn finish(&self, end: End, outbound: &Outbound, links: &Links, number: u64) {
        let now_ms = self.link.clock.unix_ms();
        let region = self.peer.region();
        links.close(region, number, &self.link.fleets, now_ms);
        tracing::info!(region = %region, end = ?end, "region detached");
        let status = match end {
            End::Closed => return,
            End::Replaced => Status::aborted("a newer link of this region took over"),
            End::Revoked => revoked_certificate(),
            End::Stopping => Status::unavailable("the control plane stops"),
            End::Failed(status) => status,
        };
        // When the window is full the region sees the stream end instead.
        let _ = outbound.try_send(Err(status));
    }
}

/// Whether `peer` holds the certificate of the region's last enrolment.
fn is_current(row: &RegionRow, peer: &Peer) -> bool {
    row.identity_digest.as_deref() == Some(peer.identity_digest())
}

fn revoked_certificate() -> Status {
    Status::permission_denied("this certificate is not of the region's last enrolment")
}

async fn introduction(inbound: &mut Streaming<RegionMessage>) -> Result<Introduction, Status> {
    match tokio::time::timeout(HELLO_TIMEOUT, inbound.message()).await {
        Ok(Ok(Some(message))) => Introduction::try_from(message),
        Ok(Ok(None)) => Err(Status::invalid_argument("the first message must be hello")),
        Ok(Err(status)) => Err(status),
        Err(_) => Err(Status::deadline_exceeded("no hello came")),
    }
}
