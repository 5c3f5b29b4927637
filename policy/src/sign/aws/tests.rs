//! AWS's own signing test suite (awslabs/aws-c-auth, `tests/aws-signing-test-suite/v4`), and what is
//! signed of a call.

use serde::Deserialize;

use super::*;
use crate::sign::tests::{Broken, Given, given};

#[derive(Deserialize)]
struct Vector {
    name: String,
    /// The suite's paths that are not put in order are those of object stores.
    style: String,
    method: String,
    target: String,
    headers: Vec<(String, String)>,
    body: String,
    says_payload: bool,
    token: Option<String>,
    signature: String,
}

/// 2015-08-30T12:36:00Z.
const SUITE_MS: u64 = 1_440_938_160_000;

fn secret(service: &str, payload: Payload, token: Option<&str>) -> AwsSecret {
    AwsSecret {
        access_key_id: "AKIDEXAMPLE".to_owned(),
        secret_access_key: SecretBytes::from(
            b"wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY".as_slice(),
        ),
        session_token: token.map(|it| SecretBytes::from(it.as_bytes())),
        region: "us-east-1".to_owned(),
        service: service.to_owned(),
        payload,
    }
}

#[test]
fn the_suite_of_aws_comes_out() {
    let vectors: Vec<Vector> = serde_json::from_str(include_str!("vectors.json")).unwrap();
    assert_eq!(vectors.len(), 38);
    let moment = Moment::of(SUITE_MS).unwrap();
    for vector in vectors {
        let payload = hex(&Sha256::digest(vector.body.as_bytes()));
        let mut headers = vector.headers.clone();
        headers.push((DATE.to_owned(), moment.second.clone()));
        headers.extend(vector.token.map(|it| (TOKEN.to_owned(), it)));
        headers.extend(
            vector
                .says_payload
                .then(|| (CONTENT.to_owned(), payload.clone())),
        );
        let lines: Vec<(&[u8], &[u8])> = headers
            .iter()
            .map(|(name, value)| (name.as_bytes(), value.as_bytes()))
            .collect();
        let request = given(&vector.method, &vector.target, &[]);
        let style = match &*vector.style {
            // The suite looks into dots, which a call does not have any more.
            "Twice" if vector.target.contains("/.") => continue,
            "Twice" => PathStyle::Twice,
            _ => PathStyle::Plain,
        };
        let canonical = Canonical::of(&request.outgoing(), (style, &lines), &payload);
        let signer = AwsSigner::new(secret("service", Payload::Hashed, None));
        let value = signer.authorization(&canonical, &moment).unwrap();
        let value = String::from_utf8(value.expose().to_vec()).unwrap();
        let want = format!("Signature={}", vector.signature);
        assert!(value.ends_with(&want), "{}: {value}", vector.name);
    }
}

/// What is put, of a call to `bucket.example`.
fn signed(secret: AwsSecret, mut request: Given) -> Vec<String> {
    request.now_ms = SUITE_MS;
    let signer = AwsSigner::new(secret);
    let placed = signer.sign(&request.outgoing(), &Broken).unwrap();
    let text = |value: &SecretBytes| String::from_utf8(value.expose().to_vec()).unwrap();
    placed
        .iter()
        .map(|placed| {
            let name = placed.header.unwrap_or_default();
            format!("{name}: {}", text(&placed.value))
        })
        .collect()
}

/// Names in `SignedHeaders`.
fn names(put: &[String]) -> &str {
    let authorization = put.last().unwrap();
    let (_, rest) = authorization.split_once("SignedHeaders=").unwrap();
    rest.split(',').next().unwrap()
}

#[test]
fn awss_own_headers_and_the_type_are_signed_and_no_others() {
    let lines = [
        ("accept", "*/*"),
        ("content-type", "application/x-amz-json-1.0"),
        ("x-amz-target", "DynamoDB_20120810.GetItem"),
        ("x-amzn-trace-id", "1"),
        ("x-forwarded-for", "192.0.2.1"),
    ];
    let put = signed(
        secret("dynamodb", Payload::Hashed, None),
        given("POST", "/", &lines),
    );
    assert_eq!(put.len(), 2, "{put:?}");
    assert_eq!(put[0], "x-amz-date: 20150830T123600Z");
    assert_eq!(names(&put), "content-type;host;x-amz-date;x-amz-target");
    assert!(put[1].starts_with(
        "authorization: AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/us-east-1/dynamodb/aws4_request, "
    ));
}

#[test]
fn object_stores_are_told_the_hash_and_others_only_that_there_is_none() {
    let empty = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
    for (service, payload, want) in [
        ("s3", Payload::Hashed, Some(empty)),
        ("s3", Payload::Unsigned, Some("UNSIGNED-PAYLOAD")),
        ("execute-api", Payload::Hashed, None),
        ("execute-api", Payload::Unsigned, Some("UNSIGNED-PAYLOAD")),
    ] {
        let put = signed(
            secret(service, payload, Some("tok")),
            given("GET", "/a", &[]),
        );
        let said = put
            .iter()
            .find_map(|line| line.strip_prefix("x-amz-content-sha256: "));
        assert_eq!(said, want, "{service} {payload:?}");
        assert!(put.contains(&"x-amz-security-token: tok".to_owned()));
        assert!(names(&put).ends_with("x-amz-date;x-amz-security-token"));
    }
}

#[test]
fn paths_are_escaped_once_for_object_stores_and_twice_for_others() {
    for (path, plain, twice) in [
        ("/", "/", "/"),
        ("/a%20b/c", "/a%20b/c", "/a%2520b/c"),
        ("/a b", "/a%20b", "/a%20b"),
        ("/%7euser/x=1,2", "/~user/x%3D1%2C2", "/%257euser/x%3D1%2C2"),
        ("/a//b/", "/a//b/", "/a/b/"),
        ("//", "//", "/"),
        ("/%E1%88%B4", "/%E1%88%B4", "/%25E1%2588%25B4"),
    ] {
        for (style, want) in [(PathStyle::Plain, plain), (PathStyle::Twice, twice)] {
            let request = given("GET", path, &[]);
            let canonical = Canonical::of(&request.outgoing(), (style, &[]), "");
            let text = String::from_utf8(canonical.text).unwrap();
            assert_eq!(text.lines().nth(1), Some(want), "{path} {style:?}");
        }
    }
}

#[test]
fn queries_are_one_whatever_their_order_and_escapes() {
    for (query, want) in [
        ("", ""),
        ("b=2&a=1&a=0", "a=0&a=1&b=2"),
        ("a&b=&&c=d=e", "a=&b=&c=d%3De"),
        ("x=%7e%41+b%2B", "x=~A%20b%2B"),
        ("Z=1&a=1&%c3%a9=1", "%C3%A9=1&Z=1&a=1"),
    ] {
        let target = format!("/?{query}");
        let request = given("GET", &target, &[]);
        let canonical = Canonical::of(&request.outgoing(), (PathStyle::Twice, &[]), "");
        let text = String::from_utf8(canonical.text).unwrap();
        assert_eq!(text.lines().nth(2), Some(want), "{query}");
    }
}

#[test]
fn nothing_is_signed_without_time_or_body() {
    let signer = AwsSigner::new(secret("s3", Payload::Hashed, None));
    let mut request = given("PUT", "/a", &[]);
    request.now_ms = u64::MAX;
    assert_eq!(signer.sign(&request.outgoing(), &Broken), Err(CannotSign));
    request.now_ms = SUITE_MS;
    assert!(signer.sign(&request.outgoing(), &Broken).is_ok());
    request.body_sha256 = None;
    assert_eq!(signer.sign(&request.outgoing(), &Broken), Err(CannotSign));
    let unsigned = AwsSigner::new(secret("s3", Payload::Unsigned, None));
    assert!(unsigned.sign(&request.outgoing(), &Broken).is_ok());
}

#[test]
fn the_key_is_of_the_day() {
    let day = |now_ms: u64| {
        let signer = AwsSigner::new(secret("s3", Payload::Hashed, None));
        let mut request = given("GET", "/", &[]);
        let mut sign = |now_ms: u64| {
            request.now_ms = now_ms;
            format!("{:?}", signer.sign(&request.outgoing(), &Broken).map(texts))
        };
        // Another day's key is not used, whichever came before.
        (sign(SUITE_MS), sign(now_ms), sign(SUITE_MS))
    };
    let (first, second, again) = day(SUITE_MS + 86_400_000);
    assert_eq!(first, again);
    assert_ne!(first, second);
    assert_eq!(second, day(SUITE_MS + 86_400_000).1);
}

fn texts(placed: Vec<Placed<'_>>) -> Vec<Vec<u8>> {
    let values = placed.into_iter();
    values.map(|it| it.value.expose().to_vec()).collect()
}

#[test]
fn session_token_and_signature_are_secret_and_nothing_else() {
    let secret = secret("s3", Payload::Unsigned, Some("short-token"));
    let signer = AwsSigner::new(secret);
    let mut request = given("GET", "/", &[]);
    request.now_ms = SUITE_MS;
    let placed = signer.sign(&request.outgoing(), &Broken).unwrap();
    let secrets = placed.iter().map(|it| {
        let value = std::str::from_utf8(it.value.expose()).unwrap();
        (it.header.unwrap(), value.get(it.secret.clone()).unwrap())
    });
    for (name, secret) in secrets {
        match name {
            TOKEN => assert_eq!(secret, "short-token"),
            AUTHORIZATION => {
                assert!(secret.len() == 64 && secret.bytes().all(|it| it.is_ascii_hexdigit()));
            }
            _ => assert_eq!(secret, "", "{name}"),
        }
    }
}
