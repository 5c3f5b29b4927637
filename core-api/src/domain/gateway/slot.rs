//! The two secrets that a target credential may have, one of which is given to targets.

use std::str::FromStr;

use crate::domain::moment::Moment;

/// One of the two.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Slot {
    /// The secret that the credential has anyway.
    Current,
    /// The one that is to take its place.
    Next,
}

/// The second secret; itself no part of the record, as the first is not.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NextSecret {
    /// +1 for every new secret of the credential, in either slot.
    pub version: u64,
    /// From when on targets are given it; none: not before somebody says so.
    pub switch_at: Option<Moment>,
    /// When its region went back to the first, because targets refused this one. It is not given any
    /// more, whatever else is decided.
    pub failed_at: Option<Moment>,
}

impl Slot {
    /// Both.
    pub const ALL: [Self; 2] = [Self::Current, Self::Next];

    /// As the API says it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Current => "current",
            Self::Next => "next",
        }
    }
}

/// Neither of the two.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("must be `current` or `next`")]
pub struct InvalidSlot;

impl FromStr for Slot {
    type Err = InvalidSlot;

    fn from_str(raw: &str) -> Result<Self, InvalidSlot> {
        let slot = Self::ALL.into_iter().find(|slot| slot.as_str() == raw);
        slot.ok_or(InvalidSlot)
    }
}

impl NextSecret {
    /// Whether targets are given it at that moment, by all that is known here.
    #[must_use]
    pub fn is_given(&self, now: Moment) -> bool {
        self.failed_at.is_none() && self.switch_at.is_some_and(|at| at <= now)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_next_secret_is_given_from_its_moment_on_unless_it_failed() {
        let [before, at, after] = [1_000, 1_001, 1_002].map(|ms| Moment::of_unix_ms(ms).unwrap());
        for (switch_at, failed_at, want) in [
            (None, None, [false; 3]),
            (Some(at), None, [false, true, true]),
            (Some(at), Some(at), [false; 3]),
        ] {
            let next = NextSecret {
                version: 2,
                switch_at,
                failed_at,
            };
            assert_eq!([before, at, after].map(|now| next.is_given(now)), want);
        }
    }
}
