//! What are no conditions, and where.

use super::*;
use crate::fixtures::rules::{self, pattern};

fn compile(conditions: wire::Conditions) -> Result<Conditions, InvalidConditions> {
    ConditionsCompiler::new(&Pool::default()).compile(Some(conditions))
}

fn check(text: &str, bend: impl FnOnce(&mut wire::Conditions), want: &str) {
    let mut conditions = rules::conditions(text);
    bend(&mut conditions);
    assert_eq!(compile(conditions).unwrap_err().to_string(), want);
}

fn unchanged(_: &mut wire::Conditions) {}

#[test]
fn absent_conditions_hold_none() {
    let absent = ConditionsCompiler::new(&Pool::default())
        .compile(None)
        .unwrap();
    let empty = compile(wire::Conditions::default()).unwrap();
    for conditions in [absent, empty] {
        assert!(conditions.methods.is_none() && conditions.path.is_none());
        let lists = [conditions.headers.len(), conditions.query.len()];
        assert_eq!(lists, [0, 0]);
        assert_eq!([conditions.claims.len(), conditions.body.len()], [0, 0]);
    }
}

#[test]
fn what_is_wrong_is_named_with_its_place() {
    check("GET get", unchanged, "methods[1]: no method that passes");
    check("TRACE", unchanged, "methods[0]: no method that passes");
    check("p:a(b", unchanged, "path: at byte 1: unclosed group");
    check(
        "h:a h:(",
        unchanged,
        "headers[1].name: at byte 0: unclosed group",
    );
    check(
        "h:a=(?=b)",
        unchanged,
        "headers[0].value: at byte 0: look-around (look-ahead and look-behind) is not supported",
    );
    check(
        r"q:a=(b)\1",
        unchanged,
        "query[0].value: at byte 3: backreferences are not supported",
    );
    check(
        "q:[",
        unchanged,
        "query[0].name: at byte 0: unclosed character class",
    );
    check(
        "b:$ b:$.a=*",
        unchanged,
        "body[1].value: at byte 0: nothing to repeat",
    );
    check(
        "c:$=*",
        unchanged,
        "claims[0].value: at byte 0: nothing to repeat",
    );
    let flags = |conditions: &mut wire::Conditions| {
        let name = conditions.headers[0].name.as_mut().unwrap();
        "g".clone_into(&mut name.flags);
    };
    check(
        "h:a",
        flags,
        "headers[0].name: at byte 0: flag `g` is unknown, the flags are i, m, s and x",
    );
}

#[test]
fn what_is_missing_or_unknown_is_refused() {
    check(
        "p:a",
        |all| all.path.as_mut().unwrap().pattern = None,
        "path: missing",
    );
    check(
        "h:a",
        |all| all.headers[0].name = None,
        "headers[0].name: missing",
    );
    check(
        "q:a q:b",
        |all| all.query[1].name = None,
        "query[1].name: missing",
    );
    check(
        "p:a",
        |all| all.path.as_mut().unwrap().presence = 7,
        "path.presence: unknown",
    );
    check(
        "h:a",
        |all| all.headers[0].presence = 7,
        "headers[0].presence: unknown",
    );
    check(
        "q:a",
        |all| all.query[0].presence = -1,
        "query[0].presence: unknown",
    );
    check(
        "b:$",
        |all| all.body[0].presence = 2,
        "body[0].presence: unknown",
    );
    check(
        "c:$",
        |all| all.claims[0].presence = 2,
        "claims[0].presence: unknown",
    );
}

#[test]
fn json_paths_are_refused_with_their_place() {
    for (text, field) in [("b:$ b:x", "body[1].path"), ("c:x", "claims[0].path")] {
        let Err(InvalidConditions::NodePath { field: got, source }) =
            compile(rules::conditions(text))
        else {
            panic!("{text}");
        };
        assert_eq!((got.to_string().as_str(), source.position), (field, 0));
    }
}

#[test]
fn a_rule_has_at_most_fifty_conditions() {
    let headers = |count: usize| {
        let mut conditions = rules::conditions("p:a q:b b:$ c:$ GET");
        let header = wire::NamedCondition {
            name: Some(pattern("x")),
            ..wire::NamedCondition::default()
        };
        conditions.headers = vec![header; count];
        compile(conditions).map(drop)
    };
    assert_eq!(headers(MAX_CONDITIONS - 5), Ok(()));
    assert_eq!(headers(MAX_CONDITIONS - 4), Err(InvalidConditions::TooMany));
}

#[test]
fn equal_paths_are_looked_up_once_and_different_ones_are_bounded() {
    let pool = Pool::default();
    let mut compiler = ConditionsCompiler::new(&pool);
    let one = compiler.compile(Some(rules::conditions("b:$.a=1 b:$.b b:$.a=2 c:$.a")));
    let two = compiler.compile(Some(rules::conditions("b:$.b c:$.c c:$.a")));
    let places = |conditions: &[NodeCondition]| -> Vec<_> {
        conditions.iter().map(|condition| condition.path).collect()
    };
    let (one, two) = (one.unwrap(), two.unwrap());
    assert_eq!(places(&one.body), [0, 1, 0]);
    assert_eq!(
        (places(&two.body), places(&two.claims)),
        (vec![1], vec![1, 0])
    );

    let mut texts = (0..).map(|n| format!("b:$.n{n}"));
    for text in texts.by_ref().take(MAX_NODE_PATHS - 2) {
        compiler.compile(Some(rules::conditions(&text))).unwrap();
    }
    let next = rules::conditions(&texts.next().unwrap());
    let field = Field::Item(Section::Body, 0, Part::Path);
    assert_eq!(
        compiler.compile(Some(next)).unwrap_err(),
        InvalidConditions::TooManyNodePaths(field)
    );
    // Known ones, and claims, have room.
    compiler
        .compile(Some(rules::conditions("b:$.a c:$.new")))
        .unwrap();
    let paths = compiler.finish();
    assert_eq!((paths.body.len(), paths.claims.len()), (MAX_NODE_PATHS, 3));
}
