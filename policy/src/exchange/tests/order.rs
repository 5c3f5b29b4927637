//! Which check comes first and what a granted call is changed to.

use uuid::Uuid;

use super::*;
use crate::{
    authn::AuthPorts,
    jose::{self, Signatures},
    limit::{Charge, Micros},
    sign::Tools,
};

const KEY: &[(&str, &str)] = &[("authorization", "key")];

fn check(resolved: &Resolved, method: &str, path: &str, headers: &[(&str, &str)], want: Denial) {
    let got = decide(resolved, method, path, headers);
    assert_eq!(got, Err(want), "{method} {path} {headers:?}");
}

#[test]
fn a_granted_call_is_edited_as_little_as_possible() {
    let plain = resolved(&PolicyFixture::new().api_key("key"));
    let swapping = resolved(&fixture().base_path("/v1"));
    let root = api("");
    let (items, with_query) = (api("/items"), api("/items?a=1&b=%20"));
    let by_query = api("/items?a=1&Authorization=key&b=2");
    for (resolved, path, headers, want) in [
        (
            &plain,
            &items,
            KEY,
            &[":path = /items", "- authorization"][..],
        ),
        (&plain, &root, KEY, &[":path = /", "- authorization"]),
        (
            &plain,
            &with_query,
            KEY,
            &[":path = /items?a=1&b=%20", "- authorization"],
        ),
        (&plain, &by_query, &[], &[":path = /items?a=1&b=2"]),
        (
            &swapping,
            &items,
            KEY,
            &[":path = /v1/items", "authorization = Bearer target-token"],
        ),
        (
            &swapping,
            &root,
            KEY,
            &[":path = /v1", "authorization = Bearer target-token"],
        ),
        (
            &swapping,
            &by_query,
            &[],
            &[
                ":path = /v1/items?a=1&b=2",
                "authorization = Bearer target-token",
            ],
        ),
        (
            &plain,
            &items,
            &[
                ("authorization", "key"),
                ("proxy-authorization", "x"),
                ("cookie", "key"),
            ],
            &[":path = /items", "- authorization", "- proxy-authorization"],
        ),
    ] {
        let want = want.iter().map(|&edit| edit.to_owned()).collect();
        assert_eq!(
            decide(resolved, "GET", path, headers),
            Ok(want),
            "{path} {headers:?}"
        );
    }
}

#[test]
fn the_seven_methods_pass_and_no_other() {
    let resolved = resolved(&fixture());
    for method in ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"] {
        assert!(
            decide(&resolved, method, &api("/"), KEY).is_ok(),
            "{method}"
        );
    }
    for method in [
        "TRACE", "CONNECT", "PRI", "get", "Get", "PROPFIND", "QUERY", "", "GET ", "X",
    ] {
        // Before authentication, so the same with and without a credential, known proxy or not.
        for resolved in [&resolved, &Resolved::UnknownProxy, &Resolved::Fault] {
            check(resolved, method, &api("/"), KEY, Denial::MethodNotAllowed);
            check(resolved, method, &api("/"), &[], Denial::MethodNotAllowed);
        }
    }
}

#[test]
fn connect_comes_without_a_path_and_is_405_all_the_same() {
    let lines: [HeaderLine<'_>; 2] = [(b":authority", b"target:443"), (b":method", b"CONNECT")];
    let mut exchange = Exchange::new(Resolved::UnknownProxy);
    let decision = exchange.on_request(
        &RequestHead::new(&lines),
        RequestBody::Whole(&[]),
        &Admitting(0),
    );
    assert_eq!(refusal(decision), Some(Denial::MethodNotAllowed));
}

#[test]
fn override_headers_pass_as_long_as_there_are_no_rules() {
    let resolved = resolved(&PolicyFixture::new().api_key("key"));
    let headers = [
        ("authorization", "key"),
        ("x-http-method-override", "DELETE"),
    ];
    let want = vec![":path = /".to_owned(), "- authorization".to_owned()];
    assert_eq!(decide(&resolved, "POST", &api("/"), &headers), Ok(want));
}

#[test]
fn framing_and_path_are_judged_before_the_proxy() {
    for resolved in [
        &resolved(&fixture()),
        &Resolved::UnknownProxy,
        &Resolved::Fault,
    ] {
        for headers in [KEY, &[]] {
            check(
                resolved,
                "GET",
                &api("/../.."),
                headers,
                Denial::PathAmbiguous,
            );
            check(
                resolved,
                "GET",
                &api("/a%5cb"),
                headers,
                Denial::PathAmbiguous,
            );
            check(
                resolved,
                "GET",
                &api("/a?b\u{1}"),
                headers,
                Denial::BadRequest,
            );
            check(resolved, "GET", &api("/a?b c"), headers, Denial::BadRequest);
        }
        check(
            resolved,
            "GET",
            &api("/"),
            &[("host", "other")],
            Denial::BadRequest,
        );
        check(
            resolved,
            "GET",
            &api("/"),
            &[(":path", "/x")],
            Denial::BadRequest,
        );
        check(
            resolved,
            "GET",
            &api("/"),
            &[(":method", "PUT")],
            Denial::BadRequest,
        );
    }
}

#[test]
fn two_hosts_that_envoy_joined_are_a_bad_request() {
    for (authority, want) in [
        ("h", None),
        ("h:8080", None),
        ("[::1]:80", None),
        ("", None),
        ("h,evil", Some(())),
    ] {
        let path = api("/");
        let lines: Vec<HeaderLine<'_>> = vec![
            (b":authority", authority.as_bytes()),
            (b":path", path.as_bytes()),
            (b":method", b"GET"),
            (b"authorization", b"key"),
        ];
        let mut exchange = Exchange::new(resolved(&fixture()));
        let decision = exchange.on_request(
            &RequestHead::new(&lines),
            RequestBody::Whole(&[]),
            &Admitting(0),
        );
        let is_refused = refusal(decision) == Some(Denial::BadRequest);
        assert_eq!(is_refused, want.is_some(), "{authority}");
    }
}

#[test]
fn a_head_without_method_or_path_is_a_bad_request() {
    for lines in [
        &[][..],
        &[(&b":method"[..], &b"GET"[..])],
        &[(b":path", b"/api/x")],
    ] {
        let mut exchange = Exchange::new(resolved(&fixture()));
        let decision = exchange.on_request(
            &RequestHead::new(lines),
            RequestBody::Whole(&[]),
            &Admitting(0),
        );
        assert_eq!(
            refusal(decision),
            Some(Denial::BadRequest),
            "{}",
            lines.len()
        );
    }
}

#[test]
fn without_a_credential_every_path_is_401() {
    let known = resolved(&fixture());
    let paths = [
        api("/a"),
        api(""),
        api("?x=1"),
        "/api/other/a".to_owned(),
        "/".to_owned(),
    ];
    for path in paths
        .iter()
        .map(String::as_str)
        .chain(["/api", "/api/", "/async/x", "*", "/x"])
    {
        for resolved in [&known, &Resolved::UnknownProxy, &Resolved::Fault] {
            for headers in [
                &[][..],
                &[("authorization", "")],
                &[("authorization", "  ")],
                &[("cookie", "key")],
            ] {
                check(resolved, "GET", path, headers, Denial::CredentialMissing);
            }
        }
    }
    check(
        &known,
        "OPTIONS",
        &api("/a"),
        &[("origin", "https://x")],
        Denial::CredentialMissing,
    );
    check(
        &known,
        "GET",
        &api("?Authorization="),
        &[],
        Denial::CredentialMissing,
    );
    // A blank header alone is judged, so the parameter beside it does not count.
    let path = api("?Authorization=key");
    check(
        &known,
        "GET",
        &path,
        &[("authorization", "")],
        Denial::CredentialMissing,
    );
}

#[test]
fn wrong_and_repeated_credentials_and_unknown_proxies_are_the_same_403() {
    let known = resolved(&fixture());
    let invalid = Denial::CredentialInvalid;
    for value in [
        "Key",
        "key ",
        " key",
        "Bearer key",
        "ke",
        "keyy",
        "a,key",
        "key,key",
    ] {
        check(
            &known,
            "GET",
            &api("/a"),
            &[("authorization", value)],
            invalid,
        );
    }
    let twice = [("authorization", "key"), ("authorization", "key")];
    check(&known, "GET", &api("/a"), &twice, invalid);
    check(
        &known,
        "GET",
        &api("?Authorization=key&authorization=key"),
        &[],
        invalid,
    );
    check(&Resolved::UnknownProxy, "GET", &api("/a"), KEY, invalid);
    check(&Resolved::UnknownProxy, "GET", &api("/a"), &twice, invalid);
    // The route's proxy is not the one in the path: nobody's credential is right.
    let upper = format!("/api/{}", PROXY_ID.to_uppercase());
    let escaped = format!("/api/%30{}", &PROXY_ID.get(1..).unwrap());
    let suffixed = format!("/api/{PROXY_ID};x/a");
    for path in [
        "/",
        "/api",
        "/api/",
        "/api//a",
        "/api/other/a",
        "//api/x",
        "/API/x",
        "/asyncs/x",
        "/x/y",
        "*",
        &upper,
        &escaped,
        &suffixed,
        &format!("/Async/{PROXY_ID}/a"),
        &format!("/{PROXY_ID}"),
        &format!("/api/{PROXY_ID}x/a"),
    ] {
        check(&known, "GET", path, KEY, invalid);
    }
}

#[test]
fn an_alias_stands_for_the_id() {
    let mut fixture = fixture();
    "my-api".clone_into(&mut fixture.admission.alias);
    let resolved = resolved(&fixture);
    for path in ["/api/my-api", "/api/my-api/", &api("")] {
        assert!(decide(&resolved, "GET", path, KEY).is_ok(), "{path}");
    }
    for path in [
        "/api/My-api",
        "/api/my-ap",
        "/api/my-apix",
        "/api/my%2dapi/",
    ] {
        check(&resolved, "GET", path, KEY, Denial::CredentialInvalid);
    }
}

#[test]
fn the_state_of_a_proxy_is_told_to_its_callers_only_and_in_this_order() {
    for (is_active, is_suspended, is_complete, want) in [
        (false, true, false, Denial::ProxyInactive),
        (false, false, true, Denial::ProxyInactive),
        (true, true, false, Denial::BillingSuspended),
        (true, true, true, Denial::BillingSuspended),
        (true, false, false, Denial::ProxyIncomplete),
    ] {
        let mut fixture = fixture();
        fixture.wire.is_active = is_active;
        fixture.wire.is_suspended = is_suspended;
        if !is_complete {
            fixture.wire.target = None;
        }
        let resolved = resolved(&fixture);
        check(&resolved, "GET", &api("/"), KEY, want);
        check(
            &resolved,
            "GET",
            &api("/"),
            &[("authorization", "x")],
            Denial::CredentialInvalid,
        );
        check(&resolved, "GET", &api("/"), &[], Denial::CredentialMissing);
    }
    let mut fixture = fixture();
    fixture.wire.target_credential = None;
    check(
        &resolved(&fixture),
        "GET",
        &api("/"),
        KEY,
        Denial::ProxyIncomplete,
    );
}

#[test]
fn an_obtained_token_serves_to_its_end_and_not_a_moment_longer() {
    for (serves_until_ms, is_served) in [
        (None, true),
        (Some(1_001), true),
        (Some(1_000), false),
        (Some(0), false),
    ] {
        let mut fixture = fixture();
        if let Some(credential) = &mut fixture.wire.target_credential {
            credential.serves_until_ms = serves_until_ms;
        }
        let resolved = resolved(&fixture);
        let got = decide(&resolved, "GET", &api("/"), KEY);
        let want = Err(Denial::TargetCredentialUnavailable);
        assert_eq!(got.is_ok(), is_served, "{serves_until_ms:?}");
        assert!(is_served || got == want, "{serves_until_ms:?}");
        check(&resolved, "GET", &api("/"), &[], Denial::CredentialMissing);
    }
}

#[test]
fn without_a_usable_policy_everything_is_refused() {
    let fault = Resolved::Fault;
    check(&fault, "GET", &api("/"), KEY, Denial::GatewayFault);
    check(&fault, "GET", "/api/other", KEY, Denial::GatewayFault);
}

#[test]
fn the_first_match_in_list_order_counts() {
    let record_of = |fixture: &PolicyFixture, value: &str| {
        let mut exchange = Exchange::new(resolved(fixture));
        let path = api("/");
        let lines = lines("GET", &path, &[("authorization", value)]);
        exchange.on_request(
            &RequestHead::new(&lines),
            RequestBody::Whole(&[]),
            &Admitting(1_000),
        );
        exchange.finish(&Admitting(0))
    };
    let fixture = PolicyFixture::new()
        .unknown_credential()
        .api_key("one")
        .bearer("Bearer ", "two")
        .basic_auth("user:three")
        .jwt("a.b.c")
        .api_key("off")
        .inactive()
        .api_key("Bearer two")
        .api_key("off");
    for (value, want) in [
        ("one", Some((1, AuthType::ApiKey))),
        ("bearer two", Some((2, AuthType::Bearer))),
        ("Bearer two", Some((2, AuthType::Bearer))),
        ("Basic dXNlcjp0aHJlZQ", Some((3, AuthType::BasicAuth))),
        ("a.b.c", Some((4, AuthType::Jwt))),
        ("Bearer a.b.c", None),
        ("two", None),
        ("user:three", None),
        // The first match is inactive; a later one of the same secret does not count.
        ("off", None),
    ] {
        let record = record_of(&fixture, value);
        let want_used = want.map(|(n, auth_type)| (credential_id(n), auth_type));
        assert_eq!(record.credential, want_used, "{value}");
        let want_denial = want.is_none().then_some(Denial::CredentialInvalid);
        assert_eq!(record.denial, want_denial, "{value}");
    }
}

#[test]
fn a_proxy_without_credentials_lets_nobody_in() {
    let resolved = resolved(&PolicyFixture::new());
    check(&resolved, "GET", &api("/"), KEY, Denial::CredentialInvalid);
    check(&resolved, "GET", &api("/"), &[], Denial::CredentialMissing);
}

#[test]
fn expiry_ends_a_secret_and_the_clock_is_read_only_for_it() {
    let fixture = PolicyFixture::new()
        .api_key("endless")
        .jwt("jwt")
        .until(2_000)
        .api_key("new")
        .also("old", 2_000);
    let resolved = resolved(&fixture);
    let path = api("/");
    for (value, now, is_granted, reads) in [
        ("endless", 0, true, 0),
        ("jwt", 1_999, true, 1),
        ("jwt", 2_000, false, 1),
        ("jwt", u64::MAX, false, 1),
        ("new", 5_000, true, 0),
        ("old", 1_999, true, 1),
        ("old", 2_001, false, 1),
        ("wrong", 0, false, 0),
    ] {
        let read = Cell::new(0);
        let clock = Clock { now, read: &read };
        let mut exchange = Exchange::new(resolved.clone());
        let lines = lines("GET", &path, &[("authorization", value)]);
        let decision =
            exchange.on_request(&RequestHead::new(&lines), RequestBody::Whole(&[]), &clock);
        let want = if is_granted {
            None
        } else {
            Some(Denial::CredentialInvalid)
        };
        let got = refusal(decision);
        assert_eq!((got, read.get()), (want, reads), "{value} at {now}");
    }
}

/// A host that counts how often it is asked for the time.
struct Clock<'a> {
    now: u64,
    read: &'a Cell<usize>,
}

impl Tools for Clock<'_> {}

impl Signatures for Clock<'_> {
    fn is_signed(&self, _: &jose::Question<'_>) -> bool {
        false
    }
}

impl AuthPorts for Clock<'_> {
    fn now_ms(&self) -> u64 {
        self.read.set(self.read.get() + 1);
        self.now
    }
}

impl Ports for Clock<'_> {
    fn has_room(&self, _: Holder) -> bool {
        true
    }

    fn charge(&self, _: &[(Uuid, &Charge)]) -> Charging {
        Charging::Fault
    }

    fn add(&self, _: (Uuid, &Charge), _: Micros) {}
}

#[test]
fn the_record_says_who_and_what() {
    let path = api("/");
    let run = |resolved: Resolved, value: &str| {
        let mut exchange = Exchange::new(resolved);
        let lines = lines("GET", &path, &[("authorization", value)]);
        exchange.on_request(
            &RequestHead::new(&lines),
            RequestBody::Whole(&[]),
            &Admitting(0),
        );
        exchange.finish(&Admitting(0))
    };
    let proxy = Some((
        crate::fixtures::ORGANISATION_ID.parse().unwrap(),
        PROXY_ID.parse().unwrap(),
    ));
    let used = Some((credential_id(0), AuthType::ApiKey));
    let mut suspended = fixture();
    suspended.wire.is_suspended = true;
    for (resolved, value, want) in [
        (resolved(&fixture()), "key", (proxy, used, None)),
        (
            resolved(&fixture()),
            "x",
            (proxy, None, Some(Denial::CredentialInvalid)),
        ),
        (
            resolved(&suspended),
            "key",
            (proxy, used, Some(Denial::BillingSuspended)),
        ),
        (
            Resolved::UnknownProxy,
            "key",
            (None, None, Some(Denial::CredentialInvalid)),
        ),
        (
            Resolved::Fault,
            "key",
            (None, None, Some(Denial::GatewayFault)),
        ),
    ] {
        let RequestRecord {
            proxy,
            credential,
            denial,
        } = run(resolved, value);
        assert_eq!((proxy, credential, denial), want, "{value}");
    }
    let untouched = Exchange::new(Resolved::UnknownProxy).finish(&Admitting(0));
    assert_eq!(
        untouched,
        RequestRecord {
            proxy: None,
            credential: None,
            denial: None
        }
    );
}

#[test]
fn debug_output_of_an_exchange_shows_no_secret() {
    let path = api("/?Authorization=caller-key-1");
    let fixture = PolicyFixture::new()
        .api_key("caller-key-1")
        .header("x-key", "target-secret-1")
        .query("q", "target-secret-2");
    let mut exchange = Exchange::new(resolved(&fixture));
    let lines = lines("GET", &path, &[("authorization", "caller-key-1")]);
    let head = RequestHead::new(&lines);
    let shown_head = format!("{head:?}");
    let shown_decision = format!(
        "{:?}",
        exchange.on_request(&head, RequestBody::Whole(&[]), &Admitting(0))
    );
    let shown_exchange = format!("{exchange:?}{:?}", fixture.keys);
    for shown in [shown_head, shown_decision, shown_exchange] {
        for secret in ["caller-key-1", "target-secret-1", "target-secret-2"] {
            assert!(!shown.contains(secret), "{secret} in {shown}");
            let bytes = format!("{:?}", secret.as_bytes());
            assert!(
                !shown.contains(bytes.trim_matches(['[', ']'])),
                "{secret} in {shown}"
            );
        }
    }
}
