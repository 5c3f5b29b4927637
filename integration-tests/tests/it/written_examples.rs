//! What docs/credentials.md and docs/providers.md say to send is taken, and says all that there is.

use std::collections::BTreeSet;

use anyhow::{Context, Result, bail, ensure};
use requestrocket_integration_tests::external;
use requestrocket_integration_tests::gateway::{Gateway, id, unique};
use serde_json::{Map, Value, json};

const CREDENTIALS: &str = include_str!("../../../docs/credentials.md");
const PROVIDERS: &str = include_str!("../../../docs/providers.md");
const RSA: &str = include_str!("../../../policy/src/secret_form/tests/keys/rsa.pem");
const P256: &str = include_str!("../../../policy/src/secret_form/tests/keys/p256.pem");

/// The fenced blocks of a language.
fn blocks<'p>(page: &'p str, language: &str) -> Vec<&'p str> {
    let fence = format!("```{language}\n");
    let mut blocks = Vec::new();
    let mut rest = page;
    while let Some((_, begun)) = rest.split_once(&fence) {
        let (block, behind) = begun.split_once("```").unwrap_or((begun, ""));
        blocks.push(block);
        rest = behind;
    }
    blocks
}

/// With what a reader has to put in.
fn filled_in(block: &str) -> Result<String> {
    let rsa = serde_json::to_string(RSA)?;
    let p256 = serde_json::to_string(P256)?;
    Ok(block
        .replace("\"PRIVATE_KEY\"", &rsa)
        .replace("\"PEM\"", &rsa)
        .replace(r#""-----BEGIN PRIVATE KEY-----\n…""#, &p256)
        .replace("https://SHOP.", "https://shop."))
}

/// What an object of a page is.
enum Example {
    /// A credential; the members it does not have do not matter.
    Credential(Map<String, Value>),
    /// A change of one.
    Change(Map<String, Value>),
    /// What the Core API says.
    Answer,
}

fn example(value: Value) -> Result<Example> {
    let Value::Object(mut members) = value else {
        bail!("{value} is no object");
    };
    if members.contains_key("credentialAuthType") {
        return Ok(Example::Credential(members));
    }
    if members.contains_key("requests") {
        let secret = Value::Object(std::mem::take(&mut members));
        members.insert("credentialAuthType".to_owned(), json!("customToken"));
        members.insert("credentialSecret".to_owned(), secret);
        return Ok(Example::Credential(members));
    }
    if members.contains_key("authorizationUrl") {
        return Ok(Example::Answer);
    }
    let is_known = |name: &String| name.starts_with("credential") || name == "rotation";
    if !members.is_empty() && members.keys().all(is_known) {
        return Ok(Example::Change(members));
    }
    bail!("{members:?} is neither a credential nor an answer");
}

/// Sides on which an example is a credential.
fn sides(members: &Map<String, Value>) -> &'static [&'static str] {
    let secret = members.get("credentialSecret");
    let has = |name: &str| secret.is_some_and(|secret| secret.get(name).is_some());
    if members.contains_key("credentialType") {
        return &[""];
    }
    match members.get("credentialAuthType").and_then(Value::as_str) {
        Some("bearer" | "basicAuth" | "jwt") => &["proxy", "target"],
        Some("jwtVerify") => &["proxy"],
        Some("oauth2") if !has("grantType") => &["proxy"],
        _ => &["target"],
    }
}

/// Makes a credential and gives its id back.
async fn made(gateway: &Gateway, members: &Map<String, Value>, side: &str) -> Result<String> {
    let mut body = members.clone();
    if !side.is_empty() {
        body.insert("credentialType".to_owned(), json!(side));
    }
    let region = json!(gateway.region);
    for (name, value) in [
        ("credentialName", json!(unique("example"))),
        ("credentialRegion", region),
    ] {
        body.insert(name.to_owned(), value);
    }
    let body = Value::Object(body);
    let answer = gateway.api.send("POST", "credentials", &body).await?;
    let made = answer.succeeded().with_context(|| body.to_string())?.json;
    ensure!(
        made["credentialAuthType"] == body["credentialAuthType"],
        "{made}"
    );
    id(&made, "credentialId")
}

async fn gone(gateway: &Gateway, credential: &str) -> Result<()> {
    let path = format!("credentials/{credential}");
    let answer = gateway.api.raw("DELETE", &path, &[], Vec::new()).await?;
    answer.succeeded().map(drop)
}

/// Changes a credential of the kind that a page speaks of.
async fn changed(gateway: &Gateway, change: Map<String, Value>) -> Result<()> {
    let (side, kind, secret) = if change.contains_key("credentialNext") {
        ("target", "bearer", json!({"token": "t"}))
    } else if change.contains_key("credentialAllowedHosts") {
        ("target", "apiKey", json!({"key": "k"}))
    } else {
        ("proxy", "apiKey", json!({"key": "k"}))
    };
    let mut whole = Map::new();
    whole.insert("credentialAuthType".to_owned(), json!(kind));
    whole.insert("credentialSecret".to_owned(), secret);
    let credential = made(gateway, &whole, side).await?;
    let path = format!("credentials/{credential}");
    let change = Value::Object(change);
    let answer = gateway.api.send("PATCH", &path, &change).await?;
    answer.succeeded().with_context(|| change.to_string())?;
    gone(gateway, &credential).await
}

/// Does what the objects of a page say; how many there were of each kind.
async fn tried(gateway: &Gateway, page: &str) -> Result<[usize; 3]> {
    let mut counts = [0; 3];
    for block in blocks(page, "json") {
        let block = filled_in(block)?;
        for value in serde_json::Deserializer::from_str(&block).into_iter() {
            let value = value.with_context(|| block.clone())?;
            match example(value)? {
                Example::Credential(members) => {
                    for side in sides(&members) {
                        let credential = made(gateway, &members, side).await?;
                        gone(gateway, &credential).await?;
                    }
                    counts[0] += 1;
                }
                Example::Change(change) => {
                    changed(gateway, change).await?;
                    counts[1] += 1;
                }
                Example::Answer => counts[2] += 1,
            }
        }
    }
    Ok(counts)
}

#[tokio::test]
async fn every_example_is_taken() -> Result<()> {
    let gateway = Gateway::shared().await?;
    let counts = tried(&gateway, CREDENTIALS).await?;
    ensure!(
        counts[0] >= 12 && counts[1] >= 3 && counts[2] >= 1,
        "{counts:?}"
    );
    let counts = tried(&gateway, PROVIDERS).await?;
    ensure!(counts[0] >= 14 && counts[1..] == [0, 0], "{counts:?}");
    Ok(())
}

#[tokio::test]
async fn every_command_does_what_it_says() -> Result<()> {
    let gateway = Gateway::shared().await?;
    // For the commands that are about a credential which is there.
    let blocks_of_json = blocks(CREDENTIALS, "json");
    let asks = blocks_of_json
        .iter()
        .find(|it| it.contains("\"authorization_code\""));
    let to_consent: Map<String, Value> = serde_json::from_str(asks.context("a consent")?)?;
    let consented = made(&gateway, &to_consent, "target").await?;
    let commands = blocks(CREDENTIALS, "sh");
    ensure!(commands.len() >= 4, "{commands:?}");
    let organisation = format!(
        "{}/clients/{}",
        gateway.file.core_api.trim_end_matches('/'),
        gateway.api.organisation()
    );
    for command in commands {
        ensure!(command.contains("curl "), "{command}");
        let known = [
            ("CORE", organisation.as_str()),
            ("TOKEN", &gateway.file.user_token),
            ("CREDENTIAL", &consented),
        ];
        let known = known.map(|(name, value)| format!("{name}='{value}'\n"));
        // The region of the pages is the one that `make run` begins with.
        let command = command.replace("local-1", &gateway.region);
        let script = format!("set -euo pipefail\n{}{command}", known.concat());
        let printed = external::run("bash", &["-c", &script]).await?.success()?;
        let answer: Value = serde_json::from_str(&printed).with_context(|| printed.clone())?;
        if answer.get("authorizationUrl").is_none() {
            let credential = id(&answer, "credentialId").with_context(|| command.clone())?;
            gone(&gateway, &credential).await?;
        }
    }
    gone(&gateway, &consented).await
}

/// Members of every secret, however deep.
fn members(schema: &Value, found: &mut BTreeSet<String>) {
    match schema {
        Value::Object(object) => {
            if let Some(Value::Object(properties)) = object.get("properties") {
                found.extend(properties.keys().cloned());
            }
            object.values().for_each(|value| members(value, found));
        }
        Value::Array(items) => items.iter().for_each(|value| members(value, found)),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

#[tokio::test]
async fn every_member_of_a_secret_is_described() -> Result<()> {
    let gateway = Gateway::shared().await?;
    let document = gateway.api.get("/openapi.json").await?.succeeded()?.json;
    let schemas = document["components"]["schemas"]
        .as_object()
        .context("schemas")?;
    let secrets = schemas.iter().filter(|(name, _)| {
        ["Secret", "Tokens", "AccessTokens"]
            .iter()
            .any(|end| name.ends_with(end))
    });
    let mut found = BTreeSet::new();
    let mut count = 0;
    for (_, schema) in secrets {
        members(schema, &mut found);
        count += 1;
    }
    ensure!(count >= 20 && found.len() >= 60, "{count} {found:?}");
    let is_described = |name: &&String| {
        [format!("`{name}`"), format!("\"{name}\"")]
            .iter()
            .any(|written| CREDENTIALS.contains(written.as_str()))
    };
    let missing: Vec<_> = found.iter().filter(|name| !is_described(name)).collect();
    ensure!(missing.is_empty(), "{missing:?}");
    Ok(())
}
