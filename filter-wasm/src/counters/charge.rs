//! One call against its counters: all limits are looked at before anything is counted. Most calls
//! of a busy worker are counted in a batch that was looked at before.

use requestrocket_policy::{
    exchange::{Charging, Question},
    limit::{
        Batch, Charge, Charged, Decision, Micros, Moment, Report, Tallies, batch, decide,
        near_limits,
    },
};
use uuid::Uuid;

use super::{Bucket, Counters, Inquiry, batches::Open};
use crate::host::{HostFailure, Shared};

/// How often a call tries again when another worker was faster. Each time one of them gets on, so
/// this is far beyond the number of workers.
const ATTEMPTS: u32 = 256;

/// A bucket as it was read.
pub(super) struct Page {
    bucket: Bucket,
    pub(super) tallies: Tallies,
    /// Of this worker; the counts hold their account.
    accounted: Vec<Open>,
    mark: u32,
}

/// What an admitted call changes.
struct Admission<'c> {
    charges: &'c [(Uuid, &'c Charge)],
    batch: Option<Batch>,
    moment: Moment,
}

/// Whether somebody else changed a bucket first.
enum Written {
    All,
    Lost,
}

impl Counters {
    /// Decides a call and, when every limit has room, counts it.
    pub(crate) fn charge(
        &self,
        host: &impl Shared,
        charges: &[(Uuid, &Charge)],
        inquiry: Inquiry,
    ) -> Result<Charging, HostFailure> {
        let mut now_ms = host.now_ms()?;
        for _ in 0..ATTEMPTS {
            // A call that comes back from the region server may find a batch as well.
            if self.batches.count(charges, now_ms)? {
                return Ok(Charging::Admitted(Vec::new()));
            }
            let moment = Moment::at(now_ms);
            let mut pages = self.read(host, charges, now_ms)?;
            let call = charged(charges, &pages);
            match decide(&call, inquiry.asked, &moment) {
                Decision::Exceeded(exceeded) => return Ok(Charging::Exceeded(exceeded)),
                Decision::Ask(reports) => {
                    return Ok(Charging::Ask(Question {
                        reports: self.questions(charges, reports, inquiry.questions)?,
                        read_at_ms: now_ms,
                    }));
                }
                Decision::Admit => {}
            }
            for (owner, charge) in charges {
                if let Some(tallies) = tallies_of(&mut pages, *owner) {
                    let amount = charge.on_admission();
                    tallies
                        .tally_mut(charge.counter)
                        .add(charge, amount, &moment);
                }
            }
            let call = charged(charges, &pages);
            let near = near_limits(&call, &moment);
            let batch = batch(&call, self.batches.wanted(charges)?, &moment);
            let admission = Admission {
                charges,
                batch,
                moment,
            };
            admission.set_aside(&mut pages);
            if let Written::All = self.write(host, &pages, &admission)? {
                self.batches.counted(charges, batch)?;
                return Ok(Charging::Admitted(near));
            }
            now_ms = host.now_ms()?;
        }
        Err(HostFailure)
    }

    /// Counts what a response brought.
    pub(crate) fn add(
        &self,
        host: &impl Shared,
        (owner, charge): (Uuid, &Charge),
        amount: Micros,
    ) -> Result<(), HostFailure> {
        let moment = Moment::at(host.now_ms()?);
        self.change(host, Bucket::of(owner), |tallies| {
            tallies
                .tally_mut(charge.counter)
                .add(charge, amount, &moment);
        })
    }

    /// Changes one bucket, however many others do.
    pub(super) fn change(
        &self,
        host: &impl Shared,
        bucket: Bucket,
        mut change: impl FnMut(&mut Tallies),
    ) -> Result<(), HostFailure> {
        for _ in 0..ATTEMPTS {
            let mut page = Page::read(host, bucket)?;
            change(&mut page.tallies);
            if page.write(host)? {
                self.mark_dirty(bucket);
                return Ok(());
            }
        }
        Err(HostFailure)
    }

    /// Tells what this worker used of its batches.
    pub(super) fn give_account(&self, host: &impl Shared, now_ms: u64) -> Result<(), HostFailure> {
        for (bucket, open) in self.batches.by_bucket()? {
            self.change(host, bucket, |tallies| {
                for one in &open {
                    one.give_account(tallies, now_ms);
                }
            })?;
            self.batches.close(&open)?;
        }
        self.batches.cool()
    }

    /// The pages of a call, with the account of this worker's batches of its counters.
    fn read(
        &self,
        host: &impl Shared,
        charges: &[(Uuid, &Charge)],
        now_ms: u64,
    ) -> Result<Vec<Page>, HostFailure> {
        // The credential's and the proxy's: no charge has another owner.
        let mut pages: Vec<Page> = Vec::with_capacity(2);
        for (owner, _) in charges {
            let bucket = Bucket::of(*owner);
            if !pages.iter().any(|page| page.bucket == bucket) {
                let mut page = Page::read(host, bucket)?;
                page.accounted = self.batches.of(charges, bucket)?;
                for open in &page.accounted {
                    open.give_account(&mut page.tallies, now_ms);
                }
                pages.push(page);
            }
        }
        Ok(pages)
    }

    /// The reports with the owner of each counter, because a counter does not say where it lies,
    /// and with what the calls need that wait already.
    fn questions(
        &self,
        charges: &[(Uuid, &Charge)],
        reports: Vec<Report>,
        asked_before: u8,
    ) -> Result<Vec<(Uuid, Report)>, HostFailure> {
        let mut questions = Vec::with_capacity(reports.len());
        for mut report in reports {
            let of_report = |(_, charge): &&(Uuid, &Charge)| charge.counter == report.counter;
            if let Some((owner, charge)) = charges.iter().find(of_report) {
                // Else all that wait got the same room, and all but one had to ask again. Those of
                // other workers, not seen here, take of it: who lost it asks for twice as much.
                let calls = self.waiting(&report)?.saturating_add(1) << asked_before.min(16);
                report.queued = charge.need().times(calls.saturating_sub(1));
                questions.push((*owner, report));
            }
        }
        Ok(questions)
    }

    /// Writes the pages one after the other; when one is lost, those before it are taken back.
    fn write(
        &self,
        host: &impl Shared,
        pages: &[Page],
        admission: &Admission<'_>,
    ) -> Result<Written, HostFailure> {
        for (position, page) in pages.iter().enumerate() {
            if page.write(host)? {
                self.mark_dirty(page.bucket);
                // The page that was written holds their account.
                self.batches.close(&page.accounted)?;
                continue;
            }
            for written in pages.iter().take(position) {
                self.change(host, written.bucket, |tallies| {
                    admission.take_back(written.bucket, tallies);
                })?;
            }
            return Ok(Written::Lost);
        }
        Ok(Written::All)
    }
}

impl Admission<'_> {
    fn set_aside(&self, pages: &mut [Page]) {
        let Some(batch) = &self.batch else {
            return;
        };
        for (owner, charge) in self.charges {
            if let Some(tallies) = tallies_of(pages, *owner) {
                tallies.tally_mut(charge.counter).reserve(charge, batch);
            }
        }
    }

    fn take_back(&self, bucket: Bucket, tallies: &mut Tallies) {
        let charges = self.charges.iter();
        for (_, charge) in charges.filter(|(owner, _)| Bucket::of(*owner) == bucket) {
            let tally = tallies.tally_mut(charge.counter);
            tally.take_back(charge, charge.on_admission(), &self.moment);
            if let Some(batch) = &self.batch {
                tally.give_account(charge, batch, 0, self.moment.now_ms);
            }
        }
    }
}

impl Page {
    pub(super) fn read(host: &impl Shared, bucket: Bucket) -> Result<Self, HostFailure> {
        // All buckets were made before any worker ran, so a missing one is no empty one.
        let (bytes, mark) = host.shared_data(&bucket.key())?.ok_or(HostFailure)?;
        Ok(Self {
            bucket,
            tallies: Tallies::from_bytes(&bytes),
            accounted: Vec::new(),
            mark,
        })
    }

    fn write(&self, host: &impl Shared) -> Result<bool, HostFailure> {
        host.set_shared_data(&self.bucket.key(), &self.tallies.to_bytes(), self.mark)
    }
}

fn charged<'a>(charges: &[(Uuid, &'a Charge)], pages: &[Page]) -> Vec<Charged<'a>> {
    let page_of = |owner: Uuid| {
        let bucket = Bucket::of(owner);
        pages.iter().find(|page| page.bucket == bucket)
    };
    charges
        .iter()
        .map(|&(owner, charge)| Charged {
            charge,
            tally: page_of(owner)
                .map(|page| page.tallies.get(charge.counter))
                .unwrap_or_default(),
        })
        .collect()
}

fn tallies_of(pages: &mut [Page], owner: Uuid) -> Option<&mut Tallies> {
    let bucket = Bucket::of(owner);
    let page = pages.iter_mut().find(|page| page.bucket == bucket)?;
    Some(&mut page.tallies)
}
