//! Hostile and honest `exp` members of tokens.

use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use proptest::prelude::*;

use super::*;

fn token(claims: &str) -> String {
    let header = URL_SAFE_NO_PAD.encode(r#"{"alg":"none"}"#);
    format!("{header}.{}.c2ln", URL_SAFE_NO_PAD.encode(claims))
}

fn check(claims: &str, want: Result<Option<u64>, InvalidExpiry>) {
    assert_eq!(expiry_ms(&token(claims)), want, "{claims}");
}

#[test]
fn exp_is_read_in_milliseconds() {
    check(r#"{"exp":1700000000}"#, Ok(Some(1_700_000_000_000)));
    check(
        r#"{"sub":"a","exp":1700000000,"x":{"exp":1}}"#,
        Ok(Some(1_700_000_000_000)),
    );
    check(r#"{"exp":1700000000.5}"#, Ok(Some(1_700_000_000_500)));
    check(r#"{"exp":1.7e9}"#, Ok(Some(1_700_000_000_000)));
    check(r#"{"\u0065xp":5}"#, Ok(Some(5_000)));
}

#[test]
fn a_token_without_exp_has_no_end() {
    check("{}", Ok(None));
    check(r#"{"sub":"a","nbf":5,"Exp":1,"x":{"exp":1}}"#, Ok(None));
}

#[test]
fn a_text_that_is_no_jwt_has_no_end() {
    check("[1]", Ok(None));
    check("nonsense", Ok(None));
    check("", Ok(None));
    for token in ["", "abc", "a.b.c", "a.!!.c", "..", "a."] {
        assert_eq!(expiry_ms(token), Ok(None), "{token}");
    }
}

#[test]
fn an_exp_that_is_no_number_has_no_meaning() {
    for value in [r#""1700000000""#, "null", "true", "[1]", "{}", r#""""#] {
        check(&format!(r#"{{"exp":{value}}}"#), Err(InvalidExpiry));
        check(&format!(r#"{{"exp":5,"exp":{value}}}"#), Err(InvalidExpiry));
    }
}

#[test]
fn what_ended_long_ago_never_becomes_endless() {
    // 0 is "no end" on the wire.
    for value in [
        "0",
        "-1",
        "-1.5",
        "0.0",
        "0.0001",
        "-9223372036854775808",
        "-1e300",
    ] {
        check(&format!(r#"{{"exp":{value}}}"#), Ok(Some(1)));
    }
}

#[test]
fn what_ends_after_all_clocks_ends_at_the_last_moment() {
    for value in ["18446744073709551615", "1e99", "99999999999999999999999"] {
        check(&format!(r#"{{"exp":{value}}}"#), Ok(Some(u64::MAX)));
    }
}

#[test]
fn claims_that_cannot_be_read_are_not_without_end() {
    for claims in [
        "{",
        r#"{"exp":5"#,
        r#"{"exp":5}{}"#,
        r#"{"exp":5} x"#,
        r#"{"exp":1e400,"exp":5}"#,
        r"{'exp':5}",
        r#"{"\ud800":1,"exp":5}"#,
        "\u{feff}{\"exp\":5}",
    ] {
        check(claims, Err(InvalidExpiry));
    }
    let claims = URL_SAFE_NO_PAD.encode(b"{\"\xff\":1,\"exp\":5}");
    assert_eq!(expiry_ms(&format!("h.{claims}.s")), Err(InvalidExpiry));
}

#[test]
fn claims_are_read_as_the_most_lenient_decoder_would() {
    let end = Ok(Some(9_000));
    let claims = r#"{"exp":9,"x":"\u007f~~??>>"}"#;
    let plain = URL_SAFE_NO_PAD.encode(claims);
    assert!(plain.contains(['-', '_']), "{plain}");
    let standard = plain.replace('-', "+").replace('_', "/");
    let (head, tail) = plain.split_at(7);
    for part in [plain.clone(), standard, format!("{head} \u{e9}{tail}==")] {
        assert_eq!(expiry_ms(&format!("h.{part}.s")), end, "{part}");
    }
    // Bits that no byte takes.
    let part = URL_SAFE_NO_PAD.encode(r#"{"exp":9}  "#);
    let last = part.chars().last().unwrap();
    for other in ['A', 'B', 'C', 'D'] {
        let part = format!("{}{other}", part.strip_suffix(last).unwrap());
        assert_eq!(expiry_ms(&format!("h.{part}.s")), end, "{part}");
    }
    // A letter too many for whole bytes.
    let part = URL_SAFE_NO_PAD.encode(r#"{"exp":9}   "#);
    assert_eq!(expiry_ms(&format!("h.{part}A.s")), end);
}

#[test]
fn of_several_the_earliest_counts() {
    check(r#"{"exp":9,"exp":5,"exp":7}"#, Ok(Some(5_000)));
}

#[test]
fn padding_and_depth_do_not_matter() {
    let claims = base64::engine::general_purpose::URL_SAFE.encode(r#"{"exp":9}"#);
    assert_eq!(expiry_ms(&format!("h.{claims}.s")), Ok(Some(9_000)));
    let deep = format!(
        r#"{{"x":{}{},"exp":9}}"#,
        "[".repeat(5_000),
        "]".repeat(5_000)
    );
    check(&deep, Ok(Some(9_000)));
}

proptest! {
    #[test]
    fn any_text_is_read_without_panic_and_never_ends_at_0(text: String, claims: String) {
        for token in [text, token(&claims)] {
            prop_assert_ne!(expiry_ms(&token), Ok(Some(0)));
        }
    }

    #[test]
    fn any_number_is_an_end(seconds: f64) {
        prop_assume!(seconds.is_finite());
        let got = expiry_ms(&token(&format!(r#"{{"exp":{seconds:e}}}"#)));
        prop_assert!(matches!(got, Ok(Some(1..))), "{:?}", got);
    }
}
