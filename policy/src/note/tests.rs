use super::*;
use crate::http::HeaderLine;

const KEY: &str = "CallersKey0123456789";

fn noted(path: &str, headers: &[(&str, &str)]) -> Noted {
    let pseudo = [
        (":method", "GET"),
        (":path", path),
        (":authority", "eu.example.com"),
    ];
    let lines: Vec<HeaderLine<'_>> = pseudo
        .iter()
        .chain(headers)
        .map(|(name, value)| (name.as_bytes(), value.as_bytes()))
        .collect();
    let injected = Guard::of(vec![SecretBytes::from(&b"TargetsKey9876543210"[..])]);
    of(
        &RequestHead::new(&lines),
        injected.as_ref(),
        (Budget::CALLER, None),
    )
}

fn shown(pairs: &[Pair]) -> Vec<(&str, &str)> {
    pairs
        .iter()
        .map(|pair| (pair.name.as_str(), pair.value.as_str()))
        .collect()
}

#[test]
fn names_are_kept_and_values_of_an_allow_list() {
    let noted = noted(
        "/api/p/a/../b?q=x%20y&page=2&flag",
        &[
            ("authorization", KEY),
            ("user-agent", "curl/8"),
            ("accept-language", "de"),
            ("cookie", "a=b"),
            ("x-rr-route", "p/1"),
            ("x-forwarded-proto", "http"),
        ],
    );
    assert_eq!(noted.path, "/b");
    assert_eq!(
        shown(&noted.query),
        [("q", "x y"), ("page", "2"), ("flag", "")]
    );
    assert_eq!(
        shown(&noted.headers),
        [
            ("host", "eu.example.com"),
            ("authorization", "***"),
            ("user-agent", "curl/8"),
            ("accept-language", "de"),
            ("cookie", "***"),
        ]
    );
}

#[test]
fn parameters_that_may_be_secrets_are_masked_by_their_name() {
    for name in [
        "Authorization",
        "api_key",
        "access_token",
        "X-Amz-Signature",
        "client-secret",
        "Password",
        "code",
        "sessionId",
    ] {
        let noted = noted(&format!("/api/p/?{name}=value"), &[]);
        assert_eq!(shown(&noted.query), [(name, "***")]);
    }
}

#[test]
fn a_credential_of_the_call_is_nowhere() {
    use base64::{Engine as _, engine::general_purpose::STANDARD};
    let escaped: Vec<_> = KEY.bytes().map(|byte| format!("%{byte:02X}")).collect();
    let escaped = escaped.concat();
    let coded = STANDARD.encode(format!("x:{KEY}"));
    for form in [KEY, &escaped, &coded, "TargetsKey9876543210"] {
        let path = format!("/api/p/a/x{form}/b?q={form}&{form}=1");
        let headers = [
            ("authorization", KEY),
            ("user-agent", form),
            ("accept", &format!("x {form} y")),
        ];
        let noted = noted(&path, &headers);
        assert_eq!(noted.path, "/a/***/b", "{form}");
        assert_eq!(
            shown(&noted.query),
            [("q", "***"), ("***", "***")],
            "{form}"
        );
        for pair in &noted.headers[1..] {
            assert_eq!(pair.value, "***", "{form}");
        }
    }
}

#[test]
fn a_credential_with_a_slash_is_nowhere_in_a_path() {
    let key = "abcdefgh/ijklmnop";
    let noted = noted(&format!("/api/p/a/{key}/b"), &[("authorization", key)]);
    assert_eq!(noted.path, "/***");
}

#[test]
fn other_carriers_are_known_too() {
    for (path, headers) in [
        (format!("/api/p/{KEY}?%41uthorization=Bearer+{KEY}"), vec![]),
        (
            format!("/api/p/{KEY}"),
            vec![("proxy-authorization", format!("Bearer {KEY}"))],
        ),
        (
            format!("/api/p/{KEY}"),
            vec![
                ("authorization", "other-key".to_owned()),
                ("authorization", KEY.to_owned()),
            ],
        ),
        (
            "/api/p/short".to_owned(),
            vec![("authorization", "short".to_owned())],
        ),
    ] {
        let headers: Vec<_> = headers
            .iter()
            .map(|(name, value)| (*name, value.as_str()))
            .collect();
        assert_eq!(noted(&path, &headers).path, "/***", "{path}");
    }
}

#[test]
fn a_path_that_nobody_understands_is_kept_as_it_came() {
    assert_eq!(noted("/api/p/a/%2e%2e%5cb", &[]).path, "/a/%2e%2e%5cb");
    assert_eq!(noted("*", &[]).path, "/");
}

#[test]
fn it_is_bounded_whatever_comes() {
    let long = "ä".repeat(5_000);
    let query: Vec<String> = (0..3_000).map(|n| format!("p{n}=v{n}")).collect();
    let path = format!("/api/p/{long}?{}", query.join("&"));
    let headers: Vec<_> = (0..150).map(|_| ("accept", long.as_str())).collect();
    let noted = noted(&path, &headers);
    let bytes = |pairs: &[Pair]| -> usize {
        pairs
            .iter()
            .map(|pair| pair.name.len() + pair.value.len())
            .sum()
    };
    let all = noted.path.len() + bytes(&noted.query) + bytes(&noted.headers);
    assert!(all <= Budget::CALLER.all + 8, "{all}");
    assert!(noted.headers.len() < headers.len());
}

/// A stranger needs thirty bytes for a call that is as long as Envoy lets it be.
#[test]
fn of_strangers_little_is_kept() {
    let long = "x".repeat(1_000);
    let pseudo = [(&b":path"[..], long.as_bytes()), (b":method", b"GET")];
    let accept = (&b"accept"[..], long.as_bytes());
    let lines: Vec<HeaderLine<'_>> = pseudo.into_iter().chain([accept; 18]).collect();
    let noted = of(&RequestHead::new(&lines), None, (Budget::STRANGER, None));
    let pairs = noted.headers.iter();
    let headers: usize = pairs.map(|pair| pair.name.len() + pair.value.len()).sum();
    assert!(noted.path.len() <= 256, "{noted:?}");
    assert!(noted.path.len() + headers <= 1_100, "{headers}");
}

/// Each of these is accepted with the key, or is what Envoy makes of it.
#[test]
fn a_credential_is_known_in_every_form_in_which_it_is_presented() {
    let pair = "dXNlcjpDYWxsZXJzS2V5MDEyMzQ1Njc4OQ";
    for carried in [
        format!("Bearer   {KEY}"),
        format!("Token token={KEY}"),
        format!("Basic {pair}"),
        format!("Basic   {pair}=="),
    ] {
        let path = format!("/api/p/{KEY}/b?q={KEY}");
        let name = format!("x-{}", KEY.to_ascii_lowercase());
        let headers = [
            ("authorization", carried.as_str()),
            (&name, "1"),
            ("user-agent", KEY),
        ];
        let noted = noted(&path, &headers);
        assert_eq!(noted.path, "/***/b", "{carried}");
        assert_eq!(shown(&noted.query), [("q", "***")], "{carried}");
        let headers = shown(&noted.headers);
        assert_eq!(
            headers[2..],
            [("***", "***"), ("user-agent", "***")],
            "{carried}"
        );
    }
}

/// Else every text with an equals sign in it would be masked, or with a byte that happens to stand
/// behind a colon in what a key decodes to.
#[test]
fn padding_and_what_a_key_happens_to_decode_to_are_no_credentials() {
    // `AAAAAAAAAAA6ZWVl` decodes to zeros, a colon and `eee`.
    for carried in ["Bearer c29tZS1rZXktMDEyMw==", "Bearer AAAAAAAAAAA6ZWVl"] {
        let accept = "text/html;q=0.8, seee";
        let headers = [("authorization", carried), ("accept", accept)];
        let noted = noted("/api/p/seee?a=b", &headers);
        assert_eq!(noted.path, "/seee", "{carried}");
        assert_eq!(shown(&noted.headers)[2], ("accept", accept), "{carried}");
    }
}

#[test]
fn dots_leave_no_part_of_a_credential_with_a_slash() {
    let key = "KEY0123456789abcdef/x+Y7=";
    let path = format!("/api/p/a;{key}/..");
    assert_eq!(noted(&path, &[("authorization", key)]).path, "/***");
}

#[test]
fn whom_a_token_names_is_bounded_and_no_secret() {
    let lines: [HeaderLine<'_>; 2] = [(b":path", b"/api/p/"), (b"authorization", KEY.as_bytes())];
    let (long, cut) = ("ä".repeat(500), "ä".repeat(SUBJECT_BYTES / 2));
    for (subject, want) in [
        ("somebody", "somebody"),
        (KEY, "***"),
        (&long, &cut),
        ("", ""),
    ] {
        let noted = of(
            &RequestHead::new(&lines),
            None,
            (Budget::CALLER, Some(subject.to_owned())),
        );
        assert_eq!(noted.subject, want);
    }
}
