//! One counter over its windows.

use super::{Batch, Counter, CounterKind, Limits, Micros, Moment, PerWindow, Report, Slot, Window};

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

    /// What so many calls add at admission.
    pub(super) fn of_calls(&self, calls: u32) -> Micros {
        Micros::new(self.on_admission().get().saturating_mul(calls.into()))
    }

    /// The window's ceiling.
    pub fn limit(&self, window: Window) -> Option<Micros> {
        self.limits.get(window).map(Micros::units)
    }

    /// Meters show every window; what has no name in the API is counted for its limits alone.
    pub(super) fn counts(&self, window: Window) -> bool {
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
            .at(*moment.calendar.get(window), moment.now_ms)
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

    /// Sets a batch aside in every window of the charge.
    pub fn reserve(&mut self, charge: &Charge, batch: &Batch) {
        let amount = charge.of_calls(batch.calls);
        for slot in self.slots_of(charge, batch) {
            slot.reserve(amount, batch.until_ms);
        }
    }

    /// Takes a worker's account of its batch: `used` of its calls passed. Windows that are over
    /// say nothing any more.
    pub fn give_account(&mut self, charge: &Charge, batch: &Batch, used: u32, now_ms: u64) {
        let set_aside = (charge.of_calls(batch.calls), batch.until_ms);
        let used = charge.of_calls(used);
        for slot in self.slots_of(charge, batch) {
            slot.give_account(used, set_aside, now_ms);
        }
    }

    /// The slots that a batch was set aside in.
    fn slots_of(&mut self, charge: &Charge, batch: &Batch) -> impl Iterator<Item = &mut Slot> {
        let windows = self.slots.iter_mut();
        windows.filter_map(|(window, slot)| {
            let slot = slot.as_mut()?;
            let start_ms = batch.calendar.get(window).start_ms;
            (charge.counts(window) && slot.start_ms == start_ms).then_some(slot)
        })
    }

    /// What the region should hear now, as it is: `epoch` is the one last heard from the region.
    pub fn due(&self, counter: Counter, epoch: Option<u32>, now_ms: u64) -> Vec<Report> {
        self.kept()
            .map(|(window, slot)| (window, slot.accounted(now_ms)))
            .filter(|(_, slot)| slot.is_due(epoch, now_ms))
            .filter(|(window, slot)| slot.is_reportable(*window, now_ms))
            .map(|(window, slot)| slot.report(counter, window))
            .collect()
    }

    /// Whether the region knows all of it, and nobody waits for the rest of a grant.
    pub fn is_at_rest(&self, now_ms: u64) -> bool {
        let mut slots = self.kept();
        slots.all(|(window, slot)| {
            slot.accounted(now_ms).is_at_rest() || !slot.is_reportable(window, now_ms)
        })
    }

    /// Whether all that was counted lies in windows that nobody asks about any more.
    pub fn is_over(&self, now_ms: u64) -> bool {
        let mut slots = self.kept();
        slots.all(|(window, slot)| !slot.is_reportable(window, now_ms))
    }

    fn kept(&self) -> impl Iterator<Item = (Window, &Slot)> {
        let slots = self.slots.iter();
        slots.filter_map(|(window, slot)| Some((window, slot.as_ref()?)))
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
                // For the reports of ticks, which know no policy.
                slot.limit = charge.limit(window).unwrap_or(Micros::ZERO);
                slot.own = count(slot.own);
                *self.slots.get_mut(window) = Some(slot);
            }
        }
    }
}

#[cfg(test)]
mod tests;
