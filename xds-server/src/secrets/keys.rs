//! The region's own keys, in two files of the data directory.
//!
//! Invariant: once a store holds anything, its keys are never made anew; a region that cannot open
//! its secrets does not start.

use std::io;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use requestrocket_policy::envelope::sealing::{InvalidSealingKey, SealingPrivateKey};
use requestrocket_policy::envelope::{
    Binding, InvalidKeyRing, Key, KeyRing, NoRandomness, Nonce, PlaintextTooLong,
};
use requestrocket_policy::id::OrganisationId;
use requestrocket_process::file::{create_private_dir, write_private};
use uuid::Uuid;
use zeroize::Zeroizing;

use crate::store::state::KeyCheck;

#[cfg(test)]
mod tests;

/// The ring: `keyid:base64`, comma separated, newest first. Envoy gets the same text.
pub const RING_FILE: &str = "region.keys";
/// X25519 private key, base64.
pub const SEALING_FILE: &str = "sealing.key";

const CHECK_TEXT: &[u8] = b"requestrocket region key check";

/// What opens the region's secrets.
#[derive(Debug)]
pub struct RegionKeys {
    /// Wraps the data keys of organisations.
    pub ring: KeyRing,
    /// Opens what the control plane sealed.
    pub sealing: SealingPrivateKey,
}

/// The keys cannot be used. No text holds key material.
#[derive(Debug, thiserror::Error)]
pub enum InvalidKeys {
    /// The store was filled under a key that is not there.
    #[error("`{}` is missing, but the region store holds secrets of that key; restore it from a backup", .0.display())]
    Missing(PathBuf),
    /// The store was filled under another key, or for another region.
    #[error("`{}` is not the key that the region store was filled with (or `region` was renamed); nothing was changed", .0.display())]
    Wrong(PathBuf),
    /// Others could read it.
    #[error("`{}` must not be readable by others (mode 0600)", .0.display())]
    Exposed(PathBuf),
    /// The file system said no.
    #[error("`{}` cannot be read or written", .0.display())]
    File(PathBuf, #[source] io::Error),
    /// `region.keys` holds something else.
    #[error("`{}` holds no key ring", .0.display())]
    Ring(PathBuf, #[source] InvalidKeyRing),
    /// `sealing.key` is not base64.
    #[error("`{}` is not base64", .0.display())]
    Encoding(PathBuf),
    /// `sealing.key` holds something else.
    #[error("`{}` holds no sealing key", .0.display())]
    Sealing(PathBuf, #[source] InvalidSealingKey),
    /// Keys cannot be made.
    #[error("keys cannot be made")]
    Randomness(#[from] NoRandomness),
    /// Cannot happen to a text this short.
    #[error("key check cannot be made")]
    Check(#[from] PlaintextTooLong),
}

impl RegionKeys {
    /// Reads the keys of a store that was used before, and proves that they are the right ones.
    ///
    /// # Errors
    /// A file is missing, unreadable, exposed, or not the one that `check` was made with.
    pub fn load(folder: &Path, region: &str, check: &KeyCheck) -> Result<Self, InvalidKeys> {
        let (ring_path, sealing_path) = (folder.join(RING_FILE), folder.join(SEALING_FILE));
        let ring = read_ring(&ring_path)?.ok_or(InvalidKeys::Missing(ring_path.clone()))?;
        let sealing =
            read_sealing(&sealing_path)?.ok_or(InvalidKeys::Missing(sealing_path.clone()))?;
        let opened = ring.open(&check.envelope, &check_binding(region));
        if opened.is_err() {
            return Err(InvalidKeys::Wrong(ring_path));
        }
        if sealing.public_key().to_bytes().as_slice() != check.sealing_public_key {
            return Err(InvalidKeys::Wrong(sealing_path));
        }
        Ok(Self { ring, sealing })
    }

    /// Reads or makes the keys for a new store.
    ///
    /// # Errors
    /// A file is there and unusable, or none can be written.
    pub fn load_or_create(folder: &Path) -> Result<Self, InvalidKeys> {
        create_private_dir(folder)
            .map_err(|source| InvalidKeys::File(folder.to_path_buf(), source))?;
        let (ring_path, sealing_path) = (folder.join(RING_FILE), folder.join(SEALING_FILE));
        // One may be left of a first start that ended before the store knew of it.
        let ring = match read_ring(&ring_path)? {
            Some(ring) => ring,
            None => create_ring(&ring_path)?,
        };
        let sealing = match read_sealing(&sealing_path)? {
            Some(sealing) => sealing,
            None => create_sealing(&sealing_path)?,
        };
        Ok(Self { ring, sealing })
    }

    /// What a store keeps to know these keys again.
    ///
    /// # Errors
    /// The machine gives no randomness.
    pub fn check(&self, region: &str) -> Result<KeyCheck, InvalidKeys> {
        let envelope = self
            .ring
            .seal(CHECK_TEXT, &check_binding(region), Nonce::random()?)?;
        let sealing_public_key = self.sealing.public_key().to_bytes().to_vec();
        Ok(KeyCheck {
            envelope,
            sealing_public_key,
        })
    }
}

fn check_binding(region: &str) -> Binding<'_> {
    Binding {
        region,
        organisation: OrganisationId::from(Uuid::nil()),
        record: Uuid::nil(),
        field: "key-check".into(),
        version: 0,
    }
}

fn create_ring(path: &Path) -> Result<KeyRing, InvalidKeys> {
    let ring = KeyRing::of(Key::generate()?);
    write(path, ring.to_text().expose())?;
    Ok(ring)
}

fn create_sealing(path: &Path) -> Result<SealingPrivateKey, InvalidKeys> {
    let sealing = SealingPrivateKey::generate()?;
    let text = Zeroizing::new(STANDARD.encode(sealing.to_bytes().expose()));
    write(path, text.as_bytes())?;
    Ok(sealing)
}

fn read_ring(path: &Path) -> Result<Option<KeyRing>, InvalidKeys> {
    let Some(text) = read(path)? else {
        return Ok(None);
    };
    let ring = text
        .parse()
        .map_err(|source| InvalidKeys::Ring(path.to_path_buf(), source))?;
    Ok(Some(ring))
}

fn read_sealing(path: &Path) -> Result<Option<SealingPrivateKey>, InvalidKeys> {
    let Some(text) = read(path)? else {
        return Ok(None);
    };
    let bytes = STANDARD
        .decode(text.trim())
        .map(Zeroizing::new)
        .map_err(|_| InvalidKeys::Encoding(path.to_path_buf()))?;
    SealingPrivateKey::from_bytes(&bytes)
        .map(Some)
        .map_err(|source| InvalidKeys::Sealing(path.to_path_buf(), source))
}

fn read(path: &Path) -> Result<Option<Zeroizing<String>>, InvalidKeys> {
    let failed = |source| InvalidKeys::File(path.to_path_buf(), source);
    let meta = match std::fs::metadata(path) {
        Ok(meta) => meta,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(failed(error)),
    };
    // Group-readable is let pass: container platforms mount secrets that way.
    if meta.permissions().mode() & 0o027 != 0 {
        return Err(InvalidKeys::Exposed(path.to_path_buf()));
    }
    std::fs::read_to_string(path)
        .map(Zeroizing::new)
        .map(Some)
        .map_err(failed)
}

fn write(path: &Path, contents: &[u8]) -> Result<(), InvalidKeys> {
    write_private(path, contents).map_err(|source| InvalidKeys::File(path.to_path_buf(), source))
}
