mod borders;
mod written;

use base64::{
    Engine as _,
    engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD},
};

use self::written::{each_way, in_base64};
use super::*;

const SECRET: &str = "sk-live/7+Qz \"x\\9~é";

pub(super) fn guard(values: &[&str]) -> Guard {
    let values = values
        .iter()
        .map(|value| SecretBytes::from(value.as_bytes()));
    Guard::of(values.collect()).unwrap()
}

fn masked(values: &[&str], text: &str) -> String {
    let made = guard(values).masked(text.as_bytes());
    made.map_or_else(|| text.to_owned(), |made| String::from_utf8(made).unwrap())
}

fn stars(length: usize) -> String {
    "*".repeat(length)
}

#[test]
fn every_form_is_masked_as_long_as_it_is_and_nothing_around_it() {
    for written in each_way(SECRET) {
        for (before, after) in [("", ""), ("key=", "&x=1"), ("\"", "\""), ("sk-", "sk-l")] {
            let text = [before, &written, after].concat();
            let want = [before, &stars(written.len()), after].concat();
            assert_eq!(masked(&[SECRET], &text), want, "{text}");
        }
    }
}

#[test]
fn base64_is_found_wherever_the_value_is_in_what_was_encoded() {
    for before in ["", "u", "us", "use", "user:"] {
        for after in ["", "!", "!!", "!!!"] {
            let text = [before, SECRET, after].concat();
            for encoded in [STANDARD.encode(&text), URL_SAFE_NO_PAD.encode(&text)] {
                let place = in_base64(before.len(), SECRET.len());
                let mut want = encoded.clone();
                want.replace_range(place.clone(), &stars(place.len()));
                assert_eq!(masked(&[SECRET], &encoded), want, "{text}");
            }
        }
    }
}

#[test]
fn what_only_resembles_a_value_passes() {
    for text in [
        "sk-live/7+Qz \"x\\9~",
        "sk-live/7+Qz \"x\\8~é",
        "SK-LIVE/7+QZ \"X\\9~é",
        "sk%2Dlive%2F7%2BQz%2",
        "73 6b 2d 6c 69 76 65",
        "",
    ] {
        assert_eq!(masked(&[SECRET], text), text);
    }
}

#[test]
fn what_a_caller_puts_before_a_value_does_not_hide_it() {
    for (value, text, want) in [
        ("41ab/cdef", "%41ab%2Fcdef", "%***********"),
        ("1ab/cdefg", "%41ab/cdefg", "%4*********"),
        ("0041/abcdef", "\\u0041/abcdef", "\\u***********"),
        ("/abcdefgh", "\\/abcdefgh", "**********"),
        ("u0041abcd", "\\u0041abcd", "\\*********"),
        ("aaaaaaab", "aaaaaaaaaaab", "aaaa********"),
        ("abcabcabd", "abcabcabcabd", "abc*********"),
    ] {
        assert_eq!(masked(&[value], text), want, "{value}");
    }
}

#[test]
fn a_value_that_holds_escapes_is_found_in_either_reading() {
    for (value, text) in [
        ("ab%41cd%2Fe", "ab%41cd%2Fe"),
        ("ab%41cd%2Fe", "ab%2541cd%252Fe"),
        ("ab%41cd%2Fe", "ab%2541cd%2Fe"),
        ("a\\u0041b\\/c", "a\\u0041b\\/c"),
        ("a\\u0041b\\/c", "a\\\\u0041b\\\\/c"),
        ("a\\u0041b\\/c", "a\\u005cu0041b\\\\\\/c"),
        ("ab cd ef+gh", "ab+cd%20ef%2Bgh"),
    ] {
        assert_eq!(masked(&[value], text), stars(text.len()), "{text}");
    }
}

#[test]
fn values_that_overlap_are_all_masked() {
    let values = ["abcdefgh", "defghijk", "ghijklmnop"];
    assert_eq!(masked(&values, "_abcdefghijk_"), "_***********_");
    assert_eq!(masked(&values, "_abcdefghijklmnop"), "_****************");
    assert_eq!(masked(&["aaaaaaaa"], "aaaaaaaaaaa."), "***********.");
}

#[test]
fn short_values_are_not_looked_for() {
    assert!(Guard::of(vec![SecretBytes::from(b"1234567".as_slice())]).is_none());
    assert!(Guard::of(Vec::new()).is_none());
}

#[test]
fn nothing_of_a_value_is_printed() {
    assert_eq!(format!("{:?}", guard(&[SECRET])), "[redacted]");
}

#[test]
fn what_would_take_too_long_counts_as_found() {
    let value = "a".repeat(8 << 10);
    let text = ["a".repeat(8_000), "b".to_owned()].concat().repeat(8);
    let mut found = Vec::new();
    let guard = guard(&[&value]);
    let searched = guard.search((text.as_bytes(), 0), true, &mut found);
    assert!(searched.steps <= text.len() * 34 + STEPS, "{searched:?}");
    assert_eq!(found.last().unwrap().end, text.len());
    assert!(found.iter().any(|place| place.start < 300), "{found:?}");
}

#[test]
fn of_a_header_the_scheme_is_no_secret() {
    let basic = ["Basic ", &STANDARD.encode("user:pass:word")].concat();
    for (value, want) in [
        ("Bearer abc-123", vec!["abc-123"]),
        ("token abc", vec!["abc"]),
        ("abc", vec!["abc"]),
        ("a b c", vec!["a b c"]),
        ("key=\"a b\"", vec!["key=\"a b\""]),
        (
            &basic,
            vec![
                basic.strip_prefix("Basic ").unwrap(),
                "user:pass:word",
                "pass:word",
            ],
        ),
        ("Basic !", vec!["!"]),
    ] {
        let values = of_header(&SecretBytes::from(value.as_bytes()));
        let values: Vec<_> = values.iter().map(SecretBytes::expose).collect();
        let want: Vec<_> = want.iter().map(|want| want.as_bytes()).collect();
        assert_eq!(values, want, "{value}");
    }
}

#[test]
fn of_a_value_the_secret_is_what_lies_between() {
    let value = SecretBytes::from(b"token=\"12345678\"".as_slice());
    for (around, want) in [
        ((7, 1), "12345678"),
        ((0, 0), "token=\"12345678\""),
        ((9, 9), "token=\"12345678\""),
        ((usize::MAX, 1), "token=\"12345678\""),
    ] {
        assert_eq!(
            of_value(&value, around).expose(),
            want.as_bytes(),
            "{around:?}"
        );
    }
}
