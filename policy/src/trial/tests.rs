use requestrocket_proto::policy::v1 as wire;
use ring::signature::{
    ECDSA_P256_SHA256_ASN1, KeyPair as _, RSA_PKCS1_2048_8192_SHA256, RSA_PKCS1_2048_8192_SHA512,
    UnparsedPublicKey, VerificationAlgorithm,
};
use wire::computed::Scheme;

use super::*;
use crate::{
    fixtures::PolicyFixture,
    secret_form::private_key::private_key,
    sign::{MacKey, hex},
};

const RSA: &str = include_str!("../secret_form/tests/keys/rsa.pem");
const P256: &str = include_str!("../secret_form/tests/keys/p256.pem");
const P521: &str = include_str!("../secret_form/tests/keys/p521-sec1.pem");

fn shown(fixture: &PolicyFixture, path: &str, now_ms: u64) -> Result<Vec<String>, NoTrial> {
    let Trial { target, headers } = trial(&fixture.compile().unwrap(), path, now_ms)?;
    let text = |bytes: &SecretBytes| String::from_utf8(bytes.expose().to_vec()).unwrap();
    let headers = headers.iter();
    let headers = headers.map(|(name, value)| format!("{name} = {}", text(value)));
    Ok(std::iter::once(text(&target)).chain(headers).collect())
}

#[test]
fn the_target_gets_its_own_path_and_what_its_credential_puts() {
    let fixture = || PolicyFixture::new().base_path("/v1");
    for (fixture, path, want) in [
        (fixture(), "/", vec!["/v1/"]),
        (fixture(), "/a/./b?c=d", vec!["/v1/a/b?c=d"]),
        (
            fixture().header("Authorization", "Bearer t"),
            "/x",
            vec!["/v1/x", "authorization = Bearer t"],
        ),
        (
            fixture().query("key", "s/t"),
            "/x?key=1&a=2",
            vec!["/v1/x?a=2&key=s%2Ft"],
        ),
    ] {
        assert_eq!(shown(&fixture, path, 1).unwrap(), want);
    }
}

#[test]
fn what_is_computed_is_computed_over_that_request() {
    let scheme = Scheme::Hmac(wire::HmacSignature {
        key: b"signing-key".as_slice().into(),
        hash: wire::Hash::Sha256.into(),
        string_to_sign: "{method} {path} {query} {timestamp} {header:host} {bodySha256}".to_owned(),
        is_base64: false,
        header: "X-Signature".to_owned(),
        prefix: String::new(),
        timestamp_header: String::new(),
    });
    let fixture = PolicyFixture::new().base_path("/v1").computed(scheme);
    let of_nothing = hex(&Sha256::digest(b""));
    let text = format!("GET /v1/a q=1 7 api.example {of_nothing}");
    let mac = MacKey::new(Hash::Sha256, b"signing-key").unwrap();
    let signature = format!("x-signature = {}", hex(&mac.mac(text.as_bytes())));
    assert_eq!(
        shown(&fixture, "/a?q=1", 7_999).unwrap(),
        ["/v1/a?q=1".to_owned(), signature]
    );
}

#[test]
fn without_something_to_give_there_is_none() {
    let literal = || PolicyFixture::new().header("authorization", "Bearer t");
    for (fixture, path, want) in [
        (literal().target_ending(9), "/", NoTrial::Unavailable),
        (literal().obtained(9, &[401]), "/", NoTrial::Unavailable),
        (literal(), "/a/../../b", NoTrial::Path),
    ] {
        assert_eq!(shown(&fixture, path, 9), Err(want));
    }
    let mut fixture = literal().obtained(10, &[401]);
    let token = fixture.apart();
    let policy = fixture.compile().unwrap();
    assert_eq!(trial(&policy, "/", 9).err(), Some(NoTrial::Unavailable));
    let policy = policy.with_token(b"1", &token).unwrap();
    assert_eq!(trial(&policy, "/", 9).unwrap().headers.len(), 1);
}

#[test]
fn keys_sign_here_as_they_do_in_envoy() {
    let key = |pem: &str| private_key(&pem.into()).unwrap().bytes;
    let (rsa, p256) = (key(RSA), key(P256));
    let public = |pkcs8: &SecretBytes| {
        if let Ok(pair) = RsaKeyPair::from_pkcs8(pkcs8.expose()) {
            return pair.public_key().as_ref().to_vec();
        }
        let algorithm = &ECDSA_P256_SHA256_ASN1_SIGNING;
        let pair = EcdsaKeyPair::from_pkcs8(algorithm, pkcs8.expose(), &SystemRandom::new());
        pair.unwrap().public_key().as_ref().to_vec()
    };
    let all: [(&SecretBytes, Hash, &dyn VerificationAlgorithm); 3] = [
        (&rsa, Hash::Sha256, &RSA_PKCS1_2048_8192_SHA256),
        (&rsa, Hash::Sha512, &RSA_PKCS1_2048_8192_SHA512),
        (&p256, Hash::Sha256, &ECDSA_P256_SHA256_ASN1),
    ];
    for (key, hash, verification) in all {
        let signature = Machine.sign(hash, key, b"text").unwrap();
        let verified = UnparsedPublicKey::new(verification, public(key));
        assert!(verified.verify(b"text", &signature).is_ok());
    }
    assert_eq!(Machine.sign(Hash::Sha512, &key(P521), b"text"), None);
}
