//! Numbers are compared by value, however they are written.

use super::*;

fn order(left: &str, right: &str) -> Option<Ordering> {
    Number::parse(left).order(&Number::parse(right))
}

#[test]
fn numbers_are_ordered_by_value() {
    use Ordering::{Equal, Greater, Less};
    for (left, right, want) in [
        ("1", "2", Less),
        ("2", "1", Greater),
        ("1", "1.0", Equal),
        ("100", "1e2", Equal),
        ("-0", "0", Equal),
        ("-0.0", "0", Equal),
        ("0.1", "0.10", Equal),
        ("1e-400", "0", Equal),
        ("9007199254740993", "9007199254740992", Greater),
        ("-9223372036854775809", "-9223372036854775808", Less),
        ("18446744073709551616", "18446744073709551615", Greater),
        (
            "170141183460469231731687303715884105727",
            "170141183460469231731687303715884105726",
            Greater,
        ),
        ("1e400", "1.7e308", Greater),
        ("-1e400", "-1.7e308", Less),
        ("9007199254740993", "9007199254740992.5", Equal),
    ] {
        assert_eq!(order(left, right), Some(want), "{left} {right}");
        assert_eq!(order(right, left), Some(want.reverse()), "{right} {left}");
    }
}

#[test]
fn what_is_no_number_equals_none() {
    assert_eq!(order("x", "1"), None);
    assert_eq!(order("x", "x"), None);
}

#[test]
fn counts_and_literals_are_numbers() {
    assert_eq!(
        Number::of_count(3).order(&Number::parse("3.0")),
        Some(Ordering::Equal)
    );
    assert_eq!(
        Number::parse("0.5").order(&Number::parse("5e-1")),
        Some(Ordering::Equal)
    );
    assert_eq!(
        Number::of_count(usize::MAX).order(&Number::parse("4294967295")),
        Some(Ordering::Equal)
    );
}
