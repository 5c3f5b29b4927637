//! The data directory: where everything lies, and the small files in it.

use std::fs::File;
use std::path::{Path, PathBuf};

use anyhow::Context;
use requestrocket_process::file::{create_private_dir, write_private};
use serde::Serialize;
use serde::de::DeserializeOwned;

/// The data directory, held by one supervisor at a time.
#[derive(Debug)]
pub(crate) struct DataDir {
    root: PathBuf,
    /// Locked while this value lives; the kernel unlocks it whatever happens to us.
    _lock: File,
}

impl DataDir {
    /// Opens or makes it.
    pub(crate) fn open(path: &Path) -> anyhow::Result<Self> {
        create_private_dir(path).with_context(|| format!("cannot make `{}`", path.display()))?;
        let root = path.canonicalize()?;
        let lock = File::create(root.join("supervisor.lock"))?;
        anyhow::ensure!(
            lock.try_lock().is_ok(),
            "another stack runs in `{}`; stop it, or give this one its own --data-dir",
            root.display()
        );
        Ok(Self { root, _lock: lock })
    }

    pub(crate) fn file(&self, name: &str) -> PathBuf {
        self.root.join(name)
    }

    /// A private folder in it, made when missing.
    pub(crate) fn folder(&self, name: &str) -> anyhow::Result<PathBuf> {
        let path = self.root.join(name);
        create_private_dir(&path).with_context(|| format!("cannot make `{}`", path.display()))?;
        Ok(path)
    }
}

/// Writes a JSON file for the owner's eyes, whole or not at all.
pub(crate) fn write_json<T: Serialize>(path: &Path, value: &T) -> anyhow::Result<()> {
    let mut text = serde_json::to_vec_pretty(value)?;
    text.push(b'\n');
    write_private(path, &text).with_context(|| format!("cannot write `{}`", path.display()))
}

/// Reads a JSON file; `None` when there is none.
pub(crate) fn read_json<T: DeserializeOwned>(path: &Path) -> anyhow::Result<Option<T>> {
    let text = match std::fs::read(path) {
        Ok(text) => text,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
        Err(error) => {
            return Err(error).with_context(|| format!("cannot read `{}`", path.display()));
        }
    };
    let value = serde_json::from_slice(&text)
        .with_context(|| format!("`{}` is not as expected", path.display()))?;
    Ok(Some(value))
}

/// Reads a JSON file that must be there.
pub(crate) fn require_json<T: DeserializeOwned>(path: &Path) -> anyhow::Result<T> {
    read_json(path)?.with_context(|| format!("`{}` is missing", path.display()))
}

/// Removes a file that may not be there.
pub(crate) fn remove(path: &Path) -> anyhow::Result<()> {
    match std::fs::remove_file(path) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
            Err(error).with_context(|| format!("cannot remove `{}`", path.display()))
        }
        Ok(()) | Err(_) => Ok(()),
    }
}

/// Settings as TOML text, with that of `further` below them: for strings, numbers and arrays of strings
/// JSON is TOML.
pub(crate) fn write_settings(
    path: &Path,
    settings: &[(&str, serde_json::Value)],
    further: Option<&Path>,
) -> anyhow::Result<()> {
    // TOML has no null.
    let set = settings.iter().filter(|(_, value)| !value.is_null());
    let lines: Vec<String> = set
        .map(|(key, value)| format!("{key} = {value}\n"))
        .collect();
    let mut text = lines.concat();
    if let Some(further) = further {
        let added = std::fs::read_to_string(further);
        text += &added.with_context(|| format!("cannot read `{}`", further.display()))?;
    }
    write_private(path, text.as_bytes())
        .with_context(|| format!("cannot write `{}`", path.display()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_second_supervisor_is_refused_until_the_first_is_gone() {
        let folder = tempfile::tempdir().unwrap();
        let first = DataDir::open(folder.path()).unwrap();
        let problem = DataDir::open(folder.path()).unwrap_err().to_string();
        assert!(problem.contains("another stack runs"), "{problem}");
        drop(first);
        DataDir::open(folder.path()).unwrap();
    }

    #[test]
    fn settings_leave_out_what_is_not_set() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("settings.toml");
        let settings = [
            ("a", json!("x\"y")),
            ("b", json!(null)),
            ("c", json!(["p", "q"])),
        ];
        write_settings(&path, &settings, None).unwrap();
        let text = std::fs::read_to_string(&path).unwrap();
        assert_eq!(text, "a = \"x\\\"y\"\nc = [\"p\",\"q\"]\n");
    }

    #[test]
    fn a_missing_file_is_none_and_a_broken_one_an_error() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.json");
        assert_eq!(read_json::<u8>(&path).unwrap(), None);
        std::fs::write(&path, "{").unwrap();
        assert!(read_json::<u8>(&path).is_err());
        remove(&path).unwrap();
        remove(&path).unwrap();
    }
}
