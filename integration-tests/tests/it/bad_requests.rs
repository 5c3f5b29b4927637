//! Section 9 on the Core API: bodies, places and tokens that are wrong.

use anyhow::{Result, ensure};
use requestrocket_integration_tests::caller::{self, Request};
use requestrocket_integration_tests::gateway::id;
use requestrocket_integration_tests::stack::authority;
use serde_json::json;

use crate::bad_input::{Scene, UNKNOWN, scene, shape};

const JSON: &str = "application/json";

/// What is no JSON object, with the answer it gets.
fn bodies() -> Vec<(Vec<u8>, &'static str, u16, &'static str)> {
    let deep = format!("{}1{}", "[".repeat(5000), "]".repeat(5000));
    vec![
        (b"{".to_vec(), JSON, 400, "INVALID_JSON"),
        (b"".to_vec(), JSON, 400, "INVALID_JSON"),
        (
            b"{\"targetName\":\"a\"} trailing".to_vec(),
            JSON,
            400,
            "INVALID_JSON",
        ),
        (
            b"{\"targetName\":\"\xff\xfe\"}".to_vec(),
            JSON,
            400,
            "INVALID_JSON",
        ),
        (b"{\"targetName\": NaN}".to_vec(), JSON, 400, "INVALID_JSON"),
        (deep.into_bytes(), JSON, 400, "INVALID_JSON"),
        (b"[]".to_vec(), JSON, 400, "INVALID_JSON"),
        (b"null".to_vec(), JSON, 400, "INVALID_JSON"),
        (b"{}".to_vec(), "", 415, "UNSUPPORTED_MEDIA_TYPE"),
        (b"{}".to_vec(), "text/plain", 415, "UNSUPPORTED_MEDIA_TYPE"),
        (
            b"a=b".to_vec(),
            "application/x-www-form-urlencoded",
            415,
            "UNSUPPORTED_MEDIA_TYPE",
        ),
    ]
}

#[tokio::test]
async fn bodies_that_are_not_what_they_say_are_refused_and_change_nothing() -> Result<()> {
    let scene = scene().await?;
    let path = format!("targets/{}", scene.target);
    let before = scene.gateway.api.get(&path).await?.succeeded()?.text;
    for (number, (bytes, kind, status, code)) in bodies().into_iter().enumerate() {
        let headers = [("content-type", kind)];
        let headers = if kind.is_empty() { &[][..] } else { &headers };
        for (method, path) in [
            ("PATCH", path.as_str()),
            ("PUT", path.as_str()),
            ("POST", "targets"),
        ] {
            let answer = scene
                .gateway
                .api
                .raw(method, path, headers, bytes.clone())
                .await?;
            let got = (answer.status, answer.code());
            ensure!(
                got == (status, code),
                "{method} body {number}: {} {}",
                answer.status,
                answer.text
            );
            shape(&answer)?;
        }
    }
    let after = scene.gateway.api.get(&path).await?.succeeded()?.text;
    assert_eq!(after, before);
    Ok(())
}

#[tokio::test]
async fn a_body_above_a_megabyte_is_413() -> Result<()> {
    let scene = scene().await?;
    let organisation = &scene.gateway.file.client_id;
    let request = Request::new("POST", &format!("/clients/{organisation}/targets"))
        .with("authorization", &scene.gateway.file.user_token)
        .with("content-type", JSON)
        .body(vec![b' '; (1 << 20) + 1]);
    // The answer may come before all of the body is out, which only the raw caller bears.
    let reply = caller::call(authority(&scene.gateway.file.core_api), &request).await?;
    ensure!(
        (reply.status, reply.code().as_str()) == (413, "BODY_TOO_LARGE"),
        "{reply:?}"
    );
    Ok(())
}

/// `method path status code`; a path without a slash in front is below the organisation.
const PLACES: &str = "
    GET proxies/not-an-id 404 NOT_FOUND
    GET proxies/$unknown 404 NOT_FOUND
    DELETE credentials/$unknown 404 NOT_FOUND
    GET targets/$caller 404 NOT_FOUND
    GET /clients/$unknown/proxies 404 NOT_FOUND
    GET /no/such/place 404 NOT_FOUND
    DELETE proxies 405 METHOD_NOT_ALLOWED
    GET proxies?limit=0 400 VALIDATION_FAILED
    GET proxies?limit=101 400 VALIDATION_FAILED
    GET proxies?page=-1 400 VALIDATION_FAILED
    GET proxies?page=1&page=2 400 VALIDATION_FAILED
    GET proxies?nonsense=1 400 VALIDATION_FAILED
    GET proxies?sort=secret 400 VALIDATION_FAILED
    GET proxies?order=up 400 VALIDATION_FAILED
    GET proxies?active=yes 400 VALIDATION_FAILED
    GET proxies?page=99999999999999999999 400 VALIDATION_FAILED
";

fn place(line: &str, scene: &Scene) -> Option<(String, String, u16, String)> {
    let line = line
        .replace("$unknown", UNKNOWN)
        .replace("$caller", &scene.caller);
    let mut words = line.split_whitespace().map(str::to_owned);
    Some((
        words.next()?,
        words.next()?,
        words.next()?.parse().ok()?,
        words.next()?,
    ))
}

#[tokio::test]
async fn wrong_places_and_methods_have_their_errors() -> Result<()> {
    let scene = scene().await?;
    for (method, path, status, code) in PLACES.lines().filter_map(|line| place(line, &scene)) {
        let answer = scene
            .gateway
            .api
            .raw(&method, &path, &[], Vec::new())
            .await?;
        let got = (answer.status, answer.code());
        ensure!(
            got == (status, code.as_str()),
            "{method} {path}: {} {}",
            answer.status,
            answer.text
        );
        shape(&answer)?;
    }
    Ok(())
}

#[tokio::test]
async fn only_a_valid_token_opens_the_core_api() -> Result<()> {
    let scene = scene().await?;
    let api = &scene.gateway.api;
    for token in [
        None,
        Some(""),
        Some("u-wrong"),
        Some("Bearer u-wrong"),
        Some("Basic dTpw"),
        Some("o-wrong"),
    ] {
        let answer = api.with_authorization(token).get("proxies").await?;
        let got = (answer.status, answer.code());
        ensure!(
            got == (401, "UNAUTHENTICATED"),
            "{token:?}: {} {}",
            answer.status,
            answer.text
        );
        shape(&answer)?;
    }
    let bearer = format!("Bearer {}", scene.gateway.file.user_token);
    api.with_authorization(Some(&bearer))
        .get("proxies")
        .await?
        .succeeded()?;
    api.get(&format!("/api/clients/{}/proxies", api.organisation))
        .await?
        .succeeded()?;
    Ok(())
}

/// Another organisation's records do not exist.
#[tokio::test]
async fn foreign_records_are_unknown_records() -> Result<()> {
    let scene = scene().await?;
    let made = scene
        .gateway
        .api
        .create("/clients", &json!({ "clientName": "Neighbour" }))
        .await?;
    let other = scene.gateway.api.in_organisation(&id(&made, "clientId")?);
    for path in [
        format!("credentials/{}", scene.caller),
        format!("targets/{}", scene.target),
    ] {
        for method in ["GET", "DELETE", "PATCH"] {
            let answer = other.send(method, &path, &json!({})).await?;
            let got = (answer.status, answer.code());
            ensure!(
                got == (404, "NOT_FOUND"),
                "{method} {path}: {}",
                answer.text
            );
        }
    }
    let body = scene.good("proxies");
    let foreign = other.send("POST", "proxies", &body).await?;
    let text = body
        .to_string()
        .replace(&scene.caller, UNKNOWN)
        .replace(&scene.injected, UNKNOWN);
    let unknown = serde_json::from_str(&text.replace(&scene.target, UNKNOWN))?;
    let unknown = other.send("POST", "proxies", &unknown).await?;
    ensure!(
        (foreign.status, foreign.code()) == (400, "REFERENCE_NOT_FOUND"),
        "{}",
        foreign.text
    );
    assert_eq!(
        (foreign.code(), foreign.fields()),
        (unknown.code(), unknown.fields())
    );
    Ok(())
}
