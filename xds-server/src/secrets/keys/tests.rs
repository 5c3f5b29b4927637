use std::fs::{self, Permissions};

use super::*;

fn made(folder: &Path) -> KeyCheck {
    RegionKeys::load_or_create(folder)
        .unwrap()
        .check("eu-1")
        .unwrap()
}

#[test]
fn keys_are_made_once_and_private() {
    let folder = tempfile::tempdir().unwrap();
    let first = RegionKeys::load_or_create(folder.path()).unwrap();
    let check = first.check("eu-1").unwrap();
    let again = RegionKeys::load(folder.path(), "eu-1", &check).unwrap();
    assert_eq!(first.ring.to_text(), again.ring.to_text());
    assert_eq!(first.sealing.to_bytes(), again.sealing.to_bytes());
    for name in [RING_FILE, SEALING_FILE] {
        let mode = fs::metadata(folder.path().join(name))
            .unwrap()
            .permissions()
            .mode();
        assert_eq!(mode & 0o777, 0o600, "{name}");
    }
    assert!(!format!("{first:?}").contains(&STANDARD.encode(first.ring.newest().expose())));
}

#[test]
fn a_missing_key_of_a_used_store_is_not_made_anew() {
    for name in [RING_FILE, SEALING_FILE] {
        let folder = tempfile::tempdir().unwrap();
        let check = made(folder.path());
        fs::remove_file(folder.path().join(name)).unwrap();
        let error = RegionKeys::load(folder.path(), "eu-1", &check).unwrap_err();
        assert!(
            matches!(&error, InvalidKeys::Missing(path) if path.ends_with(name)),
            "{error}"
        );
        assert!(!folder.path().join(name).exists());
    }
}

#[test]
fn a_wrong_key_is_refused_and_left_alone() {
    for name in [RING_FILE, SEALING_FILE] {
        let (folder, other) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let check = made(folder.path());
        made(other.path());
        let path = folder.path().join(name);
        fs::copy(other.path().join(name), &path).unwrap();
        let before = fs::read(&path).unwrap();
        let error = RegionKeys::load(folder.path(), "eu-1", &check).unwrap_err();
        assert!(
            matches!(&error, InvalidKeys::Wrong(path) if path.ends_with(name)),
            "{error}"
        );
        assert_eq!(fs::read(&path).unwrap(), before);
    }
}

#[test]
fn a_store_of_another_region_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let check = made(folder.path());
    let error = RegionKeys::load(folder.path(), "us-1", &check).unwrap_err();
    assert!(matches!(error, InvalidKeys::Wrong(_)), "{error}");
}

#[test]
fn a_rotated_ring_still_opens_what_the_older_key_sealed() {
    let folder = tempfile::tempdir().unwrap();
    let check = made(folder.path());
    let path = folder.path().join(RING_FILE);
    let newer = KeyRing::of(Key::generate().unwrap()).to_text();
    let older = fs::read(&path).unwrap();
    write(&path, &[newer.expose(), b",", &older].concat()).unwrap();
    RegionKeys::load(folder.path(), "eu-1", &check).unwrap();
}

#[test]
fn unusable_files_are_named_without_their_content() {
    type Case = (&'static str, &'static str, u32, fn(&InvalidKeys) -> bool);
    let cases: &[Case] = &[
        (RING_FILE, "hunter2", 0o600, |e| {
            matches!(e, InvalidKeys::Ring(..))
        }),
        (RING_FILE, "", 0o600, |e| matches!(e, InvalidKeys::Ring(..))),
        (SEALING_FILE, "hunter2!", 0o600, |e| {
            matches!(e, InvalidKeys::Encoding(_))
        }),
        (SEALING_FILE, "aHVudGVyMg==", 0o600, |e| {
            matches!(e, InvalidKeys::Sealing(..))
        }),
        (RING_FILE, "hunter2", 0o644, |e| {
            matches!(e, InvalidKeys::Exposed(_))
        }),
    ];
    for (name, text, mode, want) in cases {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(name);
        fs::write(&path, text).unwrap();
        fs::set_permissions(&path, Permissions::from_mode(*mode)).unwrap();
        let error = RegionKeys::load_or_create(folder.path()).unwrap_err();
        assert!(want(&error), "{error:?}");
        assert!(error.to_string().contains(name) && !format!("{error:?}").contains("hunter2"));
    }
}
