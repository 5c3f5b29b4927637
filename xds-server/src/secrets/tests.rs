use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use requestrocket_policy::policy::Location;
use requestrocket_proto::policy::v1 as wire;
use requestrocket_proto::policy::v1::claim_value::Value as Claim;
use requestrocket_proto::policy::v1::proxy_credential::Presented;
use requestrocket_proto::policy::v1::verification_key::Material;
use requestrocket_proto::region::v1::{CredentialAuthType as Auth, CredentialSide};
use serde_json::{Value, json};

use super::*;

const REGION: &str = "eu-1";
const ORGANISATION: &str = "0b9e3d4c-6a52-4a38-9d2f-5d1b7a4f0c11";
const CREDENTIAL: &str = "7f8f6a52-1111-4a38-9d2f-5d1b7a4f0c22";

struct Bench {
    keys: RegionKeys,
    wrapped: OrganisationKeys,
    _folder: tempfile::TempDir,
}

impl Bench {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let keys = RegionKeys::load_or_create(folder.path()).unwrap();
        let wrapped = organisation_keys(REGION, &keys, ORGANISATION).unwrap();
        Self {
            keys,
            wrapped,
            _folder: folder,
        }
    }

    fn sealed(&self, side: CredentialSide, auth: Auth, secret: &[u8]) -> region::Credential {
        let binding = Binding::secret(
            REGION,
            ORGANISATION.parse().unwrap(),
            CREDENTIAL.parse().unwrap(),
            3,
        );
        region::Credential {
            credential_id: CREDENTIAL.to_owned(),
            organisation_id: ORGANISATION.to_owned(),
            is_active: true,
            version: 3,
            side: side.into(),
            auth_type: auth.into(),
            sealed_secret: self
                .keys
                .sealing
                .public_key()
                .seal(secret, &binding)
                .unwrap()
                .into(),
            layer: None,
            ends_at_ms: 0,
            previous_ends_at_ms: 0,
            allowed_hosts: Vec::new(),
            consent: None,
            next: None,
        }
    }

    fn convert(&self, credential: &region::Credential) -> Result<StoredSecret, SecretProblem> {
        convert(REGION, &self.keys, &self.wrapped, credential).map_err(|failed| match failed {
            ConversionFailed::Problem(problem) => problem,
            ConversionFailed::Randomness(error) => panic!("{error}"),
        })
    }

    fn open_keys(&self) -> OpenKeys {
        open_keys(&self.keys, &self.wrapped, &owner()).unwrap()
    }

    fn presented(&self, auth: Auth, secret: &Value) -> Result<Presented, SecretProblem> {
        let secret = secret.to_string();
        match self.convert(&self.sealed(CredentialSide::Proxy, auth, secret.as_bytes()))? {
            StoredSecret::Presented(presented) => Ok(presented),
            StoredSecret::Injections(_)
            | StoredSecret::Obtained(..)
            | StoredSecret::Published(..) => panic!("not given"),
        }
    }

    /// (location, name, opened value) of each injection.
    fn injected(&self, auth: Auth, secret: &Value) -> Result<Vec<String>, SecretProblem> {
        let secret = secret.to_string();
        match self.convert(&self.sealed(CredentialSide::Target, auth, secret.as_bytes()))? {
            StoredSecret::Injections(injections) => Ok(injections
                .iter()
                .map(|injection| self.open(injection))
                .collect()),
            StoredSecret::Presented(_)
            | StoredSecret::Obtained(..)
            | StoredSecret::Published(..) => panic!("not given"),
        }
    }

    fn open(&self, injection: &wire::Injection) -> String {
        let (word, location) = match injection.location() {
            wire::Location::Header => ("header", Location::Header),
            wire::Location::Query => ("query", Location::Query),
            wire::Location::Computed => ("computed", Location::Computed),
            wire::Location::Unspecified => panic!("no location"),
        };
        let Owner {
            region,
            organisation,
            credential,
            version,
        } = owner();
        let place = (location, injection.name.as_str());
        let binding = Binding::injection(region, organisation, (credential, version), place);
        let opened = self
            .open_keys()
            .data
            .open(&injection.sealed_value, &binding)
            .unwrap();
        format!(
            "{word} {}: {}",
            injection.name,
            str::from_utf8(opened.expose()).unwrap()
        )
    }
}

fn owner() -> Owner<'static> {
    Owner {
        region: REGION,
        organisation: ORGANISATION.parse().unwrap(),
        credential: CREDENTIAL.parse().unwrap(),
        version: 3,
    }
}

fn token(claims: &str) -> String {
    format!("e30.{}.c2ln", URL_SAFE_NO_PAD.encode(claims))
}

#[test]
fn proxy_secrets_become_digests_of_what_callers_present() {
    let bench = Bench::new();
    let digest_key = bench.open_keys().digest;
    let digests = |value: &str, valid_until_ms| {
        let hmac_sha256 = digest_key.digest(value.as_bytes()).to_vec().into();
        vec![wire::SecretDigest {
            hmac_sha256,
            valid_until_ms,
        }]
    };
    let bearer = |prefix: &str, digests| {
        Presented::Bearer(wire::Bearer {
            prefix: prefix.to_owned(),
            digests,
        })
    };
    let cases = [
        (
            Auth::ApiKey,
            json!({"key": "hunter2"}),
            Presented::ApiKey(wire::ApiKey {
                digests: digests("hunter2", 0),
            }),
        ),
        (
            Auth::Bearer,
            json!({"token": "t"}),
            bearer("Bearer ", digests("t", 0)),
        ),
        (
            Auth::Bearer,
            json!({"token": "t", "prefix": ""}),
            bearer("", digests("t", 0)),
        ),
        (
            Auth::BasicAuth,
            json!({"username": "ü", "password": "p:w"}),
            Presented::BasicAuth(wire::BasicAuth {
                digests: digests("ü:p:w", 0),
            }),
        ),
        (
            Auth::BasicAuth,
            json!({"username": "u", "password": ""}),
            Presented::BasicAuth(wire::BasicAuth {
                digests: digests("u:", 0),
            }),
        ),
        (
            Auth::Jwt,
            json!({"token": "no.jwt"}),
            Presented::Jwt(wire::JwtString {
                digests: digests("no.jwt", 0),
            }),
        ),
    ];
    for (auth, secret, want) in cases {
        assert_eq!(bench.presented(auth, &secret), Ok(want), "{auth:?}");
    }
}

#[test]
fn what_verifies_tokens_is_carried_and_a_shared_secret_is_sealed() {
    const SECRET: &str = "a secret of thirty-two bytes, ok";
    let bench = Bench::new();
    let secret = json!({
        "sharedSecret": SECRET, "issuer": "i", "audience": ["a"], "clockSkewSeconds": 5,
        "requiredClaims": {"tier": ["gold", 2, true]}, "requiredScopes": ["read"],
        "requireExp": false,
    });
    let Ok(Presented::SignedToken(token)) = bench.presented(Auth::Oauth2, &secret) else {
        panic!("no token");
    };
    assert_eq!(token.r#type(), wire::TokenType::Oauth2);
    assert_eq!((token.version, token.is_key_set), (3, false));
    assert_eq!(token.algorithms, ["HS256"]);
    let value = |value| wire::ClaimValue { value: Some(value) };
    let want = wire::ClaimChecks {
        issuer: Some("i".to_owned()),
        audience: vec!["a".to_owned()],
        required: vec![wire::RequiredClaim {
            name: "tier".to_owned(),
            allowed: vec![
                value(Claim::Text("gold".to_owned())),
                value(Claim::Number(2.0)),
                value(Claim::Boolean(true)),
            ],
        }],
        scopes: vec!["read".to_owned()],
        skew_ms: 5_000,
        allows_endless: true,
    };
    assert_eq!(token.claims, Some(want));
    let Some(Material::SealedSecret(sealed)) = &token.keys[0].material else {
        panic!("no secret");
    };
    let Owner {
        region,
        organisation,
        credential,
        version,
    } = owner();
    let binding = Binding::shared_secret(region, organisation, (credential, version));
    let opened = bench.open_keys().data.open(sealed, &binding).unwrap();
    assert_eq!(opened.expose(), SECRET.as_bytes());
}

#[test]
fn a_public_key_is_carried_in_its_numbers() {
    let x = "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo";
    let secret = json!({"publicKey": {"kty": "OKP", "crv": "Ed25519", "x": x, "kid": "k"}});
    let Ok(Presented::SignedToken(token)) = Bench::new().presented(Auth::JwtVerify, &secret) else {
        panic!("no token");
    };
    let key = wire::VerificationKey {
        key_id: Some("k".to_owned()),
        algorithm: String::new(),
        material: Some(Material::Ed25519(URL_SAFE_NO_PAD.decode(x).unwrap().into())),
    };
    assert_eq!(
        (token.r#type(), token.keys),
        (wire::TokenType::Jwt, vec![key])
    );
}

#[test]
fn exp_of_a_literal_token_ends_it() {
    let bench = Bench::new();
    let end = |token: &str| match bench.presented(Auth::Jwt, &json!({ "token": token }))? {
        Presented::Jwt(jwt) => Ok(jwt.digests[0].valid_until_ms),
        other => panic!("{other:?}"),
    };
    for (claims, want) in [
        (r#"{"exp":1700000000}"#, Ok(1_700_000_000_000)),
        (r#"{"exp":1700000000.25,"sub":"a"}"#, Ok(1_700_000_000_250)),
        (r#"{"exp":0}"#, Ok(1)),
        (r#"{"exp":-5}"#, Ok(1)),
        (r#"{"exp":1e99}"#, Ok(u64::MAX)),
        (r#"{"exp":9,"exp":5}"#, Ok(5_000)),
        (r#"{"exp":9,"exp":null}"#, Err(SecretProblem::Value)),
        (r#"{"exp":null}"#, Err(SecretProblem::Value)),
        (r#"{"sub":"a"}"#, Ok(0)),
        ("not json", Ok(0)),
        (r#"{"exp":"1700000000"}"#, Err(SecretProblem::Value)),
        (r#"{"exp":[]}"#, Err(SecretProblem::Value)),
    ] {
        assert_eq!(end(&token(claims)), want, "{claims}");
    }
    // `{"exp":5}`, and bits after it that belong to no byte.
    assert_eq!(end("e30.eyJleHAiOjV9IB.c"), Ok(5_000));
    assert_eq!(end("opaque"), Ok(0));
    assert_eq!(end("a.%%%.c"), Ok(0));
}

#[test]
fn target_secrets_become_envelopes_of_whole_values() {
    let bench = Bench::new();
    let basic = format!("header authorization: Basic {}", STANDARD.encode("u:p"));
    let cases: [(Auth, Value, &[&str]); 10] = [
        (Auth::None, json!({}), &[]),
        (
            Auth::ApiKey,
            json!({"key": "k"}),
            &["header authorization: k"],
        ),
        (
            Auth::ApiKey,
            json!({"key": "k", "location": "header", "name": "X-Api-Key", "prefix": "Key "}),
            &["header x-api-key: Key k"],
        ),
        (
            Auth::ApiKey,
            json!({"key": "k&=", "location": "query", "name": "Api Key"}),
            &["query Api Key: k&="],
        ),
        (
            Auth::Bearer,
            json!({"token": "t"}),
            &["header authorization: Bearer t"],
        ),
        (
            Auth::Bearer,
            json!({"token": "t", "prefix": "Tok "}),
            &["header authorization: Tok t"],
        ),
        (
            Auth::BasicAuth,
            json!({"username": "u", "password": "p"}),
            &[&basic],
        ),
        (
            Auth::Jwt,
            json!({"token": "a.b.c"}),
            &["header authorization: a.b.c"],
        ),
        (
            Auth::Custom,
            json!({"headers": {"X-B": "2", "X-A": "1"}, "query": {"q": "3"}}),
            &["header x-a: 1", "header x-b: 2", "query q: 3"],
        ),
        (Auth::Custom, json!({"query": {"q": "ä"}}), &["query q: ä"]),
    ];
    for (auth, secret, want) in cases {
        let mut got = bench.injected(auth, &secret).unwrap();
        got.sort_unstable();
        assert_eq!(got, want, "{auth:?} {secret}");
    }
    let mut none = bench.sealed(CredentialSide::Target, Auth::None, b"");
    none.sealed_secret.clear();
    assert_eq!(
        bench.convert(&none),
        Ok(StoredSecret::Injections(Vec::new()))
    );
}

#[test]
fn half_of_a_basic_pair_may_be_empty() {
    let bench = Bench::new();
    for (username, password) in [("u", ""), ("", "p")] {
        let secret = json!({"username": username, "password": password});
        let pair = STANDARD.encode(format!("{username}:{password}"));
        let want = format!("header authorization: Basic {pair}");
        assert_eq!(bench.injected(Auth::BasicAuth, &secret), Ok(vec![want]));
    }
    let empty = json!({"username": "", "password": ""});
    let refused = bench.injected(Auth::BasicAuth, &empty);
    assert_eq!(refused, Err(SecretProblem::Value));
}

#[test]
fn no_value_that_breaks_a_header_is_converted() {
    let bench = Bench::new();
    let long = "x".repeat(8193);
    for value in [
        "a\r\nX: y",
        "a\nb",
        "a\0b",
        "a\tb",
        "\x7f",
        "",
        long.as_str(),
    ] {
        let target = [
            (Auth::ApiKey, json!({ "key": value })),
            (
                Auth::ApiKey,
                json!({ "key": value, "location": "query", "name": "q" }),
            ),
            (Auth::Bearer, json!({ "token": value })),
            (
                Auth::BasicAuth,
                json!({ "username": value, "password": value }),
            ),
            (Auth::Jwt, json!({ "token": value })),
            (Auth::Custom, json!({ "headers": { "x-a": value } })),
            (Auth::Custom, json!({ "query": { "a": value } })),
        ];
        for (auth, secret) in target {
            assert_eq!(
                bench.injected(auth, &secret),
                Err(SecretProblem::Value),
                "{auth:?}"
            );
        }
        let halves = [
            json!({ "username": value, "password": "p" }),
            json!({ "username": "u", "password": value }),
        ];
        for half in halves.iter().filter(|_| !value.is_empty()) {
            let injected = bench.injected(Auth::BasicAuth, half);
            assert_eq!(injected, Err(SecretProblem::Value), "{value:?}");
        }
        let secret = json!({ "key": value });
        assert_eq!(
            bench.presented(Auth::ApiKey, &secret),
            Err(SecretProblem::Value)
        );
    }
    let prefix = json!({"token": "t", "prefix": "A\r\nB"});
    assert_eq!(
        bench.injected(Auth::Bearer, &prefix),
        Err(SecretProblem::Value)
    );
}

#[test]
fn no_name_that_belongs_to_the_message_or_the_gateway_is_injected() {
    let bench = Bench::new();
    for name in [
        "Host",
        "content-length",
        "Transfer-Encoding",
        "connection",
        "TE",
        "Upgrade",
        "requestrocket-proxy-code",
        "RequestRocket_request_id",
        "x-rr-scope",
        "x-envoy-retry-on",
        "a b",
        "a:b",
        ":path",
        "a\r\nb",
        "",
        "ä",
    ] {
        let key = json!({"key": "k", "name": name});
        assert_eq!(
            bench.injected(Auth::ApiKey, &key),
            Err(SecretProblem::Value),
            "{name}"
        );
        let custom = json!({"headers": {name: "v"}});
        assert_eq!(
            bench.injected(Auth::Custom, &custom),
            Err(SecretProblem::Value),
            "{name}"
        );
    }
    let twice = json!({"headers": {"x-a": "1", "X-A": "2"}});
    assert_eq!(
        bench.injected(Auth::Custom, &twice),
        Err(SecretProblem::Value)
    );
    let query = json!({"query": {"": "v"}});
    assert_eq!(
        bench.injected(Auth::Custom, &query),
        Err(SecretProblem::Value)
    );
}

#[test]
fn a_secret_of_another_shape_is_refused_without_quoting_it() {
    let bench = Bench::new();
    let target = [
        (Auth::ApiKey, json!({"hunter2": "k"})),
        (Auth::ApiKey, json!({"key": "k", "hunter2": 1})),
        (Auth::ApiKey, json!({"key": 5})),
        (Auth::ApiKey, json!({"key": "k", "location": "cookie"})),
        (Auth::Bearer, json!({})),
        (Auth::BasicAuth, json!({"username": "hunter2"})),
        (Auth::Jwt, json!("hunter2")),
        (Auth::Custom, json!({})),
        (Auth::Custom, json!({"headers": ["hunter2"]})),
    ];
    for (auth, secret) in target {
        let problem = bench.injected(auth, &secret).unwrap_err();
        assert_eq!(problem, SecretProblem::Shape, "{auth:?} {secret}");
        assert!(!problem.to_string().contains("hunter2"));
    }
    let proxy = [
        (
            Auth::ApiKey,
            json!({"key": "k", "location": "header"}),
            SecretProblem::Shape,
        ),
        (Auth::ApiKey, json!({}), SecretProblem::Shape),
        (
            Auth::BasicAuth,
            json!({"username": "a:b", "password": "c"}),
            SecretProblem::Value,
        ),
        (
            Auth::Custom,
            json!({"headers": {"a": "b"}}),
            SecretProblem::AuthType,
        ),
        (Auth::None, json!({}), SecretProblem::AuthType),
    ];
    for (auth, secret, want) in proxy {
        assert_eq!(
            bench.presented(auth, &secret),
            Err(want),
            "{auth:?} {secret}"
        );
    }
    let not_json = bench.sealed(CredentialSide::Proxy, Auth::ApiKey, b"\xff hunter2");
    assert_eq!(bench.convert(&not_json), Err(SecretProblem::Shape));
}

#[test]
fn a_sealed_secret_of_any_other_owner_does_not_open() {
    type Move = fn(&mut region::Credential);
    let bench = Bench::new();
    let good = bench.sealed(CredentialSide::Target, Auth::Bearer, br#"{"token":"t"}"#);
    bench.convert(&good).unwrap();
    let elsewhere: [Move; 5] = [
        |c| c.credential_id = ORGANISATION.to_owned(),
        |c| c.organisation_id = CREDENTIAL.to_owned(),
        |c| c.version = 4,
        |c| c.credential_id = "7F8F6A52-1111-4A38-9D2F-5D1B7A4F0C22".to_owned(),
        |c| c.sealed_secret = c.sealed_secret.slice(..c.sealed_secret.len() - 1),
    ];
    for (case, spoil) in elsewhere.iter().enumerate() {
        let mut moved = good.clone();
        spoil(&mut moved);
        assert_eq!(
            bench.convert(&moved),
            Err(SecretProblem::Sealed),
            "case {case}"
        );
    }
    let mut missing = good.clone();
    missing.sealed_secret.clear();
    assert_eq!(bench.convert(&missing), Err(SecretProblem::Missing));
    let other_region = convert("us-1", &bench.keys, &bench.wrapped, &good).unwrap_err();
    assert_eq!(
        other_region,
        ConversionFailed::Problem(SecretProblem::Sealed)
    );
}

#[test]
fn keys_of_another_organisation_do_not_open() {
    let bench = Bench::new();
    let foreign = organisation_keys(REGION, &bench.keys, CREDENTIAL).unwrap();
    let good = bench.sealed(CredentialSide::Target, Auth::Bearer, br#"{"token":"t"}"#);
    let swapped = OrganisationKeys {
        data_key: foreign.data_key,
        ..bench.wrapped.clone()
    };
    let other_digest = OrganisationKeys {
        digest_key: foreign.digest_key,
        ..bench.wrapped.clone()
    };
    for wrapped in [swapped, other_digest] {
        let failed = convert(REGION, &bench.keys, &wrapped, &good).unwrap_err();
        assert_eq!(failed, ConversionFailed::Problem(SecretProblem::Keys));
    }
}

#[test]
fn every_flipped_bit_of_a_sealed_secret_is_noticed() {
    let bench = Bench::new();
    let good = bench.sealed(CredentialSide::Target, Auth::Bearer, br#"{"token":"t"}"#);
    for position in 0..good.sealed_secret.len() {
        let mut bytes = good.sealed_secret.to_vec();
        bytes[position] ^= 1;
        let flipped = region::Credential {
            sealed_secret: bytes.into(),
            ..good.clone()
        };
        assert_eq!(
            bench.convert(&flipped),
            Err(SecretProblem::Sealed),
            "byte {position}"
        );
    }
}

#[test]
fn the_same_secret_is_never_sealed_alike_twice() {
    let bench = Bench::new();
    let good = bench.sealed(CredentialSide::Target, Auth::Bearer, br#"{"token":"t"}"#);
    let mut seen = std::collections::BTreeSet::new();
    for _ in 0..200 {
        let Ok(StoredSecret::Injections(injections)) = bench.convert(&good) else {
            panic!("not converted");
        };
        assert!(seen.insert(injections[0].sealed_value.clone()));
    }
}
