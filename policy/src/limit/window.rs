//! Calendar windows, UTC.

use requestrocket_proto::meter::v1 as wire;

const SECOND_MS: u64 = 1_000;
const MINUTE_MS: u64 = 60 * SECOND_MS;
const HOUR_MS: u64 = 60 * MINUTE_MS;
const DAY_MS: u64 = 24 * HOUR_MS;

/// Windows in which calls are counted, shortest first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Window {
    /// From second 0.
    Minute,
    /// From minute 0.
    Hour,
    /// From 00:00 UTC.
    Day,
    /// From the first, 00:00 UTC.
    Month,
}

/// One window in time. Unix time in milliseconds; the end is exclusive.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Bounds {
    /// First moment.
    pub start_ms: u64,
    /// First moment of the next window.
    pub end_ms: u64,
}

/// A value for every window.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct PerWindow<T> {
    /// Of the minute.
    pub minute: T,
    /// Of the hour.
    pub hour: T,
    /// Of the day.
    pub day: T,
    /// Of the month.
    pub month: T,
}

/// The windows that one moment is in.
pub type Calendar = PerWindow<Bounds>;

/// A moment with its calendar, which a call needs many times.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Moment {
    /// Unix time in milliseconds.
    pub now_ms: u64,
    /// The windows it is in.
    pub calendar: Calendar,
}

impl Window {
    /// Every window, shortest first.
    pub const ALL: [Self; 4] = [Self::Minute, Self::Hour, Self::Day, Self::Month];

    /// Its name in the API and in header fields.
    pub fn name(self) -> &'static str {
        match self {
            Self::Minute => "minute",
            Self::Hour => "hour",
            Self::Day => "day",
            Self::Month => "month",
        }
    }

    /// The window of this kind that a moment is in.
    pub fn bounds(self, now_ms: u64) -> Bounds {
        match self {
            Self::Minute => aligned(now_ms, MINUTE_MS),
            Self::Hour => aligned(now_ms, HOUR_MS),
            Self::Day => aligned(now_ms, DAY_MS),
            Self::Month => month(now_ms),
        }
    }

    /// None for one that this version does not know.
    pub fn from_wire(wire: i32) -> Option<Self> {
        match wire::Window::try_from(wire).ok()? {
            wire::Window::Unspecified => None,
            wire::Window::Minute => Some(Self::Minute),
            wire::Window::Hour => Some(Self::Hour),
            wire::Window::Day => Some(Self::Day),
            wire::Window::Month => Some(Self::Month),
        }
    }

    /// As it is sent.
    pub fn to_wire(self) -> wire::Window {
        match self {
            Self::Minute => wire::Window::Minute,
            Self::Hour => wire::Window::Hour,
            Self::Day => wire::Window::Day,
            Self::Month => wire::Window::Month,
        }
    }
}

impl Bounds {
    /// Length in seconds.
    pub fn seconds(self) -> u64 {
        self.end_ms.saturating_sub(self.start_ms) / SECOND_MS
    }

    /// Whole seconds to its end, rounded up, at least 1.
    pub fn seconds_left(self, now_ms: u64) -> u64 {
        let left_ms = self.end_ms.saturating_sub(now_ms);
        left_ms.div_ceil(SECOND_MS).max(1)
    }
}

impl Moment {
    /// By a clock that shows this.
    pub fn at(now_ms: u64) -> Self {
        Self {
            now_ms,
            calendar: PerWindow::of(|window| window.bounds(now_ms)),
        }
    }
}

impl<T> PerWindow<T> {
    /// Filled in window by window.
    pub fn of(mut value: impl FnMut(Window) -> T) -> Self {
        Self {
            minute: value(Window::Minute),
            hour: value(Window::Hour),
            day: value(Window::Day),
            month: value(Window::Month),
        }
    }

    /// The value of one window.
    pub fn get(&self, window: Window) -> &T {
        match window {
            Window::Minute => &self.minute,
            Window::Hour => &self.hour,
            Window::Day => &self.day,
            Window::Month => &self.month,
        }
    }

    /// The value of one window.
    pub fn get_mut(&mut self, window: Window) -> &mut T {
        match window {
            Window::Minute => &mut self.minute,
            Window::Hour => &mut self.hour,
            Window::Day => &mut self.day,
            Window::Month => &mut self.month,
        }
    }

    /// Every window with its value, shortest first, to change it.
    pub fn iter_mut(&mut self) -> impl Iterator<Item = (Window, &mut T)> {
        let Self {
            minute,
            hour,
            day,
            month,
        } = self;
        Window::ALL.into_iter().zip([minute, hour, day, month])
    }

    /// Every window with its value, shortest first.
    pub fn iter(&self) -> impl Iterator<Item = (Window, &T)> {
        Window::ALL
            .into_iter()
            .map(|window| (window, self.get(window)))
    }
}

fn aligned(now_ms: u64, width_ms: u64) -> Bounds {
    let start_ms = now_ms - now_ms % width_ms;
    Bounds {
        start_ms,
        end_ms: start_ms.saturating_add(width_ms),
    }
}

/// Civil date from a count of days, as Howard Hinnant's `civil_from_days` for days from 1970 on:
/// years run from March, so that the leap day is the last of its year.
fn month(now_ms: u64) -> Bounds {
    const DAYS_FROM_YEAR_0: u64 = 719_468;
    const DAYS_OF_ERA: u64 = 146_097;
    let days = now_ms / DAY_MS;
    let day_of_era = (days + DAYS_FROM_YEAR_0) % DAYS_OF_ERA;
    let year_of_era =
        (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    // From March.
    let month = (5 * day_of_year + 2) / 153;
    let first_of_month = (153 * month + 2) / 5;
    let length = match month {
        // April, June, September, November.
        1 | 3 | 6 | 8 => 30,
        11 => february(year_of_era + 1),
        _ => 31,
    };
    let first_day = days - (day_of_year - first_of_month);
    Bounds {
        start_ms: first_day.saturating_mul(DAY_MS),
        end_ms: (first_day + length).saturating_mul(DAY_MS),
    }
}

fn february(year_of_era: u64) -> u64 {
    // An era is 400 years, so the rule can be had from the year within it.
    let is_leap = year_of_era.is_multiple_of(4)
        && (!year_of_era.is_multiple_of(100) || year_of_era.is_multiple_of(400));
    if is_leap { 29 } else { 28 }
}

#[cfg(test)]
mod tests;
