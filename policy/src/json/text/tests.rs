//! Escapes against another parser, and what that one refuses.

use proptest::prelude::*;

use super::*;

fn unescaped(raw: &str) -> Vec<u8> {
    let mut out = Vec::new();
    unescape_into(raw.as_bytes(), &mut out);
    out
}

#[test]
fn escapes_are_decoded() {
    for (raw, want) in [
        ("", ""),
        ("plain é", "plain é"),
        (r#"\"\\\/\b\f\n\r\t"#, "\"\\/\u{8}\u{c}\n\r\t"),
        (r"\u0041\u00e9\u20AC\u0000", "Aé€\0"),
        (r"\ud83d\ude00!", "😀!"),
        (r"\uD83D\uDE00", "😀"),
        (r"\\u0041", r"\u0041"),
    ] {
        assert_eq!(unescaped(raw), want.as_bytes(), "{raw}");
        assert_eq!(value_text(&format!("\"{raw}\"")), want, "{raw}");
    }
}

#[test]
fn lone_surrogates_are_no_text_and_shown_as_such() {
    for (raw, bytes, text) in [
        (r"\ud800", &b"\xed\xa0\x80"[..], "\u{fffd}"),
        (r"a\udfffb", b"a\xed\xbf\xbfb", "a\u{fffd}b"),
        (
            r"\ud800\ud800",
            b"\xed\xa0\x80\xed\xa0\x80",
            "\u{fffd}\u{fffd}",
        ),
        (r"\ud83d\u0041", b"\xed\xa0\xbdA", "\u{fffd}A"),
        (
            r"\udc00\ud800",
            b"\xed\xb0\x80\xed\xa0\x80",
            "\u{fffd}\u{fffd}",
        ),
        (
            r"\ud83dx\ude00",
            b"\xed\xa0\xbdx\xed\xb8\x80",
            "\u{fffd}x\u{fffd}",
        ),
        (
            r"\ud800\ud83d\ude00",
            b"\xed\xa0\x80\xf0\x9f\x98\x80",
            "\u{fffd}😀",
        ),
    ] {
        assert_eq!(unescaped(raw), bytes, "{raw}");
        assert_eq!(value_text(&format!("\"{raw}\"")), text, "{raw}");
        assert!(std::str::from_utf8(bytes).is_err());
    }
}

#[test]
fn other_values_are_their_text() {
    for json in [
        "null",
        "-1.50e+3",
        "[ \"a\\n\" ]",
        "{\"a\":\"b\"}",
        "12345678901234567890",
    ] {
        assert!(matches!(value_text(json), Cow::Borrowed(text) if text == json));
    }
    assert!(matches!(value_text("\"plain\""), Cow::Borrowed("plain")));
}

proptest! {
    #[test]
    fn strings_are_what_another_parser_says(text in any::<String>()) {
        let json = serde_json::to_string(&text).unwrap();
        prop_assert_eq!(value_text(&json), text);
    }

    #[test]
    fn all_in_hex(text in any::<String>()) {
        let units = text.encode_utf16().map(|unit| format!("\\u{unit:04X}"));
        prop_assert_eq!(unescaped(&units.collect::<String>()), text.into_bytes());
    }

    /// Never called with such, but it must not panic.
    #[test]
    fn any_bytes(raw in proptest::collection::vec(any::<u8>(), 0..32)) {
        let mut out = Vec::new();
        unescape_into(&raw, &mut out);
        prop_assert!(lossy(&out).len() <= out.len() * 3);
    }
}
