//! Which time usage is asked for, in which intervals, and by what it is told apart.

use std::str::FromStr;

use requestrocket_policy::form::problem::Problems;
use requestrocket_policy::limit::Window;
use requestrocket_proto::region::v1::{Interval, UsageGrouping};
use serde::Serialize;
use utoipa::{IntoParams, ToSchema};

use super::super::when::When;
use crate::error::ApiResult;
use crate::http::query::Query;

const DAY_MS: u64 = 86_400_000;
/// By default.
const DAYS: u64 = 30;
/// Intervals of one answer.
const MOST: u64 = 2_000;

/// The parameters of usage, for the documentation.
#[derive(Debug, IntoParams)]
#[into_params(parameter_in = Query, rename_all = "camelCase")]
#[expect(dead_code, reason = "documents what Period reads")]
pub(super) struct PeriodParams {
    /// RFC 3339, or Unix time in milliseconds; the beginning of its interval counts. By default 30
    /// days before `to`.
    from: Option<String>,
    /// Exclusive; the end of its interval counts. By default now.
    to: Option<String>,
    /// `hour`, `day` or `month`, UTC; at most 2,000 of them.
    #[param(default = "day")]
    interval: Option<String>,
    /// `proxy`, `credential`, `meter` or `region`.
    group_by: Option<String>,
}

/// How long an interval is; UTC.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(super) enum UsageInterval {
    Hour,
    Day,
    Month,
}

/// By what usage is told apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum GroupBy {
    Nothing,
    Proxy,
    Credential,
    Meter,
    Region,
}

#[derive(Debug, thiserror::Error)]
#[error("must be one of {0}")]
pub(super) struct InvalidWord(&'static str);

/// What is asked for: whole intervals.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Period {
    pub(super) from_ms: u64,
    pub(super) to_ms: u64,
    pub(super) interval: UsageInterval,
    pub(super) group_by: GroupBy,
}

impl Period {
    pub(super) fn read(raw: Option<&str>, now_ms: u64) -> ApiResult<Self> {
        let mut problems = Problems::default();
        let mut query = Query::new(raw, &mut problems);
        let moment = |query: &mut Query<'_>, name| query.parsed(name).map(|When(ms)| ms);
        let to_ms = moment(&mut query, "to").unwrap_or(now_ms);
        let from_ms = moment(&mut query, "from").unwrap_or(to_ms.saturating_sub(DAYS * DAY_MS));
        let interval: UsageInterval = query.parsed("interval").unwrap_or(UsageInterval::Day);
        let group_by = query.parsed("groupBy").unwrap_or(GroupBy::Nothing);
        let shortest_ms = interval.shortest_ms();
        if from_ms >= to_ms {
            query.problem("to", "must be later than `from`");
        } else if (to_ms - from_ms) / shortest_ms >= MOST {
            let text = format!("must be less than {MOST} intervals before `to`");
            query.problem("from", text);
        }
        query.finish();
        problems.check()?;
        Ok(Self {
            from_ms: interval.start_ms(from_ms),
            // The end is not part of it: midnight must not bring in the day that begins then.
            to_ms: interval.end_ms(to_ms - 1),
            interval,
            group_by,
        })
    }
}

impl UsageInterval {
    fn window(self) -> Window {
        match self {
            Self::Hour => Window::Hour,
            Self::Day => Window::Day,
            Self::Month => Window::Month,
        }
    }

    /// Regions know of days at most, and of no more of them than answers hold.
    fn shortest_ms(self) -> u64 {
        match self {
            Self::Hour => DAY_MS / 24,
            Self::Day | Self::Month => DAY_MS,
        }
    }

    /// The interval that a moment is in.
    pub(super) fn start_ms(self, moment_ms: u64) -> u64 {
        self.window().bounds(moment_ms).start_ms
    }

    pub(super) fn end_ms(self, moment_ms: u64) -> u64 {
        self.window().bounds(moment_ms).end_ms
    }

    /// As regions are asked.
    pub(super) fn to_wire(self) -> Interval {
        match self {
            Self::Hour => Interval::Hour,
            Self::Day | Self::Month => Interval::Day,
        }
    }
}

impl GroupBy {
    pub(super) fn is_region(self) -> bool {
        self == Self::Region
    }

    /// Sums are of all that regions have.
    pub(super) fn is_whole(self) -> bool {
        matches!(self, Self::Nothing | Self::Region)
    }

    /// As regions are asked.
    pub(super) fn to_wire(self) -> UsageGrouping {
        match self {
            Self::Nothing | Self::Region => UsageGrouping::Unspecified,
            Self::Proxy => UsageGrouping::Proxy,
            Self::Credential => UsageGrouping::Credential,
            Self::Meter => UsageGrouping::Meter,
        }
    }
}

impl FromStr for UsageInterval {
    type Err = InvalidWord;

    fn from_str(text: &str) -> Result<Self, InvalidWord> {
        match text {
            "hour" => Ok(Self::Hour),
            "day" => Ok(Self::Day),
            "month" => Ok(Self::Month),
            _ => Err(InvalidWord("hour, day, month")),
        }
    }
}

impl FromStr for GroupBy {
    type Err = InvalidWord;

    fn from_str(text: &str) -> Result<Self, InvalidWord> {
        match text {
            "proxy" => Ok(Self::Proxy),
            "credential" => Ok(Self::Credential),
            "meter" => Ok(Self::Meter),
            "region" => Ok(Self::Region),
            _ => Err(InvalidWord("proxy, credential, meter, region")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// 2026-11-29 12:34:56 UTC.
    const NOW_MS: u64 = 1_795_955_696_000;

    fn read(raw: &str) -> Option<Period> {
        Period::read(Some(raw), NOW_MS).ok()
    }

    #[test]
    fn periods_are_whole_intervals() {
        let day = NOW_MS - NOW_MS % DAY_MS;
        let november = day - 28 * DAY_MS;
        for (raw, from_ms, to_ms) in [
            (String::new(), day - 30 * DAY_MS, day + DAY_MS),
            (
                format!("from={day}&to={}&interval=hour", day + 1),
                day,
                day + DAY_MS / 24,
            ),
            (
                format!("from={day}&to={}&interval=day", day + DAY_MS),
                day,
                day + DAY_MS,
            ),
            (
                format!("from={day}&to={}&interval=month", day + 1),
                november,
                november + 30 * DAY_MS,
            ),
        ] {
            let period = read(&raw).unwrap();
            assert_eq!((period.from_ms, period.to_ms), (from_ms, to_ms), "{raw}");
        }
        assert_eq!(read("groupBy=meter").unwrap().group_by, GroupBy::Meter);
    }

    #[test]
    fn what_cannot_be_answered_is_refused() {
        for raw in [
            "interval=minute",
            "groupBy=target",
            "from=1&to=1",
            "from=0",
            "interval=hour&from=0&to=7200000000",
            "region=eu-1",
        ] {
            assert!(read(raw).is_none(), "{raw}");
        }
    }
}
