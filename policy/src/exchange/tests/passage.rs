//! Asynchronous requests: what is handed to the region server, and what it sends later.

use uuid::Uuid;

use super::*;
use crate::{
    denial::Asynchronous,
    fixtures::tokens::hs256,
    passage::{ARRIVAL_HEADER, Arrival, Delivery, Sender},
};

const KEY: &[(&str, &str)] = &[("authorization", "key")];

fn asynchronous(below: &str) -> String {
    format!("/async/{PROXY_ID}{below}")
}

fn requests(below: &str) -> String {
    format!("/requests/{PROXY_ID}{below}")
}

/// The edits, and of them what the region server is told.
fn handed_over(
    resolved: &Resolved,
    path: &str,
    headers: &[(&str, &str)],
) -> (Vec<String>, Arrival) {
    let mut exchange = Exchange::new(resolved.clone());
    let lines = lines("POST", path, headers);
    let head = RequestHead::new(&lines);
    let decision = exchange.on_request(&head, RequestBody::Whole(&[]), &Admitting(1_000));
    let RequestDecision::HandOver(edits) = decision else {
        panic!("{path}: {decision:?}")
    };
    let told = edits.iter().find_map(|edit| match edit {
        Edit::SetComputed(name, value) if *name == ARRIVAL_HEADER => Some(value.expose().to_vec()),
        Edit::SetComputed(..)
        | Edit::SetHeader(..)
        | Edit::SetPath(_)
        | Edit::RemoveHeader(_)
        | Edit::Warn(_) => None,
    });
    let told = Arrival::from_header(&told.unwrap()).unwrap();
    let shown = edits
        .iter()
        .filter(|edit| !matches!(edit, Edit::SetComputed(..)));
    (shown.map(shown_edit).collect(), told)
}

fn shown_edit(edit: &Edit<'_>) -> String {
    super::shown(edit)
}

fn delivery(number: usize, claims: Option<String>) -> Delivery {
    Delivery {
        request: Uuid::from_u128(7),
        attempt: 2,
        sender: Sender {
            credential: credential_id(number),
            claims,
        },
    }
}

/// What becomes of what the region server sends.
fn delivered(
    fixture: &PolicyFixture,
    method: &str,
    path: &str,
    delivery: &Delivery,
) -> Result<Vec<String>, Denial> {
    let mut exchange = Exchange::new(resolved(fixture));
    let lines = lines(method, path, &[]);
    let head = RequestHead::new(&lines).delivering(Some(delivery));
    match exchange.on_request(&head, RequestBody::Whole(&[]), &Admitting(1_000)) {
        RequestDecision::Refuse(refusal) => Err(refusal.denial),
        RequestDecision::Forward(edits) => Ok(edits.iter().map(shown).collect()),
        decision @ (RequestDecision::HandOver(_)
        | RequestDecision::NeedPolicy
        | RequestDecision::NeedBody
        | RequestDecision::Ask(_)) => panic!("{decision:?}"),
    }
}

#[test]
fn a_request_for_later_goes_to_the_region_server_without_its_credential_and_without_the_targets() {
    let resolved = resolved(&fixture().base_path("/v1").query("key", "target-key"));
    for (path, headers, want) in [
        (
            asynchronous("/a/../b?x=1&Authorization=key&y=%20"),
            &[][..],
            vec![format!(":path = /async/{PROXY_ID}/b?x=1&y=%20")],
        ),
        (
            asynchronous(""),
            &[("authorization", "key"), ("proxy-authorization", "x")],
            vec![
                format!(":path = /async/{PROXY_ID}"),
                "- authorization".to_owned(),
                "- proxy-authorization".to_owned(),
            ],
        ),
    ] {
        let (edits, arrival) = handed_over(&resolved, &path, headers);
        assert_eq!(edits, want, "{path}");
        assert_eq!(arrival.proxy.to_string(), PROXY_ID);
        assert_eq!(arrival.sender.credential, credential_id(0));
        assert_eq!(arrival.sender.claims, None);
    }
}

#[test]
fn what_the_callers_token_says_goes_along_whether_or_not_somebody_asks_now() {
    let secret = "a secret of thirty-two bytes, ok";
    let token = hs256(secret, r#"{"sub":"zoe","exp":9}"#);
    let fixture = PolicyFixture::new().shared_secret(secret);
    let value = format!("Bearer {token}");
    let headers = [("authorization", value.as_str())];
    let (_, arrival) = handed_over(&resolved(&fixture), &asynchronous("/x"), &headers);
    assert_eq!(
        arrival.sender.claims.as_deref(),
        Some(r#"{"sub":"zoe","exp":9}"#)
    );
}

#[test]
fn a_request_for_later_is_judged_when_it_comes() {
    let denied = fixture().rules(crate::authz::LayerName::Proxy, "allow", &["deny 900 p:^/x"]);
    let mut inactive = fixture();
    inactive.wire.is_active = false;
    let mut without_target = fixture();
    without_target.wire.target = None;
    for (fixture, method, headers, want) in [
        (fixture(), "POST", &[][..], Denial::CredentialMissing),
        (
            fixture(),
            "POST",
            &[("authorization", "other")],
            Denial::CredentialInvalid,
        ),
        (denied, "POST", KEY, Denial::RuleDenied),
        (inactive, "POST", KEY, Denial::ProxyInactive),
        (without_target, "POST", KEY, Denial::ProxyIncomplete),
        (
            fixture(),
            "HEAD",
            KEY,
            Denial::Asynchronous(Asynchronous::MethodNotAllowed),
        ),
        (
            fixture(),
            "OPTIONS",
            &[],
            Denial::Asynchronous(Asynchronous::MethodNotAllowed),
        ),
        (
            fixture(),
            "GET",
            &[("authorization", "key"), ("upgrade", "websocket")],
            Denial::BadRequest,
        ),
    ] {
        let got = decide(&resolved(&fixture), method, &asynchronous("/x"), headers);
        assert_eq!(got, Err(want), "{method} {headers:?}");
    }
}

#[test]
fn a_path_that_is_no_url_is_not_kept() {
    let resolved = resolved(&fixture());
    for odd in ["/<", "/>", "/\"", "/`", "/\u{e9}", "/?<", "/?\u{e9}"] {
        let got = decide(&resolved, "POST", &asynchronous(odd), KEY);
        assert_eq!(got, Err(Denial::BadRequest), "{odd}");
        assert!(decide(&resolved, "POST", &api(odd), KEY).is_ok(), "{odd}");
    }
    handed_over(&resolved, &asynchronous("/a%3C{b}|c^[]'?q=$.*!"), KEY);
}

#[test]
fn a_target_credential_that_has_ended_is_needed_when_the_request_is_sent() {
    let fixture = fixture().target_ending(500);
    let resolved = resolved(&fixture);
    handed_over(&resolved, &asynchronous("/x"), KEY);
    let got = delivered(&fixture, "POST", &api("/x"), &delivery(0, None));
    assert_eq!(got, Err(Denial::TargetCredentialUnavailable));
}

#[test]
fn whoever_may_use_the_proxy_may_ask_about_requests_whatever_rules_say() {
    let mut fixture = fixture().rules(crate::authz::LayerName::Proxy, "deny", &[]);
    fixture.wire.is_active = false;
    let admission = Resolved::Admission(fixture.admission().unwrap());
    for resolved in [resolved(&fixture), admission] {
        let (edits, arrival) = handed_over_by(&resolved, "GET", &requests("/7?wait=3"));
        let path = format!(":path = /requests/{PROXY_ID}/7?wait=3");
        assert_eq!(edits, [path, "- authorization".to_owned()]);
        assert_eq!(arrival.sender.credential, credential_id(0));
        for method in ["POST", "HEAD", "PUT", "PATCH", "OPTIONS"] {
            let denial = Denial::Asynchronous(Asynchronous::StatusMethodNotAllowed);
            assert_eq!(decide(&resolved, method, &requests("/7"), KEY), Err(denial));
        }
    }
}

fn handed_over_by(resolved: &Resolved, method: &str, path: &str) -> (Vec<String>, Arrival) {
    let mut exchange = Exchange::new(resolved.clone());
    let lines = lines(method, path, KEY);
    let head = RequestHead::new(&lines);
    let decision = exchange.on_request(&head, RequestBody::Whole(&[]), &Admitting(1_000));
    let RequestDecision::HandOver(edits) = decision else {
        panic!("{path}: {decision:?}")
    };
    let told = edits.iter().rev().find_map(|edit| match edit {
        Edit::SetComputed(_, value) => Arrival::from_header(value.expose()),
        Edit::SetHeader(..) | Edit::SetPath(_) | Edit::RemoveHeader(_) | Edit::Warn(_) => None,
    });
    let plain = edits
        .iter()
        .filter(|edit| !matches!(edit, Edit::SetComputed(..)));
    let shown = plain.map(super::shown).collect();
    drop(edits);
    assert_eq!(exchange.usage(), None, "a question is no call");
    (shown, told.unwrap())
}

#[test]
fn a_stranger_is_not_told_whether_there_is_such_a_proxy() {
    let unknown = Denial::Asynchronous(Asynchronous::UnknownRequest);
    let stranger = &[("authorization", "other")];
    for resolved in [resolved(&fixture()), Resolved::UnknownProxy] {
        let path = requests("/7");
        assert_eq!(decide(&resolved, "GET", &path, stranger), Err(unknown));
        let missing = decide(&resolved, "GET", &path, &[]);
        assert_eq!(missing, Err(Denial::CredentialMissing));
    }
}

#[test]
fn what_the_region_server_sends_gets_what_callers_would() {
    let fixture = fixture().base_path("/v1");
    let got = delivered(&fixture, "POST", &api("/x?a=1"), &delivery(0, None));
    let want = [":path = /v1/x?a=1", "authorization = Bearer target-token"];
    assert_eq!(got, Ok(want.map(str::to_owned).to_vec()));
}

#[test]
fn what_the_region_server_sends_is_judged_by_what_holds_now() {
    let ended = PolicyFixture::new().api_key("key").ending(1_000);
    let switched_off = PolicyFixture::new().api_key("key").inactive();
    let of_nobody = PolicyFixture::new().unknown_credential();
    let ruled = fixture().rules(crate::authz::LayerName::Proxy, "allow", &["deny 900 POST"]);
    for (what, fixture, number, want) in [
        ("another's", fixture(), 1, Denial::CredentialInvalid),
        ("ended", ended, 0, Denial::CredentialInvalid),
        ("switched off", switched_off, 0, Denial::CredentialInvalid),
        ("of no use", of_nobody, 0, Denial::CredentialInvalid),
        ("a rule", ruled, 0, Denial::RuleDenied),
    ] {
        let got = delivered(&fixture, "POST", &api("/x"), &delivery(number, None));
        assert_eq!(got, Err(want), "{what}");
    }
    let elsewhere = api("/x").replace(PROXY_ID, "0197b2c4-7d1e-7c3a-9f51-2f6a9e1b3c4d");
    let got = delivered(&fixture(), "POST", &elsewhere, &delivery(0, None));
    assert_eq!(got, Err(Denial::CredentialInvalid));
}

#[test]
fn a_credential_with_two_secrets_lets_in_until_the_later_ends() {
    let fixture = PolicyFixture::new().api_key("key").previously("old", 500);
    let got = delivered(&fixture, "POST", &api("/x"), &delivery(0, None));
    assert!(got.is_ok(), "{got:?}");
}
