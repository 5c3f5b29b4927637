//! How many calls a worker may set aside.

use super::{Adds, Batch, Charged, Micros, Moment};

/// Of one batch.
const MOST_CALLS: u64 = 64;
/// Its life. Account is given several times a second, so this is for those who cannot any more.
const MOST_MS: u64 = 1_000;
/// A batch takes so small a part of the room there is that nobody misses it.
const PARTS: u64 = 64;

/// A batch of at most `wanted` calls like this one, whose own addition the tallies hold already.
/// None: some limit is too near, or its grant too short.
pub fn batch(call: &[Charged<'_>], wanted: u32, moment: &Moment) -> Option<Batch> {
    let mut calls = MOST_CALLS.min(wanted.into());
    let most_ms = moment.now_ms.saturating_add(MOST_MS);
    // Used in the next minute, its calls would count in the one before.
    let mut until_ms = moment.calendar.minute.end_ms.min(most_ms);
    for charged in call {
        let (most, end_ms) = charged.reservable(moment)?;
        calls = calls.min(most);
        until_ms = until_ms.min(end_ms);
    }
    let calls = u32::try_from(calls).ok().filter(|calls| *calls > 0)?;
    Some(Batch {
        calls,
        since_ms: moment.now_ms,
        until_ms,
        calendar: moment.calendar,
    })
}

impl Charged<'_> {
    /// How many calls can be set aside, and until when.
    fn reservable(&self, moment: &Moment) -> Option<(u64, u64)> {
        let (mut calls, mut until_ms) = (u64::MAX, u64::MAX);
        for (window, limit) in self.charge.limits.iter() {
            if !self.charge.counts(window) {
                continue;
            }
            let slot = self.tally.slot(window, moment);
            // After a step back of the clock the count is in a later window.
            let is_now = slot.start_ms == moment.calendar.get(window).start_ms;
            match (limit, self.charge.adds) {
                _ if !is_now => return None,
                (None, Adds::One | Adds::Value) => {}
                // What a call will add is not known, so each is looked at.
                (Some(_), Adds::Value) => return None,
                (Some(limit), Adds::One) => {
                    let limit = Micros::units(*limit);
                    let (room, end_ms) = slot.room_to_reserve(limit, moment.now_ms)?;
                    calls = calls.min(room.divided_by(PARTS).get() / Micros::ONE.get());
                    until_ms = until_ms.min(end_ms);
                }
            }
        }
        Some((calls, until_ms))
    }
}

#[cfg(test)]
mod tests;
