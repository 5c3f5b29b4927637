//! How rows of an audit log hang together: each hash covers the row and the hash before it.

use std::fmt;
use std::str::FromStr;

use serde_json::Value;
use sha2::{Digest, Sha256};

/// SHA-256, as rows name it: 64 hexadecimal digits in lower case.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Hash([u8; 32]);

/// No hash in lower case hexadecimal.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("must be 64 hexadecimal digits in lower case")]
pub struct InvalidHash;

impl Hash {
    /// What the first row of a log has before it.
    pub const NONE: Self = Self([0; 32]);

    /// Of the row behind this one, whose RFC 8785 JSON is `document`.
    #[must_use]
    pub fn of_next(self, document: &str) -> Self {
        let digest = Sha256::new()
            .chain_update(self.0)
            .chain_update(document)
            .finalize();
        Self(digest.into())
    }
}

/// The one way to write a value (RFC 8785), which a hash or a signature covers.
///
/// # Errors
/// Never of what was read or made as JSON: its keys are text and its numbers are finite.
pub fn canonical(value: &Value) -> serde_json::Result<String> {
    serde_json_canonicalizer::to_string(value)
}

impl FromStr for Hash {
    type Err = InvalidHash;

    fn from_str(raw: &str) -> Result<Self, InvalidHash> {
        let digit = |byte: u8| match byte {
            b'0'..=b'9' => Some(byte - b'0'),
            b'a'..=b'f' => Some(byte - b'a' + 10),
            _ => None,
        };
        let (pairs, rest) = raw.as_bytes().as_chunks::<2>();
        let bytes: Option<Vec<u8>> = pairs
            .iter()
            .map(|[high, low]| Some(digit(*high)? << 4 | digit(*low)?))
            .collect();
        let bytes = bytes.filter(|_| rest.is_empty()).ok_or(InvalidHash)?;
        bytes.try_into().map(Self).map_err(|_| InvalidHash)
    }
}

impl fmt::Display for Hash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for Hash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Hash({self})")
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_hash_is_read_as_it_is_written() {
        let hash = Hash::NONE.of_next("{}");
        // (head -c 32 /dev/zero; printf '{}') | sha256sum
        let want = "fb1634c4e6cd4b1f1afe3ce2d6ef080f7ac5d1f357d723ad4dfca782733b62db";
        assert_eq!(hash.to_string(), want);
        assert_eq!(want.parse(), Ok(hash));
        for wrong in [
            "",
            "0",
            &"0".repeat(63),
            &"0".repeat(65),
            &"A".repeat(64),
            &"é".repeat(32),
        ] {
            assert_eq!(wrong.parse::<Hash>(), Err(InvalidHash), "{wrong}");
        }
    }

    #[test]
    fn a_hash_covers_the_row_and_all_before_it() {
        let rows = [r#"{"a":1}"#, r#"{"b":2}"#];
        let chain = |rows: &[&str]| rows.iter().fold(Hash::NONE, |hash, row| hash.of_next(row));
        let whole = chain(&rows);
        assert_ne!(whole, chain(&[rows[1], rows[0]]));
        assert_ne!(whole, chain(&rows[1..]));
        assert_ne!(whole, chain(&[r#"{"a":2}"#, rows[1]]));
    }

    #[test]
    fn a_document_has_one_text_whatever_the_order_of_its_members() {
        let value = json!({"b": [1, 2.50, "é\u{1}"], "a": {"€": null, "\r": true}});
        // RFC 8785 §3.2: keys by UTF-16 units, no blanks, the shortest escapes.
        let want = "{\"a\":{\"\\r\":true,\"€\":null},\"b\":[1,2.5,\"é\\u0001\"]}";
        assert_eq!(canonical(&value).unwrap(), want);
    }
}
