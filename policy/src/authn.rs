//! Is this credential right?

mod digest;

pub use digest::{DIGEST_BYTES, DigestKey, InvalidDigestKey};
