//! What names the present state of something that Envoys have.

use std::fmt::Write;

use sha2::{Digest, Sha256};

/// Bytes of the hash that make a version.
const VERSION_BYTES: usize = 16;

/// Says these parts and no others. Their lengths count too: where one ends is part of what is said.
pub(super) fn version(parts: &[&[u8]]) -> String {
    let mut hash = Sha256::new();
    for part in parts {
        hash.update(part.len().to_string());
        hash.update(b"\n");
        hash.update(part);
    }
    let mut version = String::with_capacity(2 * VERSION_BYTES);
    for byte in hash.finalize().iter().take(VERSION_BYTES) {
        // Writing to a string does not fail.
        let _ = write!(version, "{byte:02x}");
    }
    version
}
