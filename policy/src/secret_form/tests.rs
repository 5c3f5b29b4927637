use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use serde_json::{Value, json};

use super::{
    SecretForm,
    api_key::PresentedKey,
    auth_type::{AuthType, InvalidAuthType, Side},
    value,
};
use crate::form::problem::Fault;

mod providers;
mod signing;

fn read(auth_type: AuthType, side: Side, secret: &Value) -> Result<SecretForm, Vec<String>> {
    SecretForm::open(auth_type, side, secret.to_string().as_bytes()).map_err(|problems| {
        let (listed, _) = problems.into_parts();
        listed
            .into_iter()
            .map(|problem| format!("{:?} {}", problem.fault, problem.field))
            .collect()
    })
}

#[test]
fn defaults_are_filled_in_and_nothing_prints() {
    let bearer = read(AuthType::Bearer, Side::Target, &json!({"token": "hunter2"})).unwrap();
    let SecretForm::Bearer(parts) = &bearer else {
        panic!("{bearer:?}");
    };
    assert_eq!(parts.prefix, "Bearer ");
    let key = read(
        AuthType::ApiKey,
        Side::Target,
        &json!({"key": "hunter2", "name": null}),
    );
    assert!(format!("{key:?}").contains(r#"Header, name: "Authorization", prefix: """#));
    assert!(!format!("{bearer:?} {key:?}").contains("hunter2"));
    let generated = read(AuthType::ApiKey, Side::Proxy, &json!({"key": null}));
    assert_eq!(
        generated,
        Ok(SecretForm::PresentedKey(PresentedKey::Generated))
    );
}

#[test]
fn every_problem_is_told_with_its_place() {
    let (proxy, target) = (Side::Proxy, Side::Target);
    for (auth_type, side, secret, want) in [
        (
            AuthType::Custom,
            target,
            json!({"headers": {"Host": "a", "x-a": ""}, "query": {"": 1}, "more": 1}),
            &[
                "InvalidSecret headers.Host",
                "InvalidSecret headers.x-a",
                "InvalidSecret query.",
                "ValidationFailed query.",
                "UnknownField more",
            ][..],
        ),
        (
            AuthType::Custom,
            target,
            json!({"headers": {"x-a": "1", "X-A": "2"}}),
            &["InvalidSecret headers"],
        ),
        (
            AuthType::Custom,
            target,
            json!({}),
            &["ValidationFailed headers"],
        ),
        (
            AuthType::BasicAuth,
            proxy,
            json!({"username": "a:b", "password": ""}),
            &["InvalidSecret username"],
        ),
        (
            AuthType::BasicAuth,
            proxy,
            json!({"username": "", "password": ""}),
            &["InvalidSecret password"],
        ),
        (
            AuthType::ApiKey,
            target,
            json!({"location": "cookie"}),
            &["ValidationFailed key", "ValidationFailed location"],
        ),
        (
            AuthType::ApiKey,
            proxy,
            json!({"key": "a", "name": "x"}),
            &["UnknownField name"],
        ),
    ] {
        let found = read(auth_type, side, &secret).unwrap_err();
        assert_eq!(found, want, "{auth_type:?} {secret}");
    }
}

#[test]
fn values_that_break_a_header_are_refused() {
    for raw in ["", "a\r\nb", "a\0", "\u{7f}", "\u{85}", &"x".repeat(8193)] {
        assert!(value::text(&json!(raw)).is_err(), "{raw:?}");
    }
    for raw in ["a", "pass word", "pässwörd", &"x".repeat(8192)] {
        assert!(value::text(&json!(raw)).is_ok(), "{raw:?}");
    }
    assert!(value::bare(&json!(" a")).is_err() && value::bare(&json!("a ")).is_err());
    assert!(value::text_or_empty(&json!("")).is_ok());
    assert!(value::text_or_empty(&json!("a\nb")).is_err());
    assert!(value::prefix(&json!("A\r\nB")).is_err());
}

#[test]
fn a_jwt_whose_end_cannot_be_honoured_is_refused() {
    let token = |claims: &str| json!(format!("e30.{}.sig", URL_SAFE_NO_PAD.encode(claims)));
    for (claims, is_good) in [
        ("{}", true),
        (r#"{"exp":1}"#, true),
        (r#"{"exp":"1"}"#, false),
        (r#"{"exp":2,"exp":null}"#, false),
        (r#"{"exp":2"#, false),
        ("[", true),
    ] {
        assert_eq!(value::token(&token(claims)).is_ok(), is_good, "{claims}");
    }
    assert!(value::token(&json!("opaque")).is_ok());
}

#[test]
fn headers_of_the_message_or_the_gateway_are_refused() {
    for raw in [
        "Host",
        "content-length",
        "TE",
        "RequestRocket-Code",
        "X-RR-scope",
        "x_rr_valve",
        "x-rr_route",
        "X_Envoy-Expected",
        "HTTP2-Settings",
        "http2_settings",
        "keep_alive",
        "Transfer_Encoding",
        "a b",
        "",
        "é",
    ] {
        let refused = value::header_name(raw).map_err(|invalid| invalid.fault);
        assert_eq!(refused, Err(Fault::InvalidSecret), "{raw}");
    }
    for raw in ["Authorization", "X-Api-Key", "x_key"] {
        assert_eq!(value::header_name(raw).as_deref(), Ok(raw));
    }
}

#[test]
fn words_are_those_of_the_api() {
    assert_eq!("key".parse(), Ok(AuthType::ApiKey));
    assert_eq!("jwtVerify".parse(), Ok(AuthType::JwtVerify));
    assert_eq!("magic".parse::<AuthType>(), Err(InvalidAuthType));
    let text = InvalidAuthType.to_string();
    assert!(
        text.starts_with("must be one of `apiKey` (or `key`), `bearer`"),
        "{text}"
    );
    assert_eq!("proxy".parse(), Ok(Side::Proxy));
    assert!(
        AuthType::ALL
            .into_iter()
            .all(|it| it.is_of(Side::Proxy) || it.is_of(Side::Target))
    );
}
