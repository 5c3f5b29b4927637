use serde_json::{Value, json};

use super::*;
use crate::{
    form::problem::Problems,
    secret_form::{
        SecretForm,
        auth_type::{AuthType, Side},
    },
};

fn read_with(extra: &Value) -> Result<OAuth2, Vec<String>> {
    let mut secret = json!({
        "grantType": "client_credentials", "tokenUrl": "https://a.example/token",
        "clientId": "me", "clientSecret": "hush",
    });
    for (name, value) in extra.as_object().unwrap() {
        secret[name] = value.clone();
        if value.is_null() {
            secret.as_object_mut().unwrap().remove(name);
        }
    }
    let mut problems = Problems::default();
    let fields = Fields::new(secret.as_object().unwrap().clone(), &mut problems);
    let form = SecretForm::read(AuthType::OAuth2, Side::Target, fields);
    let found: Vec<String> = problems
        .into_parts()
        .0
        .into_iter()
        .map(|problem| problem.field)
        .collect();
    match form {
        Some(SecretForm::OAuth2Target(form)) if found.is_empty() => Ok(*form),
        _ => Err(found),
    }
}

const RSA: &str = include_str!("../tests/keys/rsa.pem");
const P256: &str = include_str!("../tests/keys/p256.pem");
const P384: &str = include_str!("../tests/keys/p384.pem");
const P521: &str = include_str!("../tests/keys/p521-sec1.pem");
const ED25519: &str = include_str!("../tests/keys/ed25519.pem");
const ENCRYPTED: &str = include_str!("../tests/keys/encrypted.pem");
/// Of `P256`.
const CERTIFICATE: &str = include_str!("../tests/keys/p256-certificate.pem");

#[test]
fn what_is_not_said_has_a_default() {
    let form = read_with(&json!({})).unwrap();
    assert_eq!(form.grant, Grant::ClientCredentials);
    let secret = SecretText::new("hush".to_owned());
    assert_eq!(
        form.client.auth,
        ClientAuth::Basic(secret, IdEncoding::Form)
    );
    assert_eq!(form.request.method, Method::Post);
    assert_eq!(form.request.body, BodyFormat::Form);
    assert_eq!(form.request.scope_separator, " ");
    assert_eq!(form.answer.default_ttl_seconds, 300);
    assert_eq!(form.apply.name, "Authorization");
    assert_eq!(form.refresh_on, [401]);
    let token = SecretText::new("t".to_owned());
    assert_eq!(form.apply.value(&token).expose(), "Bearer t");
}

#[test]
fn a_target_refuses_with_statuses_of_failure() {
    for (statuses, want) in [
        (json!([]), Ok(vec![])),
        (json!([403, 401, 403]), Ok(vec![401, 403])),
        (json!([599]), Ok(vec![599])),
        (
            json!([401, 200]),
            Err(vec!["refreshOnStatus[1]".to_owned()]),
        ),
        (json!(["401"]), Err(vec!["refreshOnStatus[0]".to_owned()])),
        (json!(401), Err(vec!["refreshOnStatus".to_owned()])),
        (
            json!(vec![401; 17]),
            Err(vec!["refreshOnStatus".to_owned()]),
        ),
    ] {
        let read = read_with(&json!({"refreshOnStatus": statuses}));
        assert_eq!(read.map(|form| form.refresh_on), want, "{statuses}");
    }
}

#[test]
fn every_problem_is_told_at_its_member() {
    for (extra, want) in [
        (json!({"grantType": "implicit"}), vec!["grantType"]),
        (json!({"grantType": "refresh_token"}), vec!["refreshToken"]),
        (
            json!({"grantType": "password", "username": "u"}),
            vec!["password"],
        ),
        (
            json!({"grantType": "token_exchange", "subjectToken": "t", "subjectTokenType": "u", "actorToken": "a"}),
            vec!["actorToken"],
        ),
        (
            json!({"grantType": "jwt_bearer", "assertion": {"algorithm": "none", "privateKey": "x", "ttlSeconds": 601}}),
            vec![
                "assertion.algorithm",
                "assertion.privateKey",
                "assertion.ttlSeconds",
            ],
        ),
        (json!({"tokenUrl": "ftp://x"}), vec!["tokenUrl"]),
        (json!({"clientSecret": null}), vec!["clientSecret"]),
        (json!({"clientAuth": "both"}), vec!["clientAuth"]),
        (
            json!({"clientAuth": "private_key_jwt"}),
            vec!["privateKey", "clientSecret"],
        ),
        (
            json!({"clientAuth": "tls_client", "clientSecret": null}),
            vec!["clientCertificate"],
        ),
    ] {
        assert_eq!(read_with(&extra).unwrap_err(), want, "{extra}");
    }
}

#[test]
fn a_consent_says_where_and_how_it_is_bound() {
    let code = |extra: &Value| {
        let mut all = json!({
            "grantType": "authorization_code", "authorizationUrl": "https://a.example/auth?x=1",
        });
        for (name, value) in extra.as_object().unwrap() {
            all[name] = value.clone();
        }
        read_with(&all)
    };
    let form = code(&json!({})).unwrap();
    let consent = form.consent().unwrap();
    assert_eq!(
        (consent.pkce, consent.parameters.len()),
        (Pkce::S256, 0),
        "bound unless said otherwise"
    );
    let members: Vec<_> = form.endpoints().into_iter().map(|(name, _)| name).collect();
    assert_eq!(members, ["tokenUrl", "authorizationUrl"]);
    let form = code(&json!({"pkce": "none", "authorizationParams": {"prompt": "consent"}}));
    let form = form.unwrap();
    let consent = form.consent().unwrap();
    assert_eq!(consent.pkce, Pkce::None);
    assert_eq!(consent.parameters["prompt"], "consent");
    assert_eq!(read_with(&json!({})).unwrap().consent(), None);
    for (extra, want) in [
        (
            json!({"authorizationUrl": "javascript:alert(1)"}),
            "authorizationUrl",
        ),
        (
            json!({"authorizationUrl": "https://a.example/#x"}),
            "authorizationUrl",
        ),
        (json!({"pkce": "plain"}), "pkce"),
        (
            json!({"authorizationParams": {"state": "s"}}),
            "authorizationParams.state",
        ),
        (
            json!({"authorizationParams": {"response_mode": "form_post"}}),
            "authorizationParams.response_mode",
        ),
        (
            json!({"authorizationParams": {"a": "b".repeat(4_096)}}),
            "authorizationParams",
        ),
        (
            json!({"extraParams": {"code_verifier": "v"}}),
            "extraParams.code_verifier",
        ),
    ] {
        assert_eq!(code(&extra).unwrap_err(), [want], "{extra}");
    }
}

#[test]
fn members_of_a_consent_are_for_consents() {
    let extra = json!({"authorizationUrl": "https://a.example/auth", "pkce": "S256"});
    assert_eq!(read_with(&extra).unwrap_err(), ["authorizationUrl", "pkce"]);
}

#[test]
fn every_problem_of_requests_and_answers_is_told_at_its_member() {
    for (extra, want) in [
        (
            json!({"method": "GET", "bodyFormat": "form"}),
            vec!["bodyFormat"],
        ),
        (
            json!({"tokenHeaders": {"Host": "x"}}),
            vec!["tokenHeaders.Host"],
        ),
        (
            json!({"extraParams": {"grant_type": "x"}}),
            vec!["extraParams.grant_type"],
        ),
        (json!({"tokenPath": "token"}), vec!["tokenPath"]),
        (json!({"expiresInUnit": "min"}), vec!["expiresInUnit"]),
        (
            json!({"apply": {"template": "Bearer"}}),
            vec!["apply.template"],
        ),
        (
            json!({"apply": {"template": "{token}{token}"}}),
            vec!["apply.template"],
        ),
        (json!({"apply": {"name": "Host"}}), vec!["apply.name"]),
        (
            json!({"headers": {"requestrocket-x": "1"}}),
            vec!["headers.requestrocket-x"],
        ),
        (json!({"scopes": ["a b"]}), vec!["scopes[0]"]),
        (json!({"wat": 1}), vec!["wat"]),
    ] {
        assert_eq!(read_with(&extra).unwrap_err(), want, "{extra}");
    }
}

#[test]
fn every_grant_and_every_way_to_show_oneself_is_read() {
    for extra in [
        json!({"grantType": "refresh_token", "refreshToken": "r".repeat(32 << 10)}),
        json!({"grantType": "password", "username": "u", "password": "p"}),
        json!({"grantType": "token_exchange", "subjectToken": "t", "subjectTokenType": "urn:x"}),
        json!({"grantType": "jwt_bearer", "assertion": {"algorithm": "RS256", "privateKey": RSA, "claims": {"sub": "x"}}}),
        json!({"clientAuth": "post"}),
        json!({"clientAuth": "none", "clientSecret": null}),
        json!({"clientAuth": "private_key_jwt", "clientSecret": null, "privateKey": ED25519}),
        json!({"clientAuth": "tls_client", "clientSecret": null, "clientCertificate": {"certificate": CERTIFICATE, "privateKey": P256}}),
        json!({"method": "GET"}),
        json!({"apply": {"location": "query", "name": "access_token"}, "headers": {"X-A": "1"}}),
    ] {
        assert!(
            read_with(&extra).is_ok(),
            "{extra}: {:?}",
            read_with(&extra)
        );
    }
}

#[test]
fn a_client_signs_by_the_algorithm_that_it_names_or_that_is_usual() {
    for (pem, named, want) in [
        (RSA, None, Ok("RS256")),
        (RSA, Some("PS384"), Ok("PS384")),
        (P256, None, Ok("ES256")),
        (P384, Some("ES384"), Ok("ES384")),
        (ED25519, None, Ok("EdDSA")),
        (P256, Some("RS256"), Err("privateKey")),
        (P521, None, Err("privateKey")),
        (ENCRYPTED, None, Err("privateKey")),
        (
            "-----BEGIN PRIVATE KEY-----\nMC4=\n-----END PRIVATE KEY-----",
            None,
            Err("privateKey"),
        ),
        (P521, Some("ES512"), Err("assertionAlgorithm")),
        (RSA, Some("HS256"), Err("assertionAlgorithm")),
    ] {
        let read = read_with(&json!({
            "clientAuth": "private_key_jwt", "clientSecret": null,
            "privateKey": pem, "assertionAlgorithm": named,
        }));
        let got = read.as_ref().map(|form| {
            let ClientAuth::PrivateKeyJwt(signer) = &form.client.auth else {
                panic!("{form:?}");
            };
            signer.key.algorithm().as_str()
        });
        let got = got.map_err(|fields| fields[0].as_str());
        assert_eq!(got, want, "{named:?} {pem}");
    }
    let fields = read_with(&json!({"assertionAlgorithm": "RS256"})).unwrap_err();
    assert_eq!(fields, ["assertionAlgorithm"], "of another way");
}

#[test]
fn keys_are_tried_where_they_are_saved() {
    let assertion = |algorithm: &str, pem: &str| {
        let assertion = json!({"algorithm": algorithm, "privateKey": pem});
        read_with(&json!({"grantType": "jwt_bearer", "assertion": assertion}))
    };
    for (algorithm, pem) in [("RS256", P256), ("ES256", P384), ("PS256", ENCRYPTED)] {
        let fields = assertion(algorithm, pem).unwrap_err();
        assert_eq!(fields, ["assertion.privateKey"], "{algorithm}");
    }
    assert!(assertion("PS256", RSA).is_ok());
    let pair = |certificate: &str, pem: &str| {
        let pair = json!({"certificate": certificate, "privateKey": pem});
        let client =
            json!({"clientAuth": "tls_client", "clientSecret": null, "clientCertificate": pair});
        read_with(&client).map_err(|fields| fields[0].clone())
    };
    let chain = [CERTIFICATE, CERTIFICATE].concat();
    for certificate in [CERTIFICATE, &chain] {
        assert!(pair(certificate, P256).is_ok());
    }
    let cut = CERTIFICATE.replacen("MII", "MI", 1);
    for (certificate, pem, want) in [
        (CERTIFICATE, P384, "clientCertificate.privateKey"),
        (CERTIFICATE, RSA, "clientCertificate.privateKey"),
        (CERTIFICATE, P521, "clientCertificate.privateKey"),
        (P256, P256, "clientCertificate.certificate"),
        (&cut, P256, "clientCertificate.certificate"),
    ] {
        let got = pair(certificate, pem).map(|_| ());
        assert_eq!(got, Err(want.to_owned()));
    }
}

#[test]
fn nothing_of_it_prints() {
    let form = read_with(&json!({"grantType": "password", "username": "u", "password": "hunter2"}));
    let text = format!("{form:?}");
    assert!(
        !text.contains("hunter2") && !text.contains("hush"),
        "{text}"
    );
}
