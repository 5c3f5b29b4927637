//! Files that other processes read: whole or not at all, and for the owner only.

use std::fs::{self, Permissions};
use std::io::{self, Write};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use tempfile::NamedTempFile;

/// Writes `contents` to `path` with mode 0600, so that a reader sees the old file or the new one.
///
/// # Errors
/// What the file system says; the old file is untouched then.
pub fn write_private(path: &Path, contents: &[u8]) -> io::Result<()> {
    draft(path, contents)?.persist(path)?;
    Ok(())
}

/// The same where no file is yet.
///
/// # Errors
/// What the file system says, also that there is one.
pub fn write_new_private(path: &Path, contents: &[u8]) -> io::Result<()> {
    draft(path, contents)?.persist_noclobber(path)?;
    Ok(())
}

/// Beside the file that it is to become; removed when it does not.
fn draft(path: &Path, contents: &[u8]) -> io::Result<NamedTempFile> {
    let folder = path
        .parent()
        .filter(|p| !p.as_os_str().is_empty())
        .unwrap_or(Path::new("."));
    // In the same folder: a rename is one step within one file system only.
    let mut draft = NamedTempFile::new_in(folder)?;
    draft
        .as_file()
        .set_permissions(Permissions::from_mode(0o600))?;
    draft.write_all(contents)?;
    // The rename may be durable before the contents that it is for.
    draft.as_file().sync_all()?;
    Ok(draft)
}

/// Creates `path` and its parents with mode 0700 for the last folder.
///
/// # Errors
/// What the file system says.
pub fn create_private_dir(path: &Path) -> io::Result<()> {
    fs::create_dir_all(path)?;
    fs::set_permissions(path, Permissions::from_mode(0o700))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_private_file_is_replaced_whole_and_unreadable_for_others() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("tokens.json");
        write_private(&path, b"old").unwrap();
        write_private(&path, b"new").unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"new");
        assert_eq!(
            fs::metadata(&path).unwrap().permissions().mode() & 0o777,
            0o600
        );
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    }

    #[test]
    fn a_new_private_file_replaces_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("tokens.json");
        write_new_private(&path, b"first").unwrap();
        let mode = fs::metadata(&path).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
        let refused = write_new_private(&path, b"second").unwrap_err();
        assert_eq!(refused.kind(), io::ErrorKind::AlreadyExists);
        assert_eq!(fs::read(&path).unwrap(), b"first");
        // Not even what is behind a link.
        let link = folder.path().join("link");
        std::os::unix::fs::symlink(folder.path().join("elsewhere"), &link).unwrap();
        assert!(write_new_private(&link, b"third").is_err());
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 2);
    }
}
