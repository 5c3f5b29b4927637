//! Readings of repeated names.

use super::*;
use crate::effort::go_through;
use crate::json::doc::ROOT;

/// What each reader sees, as the names and texts of scalars in order.
fn readings(text: &str) -> Result<Vec<String>, Problem> {
    let doc = Doc::parse(text.as_bytes()).unwrap();
    let readings = go_through(Readings::of(&doc, &mut Effort::unbounded()))?;
    let seen = readings.views(&doc).map(|view| {
        let scalars = view
            .subtree(ROOT)
            .filter(|node| doc.kind(*node) == Kind::Scalar);
        scalars
            .map(|node| doc.json(node))
            .collect::<Vec<_>>()
            .join(" ")
    });
    let seen: Vec<_> = seen.collect();
    assert_eq!(seen.len(), readings.len());
    Ok(seen)
}

#[test]
fn each_choice_is_made_in_each_way() {
    for (text, want) in [
        ("1", &["1"][..]),
        (r#"{"a":1,"b":2}"#, &["1 2"]),
        (r#"{"a":1,"a":2}"#, &["1", "2"]),
        (r#"{"a":1,"\u0061":2,"b":3}"#, &["1 3", "2 3"]),
        (r#"{"a":1,"a":2,"a":3}"#, &["1", "2", "3"]),
        (
            r#"[{"a":1,"a":2},{"b":3,"b":4}]"#,
            &["1 3", "1 4", "2 3", "2 4"],
        ),
        (r#"{"a":{"b":1,"b":2},"a":3}"#, &["1", "2", "3", "3"]),
        (r#"{"\ud800":1,"\udfff":2,"\ufffd":3}"#, &["1 2 3"]),
        (r#"{"\ud800":1,"\ud800":2}"#, &["1", "2"]),
    ] {
        let mut seen = readings(text).unwrap();
        seen.sort();
        assert_eq!(seen, want, "{text}");
    }
}

#[test]
fn ways_are_bounded() {
    let pairs = |count| format!("[{}]", vec![r#"{"a":1,"a":2}"#; count].join(","));
    assert_eq!(readings(&pairs(6)).unwrap().len(), MAX_READINGS);
    assert_eq!(readings(&pairs(7)), Err(Problem::TooManyReadings));
    let same = |count| format!("{{{}}}", vec![r#""a":1"#; count].join(","));
    assert_eq!(readings(&same(64)).unwrap().len(), 64);
    assert_eq!(readings(&same(65)), Err(Problem::TooManyReadings));
    assert_eq!(readings(&same(100_000)), Err(Problem::TooManyReadings));
}

#[test]
fn children_are_those_seen() {
    let doc = Doc::parse(br#"{"a":{"x":[1]},"a":2,"b":3}"#).unwrap();
    let children = |view: View<'_, '_>| {
        view.children(ROOT)
            .map(|node| doc.json(node))
            .collect::<Vec<_>>()
    };
    assert_eq!(children(View::whole(&doc)), [r#"{"x":[1]}"#, "2", "3"]);
    let readings = go_through(Readings::of(&doc, &mut Effort::unbounded())).unwrap();
    let seen: Vec<_> = readings.views(&doc).map(children).collect();
    assert_eq!(seen, [[r#"{"x":[1]}"#, "3"], ["2", "3"]]);
    assert_eq!(View::whole(&doc).children(99).count(), 0);
}
