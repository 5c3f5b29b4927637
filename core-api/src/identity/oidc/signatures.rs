//! Signatures of ID tokens, by ring.

use requestrocket_policy::jose::{Hash, Question, Signatures};
use ring::signature::{self, UnparsedPublicKey, VerificationAlgorithm};
use x509_parser::prelude::FromDer as _;
use x509_parser::x509::SubjectPublicKeyInfo;

/// ring has neither P-521 nor RSA with other hashes: tokens that need them are refused.
pub(super) struct Ring;

const RSA: &str = "1.2.840.113549.1.1.1";
const P_256: &str = "1.2.840.10045.3.1.7";
const P_384: &str = "1.3.132.0.34";

impl Signatures for Ring {
    fn is_signed(&self, question: &Question<'_>) -> bool {
        is_signed(question).unwrap_or(false)
    }
}

fn is_signed(question: &Question<'_>) -> Option<bool> {
    let (_, key) = SubjectPublicKeyInfo::from_der(question.public_key).ok()?;
    let kind = key.algorithm.algorithm.to_id_string();
    let parameters = key.algorithm.parameters.as_ref();
    let name = if kind == RSA {
        kind
    } else {
        parameters?.as_oid().ok()?.to_id_string()
    };
    let algorithm: &dyn VerificationAlgorithm = match (&*name, question.hash) {
        (RSA, Hash::Sha256) => &signature::RSA_PKCS1_2048_8192_SHA256,
        (RSA, Hash::Sha384) => &signature::RSA_PKCS1_2048_8192_SHA384,
        (RSA, Hash::Sha512) => &signature::RSA_PKCS1_2048_8192_SHA512,
        (P_256, Hash::Sha256) => &signature::ECDSA_P256_SHA256_ASN1,
        (P_384, Hash::Sha384) => &signature::ECDSA_P384_SHA384_ASN1,
        _ => return None,
    };
    let key = UnparsedPublicKey::new(algorithm, &*key.subject_public_key.data);
    Some(key.verify(question.text, question.signature).is_ok())
}
