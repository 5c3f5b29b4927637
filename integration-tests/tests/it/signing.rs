//! What targets get that is computed for each call, verified as their owners verify it.

use std::collections::BTreeSet;

use anyhow::{Context, Result, ensure};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use requestrocket_integration_tests::aws::Aws;
use requestrocket_integration_tests::caller::Reply;
use requestrocket_integration_tests::external;
use requestrocket_integration_tests::gateway::{Gateway, Proxy, ProxyPlan, Secret};
use requestrocket_integration_tests::target::Recorded;
use requestrocket_integration_tests::wait;
use serde_json::{Map, Value, json};

use crate::scene;
use crate::scene::Agrees;

const SCRIPT: &str = include_str!("signing/verify.py");

/// What the script prints.
async fn verify(what: &str, argument: &Value) -> Result<String> {
    let outcome = external::python(SCRIPT, &[what, &argument.to_string()]).await?;
    ensure!(outcome.code == Some(0), "{}", outcome.stderr);
    Ok(outcome.stdout)
}

type Scene = scene::Scene<Agrees>;

async fn signing(kind: &'static str, secret: &Value) -> Result<Scene> {
    let secret = Secret::new(kind, secret.clone());
    let plan = |plan: ProxyPlan| {
        plan.injecting(secret)
            .with("proxyMaxInspectedBytes", 90_000)
    };
    Scene::below("/base", plan).await
}

/// As the script reads it, with more of it.
fn described(seen: &Recorded, more: &Value) -> Value {
    let lines = seen.head.lines.iter();
    let headers: Vec<(String, String)> = lines
        .map(|(name, value)| (name.clone(), String::from_utf8_lossy(value).into_owned()))
        .collect();
    let mut members = Map::new();
    members.insert("method".to_owned(), json!(seen.method()));
    members.insert("path".to_owned(), json!(seen.path()));
    members.insert("headers".to_owned(), json!(headers));
    members.insert("body".to_owned(), json!(STANDARD.encode(&seen.body)));
    members.extend(more.as_object().cloned().unwrap_or_default());
    Value::Object(members)
}

/// A credential for a service; `token` and `unsigned` as the script names them.
fn aws(service: &str, token: Option<&str>, unsigned: bool) -> (Value, Value) {
    let secret = json!({
        "accessKeyId": "AKIDEXAMPLE", "secretAccessKey": "aws-secret-0001", "sessionToken": token,
        "region": "eu-west-1", "service": service, "unsignedPayload": unsigned,
    });
    let known = json!({
        "id": "AKIDEXAMPLE", "key": "aws-secret-0001", "token": token,
        "region": "eu-west-1", "service": service, "unsigned": unsigned,
    });
    (secret, known)
}

#[tokio::test]
async fn aws_verifies_what_arrives() -> Result<()> {
    let mut failures = Vec::new();
    for (service, token, unsigned) in [
        ("s3", None, false),
        ("s3", Some("session+token/0001=="), true),
        ("execute-api", None, false),
        ("dynamodb", Some("session"), false),
        ("lambda", None, true),
    ] {
        let (secret, known) = aws(service, token, unsigned);
        let scene = signing("awsSigV4", &secret).await?;
        let of = |method: &str, path: &str| scene.proxy.request(method, path);
        let forged = of("GET", "/forged?a=1")
            .with("x-amz-date", "20150830T123600Z")
            .with("X_Amz_Date", "20150830T123600Z")
            .with("x-amz-security-token", "forged")
            .with("x-amz-content-sha256", "forged");
        // botocore takes for escaped what is, as its own requests are; AWS escapes anew.
        for request in [
            of("GET", "/"),
            of("GET", "/a%20b/%C3%A4~/c%3Dd%2Ce"),
            of(
                "GET",
                "/list?prefix=a%2Fb&list-type=2&empty=&max-keys=10&a=~",
            ),
            of("DELETE", "/key?versionId=x"),
            of("PUT", "/key").body("hello"),
            of("POST", "/")
                .with("x-amz-target", "DynamoDB_20120810.GetItem")
                .with("content-type", "application/x-amz-json-1.0")
                .body("{}"),
            of("POST", "/chunks").chunks(&["first ", "second"]),
            forged,
        ] {
            let seen = scene.seen(&request).await?;
            let problem = verify("aws", &described(&seen, &known)).await?;
            if !problem.is_empty() {
                failures.push(format!(
                    "{service} {} {}: {problem}",
                    seen.method(),
                    seen.path()
                ));
            }
        }
    }
    ensure!(failures.is_empty(), "{}", failures.join("\n\n"));
    Ok(())
}

/// A proxy to a service of moto with these keys.
async fn to_aws(gateway: &Gateway, aws: &Aws, service: &str, secret: Value) -> Result<Proxy> {
    let mut secret = secret;
    secret["region"] = json!("eu-west-1");
    secret["service"] = json!(service);
    let plan = ProxyPlan::to(&aws.url).injecting(Secret::new("awsSigV4", secret));
    gateway.proxy(&plan).await
}

#[tokio::test]
async fn moto_lets_in_what_is_signed_and_nothing_else() -> Result<()> {
    const WHERE: &str = "<CreateBucketConfiguration>\
        <LocationConstraint>eu-west-1</LocationConstraint></CreateBucketConfiguration>";
    let (gateway, aws) = (Gateway::shared().await?, Aws::start().await?);
    let list = |proxy: &Proxy| {
        proxy
            .request("POST", "/")
            .with("x-amz-target", "DynamoDB_20120810.ListTables")
            .with("content-type", "application/x-amz-json-1.0")
            .body("{}")
    };
    for (keys, bucket, unsigned) in [
        (&aws.user, "/first", false),
        (&aws.session, "/second", true),
    ] {
        let mut keys = keys.clone();
        keys["unsignedPayload"] = json!(unsigned);
        let proxy = to_aws(&gateway, &aws, "s3", keys.clone()).await?;
        let of = |method: &str, rest: &str| proxy.request(method, &[bucket, rest].concat());
        let listed = "?list-type=2&prefix=a%20b%2F&delimiter=";
        for (request, said) in [
            (of("PUT", "").body(WHERE), ""),
            (of("PUT", "/a%20b/%C3%A4~%2Cc%3Dd").body("hello"), ""),
            (of("GET", "/a%20b/%C3%A4~%2Cc%3Dd"), "hello"),
            (of("GET", listed), "<KeyCount>1</KeyCount>"),
        ] {
            says(&gateway.call(&request).await?, 200, said)?;
        }
        let proxy = to_aws(&gateway, &aws, "dynamodb", keys.clone()).await?;
        says(&gateway.call(&list(&proxy)).await?, 200, "TableNames")?;
        keys["secretAccessKey"] = json!("another-secret-0001");
        for service in ["s3", "dynamodb"] {
            let proxy = to_aws(&gateway, &aws, service, keys.clone()).await?;
            let request = if service == "s3" {
                proxy.get("/")
            } else {
                list(&proxy)
            };
            let reply = gateway.call(&request).await?;
            says(&reply, 403, "SignatureDoesNotMatch")?;
        }
    }
    Ok(())
}

fn says(reply: &Reply, status: u16, text: &str) -> Result<()> {
    let whole = reply.text();
    ensure!(
        reply.status == status && whole.contains(text),
        "{} {whole}",
        reply.status
    );
    Ok(())
}

#[tokio::test]
async fn each_call_may_have_a_token_of_its_own() -> Result<()> {
    let secret = json!({
        "algorithm": "HS256", "ttlSeconds": 0,
        "sharedSecret": "shared-secret-of-at-least-thirty-two-bytes",
    });
    let scene = signing("signedJwt", &secret).await?;
    let mut tokens = BTreeSet::new();
    for _ in 0..5 {
        let seen = scene.seen(&scene.proxy.get("/")).await?;
        tokens.extend(seen.head.all("authorization"));
    }
    assert_eq!(tokens.len(), 5);
    Ok(())
}

#[tokio::test]
async fn a_body_is_held_for_its_hash_and_not_without() -> Result<()> {
    let long = "x".repeat(300_000);
    let (secret, known) = aws("s3", None, false);
    let scene = signing("awsSigV4", &secret).await?;
    let fits = scene.proxy.request("PUT", "/key").body("x".repeat(90_000));
    let seen = scene.seen(&fits).await?;
    assert_eq!(verify("aws", &described(&seen, &known)).await?, "");
    let reply = scene
        .gateway
        .call(&scene.proxy.request("PUT", "/key").body(long.clone()))
        .await?;
    assert_eq!(
        (reply.status, reply.code()),
        (413, "REQUEST_TOO_LARGE".to_owned())
    );
    let (secret, _) = aws("s3", None, true);
    let scene = signing("awsSigV4", &secret).await?;
    let seen = scene
        .seen(&scene.proxy.request("PUT", "/key").body(long))
        .await?;
    assert_eq!(seen.head.all("x-amz-content-sha256"), ["UNSIGNED-PAYLOAD"]);
    Ok(())
}

#[tokio::test]
async fn a_laid_out_text_is_signed() -> Result<()> {
    for hash in ["sha256", "sha512"] {
        let secret = json!({
            "key": "hmac-secret-0001", "hash": hash, "encoding": "base64", "header": "X-Signature",
            "prefix": "v1=", "timestampHeader": "X-Time",
            "stringToSign": "{method}\n{path}\n{query}\n{timestamp}\n{header:content-type}\n{header:host}\n{bodySha256}",
        });
        let scene = signing("hmac", &secret).await?;
        let request = scene
            .proxy
            .request("POST", "/a%20b/./c?x=1&y=%3F")
            .with("content-type", "text/plain; charset=utf-8")
            .with("x-signature", "forged")
            .with("X_Time", "1")
            .body("hello");
        let seen = scene.seen(&request).await?;
        let known = json!({ "key": "hmac-secret-0001", "hash": hash });
        assert_eq!(verify("mac", &described(&seen, &known)).await?, "");
        assert_eq!(seen.head.all("x-signature").len(), 1);
        assert!(seen.head.all("x_time").is_empty());
    }
    Ok(())
}

#[tokio::test]
async fn minted_tokens_verify() -> Result<()> {
    let made: Value = serde_json::from_str(&verify("keys", &Value::Null).await?)?;
    let made = made.as_object().context("keys")?;
    let keys = made
        .iter()
        .map(|(name, key)| (name.as_str(), "privateKey", &key["private"], &key["public"]));
    let shared = json!("shared-secret-of-at-least-thirty-two-bytes");
    let mut failures = Vec::new();
    for (algorithm, member, private, public) in
        keys.chain([("HS256", "sharedSecret", &shared, &shared)])
    {
        for in_query in [false, true] {
            let mut secret = json!({
                "algorithm": algorithm, "keyId": "k-1", "ttlSeconds": 600,
                "claims": { "iss": "requestrocket", "aud": "target" },
            });
            secret[member] = private.clone();
            if in_query {
                secret["location"] = json!("query");
                secret["name"] = json!("jwt");
            }
            let scene = signing("signedJwt", &secret).await?;
            // The region mints what needs random salts, a moment after it has the credential.
            wait::until("a token", || async {
                let reply = scene.gateway.call(&scene.proxy.get("/")).await?;
                Ok((reply.status == 200).then_some(()))
            })
            .await?;
            let seen = scene.seen(&scene.proxy.get("/a?jwt=forged&b=1")).await?;
            let token = if in_query {
                let token = seen.path().strip_prefix("/base/a?b=1&jwt=");
                token.context("the last parameter")?.to_owned()
            } else {
                let values = seen.head.all("authorization");
                let token = values
                    .first()
                    .and_then(|value| value.strip_prefix("Bearer "));
                token.context("a bearer token")?.to_owned()
            };
            let known = json!({ "token": token, "algorithm": algorithm, "public": public });
            let problem = verify("token", &known).await;
            match problem {
                Ok(problem) if problem.is_empty() => {}
                other => failures.push(format!("{algorithm} {in_query}: {other:?}")),
            }
        }
    }
    ensure!(failures.is_empty(), "{}", failures.join("\n\n"));
    Ok(())
}
