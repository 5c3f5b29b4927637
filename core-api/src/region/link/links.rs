//! Which link of each region counts: the newest.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use crate::domain::gateway::region::RegionName;
use crate::region::fleet::{Fleets, Link, OpenQuestion};

/// The links that are open.
#[derive(Clone, Debug, Default)]
pub(super) struct Links(Arc<Mutex<Open>>);

#[derive(Debug, Default)]
struct Open {
    last_number: u64,
    by_region: BTreeMap<RegionName, Current>,
}

#[derive(Debug)]
struct Current {
    number: u64,
    replaced: CancellationToken,
    revoked: CancellationToken,
}

/// What a link has while it is open.
#[derive(Debug)]
pub(super) struct OpenLink {
    pub(super) number: u64,
    /// Ends when a newer link of the same region opens.
    pub(super) replaced: CancellationToken,
    /// Ends when the region enrols again: the certificate of this link counts no more.
    pub(super) revoked: CancellationToken,
    /// What the region is asked while the link is open.
    pub(super) questions: mpsc::Receiver<OpenQuestion>,
}

impl Links {
    /// Opens a link of `region`; one that is open is told to end.
    pub(super) fn open(&self, region: &RegionName, fleets: &Fleets) -> OpenLink {
        let mut open = self.lock();
        open.last_number += 1;
        let number = open.last_number;
        let (replaced, revoked) = (CancellationToken::new(), CancellationToken::new());
        let current = Current {
            number,
            replaced: replaced.clone(),
            revoked: revoked.clone(),
        };
        if let Some(old) = open.by_region.insert(region.clone(), current) {
            old.replaced.cancel();
        }
        // Under the lock, so that an old link's end cannot be told after a new one's beginning.
        fleets.update(region.as_str(), |state| state.link = Link::Up);
        let questions = fleets.take_questions(region.as_str());
        OpenLink {
            number,
            replaced,
            revoked,
            questions,
        }
    }

    /// Tells the open link of `region` that its certificate counts no more.
    pub(super) fn revoke(&self, region: &RegionName) {
        if let Some(current) = self.lock().by_region.get(region) {
            current.revoked.cancel();
        }
    }

    /// Closes the link of this number; without effect on a newer one.
    pub(super) fn close(&self, region: &RegionName, number: u64, fleets: &Fleets, now_ms: u64) {
        let mut open = self.lock();
        if open
            .by_region
            .get(region)
            .is_some_and(|current| current.number == number)
        {
            open.by_region.remove(region);
            fleets.refuse_questions(region.as_str());
            fleets.update(region.as_str(), |state| {
                state.link = Link::Down { since_ms: now_ms }
            });
        }
    }

    fn lock(&self) -> MutexGuard<'_, Open> {
        // Nothing that holds the lock can leave it half-changed.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_second_link_replaces_the_first_and_survives_its_end() {
        let (links, fleets) = (Links::default(), Fleets::default());
        let region: RegionName = "eu-1".parse().unwrap();
        let first = links.open(&region, &fleets);
        assert!(!first.replaced.is_cancelled());
        let second = links.open(&region, &fleets);
        assert!(first.replaced.is_cancelled() && !second.replaced.is_cancelled());
        links.close(&region, first.number, &fleets, 1);
        assert!(fleets.region("eu-1").is_connected());
        links.close(&region, second.number, &fleets, 2);
        assert_eq!(fleets.region("eu-1").link, Link::Down { since_ms: 2 });
    }

    #[test]
    fn a_revocation_reaches_the_open_link_of_its_region_alone() {
        let (links, fleets) = (Links::default(), Fleets::default());
        let region: RegionName = "eu-1".parse().unwrap();
        let former = links.open(&region, &fleets);
        let other = links.open(&"us-1".parse().unwrap(), &fleets);
        links.revoke(&region);
        assert!(former.revoked.is_cancelled() && !other.revoked.is_cancelled());
        let next = links.open(&region, &fleets);
        assert!(!next.revoked.is_cancelled());
        links.revoke(&"ghost".parse().unwrap());
    }

    #[test]
    fn regions_do_not_replace_each_other() {
        let (links, fleets) = (Links::default(), Fleets::default());
        let first = links.open(&"eu-1".parse().unwrap(), &fleets);
        links.open(&"us-1".parse().unwrap(), &fleets);
        assert!(!first.replaced.is_cancelled());
    }
}
