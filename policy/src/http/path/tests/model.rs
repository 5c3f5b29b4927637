//! The path against models written another way: RFC 3986 §5.2.4 to the letter, and our refusals
//! with repeated passes.

use super::*;

/// RFC 3986 §5.2.4, step by step, on a path with a leading slash.
fn remove_dot_segments(path: &str) -> String {
    let mut input = path.to_owned();
    let mut output = String::new();
    while !input.is_empty() {
        if let Some(rest) = input.strip_prefix("/./") {
            input = format!("/{rest}");
        } else if input == "/." {
            "/".clone_into(&mut input);
        } else if let Some(rest) = input.strip_prefix("/../") {
            input = format!("/{rest}");
            output.truncate(output.rfind('/').unwrap_or(0));
        } else if input == "/.." {
            "/".clone_into(&mut input);
            output.truncate(output.rfind('/').unwrap_or(0));
        } else {
            let end = input.char_indices().skip(1).find(|(_, c)| *c == '/');
            let end = end.map_or(input.len(), |(at, _)| at);
            output.push_str(&input.drain(..end).collect::<String>());
        }
    }
    output
}

/// How deep the path is at its shallowest, below where it starts.
fn climbs_out(path: &str) -> bool {
    let mut depth = 0_i32;
    path.split('/').skip(1).any(|segment| {
        depth += match segment {
            "." => 0,
            ".." => -1,
            _ => 1,
        };
        depth < 0
    })
}

#[test]
fn the_model_resolves_the_examples_of_the_rfc() {
    for (raw, want) in [
        ("/a/b/c/./../../g", "/a/g"),
        ("/b/c/g;x=1/../y", "/b/c/y"),
        ("/b/c/g;x=1/./y", "/b/c/g;x=1/y"),
        ("/b/c/./../g", "/b/g"),
        ("/b/c/..", "/b/"),
        ("/b/c/.", "/b/c/"),
    ] {
        assert_eq!(remove_dot_segments(raw), want, "{raw}");
        assert_eq!(below(&format!("/api/p{raw}")), Ok(want.to_owned()), "{raw}");
    }
}

/// Our refusals, literally: decode until stable, then look at segments.
fn is_ambiguous(raw: &str) -> bool {
    let lower = raw.to_ascii_lowercase();
    if lower.contains('\\') || lower.contains("%5c") || lower.contains("%00") {
        return true;
    }
    let is_dots = |segment: &str| matches!(segment, "." | "..");
    raw.split('/')
        .filter(|segment| !is_dots(segment))
        .any(|segment| {
            let mut current = segment.as_bytes().to_vec();
            loop {
                let next: Vec<u8> = decoded(&current).collect();
                if next == current {
                    break;
                }
                current = next;
            }
            let text = String::from_utf8_lossy(&current).into_owned();
            text.split('/')
                .any(|piece| is_dots(piece.split(';').next().unwrap_or_default()))
        })
}

/// Paths of ASCII without the lenient extras (backslashes behind escapes, `%u`, overlong UTF-8),
/// in which those refusals are the whole truth.
fn plain_path() -> impl Strategy<Value = String> {
    let pieces = [
        ".", "..", "/", "/", "%2e", "%2E", "%2f", "%252e", "%25", "%00", "%5C", "\\", ";", "a",
        "b", "=", "%3b", "%41", "..;", "%20",
    ];
    proptest::collection::vec(proptest::sample::select(pieces.to_vec()), 0..14)
        .prop_map(|pieces| format!("/{}", pieces.concat()))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    #[test]
    fn plain_dots_are_resolved_as_the_rfc_says(
        raw in proptest::collection::vec(
            proptest::sample::select(vec!["a", "b", ".", "..", "", "..."]), 0..10)
    ) {
        let raw = format!("/{}", raw.join("/"));
        let got = below(&format!("/api/p{raw}"));
        let want = if climbs_out(&raw) { Err(AmbiguousPath) } else { Ok(remove_dot_segments(&raw)) };
        prop_assert_eq!(got, want, "{}", raw);
    }

    #[test]
    fn details_23_is_the_whole_truth_for_plain_paths(raw in plain_path()) {
        // `%25` before `5c`, `%2`… can spell the lenient extras; those have tests of their own.
        prop_assume!(!raw.contains("%25") || !raw.to_ascii_lowercase().contains("5c"));
        let got = below(&format!("/api/p{raw}"));
        if is_ambiguous(&raw) || climbs_out(&raw) {
            prop_assert_eq!(got, Err(AmbiguousPath), "{}", raw);
        } else {
            prop_assert!(got.is_ok(), "{}", raw);
        }
    }

    #[test]
    fn paths_without_anything_special_are_copied_as_they_are(
        raw in "(/[A-Za-z0-9_~!$&'()*+,=:@-][A-Za-z0-9._~!$&'()*+,=:@-]{0,6}){0,5}/{0,2}",
    ) {
        let path = format!("/api/p{raw}");
        let parsed = CallPath::parse(path.as_bytes()).unwrap();
        prop_assert!(matches!(parsed.below, Cow::Borrowed(_)), "{} was copied", raw);
        prop_assert_eq!(parsed.below.as_ref(), raw.as_bytes());
    }
}
