//! Random documents, paths and chunks against the model.

use proptest::prelude::*;

use super::{
    model::{self, Path},
    *,
};
use crate::{
    effort::Effort,
    json::{MAX_READINGS, Problem},
};

fn compiled(stage: &model::Stage) -> Stage {
    let one = |operation, path: &Path| filter(operation, &[&path.text()]);
    let retained = stage
        .retained
        .iter()
        .map(|path| one(Operation::Retain, path));
    let destroyed = stage
        .destroyed
        .iter()
        .map(|path| one(Operation::Destroy, path));
    super::stage(destroyed.chain(retained).collect())
}

/// Cuts the text at the given places, whatever they are.
fn cut<'t>(text: &'t [u8], cuts: &[usize]) -> Vec<&'t [u8]> {
    let mut cuts: Vec<_> = cuts.iter().map(|cut| cut % (text.len() + 1)).collect();
    cuts.sort_unstable();
    let ends = cuts.iter().copied().chain([text.len()]);
    let starts = [0].into_iter().chain(cuts.iter().copied());
    starts
        .zip(ends)
        .map(|(start, end)| &text[start..end])
        .collect()
}

fn cuts() -> impl Strategy<Value = Vec<usize>> {
    proptest::collection::vec(any::<usize>(), 0..12)
}

fn redacted(stages: &[Stage], text: &str) -> String {
    let (out, end) = run(stages, [text.as_bytes()]);
    assert_eq!(end, Ok(()));
    String::from_utf8(out).unwrap()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1024))]

    #[test]
    fn a_stream_is_what_the_model_writes(
        tree in model::tree(),
        stages in model::stages(),
        cuts in cuts(),
    ) {
        let text = tree.text();
        let want = stages.iter().fold(tree, |tree, stage| tree.redacted(stage)).text();
        let stages: Vec<_> = stages.iter().map(compiled).collect();
        let (out, end) = run(&stages, cut(text.as_bytes(), &cuts));
        prop_assert_eq!(end, Ok(()));
        prop_assert_eq!(String::from_utf8(out).unwrap(), want);
    }

    /// By place, with repeated names, like by automaton.
    #[test]
    fn a_held_body_is_what_the_model_writes(tree in model::tree(), stages in model::stages()) {
        let text = tree.text();
        let want = stages.iter().fold(tree, |tree, stage| tree.redacted(stage)).text();
        let stages: Vec<_> = stages.iter().map(compiled).collect();
        let out = redact_held(&stages, text.as_bytes()).unwrap();
        prop_assert_eq!(&String::from_utf8(out).unwrap(), &want);
        let (out, changes) = redact_reporting(&stages, text.as_bytes(), &mut Room::of_a_report()).unwrap();
        prop_assert_eq!(&String::from_utf8(out).unwrap(), &want);
        let is_removal = |change: &Change| {
            change.operation == Operation::Destroy || change.filter.is_none()
        };
        let is_changed = text != want || text.trim() == "null";
        prop_assert!(is_changed || !changes.iter().any(is_removal));
        prop_assert!(text == want || changes.iter().any(is_removal));
        // A report names members of one name once.
        let named = changes.iter().filter(|change| is_removal(change)).count();
        let mut documents = Documents::new(&stages);
        documents.redact(text.as_bytes(), &mut Vec::new(), &mut Effort::unbounded()).unwrap();
        let removed: u64 = documents.removed().iter().sum();
        prop_assert!(removed >= u64::try_from(named).unwrap());
        prop_assert_eq!(removed > 0, named > 0);
    }

    /// Filter expressions and repeated names, each way to read the document tried.
    #[test]
    fn filter_expressions_are_what_the_model_writes(
        tree in model::tree(),
        stages in model::held_stages(),
    ) {
        let text = tree.text();
        let mut tree = Some(tree);
        for stage in &stages {
            tree = tree.filter(|tree| stage.is_streamable() || tree.ways() <= MAX_READINGS);
            tree = tree.map(|tree| tree.redacted(stage));
        }
        let stages: Vec<_> = stages.iter().map(compiled).collect();
        let out = redact_held(&stages, text.as_bytes());
        let out = out.map(|out| String::from_utf8(out).unwrap());
        let want = tree.map(|tree| tree.text()).ok_or(Problem::TooManyReadings);
        prop_assert_eq!(out.map_err(|error| error.problem), want);
        let reported = redact_reporting(&stages, text.as_bytes(), &mut Room::of_a_report()).map(|(out, _)| out);
        prop_assert_eq!(reported, redact_held(&stages, text.as_bytes()));
    }

    #[test]
    fn nothing_is_added_and_the_rest_is_json(tree in model::tree(), stages in model::stages()) {
        let text = tree.text();
        let out = redacted(&stages.iter().map(compiled).collect::<Vec<_>>(), &text);
        prop_assert!(out == "null" || is_subsequence(out.as_bytes(), text.as_bytes()));
        prop_assert_eq!(&redacted(&[], &out), &out);
    }

    /// Names and descendants mean the same before and after, unlike indices.
    #[test]
    fn names_redact_once_and_for_all(tree in model::tree(), names in names()) {
        let paths: Vec<_> = names.iter().map(String::as_str).collect();
        for stage in [destroy(&paths), retain(&paths)] {
            let stages = [stage];
            let once = redacted(&stages, &tree.text());
            prop_assert_eq!(redacted(&stages, &once), once);
        }
    }

    /// A document that breaks off shows no more than the whole one.
    #[test]
    fn a_part_shows_a_part(tree in model::tree(), stages in model::stages(), at in any::<usize>()) {
        let text = tree.text();
        let stages: Vec<_> = stages.iter().map(compiled).collect();
        let whole = redacted(&stages, &text);
        let part = &text.as_bytes()[..at % (text.len() + 1)];
        let (out, _) = run(&stages, part.chunks(3));
        prop_assert!(whole.as_bytes().starts_with(&out));
    }
}

fn names() -> impl Strategy<Value = Vec<String>> {
    let path = prop_oneof!["\\$(\\.[abc]){1,3}", "\\$\\.\\.[abc](\\.[ab])?"];
    proptest::collection::vec(path, 1..3)
}

fn is_subsequence(part: &[u8], whole: &[u8]) -> bool {
    let mut whole = whole.iter();
    part.iter().all(|byte| whole.any(|other| other == byte))
}
