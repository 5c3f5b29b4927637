//! Which patterns need no engine, and that they mean the same without it.

use proptest::prelude::*;

use super::*;

fn literal(pattern: &str) -> Option<Literal> {
    Literal::of(&regex_syntax::parse(pattern).unwrap())
}

#[test]
fn plain_text_with_anchors_needs_no_engine() {
    for (pattern, text, case, ends) in [
        ("", "", Case::Sensitive, (false, false)),
        (".*", "", Case::Sensitive, (false, false)),
        ("^", "", Case::Sensitive, (true, false)),
        ("^$", "", Case::Sensitive, (true, true)),
        ("abc", "abc", Case::Sensitive, (false, false)),
        ("^/v1/", "/v1/", Case::Sensitive, (true, false)),
        ("^/v1/.*", "/v1/", Case::Sensitive, (true, false)),
        (".*/v1/", "/v1/", Case::Sensitive, (false, false)),
        ("^(/v1)(/a)$", "/v1/a", Case::Sensitive, (true, true)),
        (r"\.json$", ".json", Case::Sensitive, (false, true)),
        ("é", "é", Case::Sensitive, (false, false)),
        ("(?i)^X-Key$", "x-key", Case::Ignored, (true, true)),
        ("(?i)token", "token", Case::Ignored, (false, false)),
        ("[aA]b*", "a", Case::Ignored, (false, false)),
        ("(?i)^X[-_]K[_-]2$", "x-k-2", Case::Twins, (true, true)),
        ("(?i)[-_]k", "-k", Case::Twins, (false, false)),
    ] {
        let want = Literal {
            text: text.into(),
            case,
            is_at_start: ends.0,
            is_at_end: ends.1,
        };
        assert_eq!(literal(pattern), Some(want), "{pattern}");
    }
}

#[test]
fn everything_else_is_the_engines() {
    for pattern in [
        "a|b",
        "a.c",
        "a+",
        "a+b",
        "^.*a",
        "a.*$",
        "[ab]",
        "[aAb]",
        "(?m)^a",
        r"\ba",
        "a^b",
        "(?i)é",
        "(?i)a(?-i:b)",
        "(?i)1é",
        "x[-_]k",
        "(?i)x[-_]k-l",
        "(?i)x[-_]k_l",
        "[-_.]",
        "[kK]",
        "[Ss]",
        r"(?-u:\x61|b)",
    ] {
        assert_eq!(literal(pattern), None, "{pattern}");
    }
    let long = "a".repeat(SEARCHED_IGNORING_CASE_BYTES + 1);
    assert_eq!(literal(&format!("(?i){long}")), None);
    assert!(literal(&format!("(?i)^{long}")).is_some());
}

#[test]
fn case_is_ignored_as_unicode_has_it() {
    let check = |pattern: &str, text: &str, want: bool| {
        let literal = literal(pattern).unwrap();
        assert_eq!(literal.is_match(text), want, "{pattern} on {text}");
    };
    check("(?i)^ask$", "ASK", true);
    check("(?i)^ask$", "a\u{17f}\u{212a}", true);
    check("(?i)^ask$", "ask ", false);
    check("(?i)sk", "xx\u{17f}Kx", true);
    check("(?i)sk$", "xx\u{17f}\u{212a}", true);
    check("(?i)sk$", "xx\u{17f}\u{212a}x", false);
}

proptest! {
    #[test]
    fn a_literal_matches_what_the_engine_matches(
        pattern in "(\\(\\?i\\))?(\\.\\*)?\\^?[aAkS/é]{0,3}(\\[-_\\])?(\\([aks]?\\))?[ks]?\\$?(b\\*)?",
        text in "[-_aAkKsSb/é\u{17f}\u{212a}\n]{0,6}",
    ) {
        let hir = regex_syntax::parse(&pattern).unwrap();
        if let Some(literal) = Literal::of(&hir) {
            let engine = regex::Regex::new(&pattern).unwrap();
            prop_assert_eq!(literal.is_match(&text), engine.is_match(&text), "{:?}", literal);
        }
    }
}
