//! One call against its counters: all limits are looked at before anything is counted.

use requestrocket_policy::{
    exchange::{Charging, Question},
    limit::{
        Asked, Charge, Charged, Counter, Decision, Micros, Moment, Tallies, decide, near_limits,
    },
};
use uuid::Uuid;

use super::{Bucket, Counters};
use crate::host::{HostFailure, Shared};

/// How often a call tries again when another worker was faster. Each time one of them gets on, so
/// this is far beyond the number of workers.
const ATTEMPTS: u32 = 256;

/// A bucket as it was read.
pub(super) struct Page {
    bucket: Bucket,
    pub(super) tallies: Tallies,
    mark: u32,
}

/// Whether somebody else changed a bucket first.
enum Written {
    All,
    Lost,
}

impl Counters {
    /// Decides a call and, when every limit has room, counts it.
    pub(super) fn charge(
        &self,
        host: &impl Shared,
        charges: &[(Uuid, &Charge)],
        asked: Asked,
    ) -> Result<Charging, HostFailure> {
        for _ in 0..ATTEMPTS {
            let moment = Moment::at(host.now_ms()?);
            let mut pages = read(host, charges)?;
            let call = charged(charges, &pages);
            match decide(&call, asked, &moment) {
                Decision::Exceeded(exceeded) => return Ok(Charging::Exceeded(exceeded)),
                Decision::Ask(reports) => return Ok(Charging::Ask(question(charges, reports))),
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
            let near = near_limits(&charged(charges, &pages), &moment);
            if let Written::All = self.write(host, &pages, charges, &moment)? {
                return Ok(Charging::Admitted(near));
            }
        }
        Err(HostFailure)
    }

    /// Counts what a response brought.
    pub(super) fn add(
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

    /// Writes the pages one after the other; when one is lost, those before it are taken back.
    fn write(
        &self,
        host: &impl Shared,
        pages: &[Page],
        charges: &[(Uuid, &Charge)],
        moment: &Moment,
    ) -> Result<Written, HostFailure> {
        for (position, page) in pages.iter().enumerate() {
            if page.write(host)? {
                self.mark_dirty(page.bucket);
                continue;
            }
            for written in pages.iter().take(position) {
                self.change(host, written.bucket, |tallies| {
                    let here = charges
                        .iter()
                        .filter(|(owner, _)| Bucket::of(*owner) == written.bucket);
                    for (_, charge) in here {
                        let amount = charge.on_admission();
                        let tally = tallies.tally_mut(charge.counter);
                        tally.take_back(charge, amount, moment);
                    }
                })?;
            }
            return Ok(Written::Lost);
        }
        Ok(Written::All)
    }
}

impl Page {
    pub(super) fn read(host: &impl Shared, bucket: Bucket) -> Result<Self, HostFailure> {
        let (bytes, mark) = host.shared_data(&bucket.key())?.ok_or(HostFailure)?;
        Ok(Self {
            bucket,
            tallies: Tallies::from_bytes(&bytes),
            mark,
        })
    }

    fn write(&self, host: &impl Shared) -> Result<bool, HostFailure> {
        host.set_shared_data(&self.bucket.key(), &self.tallies.to_bytes(), self.mark)
    }
}

fn read(host: &impl Shared, charges: &[(Uuid, &Charge)]) -> Result<Vec<Page>, HostFailure> {
    let mut pages: Vec<Page> = Vec::with_capacity(2);
    for (owner, _) in charges {
        let bucket = Bucket::of(*owner);
        if !pages.iter().any(|page| page.bucket == bucket) {
            pages.push(Page::read(host, bucket)?);
        }
    }
    Ok(pages)
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

/// With the owner of each counter, because a counter does not say where it lies.
fn question(
    charges: &[(Uuid, &Charge)],
    reports: Vec<requestrocket_policy::limit::Report>,
) -> Question {
    let owner_of = |counter: Counter| {
        charges
            .iter()
            .find(|(_, charge)| charge.counter == counter)
            .map(|(owner, _)| *owner)
    };
    let owned = reports
        .into_iter()
        .filter_map(|report| Some((owner_of(report.counter)?, report)));
    Question(owned.collect())
}
