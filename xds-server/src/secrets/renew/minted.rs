//! Tokens that the region mints itself, ahead of the calls that are given them: what Envoy, which
//! mints all others, has no function for. Pure but for the salt of signatures and ids.

use requestrocket_policy::secret_form::custom::Values;
use requestrocket_policy::secret_form::obtained::Apply;
use requestrocket_policy::secret_form::signed_jwt::SignedJwt;
use uuid::Uuid;

use super::answer::{Failure, Obtained};
use super::assertion::{self, Issue};
use super::provider::{Attempt, Placed};

/// A token for the calls until the next one.
pub(super) fn mint(form: &SignedJwt, now_ms: u64) -> Attempt {
    let unusable = |text: &str| Failure::transient("unusable_secret", text);
    let key = form
        .minted_ahead()
        .ok_or_else(|| unusable("secret mints nothing ahead"))?;
    let claims = serde_json::from_str(&form.claims);
    let claims = claims.map_err(|_| unusable("claims cannot be read"))?;
    let id = Uuid::new_v4().to_string();
    let issue = Issue {
        now_s: now_ms / 1_000,
        ttl_s: form.ttl_seconds,
        id: &id,
    };
    let token = assertion::sign(&key, &form.header, issue, claims)
        .map_err(|error| Failure::transient("unusable_key", error.to_string()))?;
    let obtained = Obtained {
        token,
        // Its `exp` is of whole seconds.
        life_ms: form.ttl_seconds.saturating_mul(1_000) - now_ms % 1_000,
        refresh_token: None,
    };
    let placed = Placed {
        apply: Apply::behind(&form.prefix, (form.location, form.name.as_str())),
        headers: Values::new(),
        // Whoever does not take it would not take another one either.
        refresh_on: Vec::new(),
    };
    Ok((obtained, placed))
}

#[cfg(test)]
mod tests {
    use base64::Engine;
    use base64::engine::general_purpose::URL_SAFE_NO_PAD;
    use requestrocket_policy::secret_form::SecretForm;
    use requestrocket_policy::secret_form::auth_type::{AuthType, Side};
    use serde_json::{Value, json};

    use super::*;

    const RSA: &str = include_str!("../../../../policy/src/secret_form/tests/keys/rsa.pem");

    fn form(algorithm: &str, more: &Value) -> SignedJwt {
        let mut secret = json!({
            "algorithm": algorithm, "privateKey": RSA, "keyId": "k1", "claims": {"iss": "us"},
        });
        for (name, value) in more.as_object().unwrap() {
            secret[name] = value.clone();
        }
        let json = secret.to_string();
        match SecretForm::open(AuthType::SignedJwt, Side::Target, json.as_bytes()) {
            Ok(SecretForm::SignedJwt(form)) => *form,
            other => panic!("{other:?}"),
        }
    }

    fn decoded(part: &str) -> Value {
        serde_json::from_slice(&URL_SAFE_NO_PAD.decode(part).unwrap()).unwrap()
    }

    #[test]
    fn a_token_says_what_its_secret_says_and_serves_to_its_exp() {
        for algorithm in ["PS256", "PS384", "PS512"] {
            let form = form(algorithm, &json!({"ttlSeconds": 300}));
            let (obtained, placed) = mint(&form, 1_000_250).unwrap();
            assert_eq!(obtained.life_ms, 299_750);
            let parts: Vec<&str> = obtained.token.expose().split('.').collect();
            let want = json!({"alg": algorithm, "typ": "JWT", "kid": "k1"});
            assert_eq!(decoded(parts[0]), want);
            let claims = decoded(parts[1]);
            let moment = (&claims["iss"], &claims["iat"], &claims["exp"]);
            assert_eq!(moment, (&json!("us"), &json!(1_000), &json!(1_300)));
            assert_eq!(URL_SAFE_NO_PAD.decode(parts[2]).unwrap().len(), 256);
            assert_eq!(placed.apply.name, "Authorization");
            assert_eq!(placed.apply.around(), ("Bearer ".len(), 0));
            let (another, _) = mint(&form, 1_000_250).unwrap();
            let id = |token: &str| decoded(token.split('.').nth(1).unwrap())["jti"].clone();
            assert_ne!(id(another.token.expose()), claims["jti"]);
        }
    }

    #[test]
    fn it_goes_where_the_secret_says_and_others_are_not_minted_here() {
        let place = json!({"location": "query", "name": "jwt", "prefix": ""});
        let (obtained, placed) = mint(&form("PS256", &place), 0).unwrap();
        let value = placed.apply.value(&obtained.token);
        assert_eq!(value.expose(), obtained.token.expose());
        assert_eq!(placed.apply.name, "jwt");
        let failure = mint(&form("RS256", &json!({})), 0).unwrap_err();
        assert_eq!(failure.code, "unusable_secret");
    }
}
