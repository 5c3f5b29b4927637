//! Functions that Envoy offers beyond the ABI, with their messages.

use prost::Message;
use requestrocket_policy::jose::Question;

use super::{host, received};
use crate::host::HostFailure;

/// `envoy.source.extensions.common.wasm.SignArguments`.
#[derive(Message)]
struct SignArguments {
    #[prost(string, tag = "1")]
    hash_function: String,
    /// PKCS#8.
    #[prost(bytes = "vec", tag = "2")]
    private_key: Vec<u8>,
    #[prost(bytes = "vec", tag = "3")]
    text: Vec<u8>,
}

/// `envoy.source.extensions.common.wasm.SignResult`.
#[derive(Message)]
struct SignResult {
    #[prost(bool, tag = "1")]
    result: bool,
    #[prost(bytes = "vec", tag = "2")]
    signature: Vec<u8>,
}

/// `envoy.source.extensions.common.wasm.VerifySignatureArguments`.
#[derive(Message)]
struct VerifySignatureArguments {
    #[prost(string, tag = "1")]
    hash_function: String,
    /// SubjectPublicKeyInfo.
    #[prost(bytes = "vec", tag = "2")]
    public_key: Vec<u8>,
    #[prost(bytes = "vec", tag = "3")]
    signature: Vec<u8>,
    #[prost(bytes = "vec", tag = "4")]
    text: Vec<u8>,
}

/// `envoy.source.extensions.common.wasm.VerifySignatureResult`.
#[derive(Message)]
struct VerifySignatureResult {
    #[prost(bool, tag = "1")]
    result: bool,
    #[prost(string, tag = "2")]
    error: String,
}

/// Whether BoringSSL takes a signature for right: PKCS#1 v1.5 of RSA keys, DER of ECDSA keys.
pub(crate) fn is_signed(question: &Question<'_>) -> Result<bool, HostFailure> {
    let Question {
        hash,
        public_key,
        signature,
        text,
    } = *question;
    let arguments = VerifySignatureArguments {
        hash_function: hash.as_str().to_owned(),
        public_key: public_key.to_vec(),
        signature: signature.to_vec(),
        text: text.to_vec(),
    };
    let answer = call("verify_signature", &arguments.encode_to_vec())?.ok_or(HostFailure)?;
    let VerifySignatureResult { result, error } =
        VerifySignatureResult::decode(&*answer).map_err(|_| HostFailure)?;
    Ok(result && error.is_empty())
}

/// A signature by BoringSSL: PKCS#1 v1.5 of RSA keys, DER of ECDSA keys. None: that key cannot sign.
pub(crate) fn sign(
    hash: &str,
    private_key: &[u8],
    text: &[u8],
) -> Result<Option<Vec<u8>>, HostFailure> {
    let arguments = SignArguments {
        hash_function: hash.to_owned(),
        private_key: private_key.to_vec(),
        text: text.to_vec(),
    };
    let Ok(Some(answer)) = call("sign", &arguments.encode_to_vec()) else {
        return Ok(None);
    };
    let answer = SignResult::decode(&*answer).map_err(|_| HostFailure)?;
    Ok(answer.result.then_some(answer.signature))
}

fn call(name: &str, arguments: &[u8]) -> Result<Option<Vec<u8>>, HostFailure> {
    // SAFETY: the pointers are of live values; the host writes only the two out-values.
    received(|value, length| unsafe {
        host::proxy_call_foreign_function(
            name.as_ptr(),
            name.len(),
            arguments.as_ptr(),
            arguments.len(),
            value,
            length,
        )
    })
}
