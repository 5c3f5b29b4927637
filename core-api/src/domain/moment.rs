//! Moments as the API and the store write them: RFC 3339, UTC, milliseconds.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use time::format_description::BorrowedFormatItem;
use time::format_description::well_known::Rfc3339;
use time::macros::format_description;
use time::{OffsetDateTime, UtcOffset};

const FORMAT: &[BorrowedFormatItem<'_>] =
    format_description!("[year]-[month]-[day]T[hour]:[minute]:[second].[subsecond digits:3]Z");

/// A moment, UTC, cut to milliseconds. As text it has 24 bytes and sorts in time order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Moment(OffsetDateTime);

/// Not an RFC 3339 moment between the years 0 and 9999.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("must be an RFC 3339 date and time")]
pub struct InvalidMoment;

impl Moment {
    /// The bare value.
    #[must_use]
    pub fn get(self) -> OffsetDateTime {
        self.0
    }

    /// From what other machines say; none: that is no moment.
    #[must_use]
    pub fn of_unix_ms(unix_ms: u64) -> Option<Self> {
        let nanoseconds = i128::from(unix_ms) * 1_000_000;
        let moment = OffsetDateTime::from_unix_timestamp_nanos(nanoseconds).ok()?;
        Some(Self::from(moment))
    }

    /// The moment `by` later; stands still at the end of time.
    #[must_use]
    pub fn plus(self, by: Duration) -> Self {
        Self(
            self.0
                .checked_add(by.try_into().unwrap_or_default())
                .unwrap_or(self.0),
        )
    }

    /// The moment `by` earlier; stands still at the beginning of time.
    #[must_use]
    pub fn minus(self, by: Duration) -> Self {
        Self(
            self.0
                .checked_sub(by.try_into().unwrap_or_default())
                .unwrap_or(self.0),
        )
    }
}

impl From<OffsetDateTime> for Moment {
    fn from(moment: OffsetDateTime) -> Self {
        let moment = moment.to_offset(UtcOffset::UTC);
        Self(
            moment
                .replace_millisecond(moment.millisecond())
                .unwrap_or(moment),
        )
    }
}

impl FromStr for Moment {
    type Err = InvalidMoment;

    fn from_str(raw: &str) -> Result<Self, InvalidMoment> {
        let moment = OffsetDateTime::parse(raw, &Rfc3339).map_err(|_| InvalidMoment)?;
        let utc = moment
            .checked_to_offset(UtcOffset::UTC)
            .ok_or(InvalidMoment)?;
        // A sign or more digits would break the order of the texts.
        if (0..=9999).contains(&utc.year()) {
            Ok(Self::from(utc))
        } else {
            Err(InvalidMoment)
        }
    }
}

impl fmt::Display for Moment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.format(FORMAT).map_err(|_| fmt::Error)?)
    }
}

/// `moment` as text.
#[must_use]
pub fn text(moment: OffsetDateTime) -> String {
    Moment::from(moment).to_string()
}

/// The moment that `raw` says.
///
/// # Errors
/// As [`Moment::from_str`].
pub fn parse(raw: &str) -> Result<OffsetDateTime, InvalidMoment> {
    raw.parse::<Moment>().map(Moment::get)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_is_utc_with_three_digits() {
        for (raw, want) in [
            ("2024-02-29T12:00:00Z", "2024-02-29T12:00:00.000Z"),
            (
                "2024-02-29T12:00:00.123456+02:00",
                "2024-02-29T10:00:00.123Z",
            ),
        ] {
            assert_eq!(raw.parse::<Moment>().unwrap().to_string(), want);
        }
        for raw in [
            "",
            "yesterday",
            "2024-02-30T00:00:00Z",
            "2024-02-29",
            "9999-12-31T23:59:59-01:00",
        ] {
            assert_eq!(raw.parse::<Moment>(), Err(InvalidMoment), "{raw}");
        }
    }
}
