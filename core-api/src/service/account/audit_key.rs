//! The key file with which audit logs are signed: `pki/audit.key`.

use std::io;
use std::path::{Path, PathBuf};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use requestrocket_process::file;
use zeroize::Zeroizing;

use crate::domain::account::checkpoint::{AuditKey, InvalidAuditKey};

const NAME: &str = "audit.key";

/// The key cannot be had.
#[derive(Debug, thiserror::Error)]
pub enum AuditKeyFailed {
    /// The file system says no.
    #[error("`{}` cannot be read or written", .0.display())]
    File(PathBuf, #[source] io::Error),
    /// What is in the file is no key.
    #[error("`{}` cannot be used; restore it from a backup", .0.display())]
    Content(PathBuf, #[source] InvalidAuditKey),
}

/// The key in `folder`, or a new one: PKCS#8 in base64, for its owner only.
///
/// # Errors
/// A file that cannot be read, written or used.
pub fn load_or_create(folder: &Path) -> Result<AuditKey, AuditKeyFailed> {
    let path = folder.join(NAME);
    match std::fs::read_to_string(&path) {
        Ok(text) => {
            let bytes = BASE64
                .decode(Zeroizing::new(text).trim())
                .map(Zeroizing::new);
            let key = bytes.map_err(|_| InvalidAuditKey);
            let key = key.and_then(|bytes| AuditKey::parse(&bytes));
            key.map_err(|source| AuditKeyFailed::Content(path, source))
        }
        Err(error) if error.kind() == io::ErrorKind::NotFound => create(folder, path),
        Err(error) => Err(AuditKeyFailed::File(path, error)),
    }
}

fn create(folder: &Path, path: PathBuf) -> Result<AuditKey, AuditKeyFailed> {
    let key = match AuditKey::generate() {
        Ok(key) => key,
        Err(source) => return Err(AuditKeyFailed::Content(path, source)),
    };
    let text = Zeroizing::new(format!("{}\n", BASE64.encode(key.expose())));
    let written = file::create_private_dir(folder)
        .and_then(|()| file::write_new_private(&path, text.as_bytes()));
    match written {
        Ok(()) => Ok(key),
        // Another process that starts at the same moment made it.
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => load_or_create(folder),
        Err(error) => Err(AuditKeyFailed::File(path, error)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_stays_the_same_and_a_broken_one_is_not_replaced() {
        let folder = tempfile::tempdir().unwrap();
        let made = load_or_create(folder.path()).unwrap().public();
        assert_eq!(load_or_create(folder.path()).unwrap().public(), made);
        let path = folder.path().join(NAME);
        std::fs::write(&path, "AAAA").unwrap();
        let refused = load_or_create(folder.path()).unwrap_err().to_string();
        assert!(refused.contains("audit.key"), "{refused}");
        assert_eq!(std::fs::read_to_string(&path).unwrap(), "AAAA");
    }
}
