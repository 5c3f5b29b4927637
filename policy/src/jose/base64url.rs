//! base64url as JWS means it (RFC 7515 §2): no padding, no bits left over, nothing else between.
//! Each text has one spelling only.

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};

/// Not such a text.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not base64url without padding")]
pub(crate) struct InvalidBase64;

pub(crate) fn decode(text: &[u8]) -> Result<Vec<u8>, InvalidBase64> {
    URL_SAFE_NO_PAD.decode(text).map_err(|_| InvalidBase64)
}

#[cfg(test)]
pub(crate) fn encode(bytes: &[u8]) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_has_one_spelling() {
        assert_eq!(decode(b"").as_deref(), Ok(&b""[..]));
        assert_eq!(decode(b"_-8").as_deref(), Ok(&[0xff, 0xef][..]));
        for wrong in ["_-8=", "/+8", "_-9", "_", "_-8 ", "_-\n8", "_-8.", "_-8\0"] {
            assert_eq!(decode(wrong.as_bytes()), Err(InvalidBase64), "{wrong:?}");
        }
    }
}
