//! When it is told that something ends.

use std::time::Duration;

use crate::domain::moment::Moment;

const DAY: Duration = Duration::from_hours(24);

/// How far off an end is: of what is told once, the last one that holds counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Due {
    /// At most two weeks.
    InTwoWeeks,
    /// At most three days.
    InThreeDays,
    /// It has come.
    Now,
}

impl Due {
    /// All of them, the nearest last.
    pub const ALL: [Self; 3] = [Self::InTwoWeeks, Self::InThreeDays, Self::Now];

    /// What has an end behind the first moment and up to the second is due so.
    #[must_use]
    pub fn ends(self, now: Moment) -> (Moment, Moment) {
        match self {
            Self::InTwoWeeks => (now.plus(3 * DAY), now.plus(14 * DAY)),
            Self::InThreeDays => (now, now.plus(3 * DAY)),
            // Who was not told for so long, because nothing ran, need not be.
            Self::Now => (now.minus(14 * DAY), now),
        }
    }

    /// What causes end with.
    #[must_use]
    pub fn days(self) -> u8 {
        match self {
            Self::InTwoWeeks => 14,
            Self::InThreeDays => 3,
            Self::Now => 0,
        }
    }

    pub(super) fn verb(self) -> &'static str {
        match self {
            Self::InTwoWeeks | Self::InThreeDays => "ends",
            Self::Now => "has ended",
        }
    }
}
