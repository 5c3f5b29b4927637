//! Whether a call fits under every limit that applies to it.

use super::{Asked, Charge, Exceeded, Micros, Moment, Report, Standing, Tally, Window};

/// A counter of the call with what is kept for it.
#[derive(Clone, Copy, Debug)]
pub struct Charged<'a> {
    /// What the call adds where.
    pub charge: &'a Charge,
    /// What the Envoy keeps for that counter.
    pub tally: Tally,
}

/// The decision on one call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Decision {
    /// Every limit has room: add the charges, then let the call pass.
    Admit,
    /// Nothing is exceeded for certain, but these ceilings leave no room: ask the region.
    Ask(Vec<Report>),
    /// A limit is reached.
    Exceeded(Exceeded),
}

enum Room {
    Enough,
    Unknown,
    None,
}

/// Looks at all limits; changes nothing.
pub fn decide(call: &[Charged<'_>], asked: Asked, moment: &Moment) -> Decision {
    let mut questions = Vec::new();
    for charged in call {
        for (window, quota) in charged.limits() {
            match charged.room(window, quota, asked, moment) {
                Room::Enough => {}
                Room::Unknown => questions.push(charged.question(window, quota, moment)),
                Room::None => return Decision::Exceeded(exceeded(call, asked, moment)),
            }
        }
    }
    if questions.is_empty() {
        Decision::Admit
    } else {
        Decision::Ask(questions)
    }
}

fn exceeded(call: &[Charged<'_>], asked: Asked, moment: &Moment) -> Exceeded {
    let standings = call.iter().flat_map(|charged| {
        let limits = charged.limits();
        limits.map(|(window, quota)| charged.standing(window, quota, asked, moment))
    });
    Exceeded::new(standings.collect(), moment.now_ms)
}

impl Charged<'_> {
    fn limits(&self) -> impl Iterator<Item = (Window, u64)> {
        let limits = self.charge.limits.iter();
        limits.filter_map(|(window, quota)| Some((window, (*quota)?)))
    }

    fn room(&self, window: Window, quota: u64, asked: Asked, moment: &Moment) -> Room {
        let slot = self.tally.slot(window, moment);
        let limit = Micros::units(quota);
        let need = self.charge.need();
        // The true total is never less, so the region could only say the same.
        if slot.used().plus(need) > limit {
            return Room::None;
        }
        if slot.has_room(need, moment.now_ms) {
            return Room::Enough;
        }
        match asked {
            Asked::NotYet => Room::Unknown,
            Asked::Unanswered if slot.has_share(limit) => Room::Enough,
            Asked::Refused | Asked::Unanswered => Room::None,
        }
    }

    fn standing(&self, window: Window, quota: u64, asked: Asked, moment: &Moment) -> Standing {
        let slot = self.tally.slot(window, moment);
        Standing {
            counter: self.charge.counter,
            window,
            quota,
            bounds: window.bounds(slot.start_ms),
            is_exceeded: matches!(self.room(window, quota, asked, moment), Room::None),
        }
    }

    fn question(&self, window: Window, quota: u64, moment: &Moment) -> Report {
        let slot = self.tally.slot(window, moment);
        Report {
            limit: Micros::units(quota),
            // What workers set aside needs room as well.
            wanted: self.charge.need().plus(slot.reserved),
            ..slot.report(self.charge.counter, window)
        }
    }
}

#[cfg(test)]
mod tests;
