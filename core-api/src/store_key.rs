//! The key under which the store keeps what core-api has to read back: `pki/store.key`.
//!
//! Invariant: what is sealed opens only under this key and for the purpose that it was sealed for.

use std::fmt;
use std::io;
use std::path::{Path, PathBuf};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use requestrocket_process::file;
use ring::aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use zeroize::Zeroizing;

const NAME: &str = "store.key";
const KEY_BYTES: usize = 32;
/// What sealed text begins with, so that another way can be told from this one.
const VERSION: &str = "1.";

/// Seals and opens; prints as nothing.
pub struct StoreKey(LessSafeKey);

/// The key cannot be had.
#[derive(Debug, thiserror::Error)]
pub enum StoreKeyFailed {
    /// The file system says no.
    #[error("`{}` cannot be read or written", .0.display())]
    File(PathBuf, #[source] io::Error),
    /// What is in the file is no key.
    #[error("`{}` cannot be used; restore it from a backup", .0.display())]
    Content(PathBuf),
    /// The machine gives no randomness.
    #[error("a key cannot be made")]
    Random,
}

/// Nothing was sealed: the machine gives no randomness.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("nothing can be sealed")]
pub struct NotSealed;

/// It was sealed under another key or for another purpose, or was changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("what was sealed does not open with `pki/{NAME}`")]
pub struct NotOpened;

impl StoreKey {
    /// The key in `folder`, or a new one: 32 bytes in base64, for its owner only.
    ///
    /// # Errors
    /// A file that cannot be read, written or used.
    pub fn load_or_create(folder: &Path) -> Result<Self, StoreKeyFailed> {
        let path = folder.join(NAME);
        match std::fs::read_to_string(&path) {
            Ok(text) => {
                let bytes = BASE64.decode(Zeroizing::new(text).trim());
                let key = bytes.ok().map(Zeroizing::new);
                let key = key.and_then(|bytes| Self::parse(&bytes));
                key.ok_or(StoreKeyFailed::Content(path))
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => Self::create(folder, path),
            Err(error) => Err(StoreKeyFailed::File(path, error)),
        }
    }

    /// A key that is in no file.
    ///
    /// # Errors
    /// The machine gives no randomness.
    pub fn generate() -> Result<Self, StoreKeyFailed> {
        random().and_then(|bytes| Self::parse(&*bytes).ok_or(StoreKeyFailed::Random))
    }

    /// Seals something for a purpose that names its owner, such as `webhook:ID`.
    ///
    /// # Errors
    /// The machine gives no randomness.
    pub fn seal(&self, purpose: &str, plain: &[u8]) -> Result<String, NotSealed> {
        let mut nonce = [0; NONCE_LEN];
        getrandom::fill(&mut nonce).map_err(|_| NotSealed)?;
        let mut sealed = plain.to_vec();
        let aad = Aad::from(purpose.as_bytes());
        let place = Nonce::assume_unique_for_key(nonce);
        self.0
            .seal_in_place_append_tag(place, aad, &mut sealed)
            .map_err(|_| NotSealed)?;
        let text = BASE64.encode([nonce.as_slice(), sealed.as_slice()].concat());
        Ok(format!("{VERSION}{text}"))
    }

    /// Opens what was sealed for that purpose.
    ///
    /// # Errors
    /// It was not, or not under this key.
    pub fn open(&self, purpose: &str, sealed: &str) -> Result<Zeroizing<Vec<u8>>, NotOpened> {
        let text = sealed.strip_prefix(VERSION).ok_or(NotOpened)?;
        let bytes = BASE64.decode(text).map_err(|_| NotOpened)?;
        let (nonce, sealed) = bytes.split_first_chunk::<NONCE_LEN>().ok_or(NotOpened)?;
        let mut plain = Zeroizing::new(sealed.to_vec());
        let aad = Aad::from(purpose.as_bytes());
        let nonce = Nonce::assume_unique_for_key(*nonce);
        let length = self
            .0
            .open_in_place(nonce, aad, &mut plain)
            .map_err(|_| NotOpened)?
            .len();
        plain.truncate(length);
        Ok(plain)
    }

    fn parse(bytes: &[u8]) -> Option<Self> {
        let key = UnboundKey::new(&AES_256_GCM, bytes).ok()?;
        Some(Self(LessSafeKey::new(key)))
    }

    fn create(folder: &Path, path: PathBuf) -> Result<Self, StoreKeyFailed> {
        let bytes = random()?;
        let text = Zeroizing::new(format!("{}\n", BASE64.encode(bytes.as_slice())));
        let written = file::create_private_dir(folder)
            .and_then(|()| file::write_new_private(&path, text.as_bytes()));
        match written {
            Ok(()) => Self::parse(&*bytes).ok_or(StoreKeyFailed::Content(path)),
            // Another process that starts at the same moment made it.
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
                Self::load_or_create(folder)
            }
            Err(error) => Err(StoreKeyFailed::File(path, error)),
        }
    }
}

fn random() -> Result<Zeroizing<[u8; KEY_BYTES]>, StoreKeyFailed> {
    let mut bytes = Zeroizing::new([0; KEY_BYTES]);
    getrandom::fill(&mut *bytes).map_err(|_| StoreKeyFailed::Random)?;
    Ok(bytes)
}

impl fmt::Debug for StoreKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("StoreKey([redacted])")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_stays_the_same_and_a_broken_one_is_not_replaced() {
        let folder = tempfile::tempdir().unwrap();
        let made = StoreKey::load_or_create(folder.path()).unwrap();
        let sealed = made.seal("webhook:1", b"s3cret").unwrap();
        let again = StoreKey::load_or_create(folder.path()).unwrap();
        assert_eq!(*again.open("webhook:1", &sealed).unwrap(), b"s3cret");
        let path = folder.path().join(NAME);
        std::fs::write(&path, "AAAA").unwrap();
        let refused = StoreKey::load_or_create(folder.path()).unwrap_err();
        assert!(refused.to_string().contains(NAME), "{refused}");
        assert_eq!(std::fs::read_to_string(&path).unwrap(), "AAAA");
    }

    #[test]
    fn nothing_opens_elsewhere_or_changed() {
        let key = StoreKey::generate().unwrap();
        let sealed = key.seal("webhook:1", b"s3cret").unwrap();
        assert!(!sealed.contains("s3cret"));
        assert_ne!(sealed, key.seal("webhook:1", b"s3cret").unwrap());
        let other = StoreKey::generate().unwrap();
        assert_eq!(other.open("webhook:1", &sealed), Err(NotOpened));
        assert_eq!(key.open("webhook:2", &sealed), Err(NotOpened));
        let changed = sealed.replacen(VERSION, "2.", 1);
        for wrong in ["", "1.", "1.AAAA", changed.as_str()] {
            assert_eq!(key.open("webhook:1", wrong), Err(NotOpened), "{wrong}");
        }
        let mut bytes = BASE64.decode(sealed.trim_start_matches(VERSION)).unwrap();
        bytes[NONCE_LEN] ^= 1;
        let changed = format!("{VERSION}{}", BASE64.encode(bytes));
        assert_eq!(key.open("webhook:1", &changed), Err(NotOpened));
    }
}
