//! The JSONPath compliance test suite (`cts.json`, revision 7be7c1fc, BSD-2, see `cts.LICENSE`):
//! syntax, and what is selected, by evaluation and by the automaton.

use std::collections::BTreeSet;

use serde::Deserialize;
use serde_json::Value;

use super::*;
use crate::json::{
    doc::Doc,
    eval::{Budget, Evaluator},
    find::find,
    location::normalized,
    view::View,
};

#[derive(Deserialize)]
struct Suite {
    tests: Vec<Case>,
}

#[derive(Deserialize)]
struct Case {
    name: String,
    selector: String,
    #[serde(default)]
    document: Value,
    result: Option<Vec<Value>>,
    results: Option<Vec<Vec<Value>>>,
    result_paths: Option<Vec<String>>,
    results_paths: Option<Vec<Vec<String>>>,
    #[serde(default)]
    invalid_selector: bool,
}

impl Case {
    /// Each allowed result, as a set of places.
    fn places(&self) -> Vec<BTreeSet<String>> {
        let one = self.result_paths.iter();
        let all = one.chain(self.results_paths.iter().flatten());
        all.map(|paths| paths.iter().cloned().collect()).collect()
    }

    /// Each allowed result, as a set of values.
    fn values(&self) -> Vec<BTreeSet<String>> {
        let all = self.result.iter().chain(self.results.iter().flatten());
        all.map(|values| values.iter().map(Value::to_string).collect())
            .collect()
    }
}

fn cases() -> Vec<Case> {
    let suite: Suite = serde_json::from_str(include_str!("cts.json")).unwrap();
    assert!(suite.tests.len() > 700);
    suite.tests
}

/// All, good and bad.
pub(super) fn selectors() -> Vec<String> {
    cases().into_iter().map(|case| case.selector).collect()
}

#[test]
fn the_suite_agrees_on_what_is_a_path() {
    for case in cases() {
        let parsed = JsonPath::parse(&case.selector);
        assert_eq!(parsed.is_err(), case.invalid_selector, "{}", case.name);
    }
}

#[test]
fn the_suite_agrees_on_what_is_selected() {
    for case in cases().iter().filter(|case| !case.invalid_selector) {
        let path = JsonPath::parse(&case.selector).unwrap();
        let text = case.document.to_string();
        let doc = Doc::parse(text.as_bytes()).unwrap();
        let mut budget = Budget::new();
        let nodes = Evaluator::new(View::whole(&doc), &mut budget)
            .select(&path)
            .unwrap();
        let places: BTreeSet<_> = nodes.iter().map(|node| normalized(&doc, *node)).collect();
        assert!(case.places().contains(&places), "{}: {places:?}", case.name);
        let found = find(&[path], text.as_bytes()).unwrap();
        let values: BTreeSet<_> = found.iter().map(|node| node.json.to_owned()).collect();
        assert!(case.values().contains(&values), "{}: {values:?}", case.name);
    }
}
