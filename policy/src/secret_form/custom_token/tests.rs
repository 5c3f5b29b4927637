use serde_json::{Value, json};

use super::*;
use crate::{
    form::problem::Problems,
    secret_form::{
        SecretForm,
        auth_type::{AuthType, Side},
    },
};
use zeroize::Zeroizing;

fn read_with(secret: &Value) -> Result<CustomToken, Vec<(String, String)>> {
    let mut problems = Problems::default();
    let fields = Fields::new(secret.as_object().unwrap().clone(), &mut problems);
    let form = SecretForm::read(AuthType::CustomToken, Side::Target, fields);
    let found: Vec<_> = problems
        .into_parts()
        .0
        .into_iter()
        .map(|problem| (problem.field, problem.text))
        .collect();
    match form {
        Some(SecretForm::CustomToken(form)) if found.is_empty() => Ok(*form),
        _ => Err(found),
    }
}

fn with(member: &str, value: Value) -> Value {
    let mut secret = json!({
        "values": {"user": "u", "key": "hunter2"},
        "requests": [
            {"url": "https://a.example/nonce"},
            {
                "method": "POST", "url": "https://a.example/login?n={step1.$.nonce}",
                "headers": {"Authorization": "Basic {base64:{secret.user}:{secret.key}}"},
                "query": {"t": "{timestamp}"},
                "body": {"id": "{uuid}", "user": "{secret.user}"},
            },
        ],
        "response": {"tokenPath": "$.token"},
    });
    secret[member] = value;
    if secret[member].is_null() {
        secret.as_object_mut().unwrap().remove(member);
    }
    secret
}

fn filled(raw: &str) -> Option<String> {
    let template = Template::parse(raw).unwrap();
    let filled = template.fill(&mut |part| {
        let text = match part {
            Part::Secret(name) => format!("<{name}>"),
            Part::Step(1, _) | Part::Text(_) | Part::Base64(_) => return None,
            Part::Step(step, path) => format!("<{step}:{path}>"),
            Part::Timestamp => "17".to_owned(),
            Part::Uuid => "id".to_owned(),
        };
        Some(Zeroizing::new(text))
    });
    filled.map(|text| text.to_string())
}

#[test]
fn places_are_filled_and_other_braces_stay() {
    for (raw, want) in [
        ("", Some("")),
        ("plain", Some("plain")),
        (
            r#"{"a": {"b": "{secret.x}"}}"#,
            Some(r#"{"a": {"b": "<x>"}}"#),
        ),
        ("{base64:{secret.a}:{secret.b}}!", Some("PGE+OjxiPg==!")),
        ("{base64:a}", Some("YQ==")),
        ("{timestamp}-{uuid}", Some("17-id")),
        ("{step1.$.data['x']}", Some("<0:$.data['x']>")),
        ("{step2.$.x}", None),
        ("{}{ {1}", Some("{}{ {1}")),
    ] {
        assert_eq!(filled(raw).as_deref(), want, "{raw}");
    }
}

#[test]
fn a_whole_secret_is_read() {
    let form = read_with(&with("apply", Value::Null)).unwrap();
    assert_eq!(form.requests.len(), 2);
    assert_eq!(form.response.ttl_seconds, 300);
    assert!(!format!("{form:?}").contains("hunter2"));
    let mut alias = with("requests", Value::Null);
    alias["request"] = json!({"method": "GET", "url": "https://a.example/"});
    alias["response"] = json!({"format": "text"});
    assert_eq!(read_with(&alias).unwrap().response.token, TokenPlace::Body);
}

#[test]
fn an_unknown_name_is_named() {
    for (step, want) in [
        (
            json!({"url": "https://a/", "body": "{secret.nope}"}),
            "`{secret.nope}`",
        ),
        (
            json!({"url": "https://a/", "body": {"x": ["{secret.nope}"]}}),
            "`{secret.nope}`",
        ),
        (json!({"url": "https://a/{step1.$.x}"}), "`{step1}`"),
        (
            json!({"url": "https://a/", "query": {"q": "{now}"}}),
            "`{now}`",
        ),
    ] {
        let problems = read_with(&with("requests", json!([step]))).unwrap_err();
        assert!(
            problems.iter().any(|(_, text)| text.contains(want)),
            "{problems:?}"
        );
    }
}

#[test]
fn every_problem_is_told_at_its_member() {
    for (member, value, want) in [
        ("requests", Value::Null, "requests"),
        ("requests", json!([]), "requests"),
        ("requests", json!([{"url": "ftp://a"}]), "requests[0].url"),
        (
            "requests",
            json!([{"url": "https://a/", "method": "TRACE"}]),
            "requests[0].method",
        ),
        (
            "requests",
            json!([{"url": "https://a/", "headers": {"Host": "x"}}]),
            "requests[0].headers.Host",
        ),
        (
            "requests",
            json!([{"url": "https://a/", "body": "{base64:x"}]),
            "requests[0].body",
        ),
        (
            "requests",
            json!([{"url": "https://a/", "wat": 1}]),
            "requests[0].wat",
        ),
        ("response", json!({}), "response.tokenPath"),
        (
            "response",
            json!({"tokenPath": "$.a", "tokenHeader": "x"}),
            "response.tokenPath",
        ),
        (
            "response",
            json!({"tokenPath": "$.a", "ttlSeconds": 0}),
            "response.ttlSeconds",
        ),
        ("values", json!({"a b": "x"}), "values.a b"),
        ("apply", json!({"location": "body"}), "apply.location"),
    ] {
        let problems = read_with(&with(member, value.clone())).unwrap_err();
        let fields: Vec<_> = problems.iter().map(|(field, _)| field.as_str()).collect();
        assert!(fields.contains(&want), "{member} {value}: {fields:?}");
    }
}
