//! JWTs that a client signs to show who it is (RFC 7523). No I/O.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use requestrocket_policy::secret::SecretText;
use rustls::SignatureScheme;
use rustls::crypto::ring::sign::any_supported_type;
use rustls_pki_types::PrivateKeyDer;
use rustls_pki_types::pem::PemObject;
use serde_json::{Map, Value};

/// Algorithms in the order in which a key that fits several is used.
const SCHEMES: [(&str, SignatureScheme); 9] = [
    ("RS256", SignatureScheme::RSA_PKCS1_SHA256),
    ("ES256", SignatureScheme::ECDSA_NISTP256_SHA256),
    ("ES384", SignatureScheme::ECDSA_NISTP384_SHA384),
    ("EdDSA", SignatureScheme::ED25519),
    ("RS384", SignatureScheme::RSA_PKCS1_SHA384),
    ("RS512", SignatureScheme::RSA_PKCS1_SHA512),
    ("PS256", SignatureScheme::RSA_PSS_SHA256),
    ("PS384", SignatureScheme::RSA_PSS_SHA384),
    ("PS512", SignatureScheme::RSA_PSS_SHA512),
];

/// A key that does not sign.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum InvalidKey {
    /// No key of a known kind.
    #[error("private key cannot be read")]
    Unreadable,
    /// A key of another kind.
    #[error("private key does not fit the algorithm")]
    Algorithm,
}

/// What signs.
#[derive(Clone, Copy, Debug)]
pub(super) struct Key<'a> {
    /// PEM.
    pub(super) pem: &'a SecretText,
    /// `kid`
    pub(super) id: Option<&'a str>,
    /// None: the first that fits.
    pub(super) algorithm: Option<&'a str>,
}

/// When, and which one.
#[derive(Clone, Copy, Debug)]
pub(super) struct Issue<'a> {
    /// Seconds since 1970.
    pub(super) now_s: u64,
    /// From then on.
    pub(super) ttl_s: u64,
    /// Never used before.
    pub(super) id: &'a str,
}

/// A signed JWT with these claims, and with `iat`, `exp` and `jti`.
pub(super) fn sign(
    key: Key<'_>,
    issue: Issue<'_>,
    mut claims: Map<String, Value>,
) -> Result<SecretText, InvalidKey> {
    let pem = key.pem.expose().as_bytes();
    let der = PrivateKeyDer::from_pem_slice(pem).map_err(|_| InvalidKey::Unreadable)?;
    let signing = any_supported_type(&der).map_err(|_| InvalidKey::Unreadable)?;
    let fits = |word: &str| key.algorithm.is_none_or(|algorithm| algorithm == word);
    let chosen = SCHEMES.iter().filter(|(word, _)| fits(word));
    let mut chosen = chosen.filter_map(|(word, scheme)| {
        let signer = signing.choose_scheme(&[*scheme])?;
        Some((*word, signer))
    });
    let (algorithm, signer) = chosen.next().ok_or(InvalidKey::Algorithm)?;
    let mut header = Map::from_iter([
        ("alg".to_owned(), Value::from(algorithm)),
        ("typ".to_owned(), Value::from("JWT")),
    ]);
    header.extend(key.id.map(|id| ("kid".to_owned(), Value::from(id))));
    claims.insert("iat".to_owned(), issue.now_s.into());
    claims.insert(
        "exp".to_owned(),
        issue.now_s.saturating_add(issue.ttl_s).into(),
    );
    claims.insert("jti".to_owned(), issue.id.into());
    let part = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
    let text = format!(
        "{}.{}",
        part(&Value::Object(header)),
        part(&Value::Object(claims))
    );
    let signature = signer
        .sign(text.as_bytes())
        .map_err(|_| InvalidKey::Unreadable)?;
    let signature = match algorithm {
        "ES256" => fixed::<32>(&signature).ok_or(InvalidKey::Algorithm)?,
        "ES384" => fixed::<48>(&signature).ok_or(InvalidKey::Algorithm)?,
        _ => signature,
    };
    let signature = URL_SAFE_NO_PAD.encode(signature);
    Ok(SecretText::new(format!("{text}.{signature}")))
}

/// A DER signature as JOSE wants it: both numbers in full width.
fn fixed<const WIDTH: usize>(der: &[u8]) -> Option<Vec<u8>> {
    // SEQUENCE of two INTEGERs; lengths below 128 take one byte.
    let (&[0x30, length], numbers) = der.split_first_chunk::<2>()? else {
        return None;
    };
    (usize::from(length) == numbers.len()).then_some(())?;
    let (r, rest) = integer::<WIDTH>(numbers)?;
    let (s, rest) = integer::<WIDTH>(rest)?;
    rest.is_empty().then(|| [r, s].concat())
}

fn integer<const WIDTH: usize>(der: &[u8]) -> Option<(Vec<u8>, &[u8])> {
    let (&[0x02, length], rest) = der.split_first_chunk::<2>()? else {
        return None;
    };
    let (bytes, rest) = rest.split_at_checked(usize::from(length))?;
    // DER writes a zero before a number whose first bit is set.
    let bytes = bytes.strip_prefix(&[0]).unwrap_or(bytes);
    let missing = WIDTH.checked_sub(bytes.len())?;
    Some(([vec![0; missing], bytes.to_vec()].concat(), rest))
}

#[cfg(test)]
mod tests {
    use super::*;
    use rcgen::{KeyPair, PKCS_ECDSA_P256_SHA256, PKCS_ECDSA_P384_SHA384, PKCS_ED25519};
    use serde_json::json;

    const ISSUE: Issue<'_> = Issue {
        now_s: 1_000,
        ttl_s: 60,
        id: "once",
    };

    fn decoded(part: &str) -> Value {
        serde_json::from_slice(&URL_SAFE_NO_PAD.decode(part).unwrap()).unwrap()
    }

    #[test]
    fn a_key_signs_by_the_algorithm_that_fits_it() {
        for (kind, algorithm, bytes) in [
            (&PKCS_ECDSA_P256_SHA256, "ES256", 64),
            (&PKCS_ECDSA_P384_SHA384, "ES384", 96),
            (&PKCS_ED25519, "EdDSA", 64),
        ] {
            let pem = KeyPair::generate_for(kind).unwrap().serialize_pem();
            let pem = SecretText::new(pem);
            let key = Key {
                pem: &pem,
                id: Some("k1"),
                algorithm: None,
            };
            let claims = Map::from_iter([("aud".to_owned(), json!("https://a/"))]);
            let jwt = sign(key, ISSUE, claims).unwrap();
            let parts: Vec<&str> = jwt.expose().split('.').collect();
            let want = json!({"alg": algorithm, "typ": "JWT", "kid": "k1"});
            assert_eq!(decoded(parts[0]), want);
            let want = json!({"aud": "https://a/", "iat": 1_000, "exp": 1_060, "jti": "once"});
            assert_eq!(decoded(parts[1]), want);
            assert_eq!(URL_SAFE_NO_PAD.decode(parts[2]).unwrap().len(), bytes);
        }
    }

    #[test]
    fn a_key_of_another_kind_does_not_sign() {
        let pem = KeyPair::generate_for(&PKCS_ED25519)
            .unwrap()
            .serialize_pem();
        for (pem, algorithm, want) in [
            (pem, Some("RS256"), InvalidKey::Algorithm),
            ("no key".to_owned(), None, InvalidKey::Unreadable),
        ] {
            let pem = SecretText::new(pem);
            let key = Key {
                pem: &pem,
                id: None,
                algorithm,
            };
            assert_eq!(sign(key, ISSUE, Map::new()), Err(want));
        }
    }

    #[test]
    fn numbers_of_a_signature_get_their_full_width() {
        let der = [0x30, 7, 0x02, 2, 0, 0x81, 0x02, 1, 5];
        assert_eq!(fixed::<2>(&der), Some(vec![0, 0x81, 0, 5]));
        assert_eq!(fixed::<2>(&der[..8]), None);
        assert_eq!(fixed::<0>(&der), None);
    }
}
