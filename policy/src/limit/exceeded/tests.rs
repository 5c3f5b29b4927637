//! Which limit is named, and the fields of the refusal.

use super::super::CounterKind;
use super::super::tests::{START_MS, counter, meter};
use super::*;

/// 06:50:43.000; the minute has 17 s left, the hour 557 s.
const NOW_MS: u64 = START_MS + 43_000;

fn standing(counter: Counter, window: Window, quota: u64, is_exceeded: bool) -> Standing {
    Standing {
        counter,
        window,
        quota,
        bounds: window.bounds(NOW_MS),
        is_exceeded,
    }
}

fn plan() -> Counter {
    counter(CounterKind::Plan, 1)
}

fn proxy() -> Counter {
    counter(CounterKind::Proxy, 2)
}

#[test]
fn one_limit_is_told_as_documented() {
    let exceeded = Exceeded::new(vec![standing(plan(), Window::Minute, 100, true)], NOW_MS);
    assert_eq!(exceeded.policy_field(), r#""minute";q=100;w=60"#);
    assert_eq!(exceeded.limit_field(), r#""minute";r=0;t=17"#);
    assert_eq!(exceeded.retry_after_seconds(), 17);
}

#[test]
fn every_window_with_a_limit_is_a_policy_and_the_exceeded_ones_are_limits() {
    let standings = vec![
        standing(proxy(), Window::Month, 90_000, false),
        standing(proxy(), Window::Minute, 100, true),
        standing(proxy(), Window::Day, 1_000, false),
        standing(proxy(), Window::Hour, 500, true),
    ];
    let exceeded = Exceeded::new(standings, NOW_MS);
    assert_eq!(
        exceeded.policy_field(),
        r#""minute";q=100;w=60, "hour";q=500;w=3600, "day";q=1000;w=86400, "month";q=90000;w=2592000"#,
    );
    assert_eq!(
        exceeded.limit_field(),
        r#""minute";r=0;t=17, "hour";r=0;t=557"#
    );
    assert_eq!(exceeded.retry_after_seconds(), 557);
}

#[test]
fn the_window_that_ends_last_is_named_and_the_first_of_equals() {
    let (minute, hour, day) = (Window::Minute, Window::Hour, Window::Day);
    for (standings, counter, window) in [
        (
            vec![
                standing(plan(), minute, 1, true),
                standing(proxy(), hour, 1, true),
                standing(proxy(), day, 1, false),
            ],
            proxy(),
            hour,
        ),
        (
            vec![
                standing(meter(3), day, 1, true),
                standing(proxy(), minute, 1, true),
            ],
            meter(3),
            day,
        ),
        (
            vec![
                standing(plan(), minute, 9, true),
                standing(proxy(), minute, 1, true),
                standing(meter(3), minute, 1, true),
            ],
            plan(),
            minute,
        ),
        (
            vec![
                standing(plan(), minute, 9, false),
                standing(proxy(), minute, 1, true),
            ],
            proxy(),
            minute,
        ),
    ] {
        let exceeded = Exceeded::new(standings, NOW_MS);
        let decisive = exceeded.decisive().unwrap();
        assert_eq!((decisive.counter, decisive.window), (counter, window));
    }
}

#[test]
fn of_windows_that_end_together_the_longest_is_named() {
    // 2024-12-31T23:59:43Z, when all of them end together.
    let now_ms = 1_735_689_583_000;
    let at_the_end = |counter, window: Window| Standing {
        bounds: window.bounds(now_ms),
        ..standing(counter, window, 1, true)
    };
    let last = at_the_end(meter(3), Window::Month);
    for others in [
        vec![
            at_the_end(plan(), Window::Minute),
            at_the_end(proxy(), Window::Day),
        ],
        vec![at_the_end(meter(3), Window::Hour), last],
    ] {
        for rotation in 0..=others.len() {
            let mut standings = others.clone();
            standings.insert(rotation, last);
            let exceeded = Exceeded::new(standings, now_ms);
            assert_eq!(exceeded.decisive(), Some(&last));
            assert_eq!(exceeded.retry_after_seconds(), 17);
        }
    }
}

#[test]
fn a_window_that_several_counters_limit_is_one_policy() {
    let minute = Window::Minute;
    for (name, standings, want) in [
        (
            "the exceeded one, though higher",
            vec![
                standing(plan(), minute, 100, true),
                standing(proxy(), minute, 5, false),
            ],
            r#""minute";q=100;w=60"#,
        ),
        (
            "the lowest of exceeded ones",
            vec![
                standing(plan(), minute, 100, true),
                standing(proxy(), minute, 50, true),
                standing(meter(3), minute, 5, false),
            ],
            r#""minute";q=50;w=60"#,
        ),
        (
            "the lowest when none is exceeded",
            vec![
                standing(plan(), minute, 100, false),
                standing(proxy(), minute, 50, false),
                standing(meter(3), Window::Hour, 5, true),
            ],
            r#""minute";q=50;w=60, "hour";q=5;w=3600"#,
        ),
    ] {
        let exceeded = Exceeded::new(standings, NOW_MS);
        assert_eq!(exceeded.policy_field(), want, "{name}");
    }
}

#[test]
fn seconds_are_rounded_up_and_never_zero() {
    let minute = vec![standing(plan(), Window::Minute, 1, true)];
    for (now_ms, want) in [
        (START_MS, 60),
        (START_MS + 59_000, 1),
        (START_MS + 59_999, 1),
        (START_MS + 60_000, 1),
        (START_MS + 58_999, 2),
    ] {
        let exceeded = Exceeded::new(minute.clone(), now_ms);
        assert_eq!(exceeded.retry_after_seconds(), want, "at {now_ms}");
        let field = format!(r#""minute";r=0;t={want}"#);
        assert_eq!(exceeded.limit_field(), field, "at {now_ms}");
    }
}

#[test]
fn months_are_as_long_as_they_are() {
    // 2024-02-10T00:00:00Z and 2025-02-10T00:00:00Z.
    for (now_ms, seconds) in [
        (1_707_523_200_000, 29 * 86_400),
        (1_739_145_600_000, 28 * 86_400),
    ] {
        let month = Standing {
            bounds: Window::Month.bounds(now_ms),
            ..standing(meter(3), Window::Month, 7, true)
        };
        let exceeded = Exceeded::new(vec![month], now_ms);
        assert_eq!(
            exceeded.policy_field(),
            format!(r#""month";q=7;w={seconds}"#)
        );
    }
}

#[test]
fn counters_are_named_as_in_the_body() {
    let id = "0b9e3d4c-6a52-4a38-9d2f-5d1b7a4f0c11";
    let of_meter = Counter {
        kind: CounterKind::Meter,
        id: id.parse().unwrap(),
    };
    for (counter, want) in [(plan(), "plan"), (proxy(), "proxy"), (of_meter, id)] {
        assert_eq!(counter.name(), want);
    }
}
