//! The one place that asks the machine for the time.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use time::OffsetDateTime;

/// Where code gets "now" from: the machine, or a value that a test moves.
#[derive(Clone, Debug, Default)]
pub struct Clock(Source);

#[derive(Clone, Debug, Default)]
enum Source {
    #[default]
    System,
    /// Unix time in milliseconds.
    Manual(Arc<AtomicI64>),
}

impl Clock {
    /// A clock that stands still at `now` until [`Clock::advance`].
    #[must_use]
    pub fn manual(now: OffsetDateTime) -> Self {
        Self(Source::Manual(Arc::new(AtomicI64::new(unix_ms(now)))))
    }

    /// The present moment, UTC, cut to milliseconds.
    #[must_use]
    pub fn now(&self) -> OffsetDateTime {
        let ms = match &self.0 {
            Source::System => system_unix_ms(),
            Source::Manual(ms) => ms.load(Ordering::SeqCst),
        };
        OffsetDateTime::from_unix_timestamp_nanos(i128::from(ms) * 1_000_000)
            .unwrap_or(OffsetDateTime::UNIX_EPOCH)
    }

    /// The present moment as Unix time in whole milliseconds.
    #[must_use]
    pub fn unix_ms(&self) -> u64 {
        u64::try_from(unix_ms(self.now())).unwrap_or(0)
    }

    /// Moves a manual clock; the system clock stays as it is.
    pub fn advance(&self, by: Duration) {
        if let Source::Manual(ms) = &self.0 {
            let by = i64::try_from(by.as_millis()).unwrap_or(i64::MAX);
            ms.fetch_add(by, Ordering::SeqCst);
        }
    }
}

/// Unix time in whole milliseconds.
#[must_use]
pub fn unix_ms(moment: OffsetDateTime) -> i64 {
    i64::try_from(moment.unix_timestamp_nanos() / 1_000_000).unwrap_or(i64::MAX)
}

#[expect(clippy::disallowed_methods, reason = "this is the clock")]
fn system_unix_ms() -> i64 {
    unix_ms(OffsetDateTime::now_utc())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_manual_clock_moves_only_when_told() {
        let start = OffsetDateTime::UNIX_EPOCH + Duration::from_secs(5);
        let clock = Clock::manual(start);
        assert_eq!(clock.now(), start);
        assert_eq!(clock.unix_ms(), 5_000);
        clock.advance(Duration::from_millis(1500));
        assert_eq!(clock.now(), start + Duration::from_millis(1500));
    }
}
