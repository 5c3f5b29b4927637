//! What is a path, and what it selects, as another implementation has it: `serde_json_path`, for the
//! compliance suite's selectors and 100,000 mutations of them.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::LazyLock,
};

use regex::Regex;
use serde_json::Value;
use serde_json_path::JsonPath as Other;

use super::{suite, *};
use crate::{chance::Chance, json::find::find};

const SEED: u64 = 9535;
const MUTATIONS: usize = 100_000;

/// Documents that tell paths apart.
const DOCUMENTS: [&str; 3] = [
    r#"{"a":{"b":[1,{"c":"x"},"b"],"a":null,"d":2},"b":[[],{},1.5e3,"é",{"a":1}],"":true,"c":"ab"}"#,
    r#"[{"a":1,"b":"j","d":"e"},[0,1,2,[3,[4]]],"abc",{"a":"d","c":[1,2]},-0.5,null,{"a":"b"},true]"#,
    r#"{"a":[3,5,1,2,4,6,{"b":"j"},{"b":"k"},{"b":{}},{"b":"kilo"}],"o":{"p":1,"q":2,"r":3},"e":"f"}"#,
];

static BLANKS_IN_BRACKETS: LazyLock<Regex> =
    LazyLock::new(|| Regex::new(r"(\[)[ \t\r\n]+|[ \t\r\n]+(\])").unwrap());
static BLANKS_BEFORE_DOTS: LazyLock<Regex> =
    LazyLock::new(|| Regex::new(r"[ \t\r\n]+(\.\.)").unwrap());
static HEX: LazyLock<Regex> = LazyLock::new(|| Regex::new(r"\\u[0-9a-fA-F]{4}").unwrap());
static LARGE_EXPONENT: LazyLock<Regex> =
    LazyLock::new(|| Regex::new(r"([0-9])[eE]\+?[0-9]{3,}").unwrap());

/// How the two may differ.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Kind {
    /// A bound of ours: see [`MAX_SEGMENTS`] and its like.
    Bound,
    /// We refuse a pattern that does not compile; to the RFC it matches nothing.
    Pattern,
    /// The other takes a query for a singular one that has blanks in its brackets.
    SingularBlanks,
    /// The other does not know blanks before `..`, surrogates in lower-case hex digits, or numbers
    /// that a double cannot hold.
    Unknown,
    /// To the other, nothing is not `<=` nothing.
    Nothing,
    /// The other panics: a text that ends in an escape.
    Panic,
}

/// By which kind we refuse what the other takes.
fn refused(text: &str, ours: &InvalidJsonPath) -> Option<Kind> {
    let has = |part: &str| ours.problem.contains(part);
    if ["too many", "too deeply", "longer than"]
        .into_iter()
        .any(has)
    {
        return Some(Kind::Bound);
    }
    if has("regular expression") {
        return Some(Kind::Pattern);
    }
    let plain = BLANKS_IN_BRACKETS.replace_all(text, "$1$2");
    let is_singular = has("at most one node") && JsonPath::parse(&plain).is_ok();
    is_singular.then_some(Kind::SingularBlanks)
}

/// The same path without what the other does not know.
fn known(text: &str) -> String {
    let text = BLANKS_BEFORE_DOTS.replace_all(text, "$1");
    let upper = |found: &regex::Captures<'_>| found[0].to_uppercase().replace("\\U", "\\u");
    let text = HEX.replace_all(&text, upper);
    LARGE_EXPONENT.replace_all(&text, "${1}e1").into_owned()
}

fn kind_of_difference(text: &str, ours: &Result<JsonPath, InvalidJsonPath>) -> Option<Kind> {
    match ours {
        Err(invalid) => refused(text, invalid),
        Ok(_) => Other::parse(&known(text)).ok().map(|_| Kind::Unknown),
    }
}

const PIECES: [&str; 62] = [
    "$",
    "@",
    ".",
    "..",
    "*",
    "a",
    "b",
    "é",
    "_",
    "[",
    "]",
    "(",
    ")",
    "?",
    "'a'",
    "\"b\"",
    "'",
    "\"",
    "\\",
    "0",
    "1",
    "-1",
    "-0",
    "-",
    ":",
    ",",
    "==",
    "!=",
    "<",
    "<=",
    ">",
    ">=",
    "=",
    "&&",
    "||",
    "&",
    "!",
    " ",
    "\n",
    "\t",
    "\r",
    "length(",
    "count(",
    "match(",
    "value(",
    "search(",
    "true",
    "false",
    "null",
    "1.5e3",
    "1.",
    "e",
    "+",
    "\\u0041",
    "\\ud83d\\ude00",
    "\\ud800",
    "@.a",
    "$.a",
    "['a']",
    "[0]",
    "[?",
    "9007199254740992",
];

fn mutated(seeds: &[String], chance: &mut Chance) -> String {
    let mut text: Vec<char> = chance.one(seeds).chars().collect();
    for _ in 0..=chance.below(3) {
        let at = chance.below(text.len() + 1);
        let to = (at + chance.below(4)).min(text.len());
        match chance.below(6) {
            0 => drop(text.drain(at..to)),
            1 | 2 => drop(text.splice(at..at, chance.one(&PIECES).chars())),
            3 => drop(text.splice(at..to, chance.one(&PIECES).chars())),
            4 => {
                let part = text[at..to].to_vec();
                drop(text.splice(at..at, part));
            }
            _ => {
                let other: Vec<char> = chance.one(seeds).chars().collect();
                let cut = chance.below(other.len() + 1);
                drop(text.splice(at.., other[cut..].iter().copied()));
            }
        }
    }
    text.into_iter().collect()
}

/// What either selects in a document, as a set of values; None when it is no path.
fn selected(
    document: &str,
    ours: &JsonPath,
    other: &Other,
) -> (BTreeSet<String>, BTreeSet<String>) {
    let value: Value = serde_json::from_str(document).unwrap();
    let text = value.to_string();
    let found = find(std::slice::from_ref(ours), text.as_bytes()).unwrap();
    let found = found.iter().map(|node| node.json.to_owned()).collect();
    let wanted = other.query(&value).all().into_iter();
    (found, wanted.map(Value::to_string).collect())
}

/// By which kinds they differ over a text, and whether both take it.
fn compared(text: &str) -> Result<(Option<Kind>, bool), String> {
    let ours = JsonPath::parse(text);
    let Ok(other) = std::panic::catch_unwind(|| Other::parse(text).ok()) else {
        let is_refused = ours.is_err();
        return is_refused
            .then_some((Some(Kind::Panic), false))
            .ok_or_else(|| format!("{text:?} is a path to us, and a panic to the other"));
    };
    let (Ok(path), Some(other)) = (&ours, &other) else {
        return match (
            ours.is_err() && other.is_none(),
            kind_of_difference(text, &ours),
        ) {
            (true, _) => Ok((None, false)),
            (false, Some(kind)) => Ok((Some(kind), false)),
            (false, None) => Err(format!("{text:?}: {ours:?}")),
        };
    };
    for document in DOCUMENTS {
        let (found, wanted) = selected(document, path, other);
        if found != wanted && (text.contains("<=") || text.contains(">=")) {
            return Ok((Some(Kind::Nothing), true));
        } else if found != wanted {
            return Err(format!("{text:?} selects {found:?}, not {wanted:?}"));
        }
    }
    Ok((None, true))
}

#[test]
fn another_implementation_agrees() {
    let seeds = suite::selectors();
    let mut chance = Chance::seeded(SEED);
    let mutations = (0..MUTATIONS).map(|_| mutated(&seeds, &mut chance));
    let mut taken = 0;
    let mut kinds: BTreeMap<Kind, usize> = BTreeMap::new();
    for text in seeds.iter().cloned().chain(mutations) {
        let (kind, is_taken) = compared(&text).unwrap_or_else(|why| panic!("seed {SEED}: {why}"));
        taken += usize::from(is_taken);
        *kinds.entry(kind.unwrap_or(Kind::Bound)).or_default() += usize::from(kind.is_some());
    }
    assert!(taken > 5_000, "{taken}");
    // No kind is there that has no case, and none hides more than a few.
    let differing: usize = kinds.values().sum();
    assert!(differing < 1_000, "{kinds:?}");
    let of = |kind| kinds.get(&kind).is_some_and(|cases| *cases > 0);
    for kind in [
        Kind::Pattern,
        Kind::SingularBlanks,
        Kind::Unknown,
        Kind::Nothing,
        Kind::Panic,
    ] {
        assert!(of(kind), "{kind:?} of {kinds:?}");
    }
}
