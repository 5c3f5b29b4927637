//! How long calls took, in the buckets of an HDR histogram: the crate says which bucket a duration is
//! in and where a percentile lies; kept is only what is in a bucket.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use hdrhistogram::Histogram;
use requestrocket_proto::telemetry::v1 as wire;

/// A week; what takes longer counts as that.
const LONGEST_US: u64 = 7 * 24 * 3_600 * 1_000_000;
/// Buckets are narrower than 1 %.
const DIGITS: u8 = 2;

/// Never filled: knows the buckets.
static LAYOUT: LazyLock<Option<Histogram<u8>>> = LazyLock::new(empty);

/// Calls by how long they took.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Durations(BTreeMap<u64, u64>);

/// In microseconds: half, 95 and 99 of 100 calls took no longer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Percentiles {
    /// 50 of 100.
    pub p50: u64,
    /// 95 of 100.
    pub p95: u64,
    /// 99 of 100.
    pub p99: u64,
}

impl Durations {
    /// Adds a call.
    pub fn add(&mut self, us: u64) {
        super::grow(self.0.entry(bucket(us)).or_default(), 1);
    }

    /// Adds other calls.
    pub fn merge(&mut self, other: &Self) {
        for (bucket, calls) in &other.0 {
            super::grow(self.0.entry(*bucket).or_default(), *calls);
        }
    }

    /// None without calls.
    #[must_use]
    pub fn percentiles(&self) -> Option<Percentiles> {
        let mut histogram: Histogram<u64> = empty()?;
        for (bucket, calls) in &self.0 {
            histogram.record_n(*bucket, *calls).ok()?;
        }
        if histogram.is_empty() {
            return None;
        }
        // The middle of the bucket is nearest to whatever is in it.
        let at = |quantile| histogram.median_equivalent(histogram.value_at_quantile(quantile));
        Some(Percentiles {
            p50: at(0.5),
            p95: at(0.95),
            p99: at(0.99),
        })
    }

    pub(super) fn from_wire(wire: &wire::Durations) -> Option<Self> {
        let wire::Durations { steps, counts } = wire;
        if steps.len() != counts.len() {
            return None;
        }
        let mut buckets = Self::default();
        let mut at: u64 = 0;
        for (step, calls) in steps.iter().zip(counts) {
            at = at.checked_add(*step)?;
            // What lies in no bucket of ours would make more of them than there are.
            super::grow(buckets.0.entry(bucket(at)).or_default(), *calls);
        }
        Some(buckets)
    }

    pub(super) fn to_wire(&self) -> wire::Durations {
        let mut before = 0;
        // Steps are small numbers, which take few bytes in protobuf.
        let steps = self.0.keys().map(|bucket| {
            let step = bucket - before;
            before = *bucket;
            step
        });
        wire::Durations {
            steps: steps.collect(),
            counts: self.0.values().copied().collect(),
        }
    }
}

/// Its lowest duration.
fn bucket(us: u64) -> u64 {
    let us = us.min(LONGEST_US);
    let layout = LAYOUT.as_ref();
    layout.map_or(us, |layout| layout.lowest_equivalent(us))
}

fn empty<T: hdrhistogram::Counter>() -> Option<Histogram<T>> {
    Histogram::new_with_bounds(1, LONGEST_US, DIGITS).ok()
}
