//! Paths: the RFC's compliance suite, bounds, positions, and that no text makes it panic.

mod differential;
mod suite;

use proptest::prelude::*;

use super::{pattern::MAX_PATTERN_BYTES, *};

fn position(text: &str) -> usize {
    JsonPath::parse(text).unwrap_err().position
}

#[test]
fn a_stream_decides_names_wildcards_and_what_counts_from_the_start() {
    for text in [
        "$",
        "$.a",
        "$['a','b']",
        "$.*",
        "$[*]",
        "$[0]",
        "$[0,1]",
        "$[1:]",
        "$[:2]",
        "$[1:5:2]",
        "$[::]",
        "$[0:1:0]",
        "$..a",
        "$..*",
        "$..[0]",
        "$.a..b[0]['c'].*",
        "$ .a [0]",
    ] {
        assert!(JsonPath::parse(text).unwrap().is_streamable(), "{text}");
    }
    for text in [
        "$[-1]",
        "$[-1:]",
        "$[:-1]",
        "$[::-1]",
        "$[0,-1]",
        "$[?@.a]",
        "$.a[?@ > 1].b",
        "$..[?@]",
        "$[?(@.a)]",
        "$['a',?@.b]",
    ] {
        assert!(!JsonPath::parse(text).unwrap().is_streamable(), "{text}");
    }
}

#[test]
fn faults_have_a_position_and_a_reason() {
    for (text, at, problem) in [
        ("", 0, "path is incomplete"),
        ("a", 0, "unexpected `a`"),
        ("$x", 1, "unexpected `x`"),
        ("$.", 2, "path is incomplete"),
        ("$.a[", 4, "path is incomplete"),
        ("$.é[}", 5, "unexpected `}`"),
        ("$[01]", 3, "unexpected `1`"),
        ("$.a ", 3, "unexpected ` `"),
        ("$. a", 2, "unexpected ` `"),
        ("$.a b", 3, "unexpected ` `"),
        ("$.a b[0]", 3, "unexpected ` `"),
        ("$...a", 3, "unexpected `.`"),
        ("$[-0]", 3, "unexpected `0`"),
        ("$[?1]", 3, "a literal must be compared"),
        ("$[?nil == 1]", 3, "unexpected `nil`"),
        (
            "$[?@.* == 1]",
            3,
            "only a query for at most one node can be compared",
        ),
        ("$['\\ud800']", 4, "surrogate without its other half"),
        ("$[?length(@.a, @.b) > 1]", 3, "`length` takes 1 argument"),
        ("$[?match(@.a)]", 3, "`match` takes 2 arguments"),
        (
            "$[?@.a == match(@.a, 'b')]",
            10,
            "`match` and `search` have no value to compare",
        ),
        (
            "$[?length(@.*)>1]",
            3,
            "`length` takes a query for at most one node",
        ),
        ("$[?@.a && count(1)>1]", 10, "`count` takes a query"),
        ("$[?length(@.a)]", 3, "`length` must be compared"),
        ("$[?count(@.*)]", 3, "`count` must be compared"),
        ("$[?in(@.a, 'x')]", 3, "`in` is not a function of RFC 9535"),
        (
            "$[?match(@.a, @.*)]",
            3,
            "`match` takes a query for at most one node",
        ),
    ] {
        let invalid = JsonPath::parse(text).unwrap_err();
        assert_eq!(
            (invalid.position, &*invalid.problem),
            (at, problem),
            "{text}"
        );
        assert_eq!(invalid.to_string(), format!("{problem} at byte {at}"));
    }
}

#[test]
fn what_is_beyond_the_bounds_is_refused() {
    for (text, is_valid) in [
        (format!("$.{}", "a".repeat(MAX_PATH_BYTES - 2)), true),
        (format!("$.{}", "a".repeat(MAX_PATH_BYTES - 1)), false),
        (format!("${}", ".a".repeat(MAX_SEGMENTS)), true),
        (format!("${}", ".a".repeat(MAX_SEGMENTS + 1)), false),
        (format!("$[{}0]", "0,".repeat(MAX_SELECTORS - 1)), true),
        (format!("$[{}0]", "0,".repeat(MAX_SELECTORS)), false),
        (
            format!("$[?@.a{}]", "[?@.a".repeat(7) + &"]".repeat(7)),
            true,
        ),
        (
            format!("$[?@.a{}]", "[?@.a".repeat(8) + &"]".repeat(8)),
            false,
        ),
        (format!("$[?{}@.a{}]", "(".repeat(7), ")".repeat(7)), true),
        (format!("$[?{}@.a{}]", "(".repeat(8), ")".repeat(8)), false),
        ("$[?@.a == '((((((((((((']".to_owned(), true),
        (format!("$[?@.a{}]", ".b".repeat(MAX_SEGMENTS)), false),
        ("$[9007199254740991]".to_owned(), true),
        ("$[9007199254740992]".to_owned(), false),
        ("$[::-9007199254740992]".to_owned(), false),
        // No index, and compared exactly.
        ("$[?@ == 99999999999999999999]".to_owned(), true),
    ] {
        assert_eq!(JsonPath::parse(&text).is_ok(), is_valid, "{text}");
    }
    let deep = format!("${}", "[?(@".repeat(200));
    assert_eq!(position(&deep), 17);
    assert_eq!(position(&"$".repeat(2000)), MAX_PATH_BYTES);
}

#[test]
fn a_path_is_shown_as_written() {
    let path: JsonPath = "$ ['a']".parse().unwrap();
    assert_eq!(path.to_string(), "$ ['a']");
    assert_eq!(format!("{path:?}"), r#"JsonPath("$ ['a']")"#);
    assert_eq!(path, JsonPath::parse("$ ['a']").unwrap());
    assert_ne!(path, JsonPath::parse("$.a").unwrap());
}

#[test]
fn patterns_are_bounded() {
    assert!(RegexPattern::new("a{1,100}", false).is_some());
    assert!(RegexPattern::new("(a{1,1000}){1,1000}", false).is_none());
    assert!(RegexPattern::new(&"(".repeat(100), false).is_none());
    assert!(RegexPattern::new(&"a".repeat(MAX_PATTERN_BYTES + 1), false).is_none());
    // As the RFC wants, such a pattern from a document matches nothing. One in the path is refused
    // when that is written: a filter that never matches would let everything pass.
    for (path, position) in [
        ("$[?search(@, '(')]", 3),
        (r"$.a[?match(@.n, '\\p{L}{5}') || @.b]", 5),
        ("$[?!search(@, '(?=a)a')]", 4),
        ("$[?@[?match(@, '[a')]]", 6),
    ] {
        let refused = JsonPath::parse(path).unwrap_err();
        assert_eq!(refused.position, position, "{path}");
        assert!(refused.problem.contains("regular expression"), "{path}");
    }
    assert!(JsonPath::parse("$[?search(@, @.p)]").is_ok());
    // Back-references would not be linear.
    assert!(RegexPattern::new(r"(a)\1", false).is_none());
}

/// Pieces of paths.
fn path_like() -> impl Strategy<Value = String> {
    let piece = proptest::sample::select(vec![
        "$", "@", ".", "..", "*", "a", "é", "[", "]", "(", ")", "?", "'a'", "\"b\"", "'", "\\",
        "0", "1", "-1", ":", ",", "==", "<", "&&", "||", "!", " ", "\n", "length(", "count(",
        "match(", "value(", "search(", "in(", "true", "null", "1.5e3", "\\ud800", "\\u0041", "@.a",
        "$[?", "0:",
    ]);
    proptest::collection::vec(piece, 0..24).prop_map(|pieces| format!("${}", pieces.concat()))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2048))]

    #[test]
    fn no_text_makes_it_panic(text in prop_oneof![path_like(), any::<String>()]) {
        if let Err(invalid) = JsonPath::parse(&text) {
            prop_assert!(invalid.position <= text.len());
            prop_assert!(text.is_char_boundary(invalid.position));
        }
    }

    #[test]
    fn any_name_can_be_written(name in any::<String>()) {
        let quoted = serde_json::to_string(&name).unwrap();
        let path = JsonPath::parse(&format!("$[{quoted}]"));
        // A path is at most 1 KiB.
        prop_assume!(quoted.len() < 1000);
        let path = path.unwrap();
        let [segment] = path.segments() else { panic!("one segment") };
        prop_assert!(matches!(&*segment.selectors, [Selector::Name(other)] if **other == *name));
    }
}
