//! Tables of what a stage makes of a document; every case in one piece and byte by byte.

mod corpus;
mod held;
mod hostile;
mod model;
mod properties;
mod report;

use super::*;
use crate::json::{InvalidJson, path::JsonPath};

pub(super) fn filter(operation: Operation, paths: &[&str]) -> Filter {
    let parse = |path: &&str| JsonPath::parse(path).unwrap();
    Filter {
        id: "filter".into(),
        operation,
        paths: paths.iter().map(parse).collect(),
    }
}

pub(super) fn stage(filters: Vec<Filter>) -> Stage {
    Stage {
        filters: filters.into_iter().map(Into::into).collect(),
    }
}

pub(super) fn destroy(paths: &[&str]) -> Stage {
    stage(vec![filter(Operation::Destroy, paths)])
}

pub(super) fn retain(paths: &[&str]) -> Stage {
    stage(vec![filter(Operation::Retain, paths)])
}

/// What came out, and how it ended.
pub(super) fn run<'c>(
    stages: &[Stage],
    chunks: impl IntoIterator<Item = &'c [u8]>,
) -> (Vec<u8>, Result<(), InvalidJson>) {
    let mut redactor = Redactor::new(stages);
    let mut out = Vec::new();
    for chunk in chunks {
        if let Err(error) = redactor.push(chunk, &mut out) {
            return (out, Err(error));
        }
    }
    let end = redactor.finish();
    (out, end)
}

pub(super) fn check(stages: &[Stage], document: &str, want: &str) {
    let (whole, end) = run(stages, [document.as_bytes()]);
    assert_eq!(end, Ok(()), "{document}");
    assert_eq!(String::from_utf8(whole).unwrap(), want, "{document}");
    let (bytes, end) = run(stages, document.as_bytes().chunks(1));
    assert_eq!(end, Ok(()), "{document}");
    assert_eq!(
        String::from_utf8(bytes).unwrap(),
        want,
        "byte by byte: {document}"
    );
}

#[test]
fn white_space_around_the_text_stays_and_that_behind_it_at_once() {
    for (stages, document, want) in [
        (
            vec![destroy(&["$.s"])],
            "\t{\"a\":1,\"s\":2} \r\n",
            "\t{\"a\":1} \r\n",
        ),
        (vec![destroy(&["$.s"]), retain(&["$"])], " {} ", " {} "),
        (vec![retain(&["$.a"])], "\n[1, 2]\n\n", "\n[]\n\n"),
        (vec![destroy(&["$"])], " \"s\" \n", " null \n"),
        (vec![destroy(&["$"])], "12 \n", "null \n"),
        (vec![destroy(&["$"])], "[{\"s\":1}] \n", "null \n"),
        (vec![destroy(&["$.s"])], "12 \n", "12 \n"),
    ] {
        check(&stages, document, want);
    }
}

#[test]
fn without_filters_every_byte_stays() {
    for document in [
        "null",
        " \t\r\n0 ",
        "-0.0e-0",
        r#""\ud800 \u0000 \/ é 😀""#,
        "[ ]",
        "{ }",
        r#" { "a" : [ 1 , 2 ] , "a" : 1e400 , "" : { } } "#,
    ] {
        check(&[], document, document);
        check(&[Stage::default(), Stage::default()], document, document);
    }
}

#[test]
fn destroyed_members_take_their_comma_along() {
    for (document, want) in [
        (r#"{"x":1}"#, "{}"),
        (r#"{"x":1,"a":2}"#, r#"{"a":2}"#),
        (r#"{"a":2,"x":1}"#, r#"{"a":2}"#),
        (r#"{"a":1,"x":1,"b":2}"#, r#"{"a":1,"b":2}"#),
        (r#"{"x":1,"x":2,"a":3,"x":4}"#, r#"{"a":3}"#),
        (r#"{ "x" : 1 , "a" : 2 }"#, r#"{ "a" : 2 }"#),
        (r#"{ "a" : 2 , "x" : 1 }"#, r#"{ "a" : 2 }"#),
        ("{\n  \"x\": 1,\n  \"a\": 2\n}", "{\n  \"a\": 2\n}"),
        ("{\n  \"a\": 1,\n  \"x\": 2\n}", "{\n  \"a\": 1\n}"),
        ("{\n  \"x\": 1\n}", "{\n}"),
        (r#"{"x":{"x":[{}]},"a":[]}"#, r#"{"a":[]}"#),
        (r#"{"a,":1,"x":",","b":2}"#, r#"{"a,":1,"b":2}"#),
        (r#"{"x":1,"a,b":2}"#, r#"{"a,b":2}"#),
    ] {
        check(&[destroy(&["$.x"])], document, want);
    }
}

#[test]
fn destroyed_elements_close_up() {
    for (path, want) in [
        ("$[0]", "[ 1, 2 ,3]"),
        ("$[1]", "[0, 2 ,3]"),
        ("$[3]", "[0 , 1, 2]"),
        ("$[4]", "[0 , 1, 2 ,3]"),
        ("$[*]", "[]"),
        ("$[1:3]", "[0 ,3]"),
        ("$[::2]", "[ 1 ,3]"),
        ("$[1::2]", "[0, 2]"),
        ("$[:0]", "[0 , 1, 2 ,3]"),
        ("$[2:1]", "[0 , 1, 2 ,3]"),
        ("$[0:4:0]", "[0 , 1, 2 ,3]"),
        ("$[0,2]", "[ 1 ,3]"),
        ("$[0,0]", "[ 1, 2 ,3]"),
        ("$.x", "[0 , 1, 2 ,3]"),
        ("$['0']", "[0 , 1, 2 ,3]"),
    ] {
        check(&[destroy(&[path])], "[0 , 1, 2 ,3]", want);
    }
}

#[test]
fn every_spelling_and_every_occurrence_of_a_name_is_destroyed() {
    for document in [
        r#"{"secret":1}"#,
        r#"{"\u0073ecret":1}"#,
        r#"{"s\u0065cr\u0065t":1,"secret":2,"\u0073\u0065\u0063\u0072\u0065\u0074":3}"#,
    ] {
        check(&[destroy(&["$.secret"])], document, "{}");
        check(&[destroy(&["$['\\u0073ecret']"])], document, "{}");
        check(&[destroy(&["$..secret"])], document, "{}");
    }
    // Names are case-sensitive, and a lone surrogate is no Unicode text.
    for document in [
        r#"{"Secret":1}"#,
        r#"{"secret ":1}"#,
        r#"{"secret\u0000":1}"#,
        r#"{"\ud800secret":1}"#,
        r#"{"\ufffd":1}"#,
    ] {
        check(&[destroy(&["$.secret"])], document, document);
    }
    check(
        &[destroy(&["$['😀']"])],
        r#"{"\ud83d\ude00":1,"😀":2}"#,
        "{}",
    );
    check(
        &[destroy(&["$['\u{fffd}']"])],
        r#"{"\ud800":1}"#,
        r#"{"\ud800":1}"#,
    );
    check(&[destroy(&["$['']"])], r#"{"":1,"a":2}"#, r#"{"a":2}"#);
}

#[test]
fn descendants_are_destroyed_wherever_they_are() {
    for (path, want) in [
        ("$..x", r#"{"a":[{},{"b":{}}]}"#),
        ("$..b.x", r#"{"x":1,"a":[{"x":2},{"b":{}}]}"#),
        ("$..a..x", r#"{"x":1,"a":[{},{"b":{}}]}"#),
        ("$..[0]", r#"{"x":1,"a":[{"b":{"x":[4]}}]}"#),
        ("$..*", "{}"),
        ("$.a..*", r#"{"x":1,"a":[]}"#),
        ("$.a[1]..['x','y']", r#"{"x":1,"a":[{"x":2},{"b":{}}]}"#),
    ] {
        let document = r#"{"x":1,"a":[{"x":2},{"b":{"x":[3,4]}}]}"#;
        check(&[destroy(&[path])], document, want);
    }
}

#[test]
fn a_destroyed_root_is_null() {
    for (document, want) in [
        ("{\"a\":1}", "null"),
        (" [1] \n", " null \n"),
        ("5", "null"),
        ("\"x\"", "null"),
    ] {
        check(&[destroy(&["$"])], document, want);
        check(&[destroy(&["$.a", "$"])], document, want);
        check(&[destroy(&["$"]), destroy(&["$.a"])], document, want);
    }
}

/// Retain says what stays, destroy what goes.
#[test]
fn retain_keeps_what_is_selected_and_the_containers_on_the_way() {
    let document = r#"{"a":{"b":1,"c":[1,{"d":2}]},"e":5,"f":[],"a":"again"}"#;
    for (paths, want) in [
        (vec!["$"], document),
        (vec!["$.a"], r#"{"a":{"b":1,"c":[1,{"d":2}]},"a":"again"}"#),
        (vec!["$.a.b"], r#"{"a":{"b":1}}"#),
        (vec!["$.a.x"], r#"{"a":{}}"#),
        (vec!["$.e.x"], "{}"),
        (vec!["$.f.x"], r#"{"f":[]}"#),
        (vec!["$.f[0].x"], r#"{"f":[]}"#),
        (vec!["$.a.c[1]"], r#"{"a":{"c":[{"d":2}]}}"#),
        (vec!["$.a.c[0].x"], r#"{"a":{"c":[]}}"#),
        (vec!["$.a.c[*].d"], r#"{"a":{"c":[{"d":2}]}}"#),
        (vec!["$..d"], r#"{"a":{"c":[{"d":2}]},"f":[]}"#),
        (vec!["$..nothing"], r#"{"a":{"c":[{}]},"f":[]}"#),
        (vec!["$.nothing"], "{}"),
        (vec!["$[0]"], "{}"),
        (vec!["$.e", "$.a.b"], r#"{"a":{"b":1},"e":5}"#),
        (
            vec!["$.a", "$.a.b"],
            r#"{"a":{"b":1,"c":[1,{"d":2}]},"a":"again"}"#,
        ),
    ] {
        check(&[retain(&paths)], document, want);
        // The union is the same over several filters.
        let filters = paths.iter().map(|path| filter(Operation::Retain, &[path]));
        check(&[stage(filters.collect())], document, want);
    }
    for (document, want) in [
        ("5", "null"),
        (" \"x\" ", " null "),
        ("[5]", "[]"),
        ("{}", "{}"),
    ] {
        check(&[retain(&["$.a"])], document, want);
    }
    check(&[retain(&["$"])], "5", "5");
}

/// All paths of a stage are resolved against its input.
#[test]
fn destroy_comes_after_retain_and_stages_see_what_is_left() {
    let document = r#"{"a":[{"k":1,"s":2},{"k":3,"s":4}],"b":5}"#;
    let both = |retained: &[&str], destroyed: &[&str]| {
        stage(vec![
            filter(Operation::Destroy, destroyed),
            filter(Operation::Retain, retained),
        ])
    };
    for (stages, want) in [
        (
            vec![both(&["$.a"], &["$..s"])],
            r#"{"a":[{"k":1},{"k":3}]}"#,
        ),
        (vec![both(&["$.a"], &["$.a"])], "{}"),
        (vec![both(&["$..s"], &["$.a[0]"])], r#"{"a":[{"s":4}]}"#),
        // Both paths mean the stage's input.
        (
            vec![both(&["$.a[1]"], &["$.a[0]"])],
            r#"{"a":[{"k":3,"s":4}]}"#,
        ),
        (vec![both(&["$.a[1]"], &["$.a[1].s"])], r#"{"a":[{"k":3}]}"#),
        // The second stage's index counts what the first left.
        (
            vec![destroy(&["$.a[0]"]), destroy(&["$.a[0].s"])],
            r#"{"a":[{"k":3}],"b":5}"#,
        ),
        // What is gone cannot come back.
        (vec![destroy(&["$.b"]), retain(&["$.b"])], "{}"),
        (vec![retain(&["$.b"]), retain(&["$.a"])], "{}"),
        (vec![destroy(&["$"]), retain(&["$.a"])], "null"),
    ] {
        check(&stages, document, want);
    }
}

/// Filters live in a host that may move them between threads.
#[test]
fn all_of_it_can_be_sent() {
    fn check<T: Send>() {}
    check::<Redactor>();
    check::<Stage>();
    check::<JsonPath>();
    check::<crate::json::find::Finder>();
}

/// No value of a destroyed path shows in what comes out, whenever one looks.
#[test]
fn a_canary_never_shows() {
    let document = r#"{"list":[{"ssn":"CANARY-1","\u0073sn":["CANARY-2",{"x":"CANARY-3"}],"name":"a"},
        {"name":"b","ssn":{"ssn":"CANARY-4"}}],"ssn":"CANARY-5","deep":{"deep":[[{"ssn":"CANARY-6"}]]}}"#;
    for size in 1..document.len() {
        let mut redactor = Redactor::new(&[destroy(&["$..ssn"])]);
        let mut out = Vec::new();
        for chunk in document.as_bytes().chunks(size) {
            redactor.push(chunk, &mut out).unwrap();
            assert!(
                !String::from_utf8_lossy(&out).contains('C'),
                "chunks of {size}"
            );
        }
        redactor.finish().unwrap();
        assert!(!String::from_utf8_lossy(&out).contains("ssn"));
    }
}
