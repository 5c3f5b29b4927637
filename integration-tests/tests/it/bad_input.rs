//! Section 9 on the Core API: each bad record gets its documented error and changes nothing.

use anyhow::{Context, Result, ensure};
use requestrocket_integration_tests::core_api::Answer;
use requestrocket_integration_tests::gateway::{Gateway, Secret, id};
use serde_json::{Value, json};

pub(crate) const UNKNOWN: &str = "00000000-0000-4000-8000-000000000000";

/// Records that the bad requests refer to.
pub(crate) struct Scene {
    pub(crate) gateway: Gateway,
    pub(crate) caller: String,
    pub(crate) injected: String,
    pub(crate) target: String,
}

pub(crate) async fn scene() -> Result<Scene> {
    let gateway = Gateway::shared().await?;
    let caller = gateway
        .credential("proxy", &Secret::api_key("good-key-1"))
        .await?;
    let injected = gateway
        .credential("target", &Secret::api_key("good-key-2"))
        .await?;
    let target = gateway.target("http://127.0.0.1:9").await?;
    Ok(Scene {
        caller: id(&caller, "credentialId")?,
        injected: id(&injected, "credentialId")?,
        target: id(&target, "targetId")?,
        gateway,
    })
}

impl Scene {
    /// A body that would be accepted.
    pub(crate) fn good(&self, collection: &str) -> Value {
        let region = &self.gateway.region;
        match collection {
            "proxies" => json!({
                "proxyName": "p", "proxyRegion": region, "proxyProxyCredentialIds": [self.caller],
                "proxyTargetId": self.target, "proxyTargetCredentialId": self.injected,
            }),
            "credentials" => json!({
                "credentialName": "c", "credentialType": "proxy", "credentialAuthType": "apiKey",
                "credentialRegion": region, "credentialSecret": { "key": "k-1" },
            }),
            _ => {
                json!({ "targetName": "t", "targetBaseURL": "http://example.com", "targetRegion": region })
            }
        }
    }

    /// Every line of `table` is `changes to a good body | code | field that must be named`.
    async fn refuse(&self, collection: &str, table: &str) -> Result<()> {
        for line in table.lines().map(str::trim).filter(|line| !line.is_empty()) {
            let columns: Vec<&str> = line.split(" | ").map(str::trim).collect();
            let [changes, code, field] = columns[..] else {
                anyhow::bail!("bad line: {line}")
            };
            let changes = changes
                .replace("$caller", &self.caller)
                .replace("$injected", &self.injected);
            let changes = changes.replace("$unknown", UNKNOWN);
            let body = but(
                self.good(collection),
                &serde_json::from_str(&changes).context(line.to_owned())?,
            );
            let answer = self.gateway.api.send("POST", collection, &body).await?;
            let wanted = (400, code);
            ensure!(
                (answer.status, answer.code()) == wanted,
                "{line}: {} {}",
                answer.status,
                answer.text
            );
            shape(&answer)?;
            let named = field == "-" || answer.fields().contains(&field);
            ensure!(named, "{line}: `{field}` is not named: {}", answer.text);
        }
        Ok(())
    }
}

/// A body with some members replaced; null removes one.
fn but(mut body: Value, changes: &Value) -> Value {
    if let (Some(body), Some(changes)) = (body.as_object_mut(), changes.as_object()) {
        for (member, value) in changes {
            if value.is_null() {
                body.remove(member);
            } else {
                body.insert(member.clone(), value.clone());
            }
        }
    }
    body
}

/// The shape of the Core API's errors.
pub(crate) fn shape(answer: &Answer) -> Result<()> {
    let json = &answer.json;
    ensure!(
        json["error"].is_string() && json["details"].is_array(),
        "{}",
        answer.text
    );
    ensure!(json["status"] == answer.status, "{}", answer.text);
    let kind = answer.header("content-type");
    ensure!(
        kind.starts_with("application/json"),
        "{kind}: {}",
        answer.text
    );
    Ok(())
}

const PROXIES: &str = r#"
    {"proxyName": ""} | VALIDATION_FAILED | proxyName
    {"proxyName": 7} | VALIDATION_FAILED | proxyName
    {"proxyName": null} | VALIDATION_FAILED | proxyName
    {"nonsense": 1} | UNKNOWN_FIELD | nonsense
    {"proxyId": "$unknown"} | UNKNOWN_FIELD | proxyId
    {"clientId": "$unknown"} | UNKNOWN_FIELD | clientId
    {"createdAt": "2020-01-01T00:00:00.000Z"} | UNKNOWN_FIELD | createdAt
    {"proxyRegion": "nowhere-1"} | UNKNOWN_REGION | -
    {"proxyTargetId": "$unknown"} | REFERENCE_NOT_FOUND | proxyTargetId
    {"proxyTargetId": 7} | VALIDATION_FAILED | proxyTargetId
    {"proxyProxyCredentialIds": ["$unknown"]} | REFERENCE_NOT_FOUND | -
    {"proxyProxyCredentialIds": ["$caller", "$caller"]} | VALIDATION_FAILED | -
    {"proxyProxyCredentialIds": "$caller"} | VALIDATION_FAILED | proxyProxyCredentialIds
    {"proxyProxyCredentialIds": ["$injected"]} | CREDENTIAL_TYPE_MISMATCH | -
    {"proxyTargetCredentialId": "$caller"} | CREDENTIAL_TYPE_MISMATCH | -
    {"proxyTimeoutSeconds": 0} | VALIDATION_FAILED | proxyTimeoutSeconds
    {"proxyTimeoutSeconds": 61} | VALIDATION_FAILED | proxyTimeoutSeconds
    {"proxyTimeoutSeconds": 1.5} | VALIDATION_FAILED | proxyTimeoutSeconds
    {"proxyTimeoutSeconds": "30"} | VALIDATION_FAILED | proxyTimeoutSeconds
    {"proxyMaxResponseBytes": 1} | VALIDATION_FAILED | proxyMaxResponseBytes
    {"proxyActive": "yes"} | VALIDATION_FAILED | proxyActive
    {"proxyDefaultRuleEffect": "maybe"} | VALIDATION_FAILED | proxyDefaultRuleEffect
    {"proxyAlias": "Not An Alias"} | VALIDATION_FAILED | proxyAlias
    {"proxyAlias": "$unknown"} | VALIDATION_FAILED | proxyAlias
    {"proxyMaxRequestsPerMinute": 0} | VALIDATION_FAILED | proxyMaxRequestsPerMinute
    {"proxyMaxRequestsPerMinute": 1e30} | VALIDATION_FAILED | proxyMaxRequestsPerMinute
"#;

const CREDENTIALS: &str = r#"
    {"credentialType": "both"} | VALIDATION_FAILED | credentialType
    {"credentialAuthType": "magic"} | VALIDATION_FAILED | credentialAuthType
    {"credentialAuthType": "none"} | VALIDATION_FAILED | -
    {"credentialAuthType": "custom", "credentialSecret": {"headers": {"a": "b"}}} | VALIDATION_FAILED | -
    {"credentialRegion": "nowhere-1"} | UNKNOWN_REGION | -
    {"credentialSecret": {"key": ""}} | INVALID_SECRET | credentialSecret.key
    {"credentialSecret": {"key": "a\nb"}} | INVALID_SECRET | credentialSecret.key
    {"credentialSecret": {"key": 7}} | VALIDATION_FAILED | credentialSecret.key
    {"credentialSecret": {"key": "k", "location": "query"}} | UNKNOWN_FIELD | -
    {"credentialSecret": {"token": "t"}} | UNKNOWN_FIELD | -
    {"credentialAuthType": "basicAuth", "credentialSecret": {"username": "a:b", "password": "p"}} | INVALID_SECRET | credentialSecret.username
    {"credentialType": "target", "credentialSecret": {}} | VALIDATION_FAILED | -
    {"credentialType": "target", "credentialSecret": {"key": "k", "location": "cookie"}} | VALIDATION_FAILED | credentialSecret.location
    {"credentialType": "target", "credentialSecret": {"key": "k", "name": "Host"}} | INVALID_SECRET | credentialSecret.name
    {"credentialType": "target", "credentialSecret": {"key": "k", "name": "requestrocket-x"}} | INVALID_SECRET | credentialSecret.name
"#;

const TARGETS: &str = r#"
    {"targetBaseURL": ""} | INVALID_URL | targetBaseURL
    {"targetBaseURL": "example.com"} | INVALID_URL | targetBaseURL
    {"targetBaseURL": "ftp://example.com"} | INVALID_URL | targetBaseURL
    {"targetBaseURL": "http://"} | INVALID_URL | targetBaseURL
    {"targetBaseURL": "http://u:p@example.com"} | INVALID_URL | targetBaseURL
    {"targetBaseURL": "http://example.com?q"} | INVALID_URL | targetBaseURL
    {"targetBaseURL": "http://example.com/#f"} | INVALID_URL | targetBaseURL
    {"targetBaseURL": "file:///etc/passwd"} | INVALID_URL | targetBaseURL
    {"targetBaseURL": "http://exa mple.com"} | INVALID_URL | targetBaseURL
    {"targetBaseURL": "http://example.com:99999"} | INVALID_URL | targetBaseURL
    {"targetBaseURL": "http://[::1"} | INVALID_URL | targetBaseURL
    {"targetBaseURL": null} | VALIDATION_FAILED | targetBaseURL
    {"targetRegion": "nowhere-1"} | UNKNOWN_REGION | -
    {"targetName": 7} | VALIDATION_FAILED | targetName
"#;

#[tokio::test]
async fn bad_records_are_refused_with_their_code_and_field() -> Result<()> {
    let scene = scene().await?;
    scene.refuse("proxies", PROXIES).await?;
    scene.refuse("credentials", CREDENTIALS).await?;
    scene.refuse("targets", TARGETS).await
}

#[tokio::test]
async fn over_long_values_are_refused() -> Result<()> {
    let scene = scene().await?;
    for (collection, changes) in [
        ("proxies", json!({ "proxyName": "n".repeat(201) })),
        ("targets", json!({ "targetName": "ü".repeat(201) })),
        (
            "targets",
            json!({ "targetBaseURL": format!("http://x.test/{}", "p".repeat(100_000)) }),
        ),
        (
            "credentials",
            json!({ "credentialSecret": { "key": "k".repeat(8193) } }),
        ),
        ("proxies", json!({ "proxyAlias": "a".repeat(64) })),
    ] {
        let body = but(scene.good(collection), &changes);
        let answer = scene.gateway.api.send("POST", collection, &body).await?;
        ensure!(
            answer.status == 400,
            "{collection}: {} {}",
            answer.status,
            answer.text
        );
        shape(&answer)?;
    }
    Ok(())
}

#[tokio::test]
async fn all_problems_are_listed_at_once() -> Result<()> {
    let scene = scene().await?;
    let body = but(
        scene.good("proxies"),
        &json!({ "proxyName": "", "proxyTimeoutSeconds": 0, "other": 1 }),
    );
    let answer = scene.gateway.api.send("POST", "proxies", &body).await?;
    let mut fields = answer.fields();
    fields.sort_unstable();
    assert_eq!(
        fields,
        ["other", "proxyName", "proxyTimeoutSeconds"],
        "{}",
        answer.text
    );
    Ok(())
}
