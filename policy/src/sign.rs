//! What a target credential computes for each call, of what is about to be sent: tokens that are
//! minted, signatures over the request.
//!
//! A scheme is one file here. It says which headers and which parameter are its own, so that the
//! swap takes the caller's off, and what it puts there. It sees the request as Envoy will send it,
//! and decides nothing else.

mod aws;
mod calendar;
mod hmac;
mod jwt;
mod kept;
mod mac;

use std::{fmt, ops::Range};

pub(crate) use self::{
    aws::{AwsSecret, AwsSigner, Payload},
    hmac::{Encoding, HmacPlaces, HmacSigner, Template},
    jwt::{Carrier, JwtKey, Life, Minter},
    mac::MacKey,
};
pub use crate::jose::Hash;
use crate::secret::SecretBytes;

/// What schemes need of their host besides the time. A host has none of it that does not say so.
pub trait Tools {
    /// Fresh randomness; none when there is none.
    fn random(&self) -> Option<[u8; 16]> {
        None
    }

    /// The text's signature under a private key in PKCS#8 (RSA: PKCS#1 v1.5; ECDSA: the DER of both
    /// numbers); none when that key cannot sign.
    fn sign(&self, hash: Hash, pkcs8: &SecretBytes, text: &[u8]) -> Option<Vec<u8>> {
        let _ = (hash, pkcs8, text);
        None
    }
}

/// Nothing was signed: the key is of no use, or the host knows no time or has no randomness.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct CannotSign;

/// A request as it is about to leave for the target.
pub(crate) struct Outgoing<'a> {
    pub(crate) method: &'a [u8],
    /// Path and query.
    pub(crate) target: &'a [u8],
    /// `Host`, as Envoy writes it.
    pub(crate) host: &'a [u8],
    /// Lines that reach the target, names in lower case; those of the scheme's own names are not
    /// among them.
    pub(crate) headers: &'a [(&'a [u8], &'a [u8])],
    /// SHA-256 of the whole body, for schemes that [read](Scheme::reads_body) it.
    pub(crate) body_sha256: Option<[u8; 32]>,
    /// Unix time in milliseconds.
    pub(crate) now_ms: u64,
}

/// What a scheme puts on a request.
#[derive(PartialEq, Eq)]
pub(crate) struct Placed<'s> {
    /// The header, one of the scheme's names; none: the scheme's parameter.
    pub(crate) header: Option<&'s str>,
    /// Of a parameter decoded.
    pub(crate) value: SecretBytes,
    /// What of the value nobody but the target may learn.
    pub(crate) secret: Range<usize>,
}

/// How a value is computed for each call.
pub(crate) trait Scheme: fmt::Debug + Send + Sync {
    /// Headers that are the scheme's on every call, in lower case: whatever the caller sent under
    /// them, or a twin of them, goes.
    fn headers(&self) -> &[Box<str>];

    /// The parameter that is the scheme's on every call, decoded.
    fn parameter(&self) -> Option<&[u8]> {
        None
    }

    /// Whether the body's hash is needed, and so the whole body before the head may leave.
    fn reads_body(&self) -> bool;

    /// What to put on this request.
    fn sign(
        &self,
        request: &Outgoing<'_>,
        tools: &dyn Tools,
    ) -> Result<Vec<Placed<'_>>, CannotSign>;
}

impl Outgoing<'_> {
    /// The target without its query, and the query without its question mark.
    fn path_and_query(&self) -> (&[u8], &[u8]) {
        let mut parts = self.target.splitn(2, |byte| *byte == b'?');
        let path = parts.next().unwrap_or_default();
        (path, parts.next().unwrap_or_default())
    }
}

/// Values may be secrets.
impl fmt::Debug for Placed<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.header {
            Some(name) => write!(f, "Header({name})"),
            None => f.write_str("Query"),
        }
    }
}

/// Lower-case hexadecimal digits.
pub(crate) fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write as _;
    let mut text = String::with_capacity(2 * bytes.len());
    for byte in bytes {
        // Writing to a text cannot fail.
        let _ = write!(text, "{byte:02x}");
    }
    text
}

#[cfg(test)]
mod tests;
