//! A compact JWS, taken apart.

use super::{base64url, header::Header, invalid::InvalidToken};

/// Most bytes of a token.
pub const MAX_TOKEN_BYTES: usize = 32 << 10;
/// Most letters of its header, which is read before anything is verified.
const MAX_HEADER_LETTERS: usize = 4 << 10;
/// Most letters of its signature: some times those of the longest RSA key that is taken, 683.
const MAX_SIGNATURE_LETTERS: usize = 2 << 10;

/// A token whose signature can be looked at.
#[derive(Debug)]
pub(super) struct Token<'t> {
    pub(super) header: Header,
    /// What was signed: header, dot and payload as they came.
    pub(super) signed: &'t [u8],
    pub(super) signature: Vec<u8>,
    payload: &'t [u8],
}

impl<'t> Token<'t> {
    pub(super) fn parse(text: &'t [u8]) -> Result<Self, InvalidToken> {
        if text.len() > MAX_TOKEN_BYTES {
            return Err(InvalidToken::TooLong);
        }
        // Five parts would be a JWE, which nobody here can open.
        let [header, payload, signature] = parts(text).ok_or(InvalidToken::Parts)?;
        if header.len() > MAX_HEADER_LETTERS || signature.len() > MAX_SIGNATURE_LETTERS {
            return Err(InvalidToken::TooLong);
        }
        let signed = text.len().saturating_sub(signature.len().saturating_add(1));
        Ok(Self {
            header: Header::parse(&decode(header)?)?,
            signed: text.get(..signed).unwrap_or_default(),
            signature: decode(signature)?,
            payload,
        })
    }

    /// The text of its claims. Nobody should read them before the signature was found right.
    pub(super) fn claims(&self) -> Result<Vec<u8>, InvalidToken> {
        decode(self.payload)
    }
}

/// The claims of a token that was verified before.
pub fn claims_text(token: &[u8]) -> Option<String> {
    let [_, payload, _] = parts(token)?;
    String::from_utf8(decode(payload).ok()?).ok()
}

fn parts(text: &[u8]) -> Option<[&[u8]; 3]> {
    let mut parts = text.split(|&byte| byte == b'.');
    let three = [parts.next()?, parts.next()?, parts.next()?];
    parts.next().is_none().then_some(three)
}

fn decode(part: &[u8]) -> Result<Vec<u8>, InvalidToken> {
    base64url::decode(part).map_err(|_| InvalidToken::Encoding)
}
