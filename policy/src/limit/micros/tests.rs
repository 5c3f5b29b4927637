//! Amounts in millionths.

use proptest::prelude::*;

use super::*;

#[test]
fn amounts_are_read_exactly() {
    for (text, want) in [
        ("0", 0),
        ("-0", 0),
        ("-0.0e9", 0),
        ("0e999999999999999999999", 0),
        ("1", 1_000_000),
        ("17", 17_000_000),
        ("1.5", 1_500_000),
        ("0.000001", 1),
        ("12.345678", 12_345_678),
        ("1.0000000", 1_000_000),
        ("1e3", 1_000_000_000),
        ("1E+3", 1_000_000_000),
        ("1.5e1", 15_000_000),
        ("1e-6", 1),
        ("123456e-6", 123_456),
        ("1000000000e-9", 1_000_000),
        ("0.00000000000000000000000001e26", 1_000_000),
        ("100000000000000000000000000e-26", 1_000_000),
        ("18446744073709.551615", u64::MAX),
        ("18446744073709.551615000", u64::MAX),
        ("\"42\"", 42_000_000),
        ("\"0.25\"", 250_000),
    ] {
        assert_eq!(Micros::parse(text), Some(Micros::new(want)), "{text}");
    }
}

#[test]
fn what_is_no_amount_is_none() {
    for text in [
        "",
        "\"",
        "\"\"",
        "\"\"1\"\"",
        "-1",
        "-0.000001",
        "01",
        "00",
        "+1",
        ".5",
        "1.",
        "1.e3",
        "1e",
        "1e+",
        "1e1.5",
        " 1",
        "1 ",
        "1,5",
        "1_000",
        "0x10",
        "NaN",
        "Infinity",
        "null",
        "true",
        "[1]",
        "{}",
        "١",
        "1é",
    ] {
        assert_eq!(Micros::parse(text), None, "{text}");
    }
}

#[test]
fn more_than_six_decimals_are_rounded_up() {
    for (text, want) in [
        ("1e-7", 1),
        ("0.0000001", 1),
        ("1e-99999999999999999999", 1),
        ("1.2345678", 1_234_568),
        ("1.2345670", 1_234_567),
        ("0.9999999", 1_000_000),
        ("12345678e-7", 1_234_568),
        ("0.00000000000000000000000011e26", 11_000_000),
        ("\"2.0000001\"", 2_000_001),
    ] {
        assert_eq!(Micros::parse(text), Some(Micros::new(want)), "{text}");
    }
    // Fewer than none are none.
    for text in ["-1e-7", "-0.0000001"] {
        assert_eq!(Micros::parse(text), None, "{text}");
    }
}

#[test]
fn what_is_too_large_is_the_largest_amount() {
    for text in [
        "18446744073709.551616",
        "18446744073709.5516151",
        "18446744073709.5516150000000000000000001",
        "18446744073710",
        "99999999999999",
        "1e14",
        "1e99999999999999999999",
        "\"1e20\"",
        "0.0000000000000000000000001e99",
    ] {
        assert_eq!(Micros::parse(text), Some(Micros::MOST), "{text}");
    }
}

#[test]
fn long_numbers_cost_no_more_than_their_length() {
    let zeros = "0".repeat(100_000);
    let parse = |text: &str| Micros::parse(text);
    assert_eq!(parse(&format!("0.{zeros}1")), Some(Micros::LEAST));
    assert_eq!(parse(&format!("1{zeros}")), Some(Micros::MOST));
    assert_eq!(parse(&format!("1{zeros}e-100000")), Some(Micros::ONE));
    assert_eq!(parse(&"9".repeat(100_000)), Some(Micros::MOST));
}

#[test]
fn amounts_are_shown_without_needless_decimals() {
    for (micros, want) in [
        (0, "0"),
        (1, "0.000001"),
        (500_000, "0.5"),
        (8_000_000, "8"),
        (8_250_000, "8.25"),
        (u64::MAX, "18446744073709.551615"),
    ] {
        assert_eq!(Micros::new(micros).to_string(), want);
    }
}

#[test]
fn arithmetic_stops_at_the_ends() {
    let most = Micros::new(u64::MAX);
    assert_eq!(most.plus(Micros::LEAST), most);
    assert_eq!(Micros::units(u64::MAX), most);
    assert_eq!(Micros::ONE.minus(Micros::units(2)), Micros::ZERO);
    assert_eq!(Micros::units(7).divided_by(2), Micros::new(3_500_000));
    assert_eq!(Micros::units(7).divided_by(0), Micros::units(7));
    assert_eq!(Micros::units(3).plus(Micros::units(4)), Micros::units(7));
    assert_eq!(Micros::units(7).minus(Micros::units(4)), Micros::units(3));
}

#[test]
fn per_cent_are_exact() {
    for (used, whole, want) in [
        (8, 10, true),
        (7, 10, false),
        (0, 0, true),
        (4, 5, true),
        (79, 99, false),
        (80, 99, true),
    ] {
        let reaches = Micros::units(used).reaches_percent(80, Micros::units(whole));
        assert_eq!(reaches, want, "{used} of {whole}");
    }
    let most = Micros::new(u64::MAX);
    assert!(most.reaches_percent(80, most));
}

proptest! {
    #[test]
    fn what_is_shown_is_read_back(micros: u64) {
        let amount = Micros::new(micros);
        prop_assert_eq!(Micros::parse(&amount.to_string()), Some(amount));
        prop_assert_eq!(Micros::parse(&format!("\"{amount}\"")), Some(amount));
    }

    #[test]
    fn an_exponent_moves_the_point(micros in 0..1_000_000_000_000_u64, shift in 0..6_u32) {
        let amount = Micros::new(micros);
        let moved = format!("{amount}e{shift}");
        prop_assert_eq!(Micros::parse(&moved), Some(Micros::new(micros * 10_u64.pow(shift))));
    }

    #[test]
    fn an_amount_is_never_less_than_the_number_and_hardly_more(
        digits in "[1-9][0-9]{0,24}",
        shift in -30..10_i32,
    ) {
        let amount = Micros::parse(&format!("{digits}e{shift}")).unwrap();
        // What is exact: the digits as an integer, scaled to a power of ten of a millionth.
        let number: u128 = digits.parse().unwrap();
        let place = shift + 6;
        let scale = 10_u128.checked_pow(place.unsigned_abs());
        let want = match (scale, place < 0) {
            (Some(scale), true) => number.div_ceil(scale),
            (Some(scale), false) => number.saturating_mul(scale),
            (None, is_small) => if is_small { 1 } else { u128::MAX },
        };
        prop_assert_eq!(u128::from(amount.get()), want.min(u64::MAX.into()));
    }

    #[test]
    fn no_text_is_a_panic(text in "[-+0-9.eE\"]{0,30}|.{0,20}") {
        if let Some(amount) = Micros::parse(&text) {
            let number = text.trim_matches('"').parse::<f64>().unwrap();
            let units = amount.to_string().parse::<f64>().unwrap();
            let number = number.min(18_446_744_073_709.55);
            prop_assert!((number - units).abs() <= units * 1e-9 + 1e-6, "{} {}", number, units);
        }
    }
}
