//! Which time is asked for, and in which intervals.

use std::str::FromStr;

use requestrocket_policy::form::problem::Problems;
use requestrocket_proto::region::v1::Interval as WireInterval;
use serde::Serialize;
use utoipa::{IntoParams, ToSchema};

use super::super::when::When;
use crate::domain::gateway::region::RegionName;
use crate::error::ApiResult;
use crate::http::query::Query;

const MINUTE_MS: u64 = 60_000;
const HOUR_MS: u64 = 60 * MINUTE_MS;
const DAY_MS: u64 = 24 * HOUR_MS;
/// Intervals of one answer, at most, and where nobody says how long they shall be.
const MOST_POINTS: u64 = 2_000;
const GOOD_POINTS: u64 = 200;

/// The parameters of telemetry, for the documentation.
#[derive(Debug, IntoParams)]
#[into_params(parameter_in = Query, rename_all = "camelCase")]
#[expect(dead_code, reason = "documents what Range reads")]
pub(super) struct RangeParams {
    /// RFC 3339, or Unix time in milliseconds; the beginning of its interval counts. By default a day
    /// before `to`.
    from: Option<String>,
    /// Exclusive; the end of its interval counts. By default now; it may lie ahead.
    to: Option<String>,
    /// `minute` (kept for 8 days), `hour` (100 days) or `day` (3 years); by default the shortest of
    /// which there are at most 200. There are at most 2,000.
    interval: Option<String>,
}

/// How long an interval is; UTC.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(super) enum Interval {
    Minute,
    Hour,
    Day,
}

#[derive(Debug, thiserror::Error)]
#[error("must be one of minute, hour, day")]
pub(super) struct InvalidInterval;

/// What is asked for: whole intervals.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Range {
    pub(super) from_ms: u64,
    pub(super) to_ms: u64,
    pub(super) interval: Interval,
    /// `region`, where it may be given.
    pub(super) region: Option<RegionName>,
}

impl Range {
    /// Reads the parameters; `region` is one of those of a whole organisation.
    pub(super) fn read(raw: Option<&str>, now_ms: u64, is_whole: bool) -> ApiResult<Self> {
        let mut problems = Problems::default();
        let mut query = Query::new(raw, &mut problems);
        let moment = |query: &mut Query<'_>, name| query.parsed(name).map(|When(ms)| ms);
        let to_ms = moment(&mut query, "to").unwrap_or(now_ms);
        let from_ms = moment(&mut query, "from").unwrap_or(to_ms.saturating_sub(DAY_MS));
        let asked = query.parsed("interval");
        let region = if is_whole {
            query.parsed("region")
        } else {
            None
        };
        let interval = asked.unwrap_or_else(|| Interval::good(from_ms, to_ms, now_ms));
        if from_ms >= to_ms {
            query.problem("to", "must be later than `from`");
        } else if interval.points(from_ms, to_ms) > MOST_POINTS {
            let text = format!("must be at most {MOST_POINTS} intervals before `to`");
            query.problem("from", text);
        // `good` falls back on days: who named no interval must not be refused for one.
        } else if from_ms < interval.kept_from_ms(now_ms) && interval != Interval::Day {
            let text = format!("is not kept for so long: {}", interval.kept());
            query.problem("interval", text);
        }
        query.finish();
        problems.check()?;
        Ok(Self {
            from_ms: interval.floor(from_ms),
            to_ms: interval.ceiling(to_ms),
            interval,
            region,
        })
    }

    /// The beginning of each interval.
    pub(super) fn starts(&self) -> impl Iterator<Item = u64> {
        let starts = std::iter::successors(Some(self.from_ms), |start_ms| {
            start_ms.checked_add(self.interval.length_ms())
        });
        starts.take_while(|start_ms| *start_ms < self.to_ms)
    }
}

impl Interval {
    /// The shortest that is kept and makes no more intervals than one can look at.
    fn good(from_ms: u64, to_ms: u64, now_ms: u64) -> Self {
        let is_good = |interval: &Self| {
            interval.points(from_ms, to_ms) <= GOOD_POINTS
                && from_ms >= interval.kept_from_ms(now_ms)
        };
        let mut shortest = [Self::Minute, Self::Hour].into_iter();
        shortest.find(is_good).unwrap_or(Self::Day)
    }

    /// As regions are asked.
    pub(super) fn to_wire(self) -> WireInterval {
        match self {
            Self::Minute => WireInterval::Minute,
            Self::Hour => WireInterval::Hour,
            Self::Day => WireInterval::Day,
        }
    }

    fn length_ms(self) -> u64 {
        match self {
            Self::Minute => MINUTE_MS,
            Self::Hour => HOUR_MS,
            Self::Day => DAY_MS,
        }
    }

    fn kept(self) -> &'static str {
        match self {
            Self::Minute => "minutes are kept for 8 days",
            Self::Hour => "hours are kept for 100 days",
            Self::Day => "days are kept for 3 years",
        }
    }

    /// With a day more, for whoever asks for exactly that long.
    fn kept_from_ms(self, now_ms: u64) -> u64 {
        let days = match self {
            Self::Minute => 8,
            Self::Hour => 100,
            Self::Day => 3 * 366,
        };
        now_ms.saturating_sub((days + 1) * DAY_MS)
    }

    fn points(self, from_ms: u64, to_ms: u64) -> u64 {
        let length = self.ceiling(to_ms).saturating_sub(self.floor(from_ms));
        length / self.length_ms()
    }

    fn floor(self, moment_ms: u64) -> u64 {
        moment_ms - moment_ms % self.length_ms()
    }

    fn ceiling(self, moment_ms: u64) -> u64 {
        self.floor(moment_ms.saturating_add(self.length_ms() - 1))
    }
}

impl FromStr for Interval {
    type Err = InvalidInterval;

    fn from_str(text: &str) -> Result<Self, InvalidInterval> {
        match text {
            "minute" => Ok(Self::Minute),
            "hour" => Ok(Self::Hour),
            "day" => Ok(Self::Day),
            _ => Err(InvalidInterval),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// 2026-11-29 12:34:56 UTC.
    const NOW_MS: u64 = 1_795_955_696_000;

    fn read(raw: &str) -> Option<Range> {
        Range::read(Some(raw), NOW_MS, true).ok()
    }

    #[test]
    fn ranges_are_whole_intervals_of_a_good_length() {
        let ms = |hours: u64| hours * HOUR_MS;
        let hour_now = NOW_MS - NOW_MS % HOUR_MS;
        let ago = |days: u64| NOW_MS - days * DAY_MS;
        for (raw, interval, from_ms, points) in [
            (String::new(), Interval::Hour, hour_now - ms(24), 25),
            (
                format!("from={}", NOW_MS - 2 * HOUR_MS),
                Interval::Minute,
                NOW_MS - ms(2) - 56_000,
                121,
            ),
            (
                format!("from={}&to={}", hour_now - ms(3), hour_now),
                Interval::Minute,
                hour_now - ms(3),
                180,
            ),
            // A short time, but long ago.
            (
                format!("from={}&to={}", ago(20), ago(20) + HOUR_MS),
                Interval::Hour,
                hour_now - 20 * DAY_MS,
                2,
            ),
            (
                format!("from={}&to={}", ago(300), ago(300) + 1),
                Interval::Day,
                ago(300) - NOW_MS % DAY_MS,
                1,
            ),
            (
                format!("from={hour_now}&to={}&interval=day", NOW_MS + DAY_MS),
                Interval::Day,
                NOW_MS - NOW_MS % DAY_MS,
                2,
            ),
            // Before everything.
            ("from=0&to=1".to_owned(), Interval::Day, 0, 1),
        ] {
            let range = read(&raw).unwrap();
            assert_eq!(
                (range.interval, range.from_ms),
                (interval, from_ms),
                "{raw}"
            );
            assert_eq!(range.starts().count(), points, "{raw}");
            assert_eq!(
                range.starts().last(),
                Some(range.to_ms - interval.length_ms())
            );
        }
    }

    #[test]
    fn what_cannot_be_answered_is_refused() {
        for raw in [
            "from=2&to=1".to_owned(),
            "from=1&to=1".to_owned(),
            "interval=week".to_owned(),
            "from=0".to_owned(),
            "from=yesterday".to_owned(),
            format!("interval=minute&from={}", NOW_MS - 34 * HOUR_MS),
            format!("interval=minute&from={}&to={0}1", NOW_MS - 10 * DAY_MS),
            format!(
                "interval=hour&from={}&to={}",
                NOW_MS - 102 * DAY_MS,
                NOW_MS - 101 * DAY_MS
            ),
            "unknown=1".to_owned(),
            "region=?".to_owned(),
        ] {
            assert!(read(&raw).is_none(), "{raw}");
        }
        assert!(Range::read(Some("region=eu-1"), NOW_MS, false).is_err());
        let latest = crate::http::query::LARGEST;
        let range = read(&format!("from={}&to={latest}", latest - 1)).unwrap();
        assert!(range.starts().count() <= 2);
    }
}
