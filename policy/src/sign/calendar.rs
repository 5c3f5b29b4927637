//! Moments as AWS writes them.

const DAY_MS: u64 = 86_400_000;

/// A moment of the Gregorian calendar, in UTC.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Moment {
    /// Such as `20150830`.
    pub(super) day: String,
    /// Such as `20150830T123600Z`.
    pub(super) second: String,
    /// When the day is over, as Unix time in milliseconds.
    pub(super) day_end_ms: u64,
}

impl Moment {
    /// None beyond the year 9999: nobody knows the time.
    pub(super) fn of(now_ms: u64) -> Option<Self> {
        let days = now_ms / DAY_MS;
        let (year, month, day) = civil(days)?;
        let seconds = now_ms % DAY_MS / 1_000;
        let (hour, minute, second) = (seconds / 3_600, seconds / 60 % 60, seconds % 60);
        let day = format!("{year:04}{month:02}{day:02}");
        Some(Self {
            second: format!("{day}T{hour:02}{minute:02}{second:02}Z"),
            day,
            day_end_ms: (days + 1) * DAY_MS,
        })
    }
}

/// Year, month and day from a count of days from 1970 on, as Howard Hinnant's `civil_from_days`.
fn civil(days: u64) -> Option<(u64, u64, u64)> {
    const DAYS_FROM_YEAR_0: u64 = 719_468;
    const DAYS_OF_ERA: u64 = 146_097;
    // 9999-12-31: AWS writes years in four digits.
    const LAST_DAY: u64 = 2_932_896;
    if days > LAST_DAY {
        return None;
    }
    let days = days + DAYS_FROM_YEAR_0;
    let (era, day_of_era) = (days / DAYS_OF_ERA, days % DAYS_OF_ERA);
    let year_of_era =
        (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let from_march = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * from_march + 2) / 5 + 1;
    let is_next_year = from_march >= 10;
    let month = if is_next_year {
        from_march - 9
    } else {
        from_march + 3
    };
    let year = era * 400 + year_of_era + u64::from(is_next_year);
    Some((year, month, day))
}

#[cfg(test)]
mod tests {
    use time::{Duration, OffsetDateTime, macros::format_description};

    use super::*;

    #[test]
    fn moments_are_those_of_another_calendar() {
        let format = format_description!("[year][month][day]T[hour][minute][second]Z");
        // Odd steps meet all months, leap days and the ends of centuries.
        for step in 0..40_000 {
            let moment = OffsetDateTime::UNIX_EPOCH + Duration::seconds(step * 6_300_007);
            if moment.year() > 9_999 {
                break;
            }
            let now_ms = u64::try_from(moment.unix_timestamp()).unwrap() * 1_000 + 999;
            let got = Moment::of(now_ms).unwrap();
            assert_eq!(got.second, moment.format(&format).unwrap());
            assert_eq!(got.second.split('T').next(), Some(&*got.day));
            assert!(now_ms < got.day_end_ms && got.day_end_ms - now_ms <= DAY_MS);
        }
    }

    #[test]
    fn there_is_no_moment_when_nobody_knows_the_time() {
        assert_eq!(
            Moment::of(253_402_300_799_999).map(|it| it.second),
            Some("99991231T235959Z".to_owned())
        );
        assert_eq!(Moment::of(253_402_300_800_000), None);
        assert_eq!(Moment::of(u64::MAX), None);
    }
}
