//! How often the VM ticks, and what for.

use std::cell::Cell;

use crate::{compiling::STEP_MS, counters::TICK_MS};

/// Ticks come as often as something wants them; what wants fewer has a rhythm of its own.
#[derive(Debug)]
pub struct Pace {
    period_ms: Cell<u32>,
    /// Of what is done however little there is to do.
    pub house: Rhythm,
    /// Of compiling.
    pub step: Rhythm,
}

/// What is done at some ticks.
#[derive(Debug)]
pub struct Rhythm {
    period_ms: u32,
    /// Unix time in milliseconds.
    last_ms: Cell<u64>,
}

impl Default for Pace {
    fn default() -> Self {
        Self {
            period_ms: Cell::new(TICK_MS),
            house: Rhythm::new(TICK_MS),
            step: Rhythm::new(STEP_MS),
        }
    }
}

impl Pace {
    /// Remembers how often ticks are to come, and says whether that is new.
    pub fn is_another(&self, period_ms: u32) -> bool {
        self.period_ms.replace(period_ms) != period_ms
    }
}

impl Rhythm {
    fn new(period_ms: u32) -> Self {
        Self {
            period_ms,
            last_ms: Cell::new(0),
        }
    }

    /// Whether it is time, at this time; then it is not again for about a period. Without a clock it
    /// always is.
    pub fn is_due(&self, now_ms: Option<u64>) -> bool {
        let Some(now_ms) = now_ms else {
            return true;
        };
        // Ticks may come a little early.
        let period_ms = u64::from(self.period_ms) * 9 / 10;
        // The difference in either direction: a clock that was set back must not stop the house.
        let is_due = now_ms.abs_diff(self.last_ms.get()) >= period_ms;
        if is_due {
            self.last_ms.set(now_ms);
        }
        is_due
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_period_is_asked_for_once() {
        let pace = Pace::default();
        assert!(!pace.is_another(TICK_MS));
        assert!(pace.is_another(STEP_MS));
        assert!(!pace.is_another(STEP_MS));
    }

    #[test]
    fn what_wants_few_ticks_gets_no_more_of_many() {
        let rhythm = Rhythm::new(200);
        let due = |times: &[u64]| -> Vec<u64> {
            let times = times.iter().copied();
            times
                .filter(|&now_ms| rhythm.is_due(Some(now_ms)))
                .collect()
        };
        assert_eq!(due(&[1_000, 1_199, 1_398]), [1_000, 1_199, 1_398]);
        let short: Vec<u64> = (1_399..=2_000).collect();
        assert_eq!(due(&short), [1_578, 1_758, 1_938]);
        assert!(rhythm.is_due(None));
        assert_eq!(due(&[100]), [100], "the clock was set back");
    }
}
