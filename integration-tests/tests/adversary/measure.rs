//! What the innocent got: how many answers, which failed, how long each took.

use std::fmt;
use std::time::Duration;

/// The calls of one stretch of time.
#[derive(Clone, Debug, Default)]
pub(crate) struct Measured {
    times: Vec<Duration>,
    pub(crate) failures: Vec<String>,
}

impl Measured {
    /// A call and the time from when it was due until its answer was there, so that a silence
    /// counts for every call that was due in it.
    pub(crate) fn add(&mut self, took: Duration, failure: Option<String>) {
        self.times.push(took);
        self.failures.extend(failure);
    }

    /// Joins what another caller got.
    pub(crate) fn join(&mut self, other: Self) {
        self.times.extend(other.times);
        self.failures.extend(other.failures);
        self.times.sort_unstable();
    }

    pub(crate) fn count(&self) -> usize {
        self.times.len()
    }

    /// The time within which this share of the calls (in percent) was answered.
    pub(crate) fn within(&self, percent: usize) -> Duration {
        let index = (self.times.len() * percent / 100).min(self.times.len().saturating_sub(1));
        self.times.get(index).copied().unwrap_or_default()
    }
}

impl fmt::Display for Measured {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let ms = |percent| self.within(percent).as_secs_f64() * 1000.0;
        write!(f, "{:.1} / {:.1} / {:.1}", ms(50), ms(99), ms(100))
    }
}

/// One row of the table: how the innocent fared alone and beside a case.
pub(crate) fn row(case: &str, alone: &Measured, beside: &Measured, misses: u64) -> String {
    let ratio = beside.within(99).as_secs_f64() / alone.within(99).as_secs_f64();
    format!(
        "| {case} | {} | {} | {alone} | {beside} | {ratio:.1} | {misses} |",
        beside.count(),
        beside.failures.len(),
    )
}

/// What the columns of [`row`] are.
pub(crate) const COLUMNS: &str = "| case | innocent calls | failed | alone p50 / p99 / max ms | \
     beside p50 / p99 / max ms | ratio of p99 | watchdog misses |";

#[test]
fn shares_are_taken_of_all_calls() {
    let mut all = Measured::default();
    for millis in [3, 1, 2] {
        let mut one = Measured::default();
        one.add(Duration::from_millis(millis), None);
        all.join(one);
    }
    assert_eq!(all.within(50), Duration::from_millis(2));
    assert_eq!(all.within(100), Duration::from_millis(3));
    assert_eq!(Measured::default().within(99), Duration::ZERO);
}
