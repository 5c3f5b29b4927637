//! What comes off a request and what goes on.

use super::*;
use crate::http::HeaderLine;

mod model;

fn header(name: &str, value: &str) -> HeaderInjection {
    HeaderInjection::new(name, SecretBytes::from(value.as_bytes())).unwrap()
}

fn query(name: &str, value: &str) -> QueryInjection {
    QueryInjection::new(name, &SecretBytes::from(value.as_bytes())).unwrap()
}

fn upstream(headers: Vec<HeaderInjection>, query: Vec<QueryInjection>) -> Upstream {
    Upstream {
        host: [].into(),
        base_path: (*b"/v1").into(),
        headers: headers.into(),
        query: query.into(),
        computed: None,
        availability: Availability::Always,
        guard: None,
        serves_until_ms: None,
        apart: None,
        renewable: None,
    }
}

/// The edits for `/api/p{below}` with these header lines, without the path's when it is `/v1/a`.
fn edits(upstream: &Upstream, raw: &str, lines: &[(&str, &str)]) -> Vec<String> {
    let lines: Vec<HeaderLine<'_>> = lines
        .iter()
        .map(|(name, value)| (name.as_bytes(), value.as_bytes()))
        .collect();
    let (path, query) = match raw.split_once('?') {
        Some((path, query)) => (path, Some(query.as_bytes())),
        None => (raw, None),
    };
    let path = CallPath::parse(path.as_bytes()).unwrap();
    let head = RequestHead::new(&lines);
    let text = String::from_utf8_lossy;
    upstream
        .edits(&head, &path, (raw.as_bytes(), query))
        .iter()
        .map(|edit| match edit {
            Edit::SetPath(path) => text(path).into_owned(),
            Edit::SetHeader(name, value) => format!("{name} = {}", text(value)),
            Edit::SetComputed(name, value) => format!("{name} = {}", text(value.expose())),
            Edit::RemoveHeader(name) => format!("- {name}"),
            Edit::Warn(text) => format!("warn {text}"),
        })
        .filter(|edit| edit != "/v1/a")
        .collect()
}

#[test]
fn an_empty_list_of_addresses_goes() {
    let none = upstream(vec![], vec![]);
    let own = upstream(vec![header("x-forwarded-for", "s")], vec![]);
    let name = "x-forwarded-for";
    for (upstream, value, want) in [
        (&none, "", &["- x-forwarded-for"][..]),
        (&none, "192.0.2.1", &[]),
        (&own, "", &["- x-forwarded-for", "x-forwarded-for = s"]),
    ] {
        assert_eq!(edits(upstream, "/api/p/a", &[(name, value)]), want);
    }
}

#[test]
fn authorization_goes_even_when_another_header_is_injected() {
    let none = upstream(vec![], vec![]);
    let other = upstream(vec![header("X-Api-Key", "s")], vec![]);
    let same = upstream(vec![header("AUTHORIZATION", "Bearer s")], vec![]);
    let caller = [("authorization", "key")];
    for (upstream, lines, want) in [
        (&none, &caller[..], &["- authorization"][..]),
        (&none, &[], &[]),
        (&other, &caller, &["- authorization", "x-api-key = s"]),
        (&other, &[], &["x-api-key = s"]),
        (&same, &caller, &["authorization = Bearer s"]),
        (&same, &[], &["authorization = Bearer s"]),
    ] {
        assert_eq!(edits(upstream, "/api/p/a", lines), want, "{lines:?}");
    }
}

#[test]
fn an_injected_header_replaces_all_lines_of_its_name() {
    let upstream = upstream(vec![header("x-key", "s"), header("x-other", "t")], vec![]);
    for (lines, want) in [
        (&[][..], &["x-key = s", "x-other = t"][..]),
        (&[("x-key", "a")], &["x-key = s", "x-other = t"]),
        (
            &[("x-key", "a"), ("x-key", "b")],
            &["- x-key", "x-key = s", "x-other = t"],
        ),
        (
            &[
                ("X-Key", "a"),
                ("x-other", "a"),
                ("x-key", "b"),
                ("x-other", "b"),
            ],
            &["- x-key", "- x-other", "x-key = s", "x-other = t"],
        ),
        // A target may take these for ours.
        (&[("x_key", "a")], &["- x_key", "x-key = s", "x-other = t"]),
        (
            &[("x-key", "a"), ("X_Key", "b"), ("x_key", "c")],
            &["- x-key", "- x_key", "x-key = s", "x-other = t"],
        ),
    ] {
        assert_eq!(edits(&upstream, "/api/p/a", lines), want, "{lines:?}");
    }
}

#[test]
fn carriers_other_than_authorization_go_and_copies_stay() {
    let upstream = upstream(vec![], vec![]);
    let lines = [
        ("proxy-authorization", "key"),
        ("cookie", "key"),
        ("referer", "https://x/?Authorization=key"),
        ("x-authorization", "key"),
    ];
    assert_eq!(
        edits(&upstream, "/api/p/a", &lines),
        ["- proxy-authorization"]
    );
    let lines = [
        ("proxy_authorization", "key"),
        ("Proxy-Authorization", "key"),
    ];
    assert_eq!(
        edits(&upstream, "/api/p/a", &lines),
        ["- proxy_authorization", "- proxy-authorization"]
    );
}

#[test]
fn injected_twins_are_both_there() {
    let upstream = upstream(vec![header("x-key", "s"), header("x_key", "t")], vec![]);
    for lines in [&[("x-key", "a")][..], &[("x-key", "a"), ("x-key", "b")]] {
        assert_eq!(
            edits(&upstream, "/api/p/a", lines),
            ["- x-key", "x-key = s", "x_key = t"]
        );
    }
}

#[test]
fn injected_parameters_replace_the_callers_and_come_last_escaped() {
    let upstream = upstream(vec![], vec![query("api key", "s&cr=t/é"), query("k", "")]);
    let ours = "api%20key=s%26cr%3Dt%2F%C3%A9&k=";
    for (raw, want) in [
        ("/api/p/a", format!("/v1/a?{ours}")),
        ("/api/p/a?", format!("/v1/a?{ours}")),
        ("/api/p/a?x=1", format!("/v1/a?x=1&{ours}")),
        (
            "/api/p/a?api%20key=1&x=1&api+key=2&k=3&k",
            format!("/v1/a?x=1&{ours}"),
        ),
        ("/api/p/a?api%20key=1", format!("/v1/a?{ours}")),
        ("/api/p/a?K=1&%6b=2", format!("/v1/a?K=1&{ours}")),
        (
            "/api/p/a?Authorization=key&x=1",
            format!("/v1/a?x=1&{ours}"),
        ),
    ] {
        assert_eq!(edits(&upstream, raw, &[]), [want], "{raw}");
    }
}

#[test]
fn a_path_that_stays_is_not_set() {
    // Only a target that repeats the proxy's own path gets the path as the caller sent it.
    let base_path = (*b"/api/p").into();
    let upstream = Upstream {
        base_path,
        ..upstream(vec![], vec![])
    };
    assert!(edits(&upstream, "/api/p/a?x=1", &[]).is_empty());
    assert_eq!(edits(&upstream, "/api/p/./a", &[]), ["/api/p/a"]);
}

#[test]
fn names_that_are_the_gateways_cannot_be_injected() {
    for name in [
        "authorization",
        "X-Api-Key",
        "x_key",
        "cookie",
        "x-host",
        "te2",
        "a!#$%&'*+.^`|~",
    ] {
        assert!(is_injectable_header(name), "{name}");
    }
    for name in [
        "",
        " ",
        "a b",
        "a:",
        "é",
        "a\n",
        ":path",
        ":authority",
        "host",
        "HOST",
        "content-length",
        "Connection",
        "keep-alive",
        "proxy-authenticate",
        "proxy-authorization",
        "proxy-connection",
        "te",
        "trailer",
        "transfer-encoding",
        "upgrade",
        "requestrocket-proxy-code",
        "RequestRocket_x",
        "requestrocket-",
        "x-rr-scope",
        "X_RR_x",
        "x-rr_x",
        "x-envoy-x",
        "X_Envoy_x",
        "content_length",
        "transfer_encoding",
        "http2-settings",
        "traceparent",
        "TraceState",
    ] {
        assert!(!is_injectable_header(name), "{name}");
    }
}

#[test]
fn debug_shows_names_and_no_values() {
    let edits = [
        Edit::SetPath(b"/a?k=canary".to_vec()),
        Edit::SetHeader("x-key", b"canary"),
        Edit::RemoveHeader("authorization".into()),
    ];
    let shown = format!("{edits:?}");
    assert_eq!(
        shown,
        "[SetPath, SetHeader(x-key), RemoveHeader(authorization)]"
    );
    let upstream = upstream(vec![header("x", "canary")], vec![query("y", "canary")]);
    assert!(!format!("{upstream:?}").contains("canary"));
}

proptest::proptest! {
    #[test]
    fn what_can_be_injected_is_a_token_that_says_nothing_of_the_connection(name in "[!-~]{0,24}") {
        let is_injectable = is_injectable_header(&name);
        let separators = "()<>@,;:\\\"/[]?={}";
        let is_token = !name.is_empty() && !name.contains(|c| separators.contains(c));
        let lower = name.to_ascii_lowercase().replace('_', "-");
        let is_ours = ["requestrocket-", "x-rr-", "x-envoy-"].iter().any(|p| lower.starts_with(p));
        let is_reserved = super::RESERVED_HEADERS.contains(&lower.as_str());
        proptest::prop_assert_eq!(is_injectable, is_token && !is_ours && !is_reserved, "{}", name);
    }
}
