//! What a response's values add up to. Which calls count is tested with the exchange.

use super::*;

#[track_caller]
fn check(texts: &[Option<&str>], total: &str, is_missing: bool) {
    let mut sum = ValueSum::default();
    for text in texts {
        sum.add(*text);
    }
    assert_eq!(sum.total().to_string(), total, "{texts:?}");
    assert_eq!(sum.is_missing(), is_missing, "{texts:?}");
}

#[test]
fn several_values_are_summed() {
    check(&[Some("5")], "5", false);
    check(&[Some("5"), Some("0.25"), Some("1e1")], "15.25", false);
    check(&[Some("0")], "0", false);
}

#[test]
fn nothing_is_lost_of_values_that_cannot_be_had_exactly() {
    check(&[Some("1.0000001"), Some("1")], "2.000001", false);
    let most = "18446744073709.551615";
    check(&[Some("18446744073710")], most, false);
    check(&[Some("1e300"), Some("1e300"), Some("2")], most, false);
}

#[test]
fn what_is_no_amount_adds_nothing_and_is_missed() {
    check(&[], "0", true);
    for text in ["", "-1", "ten", "true", "null", "[1]", "NaN", "0x10"] {
        check(&[Some(text)], "0", true);
        check(&[Some("2"), Some(text)], "2", true);
    }
    check(&[None], "0", true);
}
