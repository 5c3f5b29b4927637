//! From a sealed secret to a decided request: what the control plane sends, this crate stores and
//! translates, and the policy engine compiles and runs.

use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use envoy_types::pb::envoy::config::core::v3::Metadata;
use envoy_types::pb::envoy::config::route::v3::RouteConfiguration;
use prost::Message;
use requestrocket_policy::admission::Admission;
use requestrocket_policy::exchange::{Edit, Exchange, RequestBody, RequestDecision, Resolved};
use requestrocket_policy::fixtures::Admitting;
use requestrocket_policy::http::RequestHead;
use requestrocket_policy::policy::{InvalidPolicy, Policy};
use requestrocket_proto::region::v1::{CredentialAuthType as Auth, CredentialSide};
use serde_json::{Value, json};

use super::*;
use crate::fixtures::*;
use crate::records::region_config::ProxyConfig;
use crate::store::tests::fresh_sqlite;
use crate::translate::Translator;

const NOW_MS: u64 = 1_700_000_000_000;

/// Compiles what Envoy would hand to the filter for this proxy.
fn compile(region: &Region, config: &ProxyConfig) -> Result<Policy, InvalidPolicy> {
    let resources = Translator::new(translation()).proxy(config);
    let table = RouteConfiguration::decode(resources.route).unwrap();
    let host = &table.virtual_hosts[0];
    let part = |metadata: &Option<Metadata>| {
        let value = &metadata.as_ref().unwrap().typed_filter_metadata["requestrocket"];
        Vec::<u8>::decode(value.value.as_slice()).unwrap()
    };
    // The last leads to the region server, and has no policy.
    let [came_in, decided, _] = &host.routes[..] else {
        panic!("three routes")
    };
    assert_eq!(came_in.metadata, decided.metadata);
    let admission = Admission::compile(&part(&came_in.metadata), &region.keys.ring)?;
    Policy::compile(admission.into(), &part(&host.metadata))
}

/// What becomes of a call with this `Authorization`: the edits in order, or the refusal.
fn call(policy: &Arc<Policy>, authorization: &str) -> Vec<String> {
    let path = format!("/api/{}/x", id(1));
    let lines = [
        (&b":method"[..], &b"GET"[..]),
        (b":path", path.as_bytes()),
        (b":authority", b"gateway"),
        (b"authorization", authorization.as_bytes()),
    ];
    let mut exchange = Exchange::new(Resolved::Proxy(Arc::clone(policy)));
    let head = RequestHead::new(&lines);
    match exchange.on_request(&head, RequestBody::Whole(&[]), &Admitting(NOW_MS)) {
        RequestDecision::Refuse(refusal) => vec![format!("refused {}", refusal.denial.code())],
        RequestDecision::Forward(edits) => edits.iter().map(show).collect(),
        waits => panic!("{waits:?}"),
    }
}

fn show(edit: &Edit<'_>) -> String {
    match edit {
        Edit::SetPath(path) => format!("path {}", String::from_utf8_lossy(path)),
        Edit::SetHeader(name, value) => format!("{name}: {}", String::from_utf8_lossy(value)),
        Edit::SetComputed(name, value) => {
            format!("{name}: {}", String::from_utf8_lossy(value.expose()))
        }
        Edit::RemoveHeader(name) => format!("no {name}"),
        Edit::Warn(text) => format!("warn {text}"),
    }
}

/// Proxy 1 with these credentials; the target credential is number 20.
async fn policy_with(callers: &[(Auth, Value)], target_credential: (Auth, Value)) -> Arc<Policy> {
    let region = Region::with(fresh_sqlite().await).await;
    let ids: Vec<String> = (10..).take(callers.len()).map(id).collect();
    let (auth, secret) = target_credential;
    let side = CredentialSide::Target;
    let mut changes = vec![
        organisation(false),
        target(&id(30), "https://api.example.com/v1"),
        region.credential(&id(20), 3, (side, auth), &secret.to_string()),
    ];
    for (id, (auth, secret)) in ids.iter().zip(callers) {
        let side = CredentialSide::Proxy;
        changes.push(region.credential(id, 1, (side, *auth), &secret.to_string()));
    }
    let listed: Vec<&str> = ids.iter().map(String::as_str).collect();
    changes.push(proxy(&id(1), &listed, &id(30), &id(20)));
    let config = only_proxy(region.ingest.apply_full(5, changes).await.unwrap());
    Arc::new(compile(&region, &config).unwrap())
}

fn only_proxy(update: RegionUpdate) -> ProxyConfig {
    match update {
        RegionUpdate::Full(mut proxies) => proxies.pop().unwrap(),
        RegionUpdate::Delta(_) => panic!("delta"),
    }
}

#[tokio::test]
async fn callers_are_known_by_what_the_control_plane_sealed() {
    let token = |exp: u64| {
        format!(
            "e30.{}.c2ln",
            URL_SAFE_NO_PAD.encode(json!({"exp": exp}).to_string())
        )
    };
    let (live, dead) = (token(NOW_MS / 1000 + 1), token(NOW_MS / 1000 - 1));
    let callers = [
        (Auth::ApiKey, json!({"key": "k-1"})),
        (Auth::Bearer, json!({"token": "t-1"})),
        (Auth::Bearer, json!({"token": "t-2", "prefix": "Token "})),
        (Auth::BasicAuth, json!({"username": "ü", "password": "p:w"})),
        (Auth::Jwt, json!({"token": live})),
        (Auth::Jwt, json!({"token": dead})),
    ];
    let policy = policy_with(&callers, (Auth::Bearer, json!({"token": "target"}))).await;
    let basic = format!("Basic {}", STANDARD.encode("ü:p:w"));
    let granted = ["path /v1/x", "authorization: Bearer target"];
    for presented in [
        "k-1",
        "Bearer t-1",
        "bearer t-1",
        "Token t-2",
        &basic,
        &live,
    ] {
        assert_eq!(call(&policy, presented), granted, "{presented}");
    }
    for presented in [
        "k-2",
        "t-1",
        "Bearer t-2",
        "Basic dTpw",
        &dead,
        "Bearer k-1",
    ] {
        assert_eq!(
            call(&policy, presented),
            ["refused CREDENTIAL_INVALID"],
            "{presented}"
        );
    }
}

#[tokio::test]
async fn targets_get_what_the_control_plane_sealed() {
    let basic = format!("authorization: Basic {}", STANDARD.encode("u:p"));
    let cases: [(Auth, Value, &[&str]); 8] = [
        (Auth::None, json!({}), &["path /v1/x", "no authorization"]),
        (
            Auth::ApiKey,
            json!({"key": "k"}),
            &["path /v1/x", "authorization: k"],
        ),
        (
            Auth::ApiKey,
            json!({"key": "k", "name": "X-Api-Key", "prefix": "Key "}),
            &["path /v1/x", "no authorization", "x-api-key: Key k"],
        ),
        (
            Auth::ApiKey,
            json!({"key": "k&ä", "location": "query", "name": "api key"}),
            &["path /v1/x?api%20key=k%26%C3%A4", "no authorization"],
        ),
        (
            Auth::BasicAuth,
            json!({"username": "u", "password": "p"}),
            &["path /v1/x", &basic],
        ),
        (
            Auth::Jwt,
            json!({"token": "a.b.c"}),
            &["path /v1/x", "authorization: a.b.c"],
        ),
        (
            Auth::Custom,
            json!({"headers": {"X-A": "1", "X-B": "2"}, "query": {"q": "3"}}),
            &["path /v1/x?q=3", "no authorization", "x-a: 1", "x-b: 2"],
        ),
        (
            Auth::Hmac,
            json!({
                "key": "k", "stringToSign": "{method} {path} {header:host} {timestamp}",
                "header": "X-Sig", "timestampHeader": "X-Time"
            }),
            &[
                "path /v1/x",
                "no authorization",
                "x-sig: a637b4b904b534d2336232208185a08374880615b5a4e6d5644475c2f7ff2103",
                "x-time: 1700000000",
            ],
        ),
    ];
    for (auth, secret, want) in cases {
        let policy = policy_with(&[(Auth::ApiKey, json!({"key": "k-1"}))], (auth, secret)).await;
        assert_eq!(call(&policy, "k-1"), want, "{auth:?}");
    }
}

#[tokio::test]
async fn what_aws_signs_is_what_was_sealed() {
    let callers = [(Auth::ApiKey, json!({"key": "k-1"}))];
    let secret = json!({
        "accessKeyId": "AKID", "secretAccessKey": "s", "sessionToken": "t",
        "region": "eu-west-1", "service": "s3", "unsignedPayload": true
    });
    let policy = policy_with(&callers, (Auth::AwsSigV4, secret)).await;
    let edits = call(&policy, "k-1");
    let signed = "authorization: AWS4-HMAC-SHA256 \
                  Credential=AKID/20231114/eu-west-1/s3/aws4_request, \
                  SignedHeaders=host;x-amz-content-sha256;x-amz-date;x-amz-security-token, \
                  Signature=";
    assert_eq!(
        edits[..5],
        [
            "path /v1/x",
            "no authorization",
            "x-amz-date: 20231114T221320Z",
            "x-amz-content-sha256: UNSIGNED-PAYLOAD",
            "x-amz-security-token: t",
        ]
    );
    assert!(edits[5].starts_with(signed), "{edits:?}");
}

/// Whoever can write to the store can break a proxy, but not move a secret.
#[tokio::test]
async fn no_envelope_works_in_another_place() {
    let swaps = [
        // Of another credential.
        "UPDATE credential SET secret = (SELECT secret FROM credential WHERE credential_id = \
         '00000000-0000-4000-8000-000000000021') WHERE credential_id = \
         '00000000-0000-4000-8000-000000000020'",
        // Of another version.
        "UPDATE credential SET version = 2 WHERE credential_id = \
         '00000000-0000-4000-8000-000000000020'",
        // Of another organisation.
        "UPDATE organisation SET data_key = (SELECT data_key FROM organisation WHERE \
         organisation_id = '00000000-0000-4000-8000-000000000099') WHERE organisation_id = \
         '0b9e3d4c-6a52-4a38-9d2f-5d1b7a4f0c11'",
        "UPDATE organisation SET digest_key = (SELECT digest_key FROM organisation WHERE \
         organisation_id = '00000000-0000-4000-8000-000000000099') WHERE organisation_id = \
         '0b9e3d4c-6a52-4a38-9d2f-5d1b7a4f0c11'",
        // Of another field.
        "UPDATE organisation SET digest_key = data_key",
    ];
    for swap in swaps {
        let region = Region::with(fresh_sqlite().await).await;
        let other = change(region::change::Kind::Organisation(region::Organisation {
            organisation_id: id(99),
            is_suspended: false,
            credential_limits: None,
        }));
        let changes = vec![
            organisation(false),
            other,
            region.caller(&id(10), 1, CANARY),
            region.bearer(&id(20), 1, "one"),
            region.bearer(&id(21), 1, "two"),
            target(&id(30), "https://api.example.com"),
            proxy(&id(1), &[&id(10)], &id(30), &id(20)),
        ];
        let config = only_proxy(region.ingest.apply_full(5, changes).await.unwrap());
        assert!(compile(&region, &config).is_ok());
        let mut tx = region.store.store.begin().await.unwrap();
        let done = sqlx::query(swap).execute(&mut *tx).await.unwrap();
        assert!(done.rows_affected() > 0, "{swap}");
        tx.commit().await.unwrap();
        let (_, update) = region.ingest.load().await.unwrap();
        assert!(compile(&region, &only_proxy(update)).is_err(), "{swap}");
    }
}

#[tokio::test]
async fn a_restored_store_seals_anew_and_still_opens() {
    // Nonces are drawn, so that writing again after a restore repeats none.
    let region = Region::with(fresh_sqlite().await).await;
    let changes = || {
        vec![
            organisation(false),
            region.bearer(&id(20), 1, CANARY),
            target(&id(30), "https://api.example.com"),
            proxy(&id(1), &[], &id(30), &id(20)),
        ]
    };
    let sealed = |config: &ProxyConfig| {
        config.target_credential.as_ref().unwrap().injections[0]
            .sealed_value
            .clone()
    };
    let first = only_proxy(region.ingest.apply_full(5, changes()).await.unwrap());
    let second = only_proxy(region.ingest.apply_full(5, changes()).await.unwrap());
    assert_ne!(sealed(&first), sealed(&second));
    assert!(compile(&region, &first).is_ok() && compile(&region, &second).is_ok());
}
