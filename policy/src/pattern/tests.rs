//! What patterns mean, and what is refused, where and in which words.

use proptest::prelude::*;
use regex::Regex;

use super::*;

fn check(pattern: &str, flags: &str, text: &str, want: bool) {
    let compiled = Pattern::parse(pattern, flags).unwrap();
    assert_eq!(
        is_match(&compiled, text),
        want,
        "{pattern} {flags} on {text}"
    );
}

fn is_match(pattern: &Pattern, text: &str) -> bool {
    let effort = Effort::of_a_call(0);
    let found = pattern.is_match(text, &effort);
    assert!(!effort.is_exhausted());
    found
}

#[test]
fn the_search_is_unanchored() {
    check("b", "", "abc", true);
    check("^b", "", "abc", false);
    check("b$", "", "abc", false);
    check("^abc$", "", "abc", true);
    check("[0-9]+", "", "/v1/items", true);
    check("^/v[12]/", "", "/v2/items", true);
    check("^(GET|PUT)$", "", "PUT", true);
    check("^(GET|PUT)$", "", "PUTS", false);
    // An end is the end of the text, not of a line before it.
    check("^abc$", "", "abc\n", false);
}

#[test]
fn flags_work_beside_the_pattern_and_in_it() {
    for (pattern, flags, text, want) in [
        ("abc", "", "ABC", false),
        ("abc", "i", "ABC", true),
        ("(?i)abc", "", "ABC", true),
        ("(?i)a[b]c", "", "ABC", true),
        ("(?-i)abc", "i", "ABC", false),
        ("^b", "", "a\nb", false),
        ("^b", "m", "a\nb", true),
        ("a$", "m", "a\nb", true),
        ("a.b", "", "a\nb", false),
        ("a.b", "s", "a\nb", true),
        ("a b # text", "", "ab", false),
        ("a b # text", "x", "ab", true),
        ("A .\nB", "imsx", "a\nb", true),
        ("é", "i", "É", true),
    ] {
        check(pattern, flags, text, want);
    }
    let header = Pattern::parse_header_name("^X-Key$", "").unwrap();
    for (name, want) in [("x-key", true), ("X-KEY", true), ("x-keys", false)] {
        assert_eq!(is_match(&header, name), want, "{name}");
    }
}

#[test]
fn text_is_unicode_and_an_invalid_byte_cannot_dodge_a_dot() {
    check("^.$", "", "é", true);
    check(r"^\w+$", "", "été", true);
    check(r"^\p{Greek}+$", "", "αβγ", true);
    check("^a.b$", "", &text_of(b"a\xffb"), true);
    check("^a.b$", "", &text_of(b"a\xc3\xa9b"), true);
    check("\u{fffd}", "", &text_of(b"\xfe"), true);
    check(r"^[^/]+$", "", &text_of(b"\xff\xfe"), true);
}

#[test]
fn what_is_no_pattern_is_refused_with_its_place() {
    for (pattern, flags, position, problem) in [
        (
            "^(?=a)",
            "",
            1,
            "look-around (look-ahead and look-behind) is not supported",
        ),
        (
            "ab(?<!c)",
            "",
            2,
            "look-around (look-ahead and look-behind) is not supported",
        ),
        (r"(a)é\1", "", 5, "backreferences are not supported"),
        ("a(b", "", 1, "unclosed group"),
        ("a)b", "", 1, "unopened group"),
        ("é[a", "", 2, "unclosed character class"),
        ("*a", "", 0, "nothing to repeat"),
        ("a{2", "", 1, "unclosed counted repetition"),
        (r"a\", "", 1, "incomplete escape sequence"),
        (r"\q", "", 0, "unrecognized escape sequence"),
        (r"ab\p{Nope}", "", 2, "Unicode property not found"),
        (r"ab(?-u:\xFF)", "", 7, "pattern can match invalid UTF-8"),
        (
            "a",
            "g",
            0,
            "flag `g` is unknown, the flags are i, m, s and x",
        ),
        (
            "a",
            "iu",
            0,
            "flag `u` is unknown, the flags are i, m, s and x",
        ),
        (
            r"\w{500}",
            "",
            0,
            "the pattern becomes too large when compiled",
        ),
        (
            "((a{100}){100}){100}",
            "",
            0,
            "the pattern becomes too large when compiled",
        ),
    ] {
        let want = InvalidPattern {
            position,
            problem: problem.to_owned(),
        };
        assert_eq!(
            Pattern::parse(pattern, flags).unwrap_err(),
            want,
            "{pattern}"
        );
    }
}

#[test]
fn length_and_nesting_are_bounded() {
    let long = "a".repeat(PATTERN_BYTES);
    check(&long, "", &long, true);
    let longer = Pattern::parse(&format!("{long}a"), "").unwrap_err();
    assert_eq!(longer.position, PATTERN_BYTES);
    assert_eq!(longer.problem, "longer than 4096 bytes");

    let nested = |depth: usize| format!("{}a{}", "(".repeat(depth), ")".repeat(depth));
    check(&nested(49), "", "a", true);
    let deep = Pattern::parse(&nested(51), "").unwrap_err();
    assert_eq!(deep.position, 50);
    assert_eq!(
        deep.problem,
        "groups and classes are nested more than 50 deep"
    );
}

#[test]
fn an_error_reads_as_a_sentence() {
    let error = Pattern::parse("a(b", "").unwrap_err();
    assert_eq!(error.to_string(), "at byte 1: unclosed group");
}

#[test]
fn patterns_that_explode_elsewhere_take_linear_time() {
    let text = "a".repeat(50_000) + "!";
    for pattern in ["^(a+)+$", "^(a|aa)+$", "^(a|a?)+$", "(x+x+)+y", "(.*)*$x"] {
        check(pattern, "", &text, false);
    }
}

proptest! {
    #[test]
    fn any_text_is_a_pattern_or_refused_inside_it(pattern: String, flags in "[imsxg]{0,3}") {
        if let Err(InvalidPattern { position, problem }) = Pattern::parse(&pattern, &flags) {
            prop_assert!(position <= pattern.len());
            prop_assert!(!problem.is_empty());
        }
    }

    #[test]
    fn a_pattern_means_the_same_with_and_without_the_short_way(
        pattern in "\\^?[a-cA-C.*+|()]{0,6}\\$?",
        flags in "i?s?",
        text in "[a-cA-C\n]{0,8}",
    ) {
        let ours = Pattern::parse(&pattern, &flags);
        let prefix = if flags.is_empty() { String::new() } else { format!("(?{flags})") };
        let theirs = Regex::new(&format!("{prefix}{pattern}"));
        prop_assert_eq!(ours.is_ok(), theirs.is_ok());
        if let (Ok(ours), Ok(theirs)) = (ours, theirs) {
            prop_assert_eq!(is_match(&ours, &text), theirs.is_match(&text));
        }
    }
}

#[test]
fn a_pattern_names_so_many_large_classes_and_no_more() {
    let of = |classes: usize| Pattern::parse(&r"[\pL&&a]".repeat(classes), "i");
    let most = of(classes::MAX_CLASSES).unwrap();
    // Nothing is left of the classes, and they weigh all the same.
    assert!(most.memory_bytes() >= classes::MAX_CLASSES * classes::CLASS_BYTES);
    let refused = of(classes::MAX_CLASSES + 1).unwrap_err();
    assert!(refused.problem.contains("128 classes"), "{refused}");
}
