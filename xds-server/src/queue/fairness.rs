//! Whose turn it is. Pure: moments are arguments.

use std::collections::BTreeMap;

use super::carrier::Pace;

/// A target with requests that are due.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Candidate {
    /// UUID text, as below.
    pub organisation_id: String,
    /// Whose requests they are.
    pub target_id: String,
    /// How many more it takes now.
    pub room: u32,
}

/// How many to take of each target, so that no organisation has more under way than another that
/// wants as many. `busy` is what organisations have under way, `free` how many may begin.
#[must_use]
pub fn shares(
    busy: &BTreeMap<String, u32>,
    candidates: &[Candidate],
    free: u32,
) -> BTreeMap<String, u32> {
    let mut tenants: BTreeMap<&str, Tenant<'_>> = BTreeMap::new();
    for candidate in candidates.iter().filter(|candidate| candidate.room > 0) {
        let id = candidate.organisation_id.as_str();
        let tenant = tenants.entry(id).or_insert_with(|| Tenant {
            busy: busy.get(id).copied().unwrap_or(0),
            targets: Vec::new(),
        });
        tenant.targets.push(candidate);
    }
    let mut taken: BTreeMap<String, u32> = BTreeMap::new();
    let mut left = free;
    while left > 0 {
        let Some((id, tenant)) = tenants.iter_mut().min_by_key(|(_, tenant)| tenant.busy) else {
            break;
        };
        // Within it, the target of which fewest were taken.
        let of = |it: &Candidate| taken.get(&it.target_id).copied().unwrap_or(0);
        let with_room = tenant.targets.iter().filter(|it| of(it) < it.room);
        if let Some(next) = with_room.min_by_key(|it| of(it)) {
            *taken.entry(next.target_id.clone()).or_default() += 1;
            tenant.busy += 1;
            left -= 1;
        } else {
            let id = *id;
            tenants.remove(id);
        }
    }
    taken
}

/// An organisation that wants more.
struct Tenant<'a> {
    busy: u32,
    targets: Vec<&'a Candidate>,
}

/// How many of a target may begin now, and the mark of its rate with so many begun.
///
/// `mark_us` is the moment up to which the rate is spent (Unix time in microseconds): a generic
/// cell rate, with a tenth of a second's worth at once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rate {
    interval_us: u64,
    burst: u64,
}

impl Rate {
    /// Of a pace that has one.
    #[must_use]
    pub fn of(pace: Pace) -> Option<Self> {
        let per_second = u64::from(pace.per_second?.max(1));
        Some(Self {
            interval_us: 1_000_000_u64.div_ceil(per_second),
            burst: (per_second / 10).max(1),
        })
    }

    /// How many may begin.
    #[must_use]
    pub fn room(self, mark_us: u64, now_ms: u64) -> u32 {
        let begin = now_ms.saturating_mul(1_000);
        let end = begin.saturating_add(self.burst * self.interval_us);
        let room = end.saturating_sub(mark_us.max(begin)) / self.interval_us;
        u32::try_from(room).unwrap_or(u32::MAX)
    }

    /// The mark after so many began.
    #[must_use]
    pub fn spent(self, mark_us: u64, now_ms: u64, begun: u32) -> u64 {
        let from_us = mark_us.max(now_ms.saturating_mul(1_000));
        from_us.saturating_add(self.interval_us.saturating_mul(u64::from(begun)))
    }
}

#[cfg(test)]
mod tests;
