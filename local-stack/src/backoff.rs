//! When a child that died is started again.

use std::time::Duration;

const FIRST: Duration = Duration::from_millis(100);
const LONGEST: Duration = Duration::from_secs(5);
/// A child that ran this long was healthy: its death starts the schedule anew.
const HEALTHY: Duration = Duration::from_secs(10);

/// The wait before the next start, given the wait before the start that just failed.
///
/// The first death is answered at once; each further one of a child that keeps dying doubles the
/// wait.
pub(crate) fn next_delay(previous: Option<Duration>, ran_for: Duration) -> Duration {
    match previous {
        Some(previous) if ran_for < HEALTHY => (previous * 2).clamp(FIRST, LONGEST),
        Some(_) | None => Duration::ZERO,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_child_that_keeps_dying_waits_longer_and_longer() {
        let mut waits = Vec::new();
        let mut previous = None;
        for _ in 0..9 {
            let delay = next_delay(previous, Duration::from_millis(5));
            waits.push(delay.as_millis());
            previous = Some(delay);
        }
        assert_eq!(waits, [0, 100, 200, 400, 800, 1600, 3200, 5000, 5000]);
    }

    #[test]
    fn a_healthy_run_is_answered_at_once() {
        let ran = Duration::from_mins(1);
        assert_eq!(next_delay(Some(LONGEST), ran), Duration::ZERO);
    }
}
