//! What a refused caller is told (draft-ietf-httpapi-ratelimit-headers-10).

use super::{Bounds, Counter, Window};

/// A limit that applies to the call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Standing {
    /// Whose.
    pub counter: Counter,
    /// In which window.
    pub window: Window,
    /// How much the window allows, in whole units.
    pub quota: u64,
    /// The window in time.
    pub bounds: Bounds,
    /// Whether the call found no room in it.
    pub is_exceeded: bool,
}

/// All limits of a refused call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Exceeded {
    standings: Vec<Standing>,
    now_ms: u64,
}

impl Exceeded {
    pub(super) fn new(standings: Vec<Standing>, now_ms: u64) -> Self {
        Self { standings, now_ms }
    }

    /// Every limit that applies to the call.
    pub fn standings(&self) -> &[Standing] {
        &self.standings
    }

    /// The exceeded limit whose window ends last: `meter` and `window` of the JSON body.
    ///
    /// Of windows that end together, as an hour and a day do at midnight, the longest; of several
    /// limits of that window the first.
    pub fn decisive(&self) -> Option<&Standing> {
        let exceeded = self.standings.iter().filter(|one| one.is_exceeded);
        // Of equals `max_by_key` takes the last it sees.
        exceeded
            .rev()
            .max_by_key(|one| (one.bounds.end_ms, one.window))
    }

    /// `Retry-After`: seconds until no exceeded window is open any more.
    pub fn retry_after_seconds(&self) -> u64 {
        self.decisive()
            .map_or(1, |standing| standing.bounds.seconds_left(self.now_ms))
    }

    /// `RateLimit-Policy`: every window with a limit, as `"minute";q=100;w=60`.
    ///
    /// Policy names must differ, and the windows are the names. Where several counters limit the
    /// same window it shows one of them: an exceeded one if there is one, then the lowest.
    pub fn policy_field(&self) -> String {
        let items = self.windows().map(|standing| {
            let (name, quota) = (standing.window.name(), standing.quota);
            format!("\"{name}\";q={quota};w={}", standing.bounds.seconds())
        });
        items.collect::<Vec<_>>().join(", ")
    }

    /// `RateLimit`: every exceeded window, as `"minute";r=0;t=17`.
    pub fn limit_field(&self) -> String {
        let exceeded = self.windows().filter(|standing| standing.is_exceeded);
        let items = exceeded.map(|standing| {
            let seconds = standing.bounds.seconds_left(self.now_ms);
            format!("\"{}\";r=0;t={seconds}", standing.window.name())
        });
        items.collect::<Vec<_>>().join(", ")
    }

    /// One limit for each window that has any, shortest window first.
    fn windows(&self) -> impl Iterator<Item = &Standing> {
        Window::ALL.into_iter().filter_map(|window| {
            self.standings
                .iter()
                .filter(|standing| standing.window == window)
                .min_by_key(|standing| (!standing.is_exceeded, standing.quota))
        })
    }
}

#[cfg(test)]
mod tests;
