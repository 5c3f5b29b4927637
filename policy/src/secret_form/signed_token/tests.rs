use base64::{Engine as _, engine::general_purpose::STANDARD};
use serde_json::json;

use super::*;
use crate::secret_form::{SecretForm, auth_type::Side};

const SECRET: &str = "a secret of thirty-two bytes, ok";

fn read(auth_type: AuthType, secret: &Value) -> Result<SignedToken, Vec<String>> {
    let form = SecretForm::open(auth_type, Side::Proxy, secret.to_string().as_bytes());
    match form {
        Ok(SecretForm::SignedToken(token)) => Ok(*token),
        Ok(other) => panic!("{other:?}"),
        Err(problems) => {
            let problems = problems.into_parts().0.into_iter();
            let shown = problems.map(|it| format!("{:?} {}: {}", it.fault, it.field, it.text));
            Err(shown.collect())
        }
    }
}

fn jwt(secret: &Value) -> Result<SignedToken, Vec<String>> {
    read(AuthType::JwtVerify, secret)
}

/// Beside a shared secret.
fn with(member: &str, value: &Value) -> Result<SignedToken, Vec<String>> {
    jwt(&json!({"sharedSecret": SECRET, member: value}))
}

fn names(algorithms: &[Algorithm]) -> String {
    let names: Vec<_> = algorithms.iter().map(|one| one.as_str()).collect();
    names.join(" ")
}

fn keys() -> Value {
    serde_json::from_str(include_str!("../../jose/source/tests.json")).unwrap()
}

#[test]
fn algorithms_default_to_those_of_the_key() {
    let base64 = |bytes: usize| format!("base64:{}", STANDARD.encode(vec![7; bytes]));
    let pem = keys()["pkcs1"].take();
    let mut only = keys()["rsa"].take();
    only["alg"] = json!("PS256");
    for (secret, want) in [
        (json!({"sharedSecret": SECRET}), "HS256"),
        (json!({"sharedSecret": base64(48)}), "HS256 HS384"),
        (json!({"sharedSecret": base64(64)}), "HS256 HS384 HS512"),
        (
            json!({"publicKey": pem}),
            "RS256 RS384 RS512 PS256 PS384 PS512",
        ),
        (json!({"publicKey": keys()["ec"]}), "ES256"),
        (json!({"publicKey": keys()["okp"]}), "EdDSA"),
        (json!({"publicKey": only}), "PS256"),
        (
            json!({"publicKey": pem, "algorithms": ["RS512", "RS256"]}),
            "RS512 RS256",
        ),
    ] {
        let token = jwt(&secret).unwrap();
        assert_eq!(names(&token.algorithms), want, "{secret}");
    }
}

#[test]
fn defaults_are_strict() {
    let token = with("issuer", &Value::Null).unwrap();
    assert_eq!((token.skew_seconds, token.requires_exp), (60, true));
    assert_eq!((token.issuer, token.kind), (None, Kind::Jwt));
    assert!(token.audience.is_empty() && token.required_claims.is_empty());
}

#[test]
fn members_are_read() {
    let secret = json!({
        "sharedSecret": SECRET, "issuer": "https://a.example", "audience": ["a", "b"],
        "clockSkewSeconds": 0, "requireExp": false, "requiredScopes": ["read"],
        "requiredClaims": {"tier": ["gold", 2], "ok": true},
    });
    let token = read(AuthType::OAuth2, &secret).unwrap();
    assert_eq!(token.kind, Kind::OAuth2);
    assert_eq!(token.issuer.as_deref(), Some("https://a.example"));
    assert_eq!((token.audience.len(), token.required_scopes.len()), (2, 1));
    assert_eq!((token.skew_seconds, token.requires_exp), (0, false));
    let claims: Vec<_> = token
        .required_claims
        .iter()
        .map(|one| (&*one.name, &*one.allowed))
        .collect();
    let tier = [Scalar::Text("gold".into()), Scalar::Number(2.0)];
    assert_eq!(claims, [("ok", &[Scalar::Bool(true)][..]), ("tier", &tier)]);
    let not_of_jwt = jwt(&secret).unwrap_err();
    assert_eq!(
        not_of_jwt,
        ["UnknownField requiredScopes: is not a known field"]
    );
}

#[test]
fn there_is_one_key() {
    let of = |secret: &Value| jwt(secret).unwrap_err();
    assert_eq!(
        of(&json!({})),
        ["ValidationFailed publicKey: or `sharedSecret`, `jwksUri` or `issuer` is required"]
    );
    for (one, other) in [
        ("publicKey", "sharedSecret"),
        ("jwksUri", "sharedSecret"),
        ("jwksUri", "publicKey"),
    ] {
        let value = |member| match member {
            "publicKey" => keys()["ec"].take(),
            "jwksUri" => json!("https://a.example/keys"),
            _ => json!(SECRET),
        };
        assert_eq!(
            of(&json!({one: value(one), other: value(other)})),
            [format!(
                "InvalidSecret {other}: must not be given beside `{one}`"
            )]
        );
    }
}

fn published(secret: &Value) -> Published {
    match jwt(secret).unwrap().keys {
        KeySource::Published(published) => published,
        KeySource::Public(_) | KeySource::Shared(_) => panic!("a key was given"),
        KeySource::Introspected(_) => panic!("a server is asked"),
    }
}

#[test]
fn keys_are_published_at_an_address_or_by_the_issuer() {
    let set = published(&json!({"jwksUri": "https://a.example/keys", "issuer": "anybody"}));
    let url = Endpoint::parse("https://a.example/keys").unwrap();
    assert_eq!(
        (set.place, set.max_stale_seconds),
        (KeysAt::KeySet(url), 86_400)
    );
    for (issuer, want) in [
        (
            "https://a.example",
            "https://a.example/.well-known/openid-configuration",
        ),
        (
            "https://a.example/t/",
            "https://a.example/t/.well-known/openid-configuration",
        ),
        (
            "http://10.0.0.1:8",
            "http://10.0.0.1:8/.well-known/openid-configuration",
        ),
    ] {
        let secret = json!({"issuer": issuer, "jwksMaxStaleSeconds": 3_600});
        let found = published(&secret);
        let KeysAt::Discovery {
            document,
            issuer: own,
        } = found.place
        else {
            panic!("{issuer} is no set");
        };
        assert_eq!((document.as_str(), own.as_str()), (want, issuer));
        assert_eq!(found.max_stale_seconds, 3_600);
        assert_eq!(jwt(&secret).unwrap().issuer.as_deref(), Some(issuer));
    }
}

#[test]
fn published_keys_are_public_keys() {
    let secret =
        |algorithms: Value| json!({"jwksUri": "https://a.example/", "algorithms": algorithms});
    let all = jwt(&secret(Value::Null)).unwrap();
    assert_eq!(
        names(&all.algorithms),
        "RS256 RS384 RS512 PS256 PS384 PS512 ES256 ES384 ES512 EdDSA"
    );
    assert_eq!(
        jwt(&secret(json!(["ES256", "HS256"]))).unwrap_err(),
        ["InvalidSecret algorithms: `HS256` does not suit the key"]
    );
}

#[test]
fn keys_come_from_where_nobody_can_change_them_on_their_way() {
    for (member, url, want) in [
        (
            "jwksUri",
            "ftp://a",
            "jwksUri: must begin with http:// or https://",
        ),
        (
            "issuer",
            "our company",
            "issuer: must not hold blanks, a fragment or characters that need escaping",
        ),
        (
            "issuer",
            "https://a.example?a",
            "issuer: must not have a query where keys are found by it",
        ),
        (
            "jwksUri",
            "http://1.1.1.1/",
            "jwksUri: must begin with https:// where the address is public",
        ),
        (
            "issuer",
            "http://1.1.1.1",
            "issuer: must begin with https:// where the address is public",
        ),
    ] {
        let problems = jwt(&json!({member: url})).unwrap_err();
        assert_eq!(problems, [format!("InvalidUrl {want}")]);
    }
    // Where a name leads is seen when it is called.
    published(&json!({"jwksUri": "http://keys.internal/"}));
    let short = json!({"jwksUri": "https://a.example/", "jwksMaxStaleSeconds": 3_599});
    let want = "jwksMaxStaleSeconds: must be an integer from 3600 to 604800";
    assert_eq!(
        jwt(&short).unwrap_err(),
        [format!("ValidationFailed {want}")]
    );
    assert_eq!(
        with("jwksMaxStaleSeconds", &json!(3_600)).unwrap_err(),
        ["UnknownField jwksMaxStaleSeconds: is not a known field"]
    );
}

#[test]
fn keys_that_are_none_are_told() {
    let mut private = keys()["ec"].take();
    private["d"] = json!("AA");
    let long = "a".repeat(16_385);
    let weak = "an RSA key must have 2048 bits or more";
    for (key, want) in [
        (
            json!(5),
            "ValidationFailed publicKey: must be a PEM or a JWK",
        ),
        (
            private,
            "InvalidSecret publicKey: must not be a private or secret key",
        ),
        (
            json!({"kty": "oct", "k": "AA"}),
            "InvalidSecret publicKey: must not be a private or secret key",
        ),
        (
            keys()["weak"].take(),
            &format!("InvalidSecret publicKey: {weak}"),
        ),
        (
            json!(long),
            "InvalidSecret publicKey: must be at most 16384 bytes",
        ),
        (
            json!("-----BEGIN PRIVATE KEY-----\nMIIB\n-----END PRIVATE KEY-----"),
            "InvalidSecret publicKey: is a private key: give its public one",
        ),
    ] {
        assert_eq!(
            jwt(&json!({"publicKey": key})).unwrap_err(),
            [want],
            "{want}"
        );
    }
}

#[test]
fn secrets_that_are_none_are_told() {
    for (secret, want) in [
        (
            json!("short"),
            "InvalidSecret sharedSecret: a shared secret must be at least 32 bytes",
        ),
        (
            json!("base64:AAAA"),
            "InvalidSecret sharedSecret: a shared secret must be at least 32 bytes",
        ),
        (
            json!("base64:%"),
            "InvalidSecret sharedSecret: must be base64 with padding behind `base64:`",
        ),
        (
            json!("a".repeat(8193)),
            "InvalidSecret sharedSecret: must be at most 8192 bytes",
        ),
        (
            json!(["a"]),
            "ValidationFailed sharedSecret: must be a string",
        ),
    ] {
        assert_eq!(
            jwt(&json!({"sharedSecret": secret})).unwrap_err(),
            [want],
            "{want}"
        );
    }
}

#[test]
fn an_algorithm_suits_the_key_or_is_refused() {
    for (algorithms, want) in [
        (json!([]), "InvalidSecret algorithms: must not be empty"),
        (
            json!(["RS256"]),
            "InvalidSecret algorithms: `RS256` does not suit the key",
        ),
        (
            json!(["HS256", "HS384"]),
            "InvalidSecret algorithms: `HS384` does not suit the key",
        ),
        (
            json!(["none"]),
            "InvalidSecret algorithms[0]: algorithm is none of HS, RS, PS, ES 256 to 512 and EdDSA",
        ),
    ] {
        let problems = with("algorithms", &algorithms).unwrap_err();
        assert_eq!(problems.first().map(String::as_str), Some(want));
    }
    let confused = jwt(&json!({"publicKey": keys()["rsa"], "algorithms": ["HS256"]}));
    assert_eq!(
        confused.unwrap_err(),
        ["InvalidSecret algorithms: `HS256` does not suit the key"]
    );
}

#[test]
fn every_member_has_its_limits() {
    let long = "a".repeat(513);
    for (member, value, want) in [
        ("issuer", json!(""), "issuer: must be 1 to 512 bytes"),
        ("issuer", json!(long), "issuer: must be 1 to 512 bytes"),
        (
            "audience",
            json!([long]),
            "audience[0]: must be 1 to 512 bytes",
        ),
        (
            "clockSkewSeconds",
            json!(601),
            "clockSkewSeconds: must be an integer from 0 to 600",
        ),
        (
            "requireExp",
            json!("no"),
            "requireExp: must be true or false",
        ),
        (
            "requiredClaims",
            json!({"a": []}),
            "requiredClaims.a: must have 1 to 32 values",
        ),
        (
            "requiredClaims",
            json!({"a": {}}),
            "requiredClaims.a: must be a string, number or boolean",
        ),
        (
            "requiredClaims",
            json!({"a": null}),
            "requiredClaims.a: is required",
        ),
        (
            "requiredClaims",
            json!({"a": [[1]]}),
            "requiredClaims.a: must be a string, number or boolean",
        ),
        (
            "introspectionUrl",
            json!("https://a.example/introspect"),
            "introspectionUrl: is not a known field",
        ),
        ("other", json!(1), "other: is not a known field"),
    ] {
        let problems = with(member, &value).unwrap_err();
        assert!(problems.iter().any(|it| it.ends_with(want)), "{problems:?}");
    }
    let many: Vec<_> = (0..9).map(|n| format!("{n}{}", "a".repeat(500))).collect();
    let problems = with("audience", &json!(many)).unwrap_err();
    let want = "InvalidSecret requiredClaims: and the other lists have more than 4096 bytes";
    assert_eq!(problems, [want]);
}

fn introspected(auth_type: AuthType, more: &Value) -> Result<SignedToken, Vec<String>> {
    let mut secret = json!({
        "introspectionUrl": "https://a.example/introspect", "clientId": "me",
        "clientSecret": "hush", "requiredScopes": ["read"],
    });
    for (name, value) in more.as_object().unwrap() {
        secret[name] = value.clone();
        if value.is_null() {
            secret.as_object_mut().unwrap().remove(name);
        }
    }
    let form = SecretForm::open(auth_type, Side::Proxy, secret.to_string().as_bytes());
    match form {
        Ok(SecretForm::SignedToken(token)) => Ok(*token),
        Ok(other) => panic!("{other:?}"),
        Err(problems) => {
            let problems = problems.into_parts().0.into_iter();
            Err(problems.map(|problem| problem.field).collect())
        }
    }
}

#[test]
fn a_server_may_be_asked_about_access_tokens() {
    let read = |more: &Value| introspected(AuthType::OAuth2, more);
    let token = read(&json!({"audience": ["me"], "issuer": "https://a.example"})).unwrap();
    assert!(token.algorithms.is_empty());
    assert_eq!(token.required_scopes, ["read"]);
    let KeySource::Introspected(Introspection { url, client }) = &token.keys else {
        panic!("{:?}", token.keys);
    };
    assert_eq!(url.as_str(), "https://a.example/introspect");
    assert_eq!(client.id, "me");
    let [(member, _)] = token.endpoints().try_into().unwrap();
    assert_eq!(member, "introspectionUrl");
    for (more, want) in [
        (
            json!({"jwksUri": "https://a.example/keys"}),
            "introspectionUrl",
        ),
        (json!({"clientSecret": null}), "clientSecret"),
        (json!({"clientId": null}), "clientId"),
        (
            json!({"introspectionUrl": "ftp://a.example/"}),
            "introspectionUrl",
        ),
        (json!({"algorithms": ["RS256"]}), "algorithms"),
    ] {
        assert_eq!(read(&more), Err(vec![want.to_owned()]), "{more}");
    }
    assert!(read(&json!({"clientAuth": "none", "clientSecret": null})).is_ok());
    assert!(introspected(AuthType::JwtVerify, &json!({})).is_err());
}

#[test]
fn the_secret_does_not_print() {
    let shown = format!("{:?}", with("issuer", &json!("i")));
    assert!(shown.contains("redacted") && !shown.contains(SECRET));
}
