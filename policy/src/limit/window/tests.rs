//! Windows against a calendar that others wrote.

use proptest::prelude::*;
use time::{Date, Month, OffsetDateTime, PrimitiveDateTime, Time};

use super::*;

/// 9999-12-31T23:59:59.999Z, the last moment that `time` knows.
const LAST_MS: u64 = 253_402_300_799_999;

fn ms(date: Date, time: Time) -> u64 {
    let moment = PrimitiveDateTime::new(date, time).assume_utc();
    (moment.unix_timestamp_nanos() / 1_000_000)
        .try_into()
        .unwrap()
}

fn at(text: &str) -> u64 {
    let format = time::format_description::well_known::Rfc3339;
    let moment = OffsetDateTime::parse(text, &format).unwrap();
    (moment.unix_timestamp_nanos() / 1_000_000)
        .try_into()
        .unwrap()
}

/// The window by `time`'s calendar.
fn model(window: Window, now_ms: u64) -> Bounds {
    let now = OffsetDateTime::from_unix_timestamp_nanos(i128::from(now_ms) * 1_000_000).unwrap();
    let (date, clock) = (now.date(), now.time());
    let from = |h, m| ms(date, Time::from_hms(h, m, 0).unwrap());
    let (start_ms, seconds) = match window {
        Window::Minute => (from(clock.hour(), clock.minute()), 60),
        Window::Hour => (from(clock.hour(), 0), 60 * 60),
        Window::Day => (from(0, 0), 24 * 60 * 60),
        Window::Month => (
            ms(date.replace_day(1).unwrap(), Time::MIDNIGHT),
            u64::from(date.month().length(date.year())) * 24 * 60 * 60,
        ),
    };
    Bounds {
        start_ms,
        end_ms: start_ms + seconds * 1_000,
    }
}

#[test]
fn windows_start_on_the_calendar() {
    for (now, starts) in [
        (
            "2026-11-26T06:50:17.250Z",
            [
                "2026-11-26T06:50",
                "2026-11-26T06:00",
                "2026-11-26T00:00",
                "2026-11-01T00:00",
            ],
        ),
        (
            "2026-12-31T23:59:59.999Z",
            [
                "2026-12-31T23:59",
                "2026-12-31T23:00",
                "2026-12-31T00:00",
                "2026-12-01T00:00",
            ],
        ),
        ("2027-01-01T00:00:00Z", ["2027-01-01T00:00"; 4]),
        ("1970-01-01T00:00:59Z", ["1970-01-01T00:00"; 4]),
    ] {
        for (window, start) in Window::ALL.into_iter().zip(starts) {
            let start_ms = at(&format!("{start}:00Z"));
            assert_eq!(
                window.bounds(at(now)).start_ms,
                start_ms,
                "{window:?} at {now}"
            );
        }
    }
}

#[test]
fn months_know_leap_years_and_the_centuries_that_are_none() {
    for (now, start, end) in [
        ("2026-12-31T23:59:59Z", "2026-12-01", "2027-01-01"),
        ("2024-02-29T12:00:00Z", "2024-02-01", "2024-03-01"),
        ("2024-03-01T00:00:00Z", "2024-03-01", "2024-04-01"),
        ("2025-02-28T23:59:59Z", "2025-02-01", "2025-03-01"),
        ("2000-02-29T00:00:00Z", "2000-02-01", "2000-03-01"),
        ("2100-02-28T00:00:00Z", "2100-02-01", "2100-03-01"),
        ("2400-02-29T00:00:00Z", "2400-02-01", "2400-03-01"),
    ] {
        let want = Bounds {
            start_ms: at(&format!("{start}T00:00:00Z")),
            end_ms: at(&format!("{end}T00:00:00Z")),
        };
        assert_eq!(Window::Month.bounds(at(now)), want, "at {now}");
    }
}

#[test]
fn a_window_has_a_length_and_a_rest() {
    let february = Window::Month.bounds(at("2024-02-10T00:00:00Z"));
    assert_eq!(february.seconds(), 29 * 24 * 60 * 60);
    let start = at("2026-11-26T06:50:00Z");
    let minute = Window::Minute.bounds(start);
    assert_eq!(minute.seconds(), 60);
    for (now_ms, left) in [
        (start, 60),
        (start + 1, 60),
        (start + 1_000, 59),
        (start + 59_001, 1),
        (start + 59_999, 1),
        (start + 60_000, 1),
        (start + 90_000, 1),
    ] {
        assert_eq!(minute.seconds_left(now_ms), left, "at {now_ms}");
    }
}

#[test]
fn windows_are_named_and_numbered() {
    let names = Window::ALL.map(Window::name);
    assert_eq!(names, ["minute", "hour", "day", "month"]);
    for window in Window::ALL {
        assert_eq!(Window::from_wire(window.to_wire().into()), Some(window));
    }
    for unknown in [-1, 0, 5, i32::MAX] {
        assert_eq!(Window::from_wire(unknown), None, "{unknown}");
    }
}

#[test]
fn every_window_has_its_value() {
    let mut values = PerWindow::of(Window::name);
    for window in Window::ALL {
        assert_eq!(*values.get(window), window.name());
        *values.get_mut(window) = "changed";
        assert_eq!(*values.get(window), "changed");
    }
    let windows: Vec<Window> = values.iter().map(|(window, _)| window).collect();
    assert_eq!(windows, Window::ALL);
}

#[test]
fn the_end_of_time_is_no_panic() {
    for now_ms in [u64::MAX, u64::MAX - 1, LAST_MS + 1] {
        for window in Window::ALL {
            let bounds = window.bounds(now_ms);
            assert!(bounds.start_ms <= now_ms, "{window:?} at {now_ms}");
            assert!(bounds.start_ms < bounds.end_ms, "{window:?} at {now_ms}");
        }
    }
}

#[test]
fn a_leap_day_is_the_last_of_february_for_400_years() {
    for year in 1970..2370 {
        let first = ms(
            Date::from_calendar_date(year, Month::February, 1).unwrap(),
            Time::MIDNIGHT,
        );
        assert_eq!(
            Window::Month.bounds(first),
            model(Window::Month, first),
            "{year}"
        );
    }
}

proptest! {
    #[test]
    fn windows_are_those_of_the_calendar(now_ms in 0..=LAST_MS) {
        for window in Window::ALL {
            prop_assert_eq!(window.bounds(now_ms), model(window, now_ms), "{:?}", window);
        }
    }

    #[test]
    fn windows_meet_without_gap_or_overlap(now_ms in 0..=LAST_MS) {
        for window in Window::ALL {
            let bounds = window.bounds(now_ms);
            prop_assert!(bounds.start_ms <= now_ms && now_ms < bounds.end_ms);
            prop_assert_eq!(window.bounds(bounds.start_ms), bounds);
            prop_assert_eq!(window.bounds(bounds.end_ms - 1), bounds);
            prop_assert_eq!(window.bounds(bounds.end_ms).start_ms, bounds.end_ms);
        }
    }
}
