//! Planted secrets and the search for them in everything a process leaves behind.

use std::fs;
use std::path::Path;

use anyhow::{Result, bail};
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE};

use crate::wire::find;

/// A secret with every spelling in which it must not be found.
#[derive(Clone, Debug)]
pub struct Canary {
    spellings: Vec<(&'static str, Vec<u8>)>,
}

impl Canary {
    pub fn new(secret: &str) -> Self {
        let bytes = secret.as_bytes();
        let pairs: Vec<String> = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
        let hex = pairs.concat();
        let escaped = format!("%{}", pairs.join("%")).to_ascii_uppercase();
        let mut spellings = vec![
            ("plain", bytes.to_vec()),
            ("upper case", secret.to_ascii_uppercase().into_bytes()),
            ("reversed", bytes.iter().rev().copied().collect()),
            ("hex", hex.clone().into_bytes()),
            ("upper-case hex", hex.to_ascii_uppercase().into_bytes()),
            ("percent-encoded", escaped.clone().into_bytes()),
            (
                "lower-case percent-encoded",
                escaped.to_ascii_lowercase().into_bytes(),
            ),
            (
                "component-encoded",
                crate::gateway::escape(secret).into_bytes(),
            ),
        ];
        for shift in 0..3 {
            spellings.push(("base64", inner_base64(&STANDARD, bytes, shift)));
            spellings.push(("base64url", inner_base64(&URL_SAFE, bytes, shift)));
        }
        Self { spellings }
    }

    /// In which spelling the secret is in there.
    pub fn found_in(&self, bytes: &[u8]) -> Option<&'static str> {
        let hit = self
            .spellings
            .iter()
            .find(|(_, spelling)| find(bytes, spelling).is_some());
        hit.map(|(name, _)| *name)
    }

    /// Fails when the secret is in `bytes`; the error says where, never what.
    pub fn absent_from(&self, place: &str, bytes: &[u8]) -> Result<()> {
        match self.found_in(bytes) {
            None => Ok(()),
            Some(spelling) => bail!("the planted secret stands {spelling} in {place}"),
        }
    }

    /// Searches every file below a folder; returns how many there were.
    pub fn absent_below(&self, folder: &Path) -> Result<usize> {
        let mut files = 0;
        let mut folders = vec![folder.to_owned()];
        while let Some(folder) = folders.pop() {
            for entry in fs::read_dir(&folder)?.flatten() {
                let path = entry.path();
                if entry.file_type()?.is_dir() {
                    folders.push(path);
                } else if entry.file_type()?.is_file() {
                    // A write-ahead log may vanish between the listing and the reading.
                    let content = fs::read(&path).unwrap_or_default();
                    self.absent_from(&path.display().to_string(), &content)?;
                    files += 1;
                }
            }
        }
        Ok(files)
    }
}

/// The part of the base64 of `secret` that is the same whatever stands around it, when `shift`
/// bytes precede it in its group of three.
fn inner_base64(engine: &impl base64::Engine, secret: &[u8], shift: usize) -> Vec<u8> {
    let mut padded = vec![0; shift];
    padded.extend_from_slice(secret);
    let encoded = engine.encode(&padded);
    let start = [0, 2, 3].get(shift).copied().unwrap_or(0);
    let whole_groups = padded.len() / 3 * 4;
    encoded
        .as_bytes()
        .get(start..whole_groups)
        .unwrap_or(b"")
        .to_vec()
}

/// `Basic …` of a user name and a password.
pub fn basic(username: &str, password: &str) -> String {
    format!(
        "Basic {}",
        STANDARD.encode(format!("{username}:{password}"))
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_is_found_in_every_spelling_and_position() {
        let secret = "Canary+secret/of_tests=1234567";
        let canary = Canary::new(secret);
        for before in ["", "a", "ab", "abc"] {
            let text = format!("{before}{secret}tail");
            for (name, hidden) in [
                ("plain", text.clone()),
                ("base64", STANDARD.encode(&text)),
                ("base64url", URL_SAFE.encode(&text)),
                ("escaped", crate::gateway::escape(&text)),
                ("reversed", text.chars().rev().collect()),
            ] {
                assert!(
                    canary.found_in(hidden.as_bytes()).is_some(),
                    "{name} after `{before}`"
                );
            }
        }
        assert_eq!(canary.found_in(b"nothing of the kind"), None);
    }
}
