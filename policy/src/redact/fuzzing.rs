//! What must hold for any bytes: bodies of the fuzz targets, which the tests run, too.

#![expect(
    clippy::expect_used,
    clippy::missing_panics_doc,
    reason = "paths written here are paths; a finding is a panic"
)]

use std::sync::LazyLock;

use super::{Filter, Mode, Operation, Redactor, Room, Stage, redact_held, redact_reporting};
use crate::json::{
    InvalidJson,
    find::{Finder, find},
    path::JsonPath,
};

/// Stages to choose from; the last ones need the whole body.
static STAGES: LazyLock<Vec<Vec<Stage>>> = LazyLock::new(|| {
    use Operation::{Destroy, Retain};
    vec![
        vec![],
        vec![stage(&[(Destroy, &["$..a", "$[0]"])])],
        vec![stage(&[(Retain, &["$.a.b", "$[1:9:2]", "$..c[*]"])])],
        vec![
            stage(&[(Retain, &["$.*.*"]), (Destroy, &["$..['a','b']..c"])]),
            stage(&[(Destroy, &["$[*][0]"])]),
        ],
        vec![stage(&[(Destroy, &["$..[?@.a == 1]", "$..[-1]"])])],
        vec![stage(&[
            (Retain, &["$[?@.a]", "$..b[?@ < 'c']"]),
            (Destroy, &["$..c"]),
        ])],
    ]
});

/// Documents to run a path over.
const DOCUMENTS: [&str; 3] = [
    r#"{"a":{"b":[1,{"c":"x"}],"a":null},"c":[[],{},1.5e3,"é"],"":true}"#,
    r#"[{"a":1,"a":2,"b":"\ud800"},[0,1,2,[3,[4]]],"abc",-0.0]"#,
    "7",
];

fn stage(filters: &[(Operation, &[&str])]) -> Stage {
    let filters = filters.iter().map(|(operation, paths)| {
        let parse = |path: &&str| JsonPath::parse(path).expect("a path");
        Filter {
            id: "fuzz".into(),
            operation: *operation,
            paths: paths.iter().map(parse).collect(),
        }
    });
    Stage {
        filters: filters.map(Into::into).collect(),
    }
}

/// Any bytes as a body: the first two choose the stages and the size of the pieces.
pub fn redact(data: &[u8]) {
    let Some((&[choice, size], body)) = data.split_first_chunk() else {
        return;
    };
    let size = usize::from(size).max(1);
    let choice = usize::from(choice).checked_rem(STAGES.len());
    let Some(stages) = choice.and_then(|choice| STAGES.get(choice)) else {
        return;
    };
    let held = redact_held(stages, body);
    if Mode::of(stages) == Mode::Stream {
        check_stream(stages, body, size, &held);
    }
    if let Ok(out) = &held {
        let again = redact_held(&[], out);
        assert_eq!(again.as_ref(), Ok(out), "what is left is JSON");
        assert!(out.trim_ascii() == b"null" || out.len() <= body.len());
        if let Ok((reported, _)) = redact_reporting(stages, body, &mut Room::of_a_report()) {
            assert_eq!(&reported, out);
        }
    }
    check_finding(body, size);
}

fn check_stream(stages: &[Stage], body: &[u8], size: usize, held: &Result<Vec<u8>, InvalidJson>) {
    let (pieces, end) = stream(stages, body, size);
    let (whole, whole_end) = stream(stages, body, body.len().max(1));
    assert_eq!(end, whole_end);
    assert!(pieces.starts_with(&whole) || whole.starts_with(&pieces));
    match held {
        Ok(out) => assert!(end.is_ok() && *out == pieces && *out == whole),
        Err(_) => assert!(end.is_err()),
    }
}

fn stream(stages: &[Stage], body: &[u8], size: usize) -> (Vec<u8>, Result<(), InvalidJson>) {
    let mut redactor = Redactor::new(stages);
    let mut out = Vec::new();
    for chunk in body.chunks(size) {
        let before = out.len();
        if let Err(error) = redactor.push(chunk, &mut out) {
            let after = out.len();
            assert!(redactor.push(body, &mut out).is_err());
            assert!(redactor.finish().is_err());
            assert!(
                before <= after && out.len() == after,
                "nothing comes after an error"
            );
            return (out, Err(error));
        }
    }
    let end = redactor.finish();
    (out, end)
}

fn check_finding(body: &[u8], size: usize) {
    let paths = ["$..a", "$.*", "$[0]"].map(|path| JsonPath::parse(path).expect("a path"));
    let mut finder = Finder::new(&paths);
    let mut streamed = 0_usize;
    let mut on_found = |_, _: crate::json::find::Found<'_>| streamed = streamed.saturating_add(1);
    let pushed = body
        .chunks(size)
        .try_for_each(|chunk| finder.push(chunk, &mut on_found));
    let end = pushed.and_then(|()| finder.finish(&mut on_found));
    match find(&paths, body) {
        Ok(found) => assert!(end.is_ok() && found.len() == streamed),
        Err(error) => assert!(end.is_err() || error.offset == 0),
    }
}

/// Any bytes as a path: refused with a position, or it can be run.
pub fn json_path(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else {
        return;
    };
    let path = match JsonPath::parse(text) {
        Ok(path) => path,
        Err(invalid) => {
            assert!(text.is_char_boundary(invalid.position));
            return;
        }
    };
    for document in DOCUMENTS {
        let paths = std::slice::from_ref(&path);
        let found = find(paths, document.as_bytes()).map(|found| found.len());
        let stages = [stage_of(&path, Operation::Destroy)];
        let out = redact_held(&stages, document.as_bytes());
        if let (Ok(0), Ok(out)) = (&found, &out) {
            assert_eq!(out, document.as_bytes(), "what is not found stays");
        }
        let stages = [stage_of(&path, Operation::Retain)];
        assert_eq!(
            found.is_ok(),
            redact_held(&stages, document.as_bytes()).is_ok()
        );
    }
}

fn stage_of(path: &JsonPath, operation: Operation) -> Stage {
    let filter = Filter {
        id: "fuzz".into(),
        operation,
        paths: vec![path.clone()],
    };
    Stage {
        filters: vec![filter.into()],
    }
}
