//! How long a span of time is that calls are summed up over, how long such sums are kept, and how
//! many there may be.

use requestrocket_proto::region::v1::Interval;

const MINUTE_MS: u64 = 60_000;
const HOUR_MS: u64 = 60 * MINUTE_MS;
const DAY_MS: u64 = 24 * HOUR_MS;

/// A kind of interval; UTC.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Span {
    Minute,
    Hour,
    Day,
}

impl Span {
    pub(super) const ALL: [Self; 3] = [Self::Minute, Self::Hour, Self::Day];

    /// None for one that this version does not know.
    pub(super) fn from_wire(wire: i32) -> Option<Self> {
        match Interval::try_from(wire).ok()? {
            Interval::Unspecified => None,
            Interval::Minute => Some(Self::Minute),
            Interval::Hour => Some(Self::Hour),
            Interval::Day => Some(Self::Day),
        }
    }

    pub(super) fn length_ms(self) -> u64 {
        match self {
            Self::Minute => MINUTE_MS,
            Self::Hour => HOUR_MS,
            Self::Day => DAY_MS,
        }
    }

    pub(super) fn start_ms(self, moment_ms: u64) -> u64 {
        moment_ms - moment_ms % self.length_ms()
    }

    /// What begins earlier is not kept.
    pub(super) fn kept_from_ms(self, now_ms: u64) -> u64 {
        let days = match self {
            Self::Minute => 8,
            Self::Hour => 100,
            Self::Day => 3 * 366,
        };
        now_ms.saturating_sub((days + 1) * DAY_MS)
    }

    /// Proxies and credentials of an organisation that have sums of their own in one interval.
    pub(super) fn most_shares(self) -> u64 {
        match self {
            Self::Minute => 1_000,
            Self::Hour => 5_000,
            Self::Day => 20_000,
        }
    }
}
