//! Held bodies: filter expressions, counting from the end, repeated names.

use super::*;
use crate::json::Problem;

fn held(stages: &[Stage], document: &str, want: &str) {
    let out = redact_held(stages, document.as_bytes()).unwrap();
    assert_eq!(String::from_utf8(out).unwrap(), want, "{document}");
}

#[test]
fn a_filter_expression_makes_the_body_held() {
    for (stages, want) in [
        (vec![], Mode::Stream),
        (vec![destroy(&["$..a"]), retain(&["$[0]"])], Mode::Stream),
        (vec![destroy(&["$..a"]), retain(&["$[-1]"])], Mode::Hold),
        (vec![destroy(&["$[?@.a]", "$.b"])], Mode::Hold),
    ] {
        assert_eq!(Mode::of(&stages), want);
        let mut redactor = Redactor::new(&stages);
        assert_eq!(redactor.mode(), want);
        let mut out = Vec::new();
        let is_taken = redactor.push(b"{}", &mut out).is_ok() && redactor.finish().is_ok();
        assert_eq!(
            (is_taken, out.is_empty()),
            (want == Mode::Stream, want == Mode::Hold)
        );
    }
}

#[test]
fn what_the_expression_says_goes_or_stays() {
    let document = r#"{"items": [{"id":1,"p":5}, {"id":2,"p":15}, {"id":3}],"n":[1,2,3]}"#;
    for (stage, want) in [
        (
            destroy(&["$.items[?@.p > 10]"]),
            r#"{"items": [{"id":1,"p":5}, {"id":3}],"n":[1,2,3]}"#,
        ),
        (
            destroy(&["$.items[?@.p].id"]),
            r#"{"items": [{"p":5}, {"p":15}, {"id":3}],"n":[1,2,3]}"#,
        ),
        (destroy(&["$.n[-1]", "$.items"]), r#"{"n":[1,2]}"#),
        (
            destroy(&["$.n[::-2]", "$.items[-9]"]),
            r#"{"items": [{"id":1,"p":5}, {"id":2,"p":15}, {"id":3}],"n":[2]}"#,
        ),
        (
            retain(&["$.items[?@.p > 10]"]),
            r#"{"items": [ {"id":2,"p":15}]}"#,
        ),
        (
            retain(&["$.items[?@.p].id"]),
            r#"{"items": [{"id":1}, {"id":2}]}"#,
        ),
        (retain(&["$.items[?@.p].none"]), r#"{"items": [{}, {}]}"#),
        (retain(&["$.n[-2:]"]), r#"{"n":[2,3]}"#),
        (retain(&["$[?@[0] == 1]"]), r#"{"n":[1,2,3]}"#),
        (
            retain(&["$..[?@.p == 5].id"]),
            r#"{"items": [{"id":1}, {}, {}],"n":[]}"#,
        ),
        (destroy(&["$[?1 == 1]"]), "{}"),
        (retain(&["$[?1 == 2]"]), "{}"),
    ] {
        held(&[stage], document, want);
    }
    held(&[retain(&["$[?@]"])], " 5 ", " null ");
    held(&[destroy(&["$[?@]", "$"])], "[1]", "null");
}

#[test]
fn stages_that_stream_and_stages_that_do_not_follow_each_other() {
    let document = r#"{"a":[{"k":1},{"k":2},{"k":3}]}"#;
    held(
        &[destroy(&["$.a[0]"]), destroy(&["$.a[-1]"])],
        document,
        r#"{"a":[{"k":2}]}"#,
    );
    held(
        &[destroy(&["$.a[-1]"]), destroy(&["$.a[0]"])],
        document,
        r#"{"a":[{"k":2}]}"#,
    );
    held(
        &[
            destroy(&["$.a[-1]"]),
            Stage::default(),
            destroy(&["$.a[-1]"]),
        ],
        document,
        r#"{"a":[{"k":1}]}"#,
    );
    held(&[], document, document);
    held(&[Stage::default()], document, document);
}

/// Whichever of two members a reader takes, nothing it may not have is left.
#[test]
fn repeated_names_are_read_in_every_way() {
    let document = r#"[{"role":"user","role":"admin","ssn":1,"ssn":2},{"role":"user","ssn":3}]"#;
    let without_first = r#"[{"role":"user","ssn":3}]"#;
    // Destroyed when any reading says so.
    held(
        &[destroy(&["$[?@.role == 'admin']"])],
        document,
        without_first,
    );
    held(
        &[destroy(&["$[?@.role == 'user'].ssn"])],
        document,
        r#"[{"role":"user","role":"admin"},{"role":"user"}]"#,
    );
    held(
        &[destroy(&["$[?@.ssn == 2].ssn"])],
        document,
        r#"[{"role":"user","role":"admin"},{"role":"user","ssn":3}]"#,
    );
    // Retained when all do.
    held(
        &[retain(&["$[?@.role == 'user']"])],
        document,
        without_first,
    );
    held(&[retain(&["$[?@.role == 'admin']"])], document, "[]");
    held(
        &[retain(&["$[?@.role].role"])],
        document,
        r#"[{"role":"user","role":"admin"},{"role":"user"}]"#,
    );
    // A path that a stream could decide means every occurrence, also beside one that it could not.
    let nested = r#"{"a":{"x":1},"a":{"y":2},"b":[1]}"#;
    held(
        &[retain(&["$.a.x", "$.b[-1]"])],
        nested,
        r#"{"a":{"x":1},"a":{},"b":[1]}"#,
    );
    held(
        &[destroy(&["$.a.x", "$.b[-1]"])],
        nested,
        r#"{"a":{},"a":{"y":2},"b":[]}"#,
    );
}

#[test]
fn what_cannot_be_resolved_is_refused() {
    let stages = [destroy(&["$[?@.a]"])];
    let problem = |document: &str| {
        redact_held(&stages, document.as_bytes())
            .unwrap_err()
            .problem
    };
    assert_eq!(problem("[1"), Problem::Incomplete);
    assert_eq!(problem("[1]]"), Problem::Trailing);
    assert_eq!(
        problem(&format!("[{}1]", r#"{"a":1,"a":2},"#.repeat(7))),
        Problem::TooManyReadings
    );
    assert!(
        redact_held(
            &stages,
            format!("[{}1]", r#"{"a":1,"a":2},"#.repeat(6)).as_bytes()
        )
        .is_ok()
    );
    assert!(redact_held(&[], b"[1").is_err());
    assert!(redact_held(&[destroy(&["$.a"])], b"[1").is_err());
    let heavy = [destroy(&["$..[?count(@..*..*..*) == 1]"])];
    let deep = format!("{}1{}", "[".repeat(500), "]".repeat(500));
    let error = redact_held(&heavy, deep.as_bytes()).unwrap_err();
    assert_eq!(error.problem, Problem::TooMuchWork);
}
