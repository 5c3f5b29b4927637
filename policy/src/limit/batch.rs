//! Calls that one worker of an Envoy counts by itself.
//!
//! To read and write what all workers share costs more than all else that counting needs. So a
//! worker that is busy sets calls aside there at once, uses them up without another look, and then
//! gives account. What is set aside counts against the ceiling, so nothing is admitted twice.

use super::Calendar;

/// Calls set aside for one worker.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Batch {
    /// How many.
    pub calls: u32,
    /// When they were set aside.
    pub since_ms: u64,
    /// They can be used before this moment.
    pub until_ms: u64,
    /// The windows in which they count.
    pub calendar: Calendar,
}

impl Batch {
    /// Whether its calls may be used now.
    pub fn is_open(&self, now_ms: u64) -> bool {
        self.since_ms <= now_ms && now_ms < self.until_ms
    }
}
