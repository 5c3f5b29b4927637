use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use rcgen::{KeyPair, PKCS_ED25519};
use requestrocket_policy::secret_form::SecretForm;
use requestrocket_policy::secret_form::auth_type::{AuthType, Side};
use serde_json::json;

use super::*;

const FRESH: Fresh<'_> = Fresh {
    now_s: 1_000,
    id: "once",
};

/// The form of a secret with these members beside the usual ones; null removes one.
fn form(extra: &Value) -> OAuth2 {
    let mut secret = json!({
        "grantType": "client_credentials", "tokenUrl": "https://a.example/token?tenant=1",
        "clientId": "m e", "clientSecret": "h&h",
    });
    for (name, value) in extra.as_object().unwrap() {
        secret[name] = value.clone();
        if value.is_null() {
            secret.as_object_mut().unwrap().remove(name);
        }
    }
    let json = secret.to_string();
    match SecretForm::open(AuthType::OAuth2, Side::Target, json.as_bytes()) {
        Ok(SecretForm::OAuth2Target(form)) => *form,
        other => panic!("{other:?}"),
    }
}

fn built(extra: &Value, shown: Shown<'_>) -> Outgoing {
    build(&form(extra), shown, FRESH).unwrap()
}

fn body(outgoing: &Outgoing) -> &str {
    outgoing.body.as_ref().map_or("", SecretText::expose)
}

fn header<'a>(outgoing: &'a Outgoing, name: &str) -> Option<&'a str> {
    let mut lines = outgoing.headers.iter().filter(|(known, _)| known == name);
    let line = lines.next().map(|(_, value)| value.expose());
    assert!(lines.next().is_none(), "{name} is sent twice");
    line
}

#[test]
fn each_grant_says_what_its_rfc_wants() {
    let basic = json!({});
    for (extra, want) in [
        (basic, "grant_type=client_credentials"),
        (
            json!({"grantType": "refresh_token", "refreshToken": "r1", "scopes": ["x"]}),
            "grant_type=refresh_token&refresh_token=r1",
        ),
        (
            json!({"grantType": "password", "username": "u@x", "password": "p w"}),
            "grant_type=password&username=u%40x&password=p+w",
        ),
        (
            json!({
                "grantType": "token_exchange", "subjectToken": "s", "subjectTokenType": "urn:s",
                "actorToken": "a", "actorTokenType": "urn:a",
            }),
            "grant_type=urn%3Aietf%3Aparams%3Aoauth%3Agrant-type%3Atoken-exchange\
             &subject_token=s&subject_token_type=urn%3As&actor_token=a&actor_token_type=urn%3Aa",
        ),
        (
            json!({"scopes": ["a", "b"], "scopeSeparator": ",", "audience": "aud", "resource": "res"}),
            "grant_type=client_credentials&scope=a%2Cb&audience=aud&resource=res",
        ),
    ] {
        let outgoing = built(&extra, Shown::Grant);
        assert_eq!(body(&outgoing), want);
        assert_eq!(outgoing.method, "POST");
        assert_eq!(header(&outgoing, "accept"), Some("application/json"));
    }
}

#[test]
fn a_consent_shows_its_code_and_what_it_is_bound_to_and_no_scopes() {
    let secret = |text: &str| SecretText::new(text.to_owned());
    let given = |verifier: Option<&str>| Given {
        code: secret("c/1"),
        verifier: verifier.map(secret),
        redirect_uri: "https://core.example/webhooks/oauth2".to_owned(),
    };
    let extra = json!({
        "grantType": "authorization_code", "authorizationUrl": "https://a.example/auth",
        "scopes": ["a"], "scopeOnRefresh": true, "refreshUrl": "https://a.example/refresh",
    });
    let by_code = "grant_type=authorization_code&code=c%2F1\
        &redirect_uri=https%3A%2F%2Fcore.example%2Fwebhooks%2Foauth2";
    for (verifier, want) in [
        (Some("v"), format!("{by_code}&code_verifier=v")),
        (None, by_code.to_owned()),
    ] {
        let outgoing = built(&extra, Shown::Consent(&given(verifier)));
        assert_eq!(body(&outgoing), want);
        assert_eq!(outgoing.url.expose(), "https://a.example/token?tenant=1");
    }
    let refreshed = built(&extra, Shown::Refresh(&secret("r")));
    assert_eq!(
        body(&refreshed),
        "grant_type=refresh_token&refresh_token=r&scope=a"
    );
    assert_eq!(refreshed.url.expose(), "https://a.example/refresh");
}

#[test]
fn a_client_shows_itself_in_one_way() {
    let shown = |extra: Value| {
        let outgoing = built(&extra, Shown::Grant);
        let basic = header(&outgoing, "authorization").map(|value| {
            let encoded = value.strip_prefix("Basic ").unwrap();
            String::from_utf8(STANDARD.decode(encoded).unwrap()).unwrap()
        });
        (basic, body(&outgoing).to_owned())
    };
    let plain = "grant_type=client_credentials";
    let pair = |text: &str| Some(text.to_owned());
    assert_eq!(shown(json!({})), (pair("m+e:h%26h"), plain.to_owned()));
    let raw = json!({"clientAuthEncoding": "raw"});
    assert_eq!(shown(raw), (pair("m e:h&h"), plain.to_owned()));
    let post = json!({"clientAuth": "post"});
    let want = format!("{plain}&client_id=m+e&client_secret=h%26h");
    assert_eq!(shown(post), (None, want));
    let none = json!({"clientAuth": "none", "clientSecret": null});
    assert_eq!(shown(none), (None, format!("{plain}&client_id=m+e")));
}

#[test]
fn a_client_assertion_is_for_the_token_url_and_short() {
    let pem = KeyPair::generate_for(&PKCS_ED25519)
        .unwrap()
        .serialize_pem();
    let extra = json!({"clientAuth": "private_key_jwt", "clientSecret": null, "privateKey": pem, "keyId": "k"});
    let outgoing = built(&extra, Shown::Grant);
    let (_, jwt) = body(&outgoing).split_once("client_assertion=").unwrap();
    let claims = jwt.split('.').nth(1).unwrap();
    let claims: Value = serde_json::from_slice(&URL_SAFE_NO_PAD.decode(claims).unwrap()).unwrap();
    let want = json!({
        "iss": "m e", "sub": "m e", "aud": "https://a.example/token?tenant=1",
        "iat": 1_000, "exp": 1_060, "jti": "once-client",
    });
    assert_eq!(claims, want);
    assert_eq!(header(&outgoing, "authorization"), None);
}

#[test]
fn parameters_go_where_the_provider_wants_them() {
    for (extra, url, body_text, kind) in [
        (
            json!({"bodyFormat": "json"}),
            "https://a.example/token?tenant=1",
            r#"{"grant_type":"client_credentials"}"#,
            Some("application/json"),
        ),
        (
            json!({"method": "GET"}),
            "https://a.example/token?tenant=1&grant_type=client_credentials",
            "",
            None,
        ),
        (
            json!({"extraParams": {"grant_hint": "x y"}}),
            "https://a.example/token?tenant=1",
            "grant_type=client_credentials&grant_hint=x+y",
            Some("application/x-www-form-urlencoded"),
        ),
    ] {
        let outgoing = built(&extra, Shown::Grant);
        assert_eq!(outgoing.url.expose(), url);
        assert_eq!(body(&outgoing), body_text);
        assert_eq!(header(&outgoing, "content-type"), kind);
    }
    let own = json!({"tokenHeaders": {"Accept-Language": "de", "Authorization": "x"}});
    let outgoing = built(&own, Shown::Grant);
    assert_eq!(header(&outgoing, "Authorization"), Some("x"));
    assert_eq!(header(&outgoing, "authorization"), None);
}

#[test]
fn a_refresh_goes_to_its_url_without_what_only_the_grant_needs() {
    let token = SecretText::new("r2".to_owned());
    let extra = json!({
        "grantType": "password", "username": "u", "password": "p", "scopes": ["a"],
        "refreshUrl": "https://b.example/",
    });
    let outgoing = built(&extra, Shown::Refresh(&token));
    assert_eq!(outgoing.url.expose(), "https://b.example/");
    assert_eq!(body(&outgoing), "grant_type=refresh_token&refresh_token=r2");
    let scoped = json!({"scopes": ["a"], "scopeOnRefresh": true});
    let outgoing = built(&scoped, Shown::Refresh(&token));
    assert!(body(&outgoing).ends_with("&scope=a"));
}
