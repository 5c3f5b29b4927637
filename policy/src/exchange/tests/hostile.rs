//! Nothing of the caller's credential reaches the target; refusals do not tell.

use super::*;

const CANARY: &str = "canary-credential-7";

/// The request as the target gets it, after obeying the edits the way Envoy does.
fn sent(path: &str, headers: &[(&str, &str)], edits: &[Edit<'_>]) -> Vec<String> {
    let mut path = path.to_owned();
    let mut lines: Vec<(String, String)> = headers
        .iter()
        .map(|&(name, value)| (name.to_ascii_lowercase(), value.to_owned()))
        .collect();
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    for edit in edits {
        match edit {
            Edit::SetPath(new) => path = text(new),
            Edit::RemoveHeader(name) => lines.retain(|(other, _)| other != name),
            Edit::Warn(_) => {}
            // Envoy's replace touches the first line only.
            Edit::SetHeader(name, value) => replace(&mut lines, name, text(value)),
            Edit::SetComputed(name, value) => replace(&mut lines, name, text(value.expose())),
        }
    }
    std::iter::once(path)
        .chain(lines.into_iter().map(|(n, v)| format!("{n}: {v}")))
        .collect()
}

fn replace(lines: &mut Vec<(String, String)>, name: &str, value: String) {
    match lines.iter_mut().find(|(other, _)| other == name) {
        Some(line) => line.1 = value,
        None => lines.push((name.to_owned(), value)),
    }
}

/// Every form in which a credential can be carried, with the request line and header lines.
fn placements() -> Vec<(String, Vec<(&'static str, String)>)> {
    let basic = "Basic dXNlcjpjYW5hcnktY3JlZGVudGlhbC03";
    let values = [
        CANARY.to_owned(),
        format!("Bearer {CANARY}"),
        format!("bearer {CANARY}"),
        basic.to_owned(),
        format!("jwt.{CANARY}.sig"),
    ];
    let mut placements = Vec::new();
    for value in &values {
        for name in ["authorization", "Authorization", "AUTHORIZATION"] {
            placements.push((api("/a"), vec![(name, value.clone())]));
            // Beside other carriers.
            let path = api(&format!("/a?x=1&Authorization={CANARY}&y=2"));
            placements.push((path, vec![(name, value.clone())]));
            let proxy = ("proxy-authorization", value.clone());
            placements.push((api("/a"), vec![(name, value.clone()), proxy.clone(), proxy]));
        }
        let escaped = value.replace(' ', "%20").replace('=', "%3D");
        for name in [
            "Authorization",
            "authorization",
            "AUTHORIZATION",
            "%41uthorization",
            "authorizatio%6E",
            "%61%75%74%68%6f%72%69%7a%61%74%69%6f%6e",
        ] {
            for query in [
                format!("?{name}={escaped}"),
                format!("?a=1&{name}={escaped}"),
                format!("?{name}={escaped}&a=1"),
                format!("?a=1&{name}={escaped}&b=%20&c"),
                format!("?&&{name}={escaped}&&"),
                format!("?{name}=&a=;&{name}={escaped}"),
            ] {
                placements.push((api(&format!("/a{query}")), Vec::new()));
            }
        }
    }
    placements
}

#[test]
fn no_byte_of_the_callers_credential_reaches_the_target() {
    let plain = PolicyFixture::new()
        .api_key(CANARY)
        .bearer("Bearer ", CANARY)
        .basic_auth(&format!("user:{CANARY}"))
        .jwt(&format!("jwt.{CANARY}.sig"));
    let placements = placements();
    assert!(placements.len() >= 60, "{}", placements.len());
    for resolved in [
        resolved(&plain),
        resolved(
            &plain
                .header("authorization", "Bearer ours")
                .query("authorization", "ours"),
        ),
    ] {
        for (path, headers) in &placements {
            let headers: Vec<_> = headers.iter().map(|(n, v)| (*n, v.as_str())).collect();
            let lines = lines("GET", path, &headers);
            let mut exchange = Exchange::new(resolved.clone());
            let decision = exchange.on_request(
                &RequestHead::new(&lines),
                RequestBody::Whole(&[]),
                &Admitting(0),
            );
            let RequestDecision::Forward(edits) = decision else {
                panic!("{path} {headers:?} was refused");
            };
            let sent = sent(path, &headers, &edits);
            for line in &sent {
                for form in [CANARY, "canary", "dXNlcjpj", "Y2FuYXJ5"] {
                    assert!(
                        !line.contains(form),
                        "{form} in {sent:?} of {path} {headers:?}"
                    );
                }
            }
        }
    }
}

#[test]
fn two_injected_values_never_stand_side_by_side_with_the_callers() {
    let resolved = resolved(&PolicyFixture::new().api_key("key").header("x-key", "ours"));
    let headers = [
        ("authorization", "key"),
        ("x-key", "a"),
        ("x-key", "b"),
        ("X-KEY", "c"),
    ];
    let path = api("/a");
    let lines = lines("GET", &path, &headers);
    let mut exchange = Exchange::new(resolved);
    let decision = exchange.on_request(
        &RequestHead::new(&lines),
        RequestBody::Whole(&[]),
        &Admitting(0),
    );
    let RequestDecision::Forward(edits) = decision else {
        panic!("refused");
    };
    assert_eq!(sent(&path, &headers, &edits), ["/a", "x-key: ours"]);
}

#[test]
fn an_unknown_proxy_answers_as_a_wrong_credential_does() {
    let known = resolved(&fixture());
    for (path, headers) in [
        (api("/a"), vec![("authorization", "wrong")]),
        (api("/a?Authorization=wrong"), vec![]),
        (
            api("/a"),
            vec![("authorization", "a"), ("authorization", "b")],
        ),
        (api("/a"), vec![("authorization", "Basic !!!")]),
        (api("/a"), vec![]),
    ] {
        for method in ["GET", "HEAD", "POST", "OPTIONS"] {
            let known = decide(&known, method, &path, &headers).unwrap_err();
            let unknown = decide(&Resolved::UnknownProxy, method, &path, &headers).unwrap_err();
            assert_eq!(
                known.response("id"),
                unknown.response("id"),
                "{method} {path}"
            );
        }
    }
}

#[test]
fn headers_that_look_like_the_carrier_are_none() {
    let known = resolved(&fixture());
    for name in [
        "authorization ",
        "x-authorization",
        "authorization_",
        "proxy-authorization",
        "cookie",
        "requestrocket-authorization",
        "authorisation",
        "x-api-key",
        "www-authenticate",
    ] {
        let got = decide(&known, "GET", &api("/a"), &[(name, "key")]);
        assert_eq!(got, Err(Denial::CredentialMissing), "{name}");
    }
}

#[test]
fn absurd_input_gets_a_plain_answer() {
    let known = resolved(&fixture());
    let long = "a".repeat(1_000_000);
    let (slashes, escapes) = ("/".repeat(100_000), "%25".repeat(100_000));
    for (path, value, want) in [
        (api(&slashes), "key", None),
        (api(&format!("/{escapes}")), "key", None),
        (api(&"/a/..".repeat(50_000)), "key", None),
        (
            api(&"/..".repeat(50_000)),
            "key",
            Some(Denial::PathAmbiguous),
        ),
        (api(&format!("/?{}", "&".repeat(100_000))), "key", None),
        (
            api(&format!("/?{}", "Authorization=&".repeat(50_000))),
            "key",
            None,
        ),
        (api("/a"), long.as_str(), Some(Denial::CredentialInvalid)),
        (long.clone(), "key", Some(Denial::CredentialInvalid)),
    ] {
        let got = decide(&known, "GET", &path, &[("authorization", value)]);
        assert_eq!(got.err(), want);
    }
}
