//! Documents made to get a secret past the redactor, or to break it.

use super::*;
use crate::json::{MAX_BLANK_BYTES, MAX_DEPTH, MAX_NAME_BYTES, Problem};

const CANARY: &str = "CANARY";

/// Refused, however it is cut; what came out before shows nothing of the secret.
fn check_refused(document: &[u8], want: Problem) {
    let stages = [destroy(&["$..secret"])];
    for size in [document.len().max(1), 7, 1] {
        let (out, end) = run(&stages, document.chunks(size));
        let problem = end.map_err(|error| error.problem);
        let shown = String::from_utf8_lossy(document)
            .chars()
            .take(60)
            .collect::<String>();
        assert_eq!(problem, Err(want), "chunks of {size}: {shown}");
        let out = String::from_utf8_lossy(&out);
        assert!(!out.contains("CANA"), "{out}");
    }
}

use Problem::{Incomplete, Trailing, Unexpected};

const NOT_ONE_TEXT: &[(&str, Problem)] = &[
    ("", Incomplete),
    (" \n", Incomplete),
    (r#"{"secret":"CANARY"} {"secret":"CANARY"}"#, Trailing),
    (r#"{"secret":"CANARY"},"#, Trailing),
    (r#"{"secret":"CANARY"}]"#, Trailing),
    (r#"{"secret":"CANARY"}x"#, Trailing),
    ("{\"secret\":\"CANARY\"}\n\n{}", Trailing),
    (r#"{"secret":"CANARY""#, Incomplete),
    (r#"{"secret":"CANARY"]"#, Unexpected),
    (r#"{"secret":"CANARY",}"#, Unexpected),
    (r#"{"secret":"CANARY","#, Incomplete),
    (r#"{"secret" "CANARY"}"#, Unexpected),
    (r#"{'secret':"CANARY"}"#, Unexpected),
    (r#"{secret:"CANARY"}"#, Unexpected),
    (r#"{,"secret":"CANARY"}"#, Unexpected),
    (r#"{"secret":"CANARY" "a":1}"#, Unexpected),
    (r#"{"secret":CANARY}"#, Unexpected),
    (")]}'\n{\"secret\":\"CANARY\"}", Unexpected),
    (r#"callback({"secret":"CANARY"})"#, Unexpected),
    (r#"/* a */{"secret":"CANARY"}"#, Unexpected),
    ("\u{feff}{\"secret\":\"CANARY\"}", Unexpected),
    ("\u{a0}{\"secret\":\"CANARY\"}", Unexpected),
    ("\u{0b}{\"secret\":\"CANARY\"}", Unexpected),
    ("\0{\"secret\":\"CANARY\"}", Unexpected),
    ("{\"secret\":\"CANARY\"}\0", Trailing),
    ("{\"secret\":\"CANARY\0\"}", Unexpected),
    ("{\"secret\0\":\"CANARY\"}", Unexpected),
    ("{\"a\":\"\n\",\"secret\":\"CANARY\"}", Unexpected),
    ("{\"a\":\"\t\",\"secret\":\"CANARY\"}", Unexpected),
    (r#"{"a":NaN,"secret":"CANARY"}"#, Unexpected),
    (r#"{"a":-Infinity,"secret":"CANARY"}"#, Unexpected),
    (r#"{"a":+1,"secret":"CANARY"}"#, Unexpected),
    (r#"{"a":01,"secret":"CANARY"}"#, Unexpected),
    (r#"{"a":-,"secret":"CANARY"}"#, Unexpected),
    (r#"{"a":1.,"secret":"CANARY"}"#, Unexpected),
    (r#"{"a":.5,"secret":"CANARY"}"#, Unexpected),
    (r#"{"a":1e,"secret":"CANARY"}"#, Unexpected),
    (r#"{"a":1e+,"secret":"CANARY"}"#, Unexpected),
    (r#"{"a":1.e1,"secret":"CANARY"}"#, Unexpected),
    (r#"{"a":0x10,"secret":"CANARY"}"#, Unexpected),
    (r#"{"a":1_000,"secret":"CANARY"}"#, Unexpected),
    (r#"{"a":--1,"secret":"CANARY"}"#, Unexpected),
    (r#"{"a":True,"secret":"CANARY"}"#, Unexpected),
    (r#"{"a":nul,"secret":"CANARY"}"#, Unexpected),
    (r#"{"a":nulll,"secret":"CANARY"}"#, Unexpected),
    (r#"{"a":undefined,"secret":"CANARY"}"#, Unexpected),
    (r#"{"a":"\x","secret":"CANARY"}"#, Unexpected),
    (r#"{"a":"\u12","secret":"CANARY"}"#, Unexpected),
    (r#"{"a":"\u12g4","secret":"CANARY"}"#, Unexpected),
    (r#"{"a":"\U0041","secret":"CANARY"}"#, Unexpected),
    (r#"{"a":"\'","secret":"CANARY"}"#, Unexpected),
    (r#"["a",,"CANARY"]"#, Unexpected),
    (r#"[,"CANARY"]"#, Unexpected),
    (r#"[1 2,{"secret":"CANARY"}]"#, Unexpected),
    (r#"[1:{"secret":"CANARY"}]"#, Unexpected),
    (r#"{"a":1:2,"secret":"CANARY"}"#, Unexpected),
    (r#"{"a","secret":"CANARY"}"#, Unexpected),
    (r#"{1:"CANARY"}"#, Unexpected),
    (r#"{null:"CANARY"}"#, Unexpected),
    (r#"{["a"]:"CANARY"}"#, Unexpected),
    ("]", Unexpected),
    ("}", Unexpected),
    (",", Unexpected),
    (":", Unexpected),
    ("-", Incomplete),
    ("1e", Incomplete),
    ("tru", Incomplete),
    ("\"CAN", Incomplete),
    ("\"\\", Incomplete),
    ("\"\\u00", Incomplete),
];

#[test]
fn what_is_not_one_json_text_is_refused() {
    for (document, want) in NOT_ONE_TEXT {
        // These show what they are before they are refused.
        let is_shown = document.starts_with('[') || document.starts_with('"');
        let document = if is_shown {
            document.replace("CAN", "can")
        } else {
            (*document).to_owned()
        };
        check_refused(document.as_bytes(), *want);
    }
}

#[test]
fn strings_must_be_utf_8() {
    let sequences: [&[u8]; 16] = [
        b"\x80",
        b"\xbf",
        b"\xc0\x80",
        b"\xc1\xbf",
        b"\xc3",
        b"\xc3\x28",
        b"\xe0\x80\x80",
        b"\xe2\x82",
        b"\xed\xa0\x80",
        b"\xed\xbf\xbf",
        b"\xf0\x80\x80\x80",
        b"\xf0\x9f\x98",
        b"\xf4\x90\x80\x80",
        b"\xf5\x80\x80\x80",
        b"\xfe",
        b"\xff",
    ];
    for sequence in sequences {
        for (head, tail) in [
            (&b"{\"a\":\""[..], &b"\",\"secret\":\"CANARY\"}"[..]),
            (b"{\"secret\":\"", b"CANARY\"}"),
            (b"{\"", b"\":1,\"secret\":\"CANARY\"}"),
        ] {
            check_refused(&[head, sequence, tail].concat(), Problem::NotUtf8);
        }
    }
}

#[test]
fn other_encodings_are_refused() {
    let text = r#"{"secret":"CANARY"}"#;
    let narrow: Vec<u16> = text.encode_utf16().collect();
    let wide: Vec<u32> = narrow.iter().copied().map(u32::from).collect();
    let documents: [Vec<u8>; 4] = [
        narrow.iter().flat_map(|unit| unit.to_le_bytes()).collect(),
        narrow.iter().flat_map(|unit| unit.to_be_bytes()).collect(),
        wide.iter().flat_map(|unit| unit.to_le_bytes()).collect(),
        wide.iter().flat_map(|unit| unit.to_be_bytes()).collect(),
    ];
    for document in documents {
        check_refused(&document, Problem::Unexpected);
        for mark in [b"\xff\xfe", b"\xfe\xff"] {
            let document = [mark, document.as_slice()].concat();
            check_refused(&document, Problem::Unexpected);
        }
    }
    check_refused(b"\xef\xbb\xbf{}", Problem::Unexpected);
    check_refused(b"\x1f\x8b\x08\x00", Problem::Unexpected);
}

fn nested(depth: usize, inner: &str) -> String {
    format!("{}{inner}{}", "[".repeat(depth), "]".repeat(depth))
}

#[test]
fn depth_is_bounded_in_what_stays_and_in_what_goes() {
    check(
        &[destroy(&["$..x"])],
        &nested(MAX_DEPTH, "1"),
        &nested(MAX_DEPTH, "1"),
    );
    check(&[], &nested(MAX_DEPTH, "1"), &nested(MAX_DEPTH, "1"));
    let gone = format!(r#"{{"secret":{}}}"#, nested(MAX_DEPTH - 1, "1"));
    check(&[destroy(&["$.secret"])], &gone, "{}");
    for document in [
        nested(MAX_DEPTH + 1, "1"),
        format!(r#"{{"secret":{}}}"#, nested(MAX_DEPTH, "1")),
        "[".repeat(100_000),
        r#"{"a":"#.repeat(100_000),
    ] {
        check_refused(document.as_bytes(), Problem::TooDeep);
    }
}

#[test]
fn names_and_white_space_are_bounded() {
    let name = |length| format!(r#"{{"{}":1}}"#, "n".repeat(length));
    check(
        &[destroy(&["$.x"])],
        &name(MAX_NAME_BYTES),
        &name(MAX_NAME_BYTES),
    );
    check_refused(name(MAX_NAME_BYTES + 1).as_bytes(), Problem::NameTooLong);
    let blank = |length| format!("[1,{}2]", " ".repeat(length));
    check(
        &[destroy(&["$.x"])],
        &blank(MAX_BLANK_BYTES),
        &blank(MAX_BLANK_BYTES),
    );
    check_refused(blank(MAX_BLANK_BYTES + 1).as_bytes(), Problem::TooMuchBlank);
    // Values are not.
    let long = format!(r#"["{}",{}]"#, "é".repeat(100_000), "1".repeat(200_000));
    check(&[destroy(&["$.x"])], &long, &long);
}

#[test]
fn a_truncated_document_never_ends_well() {
    let document = r#" {"a":[1,-2.5e3,"x\u00e9é"],"secret":{"x":["CANARY"]},"b":{"c":null}} "#;
    let stages = [destroy(&["$..secret"])];
    let (whole, _) = run(&stages, [document.as_bytes()]);
    for length in 0..document.len() - 1 {
        let part = &document.as_bytes()[..length];
        for size in [1, 5, length.max(1)] {
            let (out, end) = run(&stages, part.chunks(size));
            assert!(end.is_err(), "{length}");
            assert!(whole.starts_with(&out), "{length}");
        }
    }
}

#[test]
fn nothing_comes_after_an_error() {
    let mut redactor = Redactor::new(&[destroy(&["$.x"]), destroy(&["$.y"])]);
    let mut out = Vec::new();
    redactor.push(br#"{"a":1,"#, &mut out).unwrap();
    assert!(redactor.push(b"!", &mut out).is_err());
    let before = out.clone();
    for more in [&b"\"b\":2}"[..], b"", b"{}"] {
        assert!(redactor.push(more, &mut out).is_err());
        assert!(redactor.finish().is_err());
    }
    assert_eq!(out, before);
}

#[test]
fn errors_say_where() {
    for (document, offset) in [("[1,x]", 3), (r#"{"a" 1}"#, 5), ("[1]  x", 5), ("[1", 2)] {
        for size in [1, 3, 100] {
            let (_, end) = run(&[], document.as_bytes().chunks(size));
            assert_eq!(end.unwrap_err().offset, offset, "{document} by {size}");
        }
    }
}

#[test]
fn numbers_and_escapes_that_stay_are_not_touched() {
    let document = concat!(
        r#"{"n":[1e400,-0,1.0,1E+2,0.10,12345678901234567890123,9007199254740993],"#,
        r#""s":"\ud800\udfff\ud83d\ude00\/\u0041\u0000","secret":"CANARY","t":"\""}"#
    );
    let want = document.replace(r#""secret":"CANARY","#, "");
    check(&[destroy(&["$.secret"])], document, &want);
    check(&[retain(&["$.n", "$.s", "$.t"])], document, &want);
}

/// A nested text is a string: its inside is not looked at (and is no member).
#[test]
fn json_in_strings_is_text() {
    let document = r#"{"a":"{\"secret\":1}","secret":"CANARY"}"#;
    check(
        &[destroy(&["$..secret"])],
        document,
        r#"{"a":"{\"secret\":1}"}"#,
    );
    assert!(!document.replace(CANARY, "").contains(CANARY));
}
