//! Whatever the caller sends: after the edits, each injected header is there once with our value,
//! each injected parameter once and last, no carrier is left, and all the rest is as it was.

use proptest::prelude::*;

use super::*;

type Pair = (String, String);

/// A request as the target gets it.
#[derive(Debug, PartialEq)]
struct Sent {
    headers: Vec<Pair>,
    query: Vec<String>,
}

fn replace(headers: &mut Vec<Pair>, name: &str, value: String) {
    match headers.iter_mut().find(|(other, _)| other == name) {
        Some(line) => line.1 = value,
        None => headers.push((name.to_owned(), value)),
    }
}

/// Obeys edits the way Envoy does: replacing touches the first line of a name.
fn obey(edits: &[Edit<'_>], lines: &[Pair], raw: &str) -> Sent {
    let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
    let mut headers = lines.to_vec();
    let mut path = raw.to_owned();
    for edit in edits {
        match edit {
            Edit::SetPath(new) => path = text(new),
            Edit::RemoveHeader(name) => headers.retain(|(other, _)| other != name),
            Edit::Warn(_) => {}
            Edit::SetHeader(name, value) => replace(&mut headers, name, text(value)),
            Edit::SetComputed(name, value) => replace(&mut headers, name, text(value.expose())),
        }
    }
    let query = path.split_once('?').map(|(_, query)| query);
    let query = query.map_or_else(Vec::new, |query| {
        query.split('&').map(str::to_owned).collect()
    });
    Sent { headers, query }
}

/// As the target may take it.
fn fold(name: &str) -> String {
    name.replace('_', "-")
}

fn is_carrier(name: &str) -> bool {
    matches!(&*fold(name), "authorization" | "proxy-authorization")
}

/// What the caller's own lines and parameters are, less carriers and replaced names.
fn expected(upstream: &Upstream, lines: &[Pair], query: &[String]) -> Sent {
    let injected: Vec<String> = upstream.headers.iter().map(|one| fold(&one.name)).collect();
    let kept = lines
        .iter()
        .filter(|(name, _)| !is_carrier(name) && !injected.contains(&fold(name)));
    let ours = upstream.headers.iter().map(|one| {
        (
            one.name.to_string(),
            String::from_utf8(one.value.expose().to_vec()).unwrap(),
        )
    });
    let mut headers: Vec<Pair> = kept.cloned().chain(ours).collect();
    headers.sort();
    let replaced = |parameter: &str| {
        let name = parameter.split('=').next().unwrap_or_default();
        name.eq_ignore_ascii_case("authorization")
            || upstream
                .query
                .iter()
                .any(|one| &*one.name == name.as_bytes())
    };
    let kept = query
        .iter()
        .filter(|parameter| !replaced(parameter))
        .cloned();
    let ours = upstream
        .query
        .iter()
        .map(|one| String::from_utf8(one.parameter.expose().to_vec()).unwrap());
    Sent {
        headers,
        query: kept.chain(ours).collect(),
    }
}

fn line() -> impl Strategy<Value = Pair> {
    let names = [
        "authorization",
        "proxy-authorization",
        "proxy_authorization",
        "x-a",
        "x_a",
        "x-b",
        "x-c",
        "cookie",
    ];
    (
        proptest::sample::select(names.map(str::to_owned).to_vec()),
        "[a-z]{0,3}",
    )
}

fn parameter() -> impl Strategy<Value = String> {
    let names = ["Authorization", "authorization", "k", "l", "m", "K"];
    (proptest::sample::select(names.to_vec()), "[a-z0-9%;+]{0,3}")
        .prop_map(|(name, value)| format!("{name}={value}"))
}

fn injections() -> impl Strategy<Value = Upstream> {
    let headers = proptest::sample::subsequence(vec!["authorization", "x-a", "x-b", "x_b"], 0..=4);
    let parameters = proptest::sample::subsequence(vec!["k", "l", "authorization"], 0..=3);
    (headers, parameters).prop_map(|(headers, parameters)| {
        upstream(
            headers
                .into_iter()
                .map(|name| header(name, "ours"))
                .collect(),
            parameters
                .into_iter()
                .map(|name| query(name, "ours"))
                .collect(),
        )
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    #[test]
    fn the_target_gets_the_callers_request_less_carriers_plus_ours(
        upstream in injections(),
        lines in proptest::collection::vec(line(), 0..8),
        parameters in proptest::collection::vec(parameter(), 0..6),
    ) {
        let mut raw = "/api/p/a".to_owned();
        if !parameters.is_empty() {
            raw = format!("{raw}?{}", parameters.join("&"));
        }
        let bytes: Vec<HeaderLine<'_>> =
            lines.iter().map(|(name, value)| (name.as_bytes(), value.as_bytes())).collect();
        let path = CallPath::parse(b"/api/p/a").unwrap();
        let query = raw.split_once('?').map(|(_, query)| query.as_bytes());
        let head = RequestHead::new(&bytes);
        let edits = upstream.edits(&head, &path, (raw.as_bytes(), query));

        let mut sent = obey(&edits, &lines, &raw);
        sent.headers.sort();
        prop_assert_eq!(sent, expected(&upstream, &lines, &parameters), "{:?}", edits);

        // No edit does nothing: removals name a header that was there.
        for edit in &edits {
            if let Edit::RemoveHeader(name) = edit {
                prop_assert!(lines.iter().any(|(other, _)| other == name), "{}", name);
            }
        }
    }
}
