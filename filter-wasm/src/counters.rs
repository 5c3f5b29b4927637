//! What the Envoys' workers count together, in proxy-wasm's shared data under compare-and-swap.
//!
//! Counts lie in a fixed number of buckets, made when the first VM starts, on Envoy's main thread:
//! the host cannot make a key only if it is absent, so two workers that both made one would lose
//! a count. A bucket holds all counters of the proxies or credentials that fall into it. A worker
//! that is busy sets calls aside there and counts them by itself.

mod batches;
mod charge;
mod sync;

use std::{
    cell::{Cell, RefCell},
    collections::{BTreeMap, BTreeSet},
};

use requestrocket_policy::limit::{Asked, Counter, CounterKind, Heard, Micros};
use uuid::Uuid;

pub use self::sync::{Answered, TICK_MS};
use self::{batches::Batches, sync::Pending};
use crate::host::{HostFailure, Shared};

/// How many keys share all counters.
const BUCKETS: u16 = 4_096;
/// Written last: the buckets are there.
const MADE: &[u8] = b"counters made";
/// One run of this Envoy, 16 bytes.
const INCARNATION: &[u8] = b"incarnation";

/// The counters of one VM: where they lie, and what the region server has to hear.
#[derive(Debug)]
pub struct Counters {
    incarnation: [u8; 16],
    batches: Batches,
    /// Buckets whose counts the region server may not know.
    dirty: RefCell<BTreeSet<Bucket>>,
    /// Requests that the region server has not answered.
    pending: RefCell<BTreeMap<u32, Pending>>,
    /// Which run of the region server answered last.
    heard: Cell<Heard>,
    /// Until then nobody is asked, because the region server does not answer.
    silent_until_ms: Cell<u64>,
    /// When the region server was last told something.
    told_at_ms: Cell<u64>,
    /// What meters of proxies counted since that was taken last.
    metered: RefCell<BTreeMap<(Uuid, Uuid), Micros>>,
}

/// How far a call is with asking the region server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Inquiry {
    /// What was said last.
    pub asked: Asked,
    /// How often it was asked.
    pub questions: u8,
}

impl Inquiry {
    /// It was not asked.
    pub const NONE: Self = Self {
        asked: Asked::NotYet,
        questions: 0,
    };
}

/// Number of a bucket.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Bucket(u16);

impl Bucket {
    /// Where the counters of a proxy or a credential lie.
    fn of(owner: Uuid) -> Self {
        // Ids are random (version 4); of those that begin with a time all would be in one.
        let [first, second, ..] = owner.into_bytes();
        Self(u16::from_be_bytes([first, second]) % BUCKETS)
    }

    fn all() -> impl Iterator<Item = Self> {
        (0..BUCKETS).map(Self)
    }

    fn key(self) -> [u8; 10] {
        let [high, low] = self.0.to_be_bytes();
        [b'c', b'o', b'u', b'n', b't', b'e', b'r', b's', high, low]
    }
}

impl Counters {
    /// For a VM that starts.
    pub fn start(host: &impl Shared) -> Result<Self, HostFailure> {
        if host.shared_data(MADE)?.is_none() {
            // The first VM of all, on Envoy's main thread, has no company yet.
            make(host)?;
        }
        let (incarnation, _) = host.shared_data(INCARNATION)?.ok_or(HostFailure)?;
        Ok(Self {
            incarnation: incarnation.try_into().map_err(|_| HostFailure)?,
            batches: Batches::default(),
            // A VM before this one may have ended before it told everything.
            dirty: RefCell::new(Bucket::all().collect()),
            pending: RefCell::default(),
            heard: Cell::default(),
            silent_until_ms: Cell::new(0),
            told_at_ms: Cell::new(0),
            metered: RefCell::default(),
        })
    }

    /// Notes what a counter of a proxy or credential counts, if it is a meter.
    pub(crate) fn note(&self, owner: Uuid, counter: Counter, amount: Micros) {
        if counter.kind != CounterKind::Meter || amount == Micros::ZERO {
            return;
        }
        if let Ok(mut metered) = self.metered.try_borrow_mut() {
            let sum = metered.entry((owner, counter.id)).or_default();
            *sum = sum.plus(amount);
        }
    }

    /// What meters counted since this was asked last, by proxy and meter.
    pub fn take_metered(&self) -> BTreeMap<(Uuid, Uuid), Micros> {
        match self.metered.try_borrow_mut() {
            Ok(mut metered) => std::mem::take(&mut *metered),
            Err(_) => BTreeMap::new(),
        }
    }

    fn mark_dirty(&self, bucket: Bucket) {
        if let Ok(mut dirty) = self.dirty.try_borrow_mut() {
            dirty.insert(bucket);
        }
    }
}

fn make(host: &impl Shared) -> Result<(), HostFailure> {
    host.set_shared_data(INCARNATION, &host.random()?, 0)?;
    for bucket in Bucket::all() {
        host.set_shared_data(&bucket.key(), &[], 0)?;
    }
    host.set_shared_data(MADE, b"1", 0)?;
    Ok(())
}

#[cfg(test)]
mod tests;
