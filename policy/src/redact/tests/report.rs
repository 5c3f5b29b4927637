//! Reports: what each stage removed and kept.

use super::*;
use crate::json::Problem;

fn named(id: &str, operation: Operation, paths: &[&str]) -> Filter {
    Filter {
        id: id.into(),
        ..filter(operation, paths)
    }
}

/// `stage filter operation path` of each change.
fn report(stages: &[Stage], document: &str) -> Vec<String> {
    let (out, changes) =
        redact_reporting(stages, document.as_bytes(), &mut Room::of_a_report()).unwrap();
    assert_eq!(out, redact_held(stages, document.as_bytes()).unwrap());
    let lines = changes.iter().map(|change| {
        let filter = change.filter.as_deref().unwrap_or("-");
        let operation = match change.operation {
            Operation::Retain => "retain",
            Operation::Destroy => "destroy",
        };
        format!("{} {filter} {operation} {}", change.stage, change.path)
    });
    lines.collect()
}

#[test]
fn each_change_names_stage_and_filter() {
    let document = r#"{"a":{"k":1,"s":[2]},"b":[{"s":3},4],"c":"5","c":6}"#;
    let destroy_s = || named("s", Operation::Destroy, &["$..s", "$.a.s"]);
    let destroy_b = || named("b", Operation::Destroy, &["$.b", "$.b[0]", "$.b[0].s"]);
    let retain_a = || named("a", Operation::Retain, &["$.a", "$.a.k"]);
    let retain_b = || named("r", Operation::Retain, &["$.b[?@.s]", "$.nothing"]);
    for (stages, want) in [
        (vec![], vec![]),
        (
            vec![stage(vec![destroy_s()])],
            vec!["0 s destroy $['a']['s']", "0 s destroy $['b'][0]['s']"],
        ),
        // Only the top-most; the first filter that says so.
        (
            vec![stage(vec![destroy_s(), destroy_b()])],
            vec!["0 s destroy $['a']['s']", "0 b destroy $['b']"],
        ),
        (
            vec![stage(vec![retain_a()])],
            vec![
                "0 a retain $['a']",
                "0 a retain $['a']['k']",
                "0 - retain $['b']",
                "0 - retain $['c']",
            ],
        ),
        (
            vec![stage(vec![destroy_s(), retain_a()])],
            vec![
                "0 a retain $['a']",
                "0 a retain $['a']['k']",
                "0 s destroy $['a']['s']",
                "0 - retain $['b']",
                "0 - retain $['c']",
            ],
        ),
        (
            vec![stage(vec![retain_b()])],
            vec![
                "0 - retain $['a']",
                "0 r retain $['b'][0]",
                "0 - retain $['b'][1]",
                "0 - retain $['c']",
            ],
        ),
        // Paths are those of the stage's own input.
        (
            vec![
                Stage::default(),
                stage(vec![destroy_b()]),
                stage(vec![destroy_s()]),
            ],
            vec!["1 b destroy $['b']", "2 s destroy $['a']['s']"],
        ),
        (
            vec![stage(vec![named("x", Operation::Destroy, &["$.c"])])],
            vec!["0 x destroy $['c']"],
        ),
    ] {
        assert_eq!(report(&stages, document), want);
    }
}

#[test]
fn a_root_that_goes_is_reported() {
    let stages = [stage(vec![named("x", Operation::Retain, &["$.a"])])];
    assert_eq!(report(&stages, "5"), ["0 - retain $"]);
    let stages = [stage(vec![named("x", Operation::Destroy, &["$"])])];
    assert_eq!(report(&stages, "[1]"), ["0 x destroy $"]);
    let stages = [stage(vec![named("x", Operation::Retain, &["$"])])];
    assert_eq!(report(&stages, "[1]"), ["0 x retain $"]);
}

#[test]
fn what_is_not_json_has_no_report() {
    for document in ["", "{", "[1] 2", "\u{feff}1"] {
        assert!(redact_reporting(&[], document.as_bytes(), &mut Room::of_a_report()).is_err());
        assert!(
            redact_reporting(
                &[destroy(&["$.a"])],
                document.as_bytes(),
                &mut Room::of_a_report()
            )
            .is_err()
        );
    }
}

#[test]
fn a_report_is_bounded() {
    let name = "n".repeat(60_000);
    let list = vec!["0"; 100].join(",");
    let document = format!(r#"{{"{name}":[{list}]}}"#);
    let error = redact_reporting(
        &[destroy(&["$.*[*]"])],
        document.as_bytes(),
        &mut Room::of_a_report(),
    )
    .unwrap_err();
    assert_eq!(error.problem, Problem::TooMuchWork);
}
