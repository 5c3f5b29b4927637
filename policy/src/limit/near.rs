//! The warning of a meter that comes near its limit.

use std::fmt;

use uuid::Uuid;

use super::{Charged, CounterKind, Micros, Moment, Window, slot::NEAR_PERCENT};

/// A meter that has used most of a window. Its text is a `requestrocket-proxy-warning`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NearLimit {
    /// Which meter.
    pub meter: Uuid,
    /// Which window.
    pub window: Window,
    /// What was used, this call included.
    pub used: Micros,
    /// The limit, in whole units.
    pub limit: u64,
}

impl fmt::Display for NearLimit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "meter-near-limit; meter={}; window={}; used={}; limit={}",
            self.meter,
            self.window.name(),
            self.used,
            self.limit,
        )
    }
}

/// Meters and windows at 80 % or more. The tallies are those after the call was added; what its
/// response will add is not known yet.
pub fn near_limits(call: &[Charged<'_>], moment: &Moment) -> Vec<NearLimit> {
    call.iter()
        .filter(|charged| charged.charge.counter.kind == CounterKind::Meter)
        .flat_map(|charged| {
            Window::ALL
                .into_iter()
                .filter_map(|window| near_limit(charged, window, moment))
        })
        .collect()
}

fn near_limit(charged: &Charged<'_>, window: Window, moment: &Moment) -> Option<NearLimit> {
    let limit = (*charged.charge.limits.get(window))?;
    let used = charged.tally.slot(window, moment).used();
    used.reaches_percent(NEAR_PERCENT, Micros::units(limit))
        .then_some(NearLimit {
            meter: charged.charge.counter.id,
            window,
            used,
            limit,
        })
}

#[cfg(test)]
mod tests;
