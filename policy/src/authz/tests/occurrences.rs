//! Any or all of repeated names, the same for every kind of condition.

use super::*;

/// Values of one name, and whether any, all, and none of them match `^1$`.
const OCCURRENCES: [(&[&str], bool, bool, bool); 9] = [
    (&[], false, false, true),
    (&["1"], true, true, false),
    (&["2"], false, false, true),
    (&["1", "1"], true, true, false),
    (&["1", "2"], true, false, false),
    (&["2", "1"], true, false, false),
    (&["2", "2"], false, false, true),
    (&["1", "2", "1"], true, false, false),
    (&["", "1"], true, false, false),
];

/// The same occurrences in each place where there can be several.
fn with_each(values: &[&str], check: impl Fn(&str, &Sent<'_>)) {
    let headers: Vec<_> = values.iter().map(|value| ("x-n", *value)).collect();
    let headers = &[&[("x-m", "1"), ("x-nn", "1")][..], &headers].concat();
    check("h:^x-n$", &Sent { headers, ..GET });

    let parameters: Vec<_> = values.iter().map(|value| format!("n={value}")).collect();
    let query = &format!("m=1&{}&N=1", parameters.join("&"));
    check("q:^n$", &Sent { query, ..GET });

    for (key, document) in documents(values) {
        let body = Some(document.as_bytes());
        check(&format!("b:{key}"), &Sent { body, ..GET });
        let claims = Some(&*document);
        check(&format!("c:{key}"), &Sent { claims, ..GET });
    }
}

/// Paths with documents in which they lead to the values.
fn documents(values: &[&str]) -> Vec<(&'static str, String)> {
    let joined = |each: &dyn Fn(usize, &str) -> String| {
        let numbered = values.iter().enumerate();
        let all: Vec<_> = numbered.map(|(at, value)| each(at, value)).collect();
        all.join(",")
    };
    // Duplicate keys, in every spelling.
    let spelled = joined(&|at, value| match at % 2 {
        0 => format!(" \"n\" : \"{value}\" "),
        _ => format!("\"\\u006e\":\"{value}\""),
    });
    let items = joined(&|_, value| format!("\"{value}\""));
    // One name below duplicate keys.
    let parents = joined(&|_, value| format!("\"p\":{{\"n\":\"{value}\"}}"));
    vec![
        ("$.n", format!("{{{spelled}}}")),
        ("$.n[*]", format!("{{\"m\":1,\"n\":[{items}]}}")),
        ("$.p.n", format!("{{{parents}}}")),
        ("$..n", format!("[{{{parents}}},{{\"m\":1}}]")),
    ]
}

fn yes(holds: bool) -> Hold {
    if holds { Hold::Yes } else { Hold::No }
}

#[test]
fn deny_rules_ask_for_any_and_allow_rules_for_all() {
    for (values, any, all, none) in OCCURRENCES {
        with_each(values, |key, sent| {
            let with_value = format!("{key}=^1$");
            assert_eq!(hold_any(&with_value, sent), yes(any), "{key} {values:?}");
            assert_eq!(hold_all(&with_value, sent), yes(all), "{key} {values:?}");
            check(&format!("!{with_value}"), sent, none);
            check(key, sent, !values.is_empty());
            check(&format!("!{key}"), sent, values.is_empty());
        });
    }
}

#[test]
fn rules_use_the_mode_of_their_effect() {
    for (values, any, all, none) in OCCURRENCES {
        with_each(values, |key, sent| {
            let decided = |text: &str| decide(&layer("allow", &[text]), sent);
            let want = |matches: bool, decision| if matches { decision } else { ALLOWED };
            let (deny, allow) = (format!("deny 1 {key}=^1$"), format!("allow 1 {key}=^1$"));
            assert_eq!(decided(&deny), want(any, denied_by(1)), "{key} {values:?}");
            assert_eq!(
                decided(&allow),
                want(all, allowed_by(1)),
                "{key} {values:?}"
            );
            let (deny, allow) = (format!("deny 1 !{key}=^1$"), format!("allow 1 !{key}=^1$"));
            assert_eq!(decided(&deny), want(none, denied_by(1)), "{key} {values:?}");
            assert_eq!(
                decided(&allow),
                want(none, allowed_by(1)),
                "{key} {values:?}"
            );
        });
    }
}

#[test]
fn a_name_pattern_gathers_the_occurrences_of_all_names_it_matches() {
    let sent = Sent {
        headers: &[("x-a", "1"), ("x-b", "2"), ("y", "3")],
        query: "xa=1&xb=2&y=3",
        ..GET
    };
    for (key, any, all) in [
        ("h:^x-=^1$", Hold::Yes, Hold::No),
        ("h:^x-=^[12]$", Hold::Yes, Hold::Yes),
        ("h:^x-=^3$", Hold::No, Hold::No),
        ("q:^x=^1$", Hold::Yes, Hold::No),
        ("q:^x=^[12]$", Hold::Yes, Hold::Yes),
        ("q:^x=^3$", Hold::No, Hold::No),
    ] {
        assert_eq!(hold_any(key, &sent), any, "{key}");
        assert_eq!(hold_all(key, &sent), all, "{key}");
    }
}

/// A deny rule and an allow rule for the same thing, and the ways to write that thing.
#[test]
fn neither_effect_can_be_dodged_by_the_shape_of_a_parameter() {
    let shapes: [(&str, bool, bool); 14] = [
        ("role=admin", true, true),
        ("role=user&role=admin", true, false),
        ("role=admin&role=user", true, false),
        ("role=admin&role=admin", true, true),
        ("ro%6ce=admin", true, true),
        ("role=%61dmin", true, true),
        ("role=user;role=admin", false, false),
        ("role[]=admin", false, false),
        ("Role=admin", false, false),
        ("role=Admin", false, false),
        ("role=user,admin", false, false),
        ("role=", false, false),
        ("role", false, false),
        ("role=+admin", false, false),
    ];
    for (query, is_denied, is_allowed) in shapes {
        let sent = Sent { query, ..GET };
        let deny = decide(&layer("allow", &["deny 1 q:^role$=^admin$"]), &sent);
        let allow = decide(&layer("deny", &["allow 1 q:^role$=^admin$"]), &sent);
        assert_eq!(
            deny,
            if is_denied { denied_by(1) } else { ALLOWED },
            "{query}"
        );
        assert_eq!(
            allow,
            if is_allowed { allowed_by(1) } else { DENIED },
            "{query}"
        );
    }
}
