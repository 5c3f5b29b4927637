//! A host with machine code for signatures: ring. It has no P-521, of which it knows one signature.

use ring::signature::{self, UnparsedPublicKey, VerificationAlgorithm};
use x509_parser::{prelude::FromDer as _, x509::SubjectPublicKeyInfo};

use crate::jose::{Hash, Question, Signatures};

pub(super) struct Library {
    /// Of P-521: key and signature, in DER.
    pub(super) known: Option<(Vec<u8>, Vec<u8>)>,
}

const RSA: &str = "1.2.840.113549.1.1.1";
const P_256: &str = "1.2.840.10045.3.1.7";
const P_384: &str = "1.3.132.0.34";

impl Signatures for Library {
    fn is_signed(&self, question: &Question<'_>) -> bool {
        let (rest, key) = SubjectPublicKeyInfo::from_der(question.public_key).unwrap();
        assert!(rest.is_empty());
        let parameters = key.algorithm.parameters.as_ref();
        let curve = parameters.and_then(|id| id.as_oid().ok());
        let name = match (key.algorithm.algorithm.to_id_string(), curve) {
            (algorithm, Some(curve)) if algorithm != RSA => curve.to_id_string(),
            (algorithm, _) => algorithm,
        };
        let algorithm: &dyn VerificationAlgorithm = match (&*name, question.hash) {
            (RSA, Hash::Sha256) => &signature::RSA_PKCS1_2048_8192_SHA256,
            (RSA, Hash::Sha384) => &signature::RSA_PKCS1_2048_8192_SHA384,
            (RSA, Hash::Sha512) => &signature::RSA_PKCS1_2048_8192_SHA512,
            (P_256, Hash::Sha256) => &signature::ECDSA_P256_SHA256_ASN1,
            (P_384, Hash::Sha384) => &signature::ECDSA_P384_SHA384_ASN1,
            _ => {
                let (key, signature) = self.known.as_ref().unwrap();
                return question.public_key == key && question.signature == signature;
            }
        };
        let key = UnparsedPublicKey::new(algorithm, &*key.subject_public_key.data);
        key.verify(question.text, question.signature).is_ok()
    }
}
