//! How many calls are open, and whose, so that nobody takes all that Envoy can keep open.
//!
//! Calls that are over are among them until somebody looks.

use std::collections::BTreeMap;

use requestrocket_policy::{
    access::MAX_OPEN_CALLS,
    id::OrganisationId,
    shares::{Holder, Shares, Whole},
};

/// Calls of one organisation that may be open on one worker, however few others there are: what
/// Envoy may hold of each, 64 KiB in each direction, is memory that all share.
const MAX_OF_ORGANISATION: usize = 4_500;
/// So many calls come between two looks for those that are over; who has nearly as many as it may
/// have is refused until then.
const MIN_NEW: usize = 256;
/// What is presumed when nobody says how many workers there are.
const WORKERS: u32 = 16;

#[derive(Debug)]
pub(super) struct Crowd {
    whole: Whole,
    shares: Shares,
    /// Since the organisation's calls were looked at, and since all were.
    new: BTreeMap<OrganisationId, usize>,
    all_new: usize,
}

/// Whether there is room for one more.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Room {
    There,
    /// Maybe, when those that are over are taken away.
    Unknown,
    Full,
}

/// Whose calls are looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Among {
    Organisation(OrganisationId),
    All,
}

impl Among {
    pub(super) fn contains(self, organisation: OrganisationId) -> bool {
        match self {
            Self::Organisation(one) => one == organisation,
            Self::All => true,
        }
    }
}

impl Crowd {
    /// Of one of so many workers; none: nobody says how many.
    pub(super) fn of_workers(workers: Option<u32>) -> Self {
        let all = MAX_OPEN_CALLS / workers.unwrap_or(WORKERS).max(1);
        let half = Whole::of(usize::try_from(all).unwrap_or_default());
        Self {
            whole: Whole {
                organisation: half.organisation.min(MAX_OF_ORGANISATION),
                ..half
            },
            shares: Shares::default(),
            new: BTreeMap::new(),
            all_new: 0,
        }
    }

    pub(super) fn add(&mut self, holder: Holder) {
        self.shares.add(holder, 1);
        *self.new.entry(holder.organisation).or_default() += 1;
        self.all_new += 1;
    }

    pub(super) fn remove(&mut self, holder: Holder) {
        self.shares.give_back(holder, 1);
        // Else the map would keep every organisation that ever called.
        if self.shares.of(holder.organisation) == 0 {
            self.new.remove(&holder.organisation);
        }
    }

    /// Whether there is room, and whether it is worth a look at these.
    pub(super) fn room(&self, holder: Holder, among: Among) -> Room {
        if self.shares.left(self.whole, holder) > 0 {
            return Room::There;
        }
        let (new, is_theirs) = match among {
            Among::Organisation(one) => (self.new.get(&one).copied().unwrap_or_default(), true),
            // A look at all calls frees nothing where only its own are in the way.
            Among::All => (self.all_new, self.are_others_in_the_way(holder)),
        };
        if is_theirs && new >= MIN_NEW {
            Room::Unknown
        } else {
            Room::Full
        }
    }

    fn are_others_in_the_way(&self, holder: Holder) -> bool {
        let without_others = Whole {
            all: usize::MAX,
            ..self.whole
        };
        self.shares.left(without_others, holder) > 0
    }

    /// The calls of these that are over were just taken away.
    pub(super) fn looked_at(&mut self, among: Among) {
        match among {
            Among::Organisation(one) => {
                if let Some(new) = self.new.get_mut(&one) {
                    *new = 0;
                }
            }
            Among::All => {
                self.all_new = 0;
                self.new.values_mut().for_each(|new| *new = 0);
            }
        }
    }
}
