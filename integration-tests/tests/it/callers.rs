//! Who is let in: every caller-side credential type in every place it may be presented.

use anyhow::{Context, Result, ensure};
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD, URL_SAFE_NO_PAD};
use requestrocket_integration_tests::caller::Request;
use requestrocket_integration_tests::gateway::{Gateway, Proxy, ProxyPlan, Secret, escape};
use requestrocket_integration_tests::target::Target;
use serde_json::{Value, json};

use crate::expect;

#[derive(Clone, Copy, Debug)]
pub(crate) enum Want {
    Granted,
    Missing,
    Invalid,
}
use Want::{Granted, Invalid, Missing};

/// How a caller presents itself.
enum Shown {
    Headers(Vec<String>),
    Query(String),
    Both(String, String),
}

fn header(value: impl Into<String>) -> Shown {
    Shown::Headers(vec![value.into()])
}

fn query(text: impl Into<String>) -> Shown {
    Shown::Query(text.into())
}

impl Shown {
    fn request(&self, proxy: &Proxy) -> Request {
        let (headers, query) = match self {
            Self::Headers(values) => (values.clone(), None),
            Self::Query(query) => (Vec::new(), Some(query)),
            Self::Both(value, query) => (vec![value.clone()], Some(query)),
        };
        let path = query.map_or_else(|| "/in".to_owned(), |query| format!("/in?a=1&{query}&b=2"));
        let request = Request::get(&proxy.path(&path));
        headers.iter().fold(request, |request, value| {
            request.with("Authorization", value)
        })
    }
}

/// One proxy with one credential, shown in each of the ways.
async fn check(secret: Secret, cases: Vec<(Shown, Want)>) -> Result<()> {
    let gateway = Gateway::shared().await?;
    let target = Target::start().await?;
    let proxy = gateway
        .proxy(&ProxyPlan::to(&target.url()).caller(secret.clone()))
        .await?;
    for (number, (shown, want)) in cases.iter().enumerate() {
        let request = shown.request(&proxy);
        judge(&gateway, &target, &request, *want)
            .await
            .with_context(|| {
                format!(
                    "{} case {number}, {want:?}: {:?}",
                    secret.kind, request.lines
                )
            })?;
    }
    Ok(())
}

pub(crate) async fn judge(
    gateway: &Gateway,
    target: &Target,
    request: &Request,
    want: Want,
) -> Result<()> {
    let before = target.count();
    let reply = gateway.call(request).await?;
    match want {
        Granted => {
            expect::ok(&reply)?;
            let seen = target.last()?;
            ensure!(
                seen.head.all("authorization").is_empty(),
                "the target saw an Authorization"
            );
            let rest = if request.path.contains('?') {
                "/in?a=1&b=2"
            } else {
                "/in"
            };
            ensure!(seen.path() == rest, "the target saw {}", seen.path());
        }
        Missing => {
            expect::denied(&reply, 401, "CREDENTIAL_MISSING")?;
            ensure!(
                !reply.header("www-authenticate")?.is_empty(),
                "an empty challenge"
            );
        }
        Invalid => expect::denied(&reply, 403, "CREDENTIAL_INVALID")?,
    }
    let asked = usize::from(matches!(want, Granted));
    ensure!(
        target.count() == before + asked,
        "the target got {} requests",
        target.count() - before
    );
    Ok(())
}

#[tokio::test]
async fn an_api_key_is_taken_raw_from_the_header_or_the_query() -> Result<()> {
    let key = "Plain+key/with=signs";
    let in_query = escape(key);
    check(
        Secret::api_key(key),
        vec![
            (header(key), Granted),
            (query(format!("Authorization={in_query}")), Granted),
            (query(format!("authorization={in_query}")), Granted),
            (query(format!("aUTHORIZATION={in_query}")), Granted),
            (query(format!("%41uthoriz%61tion={in_query}")), Granted),
            (query("Authorization=Plain+key/with=signs"), Granted),
            (header("plain+key/with=signs"), Invalid),
            (header(format!("Bearer {key}")), Invalid),
            (header(format!("{key}x")), Invalid),
            (header("Plain+key/with=sign"), Invalid),
            (header(format!("{key}, {key}")), Invalid),
            (Shown::Headers(vec![key.into(), key.into()]), Invalid),
            (Shown::Headers(vec![key.into(), "other".into()]), Invalid),
            (
                Shown::Both("wrong".into(), format!("Authorization={in_query}")),
                Invalid,
            ),
            (
                Shown::Both(key.into(), "Authorization=wrong".into()),
                Granted,
            ),
            (
                query(format!("Authorization={in_query}&Authorization={in_query}")),
                Invalid,
            ),
            (
                query(format!("Authorization={in_query}&authorization=wrong")),
                Invalid,
            ),
            (Shown::Headers(vec![]), Missing),
            (header(""), Missing),
            (header("   "), Missing),
            (query("Authorization="), Missing),
            (query("Authorization=%20"), Missing),
            (query("Authorization"), Missing),
            (query("Xauthorization=wrong"), Missing),
        ],
    )
    .await
}

#[tokio::test]
async fn a_bearer_token_needs_its_prefix_in_any_case() -> Result<()> {
    let token = "token-of-a-bearer+1";
    check(
        Secret::new("bearer", json!({ "token": token })),
        vec![
            (header(format!("Bearer {token}")), Granted),
            (header(format!("bearer {token}")), Granted),
            (header(format!("BEARER {token}")), Granted),
            (query(format!("Authorization=Bearer%20{token}")), Granted),
            (query(format!("Authorization=Bearer+{token}")), Granted),
            (header(token), Invalid),
            (header(format!("Token {token}")), Invalid),
            (header("Bearer "), Invalid),
            (header(format!("Bearer {}", token.to_uppercase())), Invalid),
            (Shown::Headers(vec![]), Missing),
        ],
    )
    .await
}

#[tokio::test]
async fn a_bearer_prefix_can_be_chosen() -> Result<()> {
    check(
        Secret::new(
            "bearer",
            json!({ "token": "custom-token-0001", "prefix": "Token " }),
        ),
        vec![
            (header("Token custom-token-0001"), Granted),
            (header("token custom-token-0001"), Granted),
            (header("Bearer custom-token-0001"), Invalid),
            (header("custom-token-0001"), Invalid),
        ],
    )
    .await
}

#[tokio::test]
async fn basic_auth_is_compared_after_decoding() -> Result<()> {
    let pair = "ünï:pass:word>>>???";
    let padded = STANDARD.encode(pair);
    check(
        Secret::new(
            "basicAuth",
            json!({ "username": "ünï", "password": "pass:word>>>???" }),
        ),
        vec![
            (header(format!("Basic {padded}")), Granted),
            (header(format!("basic {padded}")), Granted),
            (
                header(format!("Basic {}", STANDARD_NO_PAD.encode(pair))),
                Granted,
            ),
            (
                query(format!("Authorization=Basic%20{}", escape(&padded))),
                Granted,
            ),
            (query(format!("Authorization=Basic+{padded}")), Granted),
            (
                header(format!("Basic {}", STANDARD.encode("ünï:wrong"))),
                Invalid,
            ),
            (
                header(format!("Basic {}", STANDARD.encode("uni:pass:word>>>???"))),
                Invalid,
            ),
            (header(format!("Basic {}", STANDARD.encode("ünï"))), Invalid),
            (header("Basic !!!"), Invalid),
            (header(pair), Invalid),
            (header(format!("Bearer {padded}")), Invalid),
        ],
    )
    .await
}

#[tokio::test]
async fn half_of_a_basic_pair_may_be_empty() -> Result<()> {
    let pair = |text: &str| header(format!("Basic {}", STANDARD.encode(text)));
    for (username, password) in [("key-for-a-user", ""), ("", "key-for-a-password")] {
        let secret = json!({ "username": username, "password": password });
        let right = format!("{username}:{password}");
        let wrong = format!("{password}:{username}");
        check(
            Secret::new("basicAuth", secret),
            vec![
                (pair(&right), Granted),
                (pair(&wrong), Invalid),
                (pair(":"), Invalid),
                (pair(&format!("{right}x")), Invalid),
            ],
        )
        .await?;
    }
    Ok(())
}

fn token(claims: &Value) -> String {
    let header = URL_SAFE_NO_PAD.encode(r#"{"alg":"HS256","typ":"JWT"}"#);
    let body = URL_SAFE_NO_PAD.encode(claims.to_string());
    format!("{header}.{body}.c2lnbmF0dXJlLW9mLXRlc3Rz")
}

#[tokio::test]
async fn a_literal_jwt_is_compared_as_text_and_its_expiry_is_honoured() -> Result<()> {
    let valid = token(&json!({ "sub": "caller", "exp": 4_102_444_800_u64 }));
    let other = token(&json!({ "sub": "caller", "exp": 4_102_444_801_u64 }));
    check(
        Secret::new("jwt", json!({ "token": valid })),
        vec![
            (header(&valid), Granted),
            (query(format!("Authorization={valid}")), Granted),
            (header(format!("Bearer {valid}")), Invalid),
            (header(other), Invalid),
        ],
    )
    .await?;
    let expired = token(&json!({ "sub": "caller", "exp": 1_000_000_000 }));
    check(
        Secret::new("jwt", json!({ "token": expired })),
        vec![(header(&expired), Invalid)],
    )
    .await?;
    let endless = token(&json!({ "sub": "caller" }));
    check(
        Secret::new("jwt", json!({ "token": endless })),
        vec![(header(&endless), Granted)],
    )
    .await
}

#[tokio::test]
async fn several_credentials_of_one_proxy_all_open_it() -> Result<()> {
    let gateway = Gateway::shared().await?;
    let target = Target::start().await?;
    let secrets = [
        Secret::api_key("first-of-several-keys"),
        Secret::api_key("second-of-several-keys"),
        Secret::new("bearer", json!({ "token": "third-of-several" })),
        Secret::new(
            "basicAuth",
            json!({ "username": "u", "password": "fourth" }),
        ),
    ];
    let proxy = gateway
        .proxy(&ProxyPlan::to(&target.url()).callers(&secrets))
        .await?;
    for (shown, want) in [
        ("first-of-several-keys", Granted),
        ("second-of-several-keys", Granted),
        ("Bearer third-of-several", Granted),
        ("Basic dTpmb3VydGg=", Granted),
        ("third-of-several", Invalid),
        ("fifth-of-several-keys", Invalid),
    ] {
        let request = Request::get(&proxy.path("/in")).with("authorization", shown);
        judge(&gateway, &target, &request, want)
            .await
            .with_context(|| shown.to_owned())?;
    }
    Ok(())
}

#[tokio::test]
async fn a_generated_key_works_and_is_shown_once() -> Result<()> {
    let gateway = Gateway::shared().await?;
    let target = Target::start().await?;
    let plan = ProxyPlan::to(&target.url()).callers(&[]);
    let made = gateway
        .credential("proxy", &Secret::new("apiKey", json!({})))
        .await?;
    let key = made
        .pointer("/credentialSecret/key")
        .and_then(Value::as_str)
        .context("no key")?;
    let prefix = format!("rr_{}_", gateway.region);
    ensure!(
        key.strip_prefix(&prefix)
            .is_some_and(|rest| rest.len() == 38),
        "shape of the key"
    );
    let id = made["credentialId"].as_str().context("no id")?;
    let proxy = gateway
        .proxy(&plan.with("proxyProxyCredentialIds", json!([id])))
        .await?;
    let request = Request::get(&proxy.path("/in")).with("authorization", key);
    judge(&gateway, &target, &request, Granted).await?;
    let again = gateway.api.get(&format!("credentials/{id}")).await?;
    ensure!(!again.text.contains(key), "the key was shown twice");
    Ok(())
}
