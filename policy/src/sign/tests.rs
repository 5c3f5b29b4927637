//! Requests that tests sign, and hosts that help.

use super::*;

/// A request that can be changed before it is signed.
pub(super) struct Given {
    method: Vec<u8>,
    target: Vec<u8>,
    lines: Vec<(&'static [u8], &'static [u8])>,
    pub(super) body_sha256: Option<[u8; 32]>,
    pub(super) now_ms: u64,
}

/// Has nothing and signs nothing.
pub(super) struct Broken;

impl Tools for Broken {}

/// To `bucket.example`, without a body.
pub(super) fn given(method: &str, target: &str, headers: &[(&'static str, &'static str)]) -> Given {
    use sha2::Digest as _;
    Given {
        method: method.into(),
        target: target.into(),
        lines: headers
            .iter()
            .map(|(name, value)| (name.as_bytes(), value.as_bytes()))
            .collect(),
        body_sha256: Some(sha2::Sha256::digest(b"").into()),
        now_ms: 0,
    }
}

impl Given {
    pub(super) fn outgoing(&self) -> Outgoing<'_> {
        Outgoing {
            method: &self.method,
            target: &self.target,
            host: b"bucket.example",
            headers: &self.lines,
            body_sha256: self.body_sha256,
            now_ms: self.now_ms,
        }
    }
}

#[test]
fn hexadecimal_is_lower_case() {
    assert_eq!(hex(&[0x00, 0x0f, 0xa0, 0xff]), "000fa0ff");
    assert_eq!(hex(&[]), "");
}

#[test]
fn a_target_is_its_path_and_its_query() {
    for (target, path, query) in [
        ("/a", "/a", ""),
        ("/a?", "/a", ""),
        ("/a?b=c?d", "/a", "b=c?d"),
        ("", "", ""),
    ] {
        let given = given("GET", target, &[]);
        let want = (path.as_bytes(), query.as_bytes());
        assert_eq!(given.outgoing().path_and_query(), want, "{target}");
    }
}

#[test]
fn what_is_put_does_not_print() {
    let secret = || SecretBytes::from(b"hunter2".as_slice());
    let placed = [Some("x-sig"), None].map(|header| Placed {
        header,
        value: secret(),
        secret: 0..7,
    });
    assert_eq!(format!("{placed:?}"), "[Header(x-sig), Query]");
}
