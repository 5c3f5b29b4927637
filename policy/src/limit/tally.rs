//! One counter over its windows.

use super::{Counter, CounterKind, Limits, Micros, Moment, PerWindow, Report, Slot, Window};

/// What an Envoy keeps for one counter.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    /// None: not counted.
    pub slots: PerWindow<Option<Slot>>,
}

/// A counter that a call adds to, with its limits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Charge {
    /// Which.
    pub counter: Counter,
    /// Its ceilings.
    pub limits: Limits,
    /// What the call adds.
    pub adds: Adds,
}

/// What an admitted call adds to a counter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Adds {
    /// One, at admission.
    One,
    /// What the response says, when it is known.
    Value,
}

impl Charge {
    /// What must fit below every limit for the call to be admitted; of a value, which nobody
    /// knows yet, the least there is.
    pub fn need(&self) -> Micros {
        match self.adds {
            Adds::One => Micros::ONE,
            Adds::Value => Micros::LEAST,
        }
    }

    /// What is added at admission.
    pub fn on_admission(&self) -> Micros {
        match self.adds {
            Adds::One => Micros::ONE,
            Adds::Value => Micros::ZERO,
        }
    }

    /// The window's ceiling.
    pub fn limit(&self, window: Window) -> Option<Micros> {
        self.limits.get(window).map(Micros::units)
    }

    /// Meters show every window; what has no name in the API is counted for its limits alone.
    fn counts(&self, window: Window) -> bool {
        match self.counter.kind {
            CounterKind::Meter => true,
            CounterKind::Plan | CounterKind::Proxy => self.limits.get(window).is_some(),
        }
    }
}

impl Tally {
    /// The window's slot as it is now, empty when nothing was counted yet.
    pub fn slot(&self, window: Window, moment: &Moment) -> Slot {
        self.slots
            .get(window)
            .unwrap_or_default()
            .in_window(*moment.calendar.get(window))
    }

    /// Counts an amount in every window of the charge.
    pub fn add(&mut self, charge: &Charge, amount: Micros, moment: &Moment) {
        self.update(charge, moment, |own| own.plus(amount));
    }

    /// Takes an amount back, of a call that another counter then refused. The region may have
    /// heard of it already; then it counts, which errs to the safe side.
    pub fn take_back(&mut self, charge: &Charge, amount: Micros, moment: &Moment) {
        self.update(charge, moment, |own| own.minus(amount));
    }

    /// What the region should hear now, as it is: `epoch` is the one last heard from the region.
    pub fn due(&self, counter: Counter, epoch: Option<u32>, now_ms: u64) -> Vec<Report> {
        self.slots
            .iter()
            .filter_map(|(window, slot)| Some((window, slot.as_ref()?)))
            .filter(|(_, slot)| slot.is_due(epoch, now_ms))
            .filter(|(window, slot)| slot.is_reportable(*window, now_ms))
            .map(|(window, slot)| Report::of(counter, window, slot))
            .collect()
    }

    /// The slot of a report, to apply its answer to: made if it is missing, never an older one.
    pub fn slot_of(&mut self, report: &Report) -> Option<&mut Slot> {
        let slot = self.slots.get_mut(report.window).get_or_insert_default();
        *slot = slot.in_window(report.window.bounds(report.start_ms));
        slot.limit = report.limit;
        (slot.start_ms == report.start_ms).then_some(slot)
    }

    fn update(&mut self, charge: &Charge, moment: &Moment, count: impl Fn(Micros) -> Micros) {
        for window in Window::ALL {
            if charge.counts(window) {
                let mut slot = self.slot(window, moment);
                slot.limit = charge.limit(window).unwrap_or(Micros::ZERO);
                slot.own = count(slot.own);
                *self.slots.get_mut(window) = Some(slot);
            }
        }
    }
}

#[cfg(test)]
mod tests;
