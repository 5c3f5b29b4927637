//! A moment in a parameter: RFC 3339, or Unix time in milliseconds.

use std::str::FromStr;

use crate::domain::moment::Moment;
use crate::http::query::LARGEST;

/// Unix time in milliseconds, however it was written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::http::routes) struct When(pub(in crate::http::routes) u64);

#[derive(Debug, thiserror::Error)]
#[error("must be an RFC 3339 date and time, or Unix time in milliseconds")]
pub(in crate::http::routes) struct InvalidWhen;

impl FromStr for When {
    type Err = InvalidWhen;

    fn from_str(text: &str) -> Result<Self, InvalidWhen> {
        let is_number = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
        if is_number {
            let unix_ms = text.parse().ok().filter(|unix_ms| *unix_ms <= LARGEST);
            return unix_ms.map(Self).ok_or(InvalidWhen);
        }
        let Ok(moment) = text.parse::<Moment>() else {
            return Err(InvalidWhen);
        };
        let unix_ms = moment.get().unix_timestamp_nanos() / 1_000_000;
        // What is before 1970 is before all records.
        Ok(Self(u64::try_from(unix_ms).unwrap_or(0)))
    }
}
