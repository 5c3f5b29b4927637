//! The engine against the `regex` crate, and the work that it refuses.

use proptest::prelude::*;
use regex::Regex;

use super::*;
use crate::pattern::learnt::tests::unseen_text;

fn engine(pattern: &str) -> Option<Engine> {
    Engine::compile(&regex_syntax::parse(pattern).unwrap()).ok()
}

#[test]
fn what_makes_a_large_pattern_simulate_a_long_text_is_not_decided() {
    let text = "a".repeat(60_000);
    let engine = engine("a{1,3000}b").unwrap();
    let effort = Effort::of_a_call(0);
    assert!(!engine.is_match(&text, &effort));
    assert!(effort.is_exhausted());
    // On what callers send, the same pattern is no trouble.
    let effort = Effort::of_a_call(0);
    assert!(engine.is_match(&format!("{}b", "a".repeat(300)), &effort));
    assert!(!effort.is_exhausted());
}

#[test]
fn patterns_that_explode_elsewhere_are_decided() {
    let text = "a".repeat(60_000) + "!";
    let mixed = "aé ".repeat(20_000) + "!";
    for pattern in [
        "^(a+)+$",
        "^(a|aa)+$",
        "^(a|a?)+$",
        "(x+x+)+y",
        "(.*)*$x",
        "[a-q][^u-z]{13}x",
    ] {
        let engine = engine(pattern).unwrap();
        for text in [&text, &mixed] {
            let effort = Effort::of_a_call(0);
            assert!(!engine.is_match(text, &effort), "{pattern}");
            assert!(!effort.is_exhausted(), "{pattern}");
        }
    }
}

#[test]
fn many_patterns_that_all_learn_from_a_text_are_not_decided_at_once() {
    let text = unseen_text(700);
    let engines: Vec<Engine> = (0..500)
        .map(|n| engine(&format!("a[ab]{{9}}c{n}")).unwrap())
        .collect();
    let decided = |effort: &Effort| {
        let all = engines.iter();
        all.take_while(|engine| {
            engine.is_match(&text, effort);
            !effort.is_exhausted()
        })
        .count()
    };
    // Cold, a few hundred of them cost all that a call may. Warm, they are cheap.
    let (cold, warm) = (Effort::of_a_call(0), Effort::of_a_call(0));
    let decided_cold = decided(&cold);
    assert!(cold.is_exhausted() && decided_cold > 10, "{decided_cold}");
    assert!(decided(&warm) > decided_cold);
}

#[test]
fn word_boundaries_are_unicode() {
    for (pattern, text, want) in [
        (r"\bb\b", "a b c", true),
        (r"\bb\b", "abc", false),
        (r"\bb\b", "éb", false),
        (r"\bb\b", "é b", true),
        (r"\Bb", "éb", true),
        (r"b\b", "bé", false),
    ] {
        let effort = Effort::of_a_call(0);
        assert_eq!(
            engine(pattern).unwrap().is_match(text, &effort),
            want,
            "{pattern} {text}"
        );
        assert!(!effort.is_exhausted());
    }
}

#[test]
fn too_large_is_refused() {
    for pattern in [r"\w{500}", "((a{100}){100}){100}"] {
        assert!(engine(pattern).is_none(), "{pattern}");
    }
}

#[test]
fn one_engine_serves_many_threads() {
    let engine = engine("^(a|b)+c$").unwrap();
    std::thread::scope(|scope| {
        for n in 0..8 {
            let (engine, text) = (&engine, "ab".repeat(n * 50) + "c");
            scope.spawn(move || {
                let found = engine.is_match(&text, &Effort::of_a_call(0));
                assert_eq!(found, n > 0);
            });
        }
    });
}

proptest! {
    #[test]
    fn the_engine_matches_what_the_regex_crate_matches(
        pattern in "\\^?([a-c.é]|\\[a-bé\\]|\\(a\\|b\\)|\\\\b|\\\\w|\\\\B){0,4}[*+?]?(b|\\{2\\})?\\$?",
        texts in proptest::collection::vec("[a-cé \n]{0,8}", 1..4),
    ) {
        let Ok(theirs) = Regex::new(&pattern) else { return Ok(()) };
        let engine = engine(&pattern).unwrap();
        for text in texts {
            let effort = Effort::of_a_call(0);
            prop_assert_eq!(engine.is_match(&text, &effort), theirs.is_match(&text), "{:?}", text);
        }
    }
}
