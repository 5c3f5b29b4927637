//! The tokenizer against another parser, in whatever pieces the input comes.

use proptest::prelude::*;
use serde::de::IgnoredAny;

use super::*;

/// Whether the text is taken, skipping the root as a whole.
fn skips(text: &[u8], size: usize) -> Result<(), Problem> {
    let mut lexer = Lexer::new();
    let mut is_inside = false;
    for chunk in text.chunks(size) {
        let mut rest = chunk;
        while !rest.is_empty() {
            let skipped = if is_inside {
                lexer.skip_on(&mut rest)?
            } else {
                match lexer.next(&mut rest)? {
                    Event::More => continue,
                    Event::Value(_) => lexer.skip(&mut rest)?,
                    Event::Name(_) | Event::Close => panic!("nothing is entered"),
                }
            };
            is_inside = skipped == Skipped::Part;
        }
    }
    lexer.finish()
}

/// The events of a text when all containers are entered; scalars and names are joined.
fn events(text: &[u8], size: usize) -> Result<Vec<String>, Problem> {
    let mut lexer = Lexer::new();
    let mut events = Vec::new();
    let mut scalar: Option<Vec<u8>> = None;
    for chunk in text.chunks(size) {
        let mut rest = chunk;
        while !rest.is_empty() {
            let start = rest;
            let skipped = if scalar.is_some() {
                lexer.skip_on(&mut rest)?
            } else {
                match lexer.next(&mut rest)? {
                    Event::More => continue,
                    Event::Name(name) => {
                        let name = name.unwrap_or_else(|| lexer.name());
                        let escaped = if lexer.is_name_escaped() { "*" } else { "" };
                        events.push(format!("{}{escaped}:", String::from_utf8_lossy(name)));
                        continue;
                    }
                    Event::Close => {
                        events.push("close".to_owned());
                        continue;
                    }
                    Event::Value(Kind::Scalar) => {
                        scalar = Some(Vec::new());
                        let start = rest;
                        let skipped = lexer.skip(&mut rest)?;
                        extend(&mut scalar, start, rest);
                        end(skipped, &mut scalar, &mut events);
                        continue;
                    }
                    Event::Value(kind) => {
                        events.push(format!("{kind:?}"));
                        lexer.enter(&mut rest)?;
                        continue;
                    }
                }
            };
            extend(&mut scalar, start, rest);
            end(skipped, &mut scalar, &mut events);
        }
    }
    lexer.finish()?;
    events.extend(scalar.map(|scalar| String::from_utf8(scalar).unwrap()));
    Ok(events)
}

fn extend(scalar: &mut Option<Vec<u8>>, start: &[u8], rest: &[u8]) {
    let part = &start[..start.len() - rest.len()];
    scalar.as_mut().unwrap().extend_from_slice(part);
}

fn end(skipped: Skipped, scalar: &mut Option<Vec<u8>>, events: &mut Vec<String>) {
    if skipped == Skipped::Whole {
        events.extend(
            scalar
                .take()
                .map(|scalar| String::from_utf8(scalar).unwrap()),
        );
    }
}

#[test]
fn events_are_the_same_in_any_pieces() {
    for (text, want) in [
        ("1", "1"),
        (" -1.5e+3 ", "-1.5e+3"),
        (r#""a\"b""#, r#""a\"b""#),
        ("true", "true"),
        ("[]", "Array close"),
        ("{}", "Object close"),
        ("[1,[null],\"é\"]", "Array 1 Array null close \"é\" close"),
        (r#"{"":{},"a":0}"#, "Object : Object close a: 0 close"),
        (
            r#"{ "a\n" : "😀" , "b" : [ ] }"#,
            r#"Object a\n*: "😀" b: Array close close"#,
        ),
        (r#"{"\ud800":1,"x":2}"#, r"Object \ud800*: 1 x: 2 close"),
    ] {
        for size in 1..=text.len() {
            let events = events(text.as_bytes(), size).unwrap();
            assert_eq!(events.join(" "), want, "{text} by {size}");
            assert_eq!(skips(text.as_bytes(), size), Ok(()), "{text} by {size}");
        }
    }
}

#[test]
fn a_name_is_bounded_by_its_bytes_and_its_bound_by_no_chunk() {
    for (length, want) in [
        (MAX_NAME_BYTES, Ok(())),
        (MAX_NAME_BYTES + 1, Err(Problem::NameTooLong)),
    ] {
        let text = format!(r#"{{"{}":0}}"#, "n".repeat(length));
        for size in [text.len(), 1000, 3] {
            assert_eq!(skips(text.as_bytes(), size), want, "{length} by {size}");
            let events = events(text.as_bytes(), size).map(|_| ());
            assert_eq!(events, want, "{length} by {size}");
        }
    }
}

#[test]
fn a_parser_that_is_told_to_enter_a_scalar_refuses() {
    let mut lexer = Lexer::new();
    let mut rest = &b"1"[..];
    assert_eq!(lexer.next(&mut rest), Ok(Event::Value(Kind::Scalar)));
    assert_eq!(lexer.enter(&mut rest), Err(Problem::Unexpected));
    assert_eq!(lexer.finish(), Err(Problem::Incomplete));
}

fn is_json(text: &[u8]) -> bool {
    // The other parser does not look at the inside of strings that it ignores.
    std::str::from_utf8(text).is_ok() && serde_json::from_slice::<IgnoredAny>(text).is_ok()
}

/// Pieces of JSON, whole and broken.
fn piece() -> impl Strategy<Value = &'static [u8]> {
    proptest::sample::select(vec![
        &b"{"[..],
        b"}",
        b"[",
        b"]",
        b",",
        b":",
        b"\"a\"",
        b"\"\"",
        b"\"",
        b"\\",
        b"\\u00e9",
        b"\\ud800",
        b"0",
        b"12",
        b"-",
        b".5",
        b"e",
        b"E+1",
        b"true",
        b"fals",
        b"e",
        b"null",
        b" ",
        b"\n",
        b"\t",
        b"\x0b",
        b"\x00",
        b"\xc3\xa9",
        b"\xe2\x82\xac",
        b"\xf0\x9f\x98\x80",
        b"\xff",
        b"\xed\xa0\x80",
        b"[1,2]",
        b"{\"b\":1}",
        b"\"plain text of some length\"",
    ])
}

fn text() -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![
        proptest::collection::vec(piece(), 0..12).prop_map(|pieces| pieces.concat()),
        proptest::collection::vec(any::<u8>(), 0..24),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(4096))]

    #[test]
    fn it_takes_what_another_parser_takes(text in text(), size in 1..9_usize) {
        prop_assert_eq!(skips(&text, size).is_ok(), is_json(&text));
        prop_assert_eq!(events(&text, size).is_ok(), is_json(&text));
    }

    #[test]
    fn any_string_is_taken_as_another_parser_writes_it(text in any::<String>(), size in 1..9_usize) {
        let json = serde_json::to_vec(&text).unwrap();
        prop_assert_eq!(skips(&json, size), Ok(()));
        let bare = format!("\"{text}\"").into_bytes();
        prop_assert_eq!(skips(&bare, size).is_ok(), is_json(&bare));
    }

    #[test]
    fn any_number_is_taken_as_another_parser_writes_it(number in any::<f64>()) {
        let json = serde_json::to_vec(&number).unwrap();
        prop_assert_eq!(skips(&json, json.len()), Ok(()));
    }

    #[test]
    fn the_pieces_do_not_matter(text in text(), size in 1..9_usize) {
        let whole = text.len().max(1);
        prop_assert_eq!(skips(&text, size), skips(&text, whole));
        prop_assert_eq!(events(&text, size), events(&text, whole));
    }
}
