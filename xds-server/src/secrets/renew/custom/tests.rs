use http::HeaderMap;
use requestrocket_policy::secret_form::SecretForm;
use requestrocket_policy::secret_form::auth_type::{AuthType, Side};
use serde_json::json;

use super::*;

const FRESH: Fresh<'_> = Fresh {
    now_s: 1_700_000_000,
    id: "uuid-1",
};

fn form(secret: &Value) -> CustomToken {
    let json = secret.to_string();
    match SecretForm::open(AuthType::CustomToken, Side::Target, json.as_bytes()) {
        Ok(SecretForm::CustomToken(form)) => *form,
        other => panic!("{other:?}"),
    }
}

fn response(status: u16, headers: &[(&'static str, &'static str)], body: &str) -> Response {
    let mut map = HeaderMap::new();
    for (name, value) in headers {
        map.append(*name, value.parse().unwrap());
    }
    Response {
        status,
        headers: map,
        body: Zeroizing::new(body.as_bytes().to_vec()),
    }
}

fn two_steps() -> CustomToken {
    form(&json!({
        "values": {"key": "k\"1"},
        "requests": [
            {"method": "GET", "url": "https://a.example/nonce"},
            {
                "url": "https://a.example/login", "query": {"n": "{step1.$.nonce}"},
                "headers": {"X-Time": "{timestamp}"},
                "body": {"key": "{secret.key}", "id": "{uuid}", "deep": [{"n": 1}]},
            },
        ],
        "response": {"tokenPath": "$.session.token", "expiresInPath": "$.ttl"},
    }))
}

#[test]
fn a_later_request_has_what_an_earlier_answer_said() {
    let form = two_steps();
    let mut answers = Answers::default();
    take(
        &mut answers,
        &response(200, &[], r#"{"nonce": "a b"}"#),
        &[],
    )
    .unwrap();
    let request = build(&form, &form.requests[1], &answers, FRESH).unwrap();
    assert_eq!(request.url.expose(), "https://a.example/login?n=a+b");
    let body: Value = serde_json::from_str(request.body.unwrap().expose()).unwrap();
    let want = json!({"key": "k\"1", "id": "uuid-1", "deep": [{"n": 1}]});
    assert_eq!(body, want, "values need no escaping");
    let lines: Vec<_> = request
        .headers
        .iter()
        .map(|(name, value)| (name.as_str(), value.expose()))
        .collect();
    let want = [
        ("x-time", "1700000000"),
        ("accept", "application/json"),
        ("content-type", "application/json"),
    ];
    assert_eq!(lines, want);
}

#[test]
fn a_value_that_is_missing_ends_the_attempt() {
    let form = two_steps();
    let mut answers = Answers::default();
    take(&mut answers, &response(200, &[], "{}"), &[]).unwrap();
    let failure = build(&form, &form.requests[1], &answers, FRESH).unwrap_err();
    assert_eq!(failure.code, "missing_value");
    let refused = response(403, &[], "<html>");
    let failure = take(&mut answers, &refused, &[]).unwrap_err();
    assert_eq!(
        (failure.code.as_str(), failure.is_permanent),
        ("http_403", false)
    );
    let denied = response(400, &[], r#"{"error": "invalid_client"}"#);
    assert!(!take(&mut answers, &denied, &[]).unwrap_err().is_permanent);
}

#[test]
fn a_token_is_found_wherever_it_is() {
    let cookie = ("set-cookie", "sid=c00kie; Path=/");
    for (place, headers, body, want) in [
        (
            json!({"tokenPath": "$.t", "ttlSeconds": 60}),
            vec![],
            r#"{"t": "json"}"#,
            Some(("json", 60_000)),
        ),
        (
            json!({"tokenPath": "$.t", "expiresInPath": "$.e"}),
            vec![],
            r#"{"t": "json", "e": "7"}"#,
            Some(("json", 7_000)),
        ),
        (
            json!({"format": "form", "tokenPath": "$.t"}),
            vec![],
            "t=form",
            Some(("form", 300_000)),
        ),
        (
            json!({"format": "text"}),
            vec![],
            " text\n",
            Some(("text", 300_000)),
        ),
        (
            json!({"tokenHeader": "x-token"}),
            vec![("x-token", "header")],
            "",
            Some(("header", 300_000)),
        ),
        (
            json!({"tokenCookie": "sid"}),
            vec![("set-cookie", "other=1"), cookie],
            "",
            Some(("c00kie", 300_000)),
        ),
        (json!({"tokenCookie": "none"}), vec![cookie], "", None),
        (json!({"tokenPath": "$.t"}), vec![], "t=form", None),
    ] {
        let form = form(&json!({
            "request": {"url": "https://a.example/"}, "response": place,
        }));
        let got = read(&form, &response(200, &headers, body), &[], 0).ok();
        let got = got.as_ref().map(|got| (got.token.expose(), got.life_ms));
        assert_eq!(got, want, "{place}");
    }
}

#[test]
fn neither_answers_nor_requests_grow_beyond_their_bounds() {
    let form = form(&json!({
        "requests": [
            {"url": "https://a.example/one"},
            {"url": "https://a.example/two", "body": "{step1.$.a}".repeat(MAX_STEP_VALUES)},
            {"url": "https://a.example/three", "body": "{step1.$.a}".repeat(MAX_STEP_VALUES + 1)},
        ],
        "response": {"tokenPath": "$.token"},
    }));
    let answered = |length: usize| {
        let body = json!({ "a": "x".repeat(length) }).to_string();
        let mut answers = Answers::default();
        let taken = take(&mut answers, &response(200, &[], &body), &[]);
        taken.map(|()| answers).map_err(|failure| failure.code)
    };
    let too_long = answered(MAX_STEP_BYTES).map(|_| ());
    assert_eq!(too_long, Err("too_long".to_owned()));
    let code = |answers: &Answers, step: usize| {
        let request = build(&form, &form.requests[step], answers, FRESH);
        request.map(|_| ()).map_err(|failure| failure.code)
    };
    let fits = answered(MAX_STEP_BYTES / MAX_STEP_VALUES).unwrap();
    assert_eq!(code(&fits, 1), Ok(()));
    let missing = Err("missing_value".to_owned());
    assert_eq!(code(&fits, 2), missing);
    let long = answered(MAX_STEP_BYTES / MAX_STEP_VALUES + 1).unwrap();
    assert_eq!(code(&long, 1), missing);
}

#[test]
fn a_provider_is_left_alone_as_long_as_it_wants() {
    let failure = || Failure::transient("http_429", "too many");
    for (headers, want) in [(&[("retry-after", "7")][..], Some(7_000)), (&[], None)] {
        let failed = told(failure(), &response(429, headers, ""), 0);
        assert_eq!(failed.retry_after_ms, want);
    }
}
