use proptest::{prelude::*, sample::select};

use crate::pattern::{Effort, Pattern};

fn is_match(pattern: &str, name: &str) -> bool {
    let pattern = Pattern::parse_header_name(pattern, "").unwrap();
    pattern.is_match(name, &Effort::of_a_call(0))
}

#[test]
fn a_pattern_means_every_spelling_of_a_name() {
    for (pattern, name, want) in [
        ("^x_key$", "x-key", true),
        ("^x-key$", "x_key", true),
        ("^x-api_key$", "x_api-key", true),
        ("^X_Key$", "x-KEY", true),
        (r"^x\x5fkey$", "x-key", true),
        (r"^x\-key$", "x_key", true),
        ("^x-[a-z_]+$", "x_a-b_c", true),
        ("^x-[a-z-]+$", "x_a-b_c", true),
        ("^x[^_]key$", "x_key", true),
        ("^x[^-_]key$", "x_key", false),
        (r"^\w+$", "x-key", true),
        (r"^\W$", "_", true),
        (r"^x[!-/]key$", "x_key", true),
        ("^(x_|y-){2}$", "x-y_", true),
        ("^x.key$", "x_key", true),
        ("^x-key$", "xkey", false),
        ("^x-key$", "x.key", false),
        ("^x-key$", "x--key", false),
        ("^(?-i)x_Key$", "x-Key", true),
        ("^(?-i)x_Key$", "x-key", false),
        ("(?-u:^x_k)", "x-k", true),
        ("(?-u:^x[_]k)", "x-k", true),
    ] {
        assert_eq!(is_match(pattern, name), want, "{pattern} on {name}");
    }
}

/// Every name that a target may take for this one.
fn spellings(name: &str) -> Vec<String> {
    let mut spelled = vec![String::new()];
    for char in name.chars() {
        let either = match char {
            '-' | '_' => vec!['-', '_'],
            _ => vec![char],
        };
        let longer = spelled.iter().flat_map(|start| {
            let each = either.iter();
            each.map(|char| format!("{start}{char}"))
                .collect::<Vec<_>>()
        });
        spelled = longer.collect();
    }
    spelled
}

fn pattern() -> impl Strategy<Value = String> {
    let piece = select(vec![
        "x", "K", "1", "_", "-", "[a-z_]", "[^_]", "[^-]", "[-_]", "[!-.]", r"\w", r"\W", ".",
        "(-|k)", "(_|1)", "x?", "_*", "-+", "(?:_-)", "(?-i:k_)", r"\x2d", "$", "^", "|",
    ]);
    prop::collection::vec(piece, 0..6).prop_map(|pieces| pieces.concat())
}

proptest! {
    #[test]
    fn a_name_matches_when_one_of_its_spellings_does(
        pattern in pattern(),
        name in "[xK1._-]{0,6}",
    ) {
        prop_assume!(regex::Regex::new(&pattern).is_ok());
        let plain = regex::RegexBuilder::new(&pattern).case_insensitive(true).build().unwrap();
        let want = spellings(&name).iter().any(|one| plain.is_match(one));
        prop_assert_eq!(is_match(&pattern, &name), want, "{} on {}", pattern, name);
    }
}
