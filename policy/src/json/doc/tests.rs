//! Held documents: spans, order, keys.

use super::*;

#[test]
fn values_are_numbered_in_document_order() {
    let text = r#" {"a":[1,{"b":"x"}] , "\u0061" : null,"":{}} "#;
    let doc = Doc::parse(text.as_bytes()).unwrap();
    let json: Vec<_> = (0..doc.len()).map(|node| doc.json(node)).collect();
    let want = [
        text.trim(),
        r#"[1,{"b":"x"}]"#,
        "1",
        r#"{"b":"x"}"#,
        "\"x\"",
        "null",
        "{}",
    ];
    assert_eq!(json, want);
    let past: Vec<_> = (0..doc.len()).map(|node| doc.past(node)).collect();
    assert_eq!(past, [7, 5, 3, 5, 5, 6, 7]);
    let parents: Vec<_> = (0..doc.len()).map(|node| doc.parent(node)).collect();
    assert_eq!(parents, [0, 0, 1, 1, 3, 0, 0]);
    let kinds: Vec<_> = (0..doc.len()).map(|node| doc.kind(node)).collect();
    let (object, array, scalar) = (Kind::Object, Kind::Array, Kind::Scalar);
    assert_eq!(
        kinds,
        [object, array, scalar, object, scalar, scalar, object]
    );
    assert_eq!(doc.key(2), Key::Index(0));
    assert_eq!(doc.key(3), Key::Index(1));
    assert_eq!(doc.key(4), Key::Name(Cow::Borrowed(b"b")));
    assert_eq!(doc.key(5), doc.key(1));
    assert_eq!(doc.key(6), Key::Name(Cow::Borrowed(b"")));
}

#[test]
fn names_compare_by_what_they_say() {
    let text = r#"{"secret":1,"\u0073ecret":2,"Secret":3,"\ud800":4,"secret\u0000":5}"#;
    let doc = Doc::parse(text.as_bytes()).unwrap();
    let named: Vec<_> = (1..6)
        .filter(|node| doc.is_named(*node, "secret"))
        .collect();
    assert_eq!(named, [1, 2]);
    assert!(!doc.is_named(4, "\u{fffd}"));
    assert!(doc.is_named(5, "secret\0"));
    assert!(!doc.is_named(ROOT, "secret") && !doc.is_named(99, "secret"));
}

#[test]
fn what_is_not_there_has_no_text() {
    let doc = Doc::parse(b"[1]").unwrap();
    assert_eq!(
        (doc.json(9), doc.kind(9), doc.parent(9)),
        ("", Kind::Scalar, ROOT)
    );
    assert_eq!(doc.past(9), doc.len());
    assert_eq!(doc.key(9), Key::Index(u64::MAX));
}

#[test]
fn only_whole_texts_are_held() {
    for (text, offset, problem) in [
        (&b""[..], 0, Problem::Incomplete),
        (b"[1", 2, Problem::Incomplete),
        (b"[1] x", 4, Problem::Trailing),
        (b"{\"a\":\xff}", 5, Problem::Unexpected),
        (b"[\"\xff\"]", 2, Problem::NotUtf8),
        (b"{\"\xff\":1}", 2, Problem::NotUtf8),
    ] {
        assert_eq!(
            Doc::parse(text).unwrap_err(),
            InvalidJson { offset, problem }
        );
    }
}

#[test]
fn the_number_of_values_is_bounded() {
    let list = |values: usize| format!("[{}0]", "0,".repeat(values - 2));
    assert_eq!(
        Doc::parse(list(MAX_VALUES).as_bytes()).unwrap().len(),
        MAX_VALUES
    );
    let error = Doc::parse(list(MAX_VALUES + 1).as_bytes()).unwrap_err();
    assert_eq!(error.problem, Problem::TooManyValues);
}

#[test]
fn no_more_than_a_part_is_read_of_a_name_that_is_too_long() {
    let text = format!(r#"{{"{}":1}}"#, r"\u0041".repeat(1 << 18));
    let error = Doc::parse(text.as_bytes()).unwrap_err();
    assert_eq!(error.problem, Problem::NameTooLong);
    assert!(error.offset <= 257 << 10, "{}", error.offset);
}
