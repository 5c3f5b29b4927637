//! Nonces never repeat, nothing opens for another owner, no flipped bit goes unseen.

use std::collections::HashSet;

use proptest::prelude::*;
use uuid::Uuid;

use super::*;
use crate::{
    id::{CredentialId, OrganisationId},
    secret::SecretBytes,
};

mod model;

const REGION: &str = "eu-1";

fn organisation(n: u128) -> OrganisationId {
    OrganisationId::from(Uuid::from_u128(n))
}

fn credential(n: u128) -> CredentialId {
    CredentialId::from(Uuid::from_u128(n))
}

fn binding() -> Binding<'static> {
    Binding::secret(REGION, organisation(1), credential(2), 3)
}

fn nonce() -> Nonce {
    Nonce::random().unwrap()
}

fn ring() -> KeyRing {
    KeyRing::of(Key::generate().unwrap())
}

fn named(id: &str, byte: u8) -> Key {
    Key::new(id.parse().unwrap(), SecretBytes::from(vec![byte; 32])).unwrap()
}

fn ring_of(text: &[(&str, u8)]) -> KeyRing {
    let entries: Vec<String> = text
        .iter()
        .map(|&(id, byte)| {
            let text = KeyRing::of(named(id, byte)).to_text();
            String::from_utf8(text.expose().to_vec()).unwrap()
        })
        .collect();
    entries.join(",").parse().unwrap()
}

#[test]
fn what_was_sealed_opens_for_its_owner() {
    let ring = ring();
    for plaintext in [&b""[..], b"a", &[0; 8192]] {
        let envelope = ring.seal(plaintext, &binding(), nonce()).unwrap();
        let opened = ring.open(&envelope, &binding()).unwrap();
        assert_eq!(opened.expose(), plaintext);
        let shows = envelope
            .windows(plaintext.len().max(4))
            .any(|window| window == plaintext);
        assert!(!shows, "plaintext in the envelope");
    }
}

#[test]
fn the_layout_is_version_key_id_nonce_ciphertext() {
    let envelope = ring_of(&[("k1", 1)])
        .seal(b"abc", &binding(), nonce())
        .unwrap();
    assert_eq!(envelope.get(..4), Some(&b"\x01\x02k1"[..]));
    assert_eq!(envelope.len(), 4 + 12 + 3 + 16);
}

/// An envelope of an earlier build must open for as long as format 1 is read.
#[test]
fn an_envelope_made_elsewhere_opens() {
    let ring = ring_of(&[("k1", 7)]);
    let envelope = include_bytes!("tests/format-1.envelope");
    let opened = ring.open(envelope, &binding()).unwrap();
    assert_eq!(opened.expose(), b"made by another implementation");
}

#[test]
fn swapping_any_part_of_the_binding_fails() {
    let ring = ring();
    let envelope = ring.seal(b"secret", &binding(), nonce()).unwrap();
    let others = [
        Binding {
            region: "eu-2",
            ..binding()
        },
        Binding {
            region: "",
            ..binding()
        },
        Binding {
            organisation: organisation(9),
            ..binding()
        },
        Binding {
            record: Uuid::from_u128(9),
            ..binding()
        },
        Binding {
            field: "secre".into(),
            ..binding()
        },
        Binding {
            field: "header:x".into(),
            ..binding()
        },
        Binding {
            version: 2,
            ..binding()
        },
        Binding {
            version: 4,
            ..binding()
        },
        // The same bytes in other places.
        Binding {
            organisation: organisation(2),
            record: Uuid::from_u128(1),
            ..binding()
        },
        Binding {
            region: "eu-1secret",
            field: "".into(),
            ..binding()
        },
    ];
    for other in others {
        let opened = ring.open(&envelope, &other);
        assert_eq!(opened, Err(InvalidEnvelope::NotAuthentic), "{other:?}");
    }
}

#[test]
fn bindings_of_different_uses_differ() {
    let org = organisation(1);
    let uses = [
        Binding::data_key(REGION, org),
        Binding::digest_key(REGION, org),
        Binding::secret(REGION, org, credential(1), 0),
        Binding::injection(
            REGION,
            org,
            (credential(1), 0),
            (Location::Header, "secret"),
        ),
        Binding::injection(REGION, org, (credential(1), 0), (Location::Query, "secret")),
        Binding::injection(REGION, org, (credential(1), 0), (Location::Query, "Secret")),
    ];
    let ring = ring();
    for (sealed_for, one) in uses.iter().enumerate() {
        let envelope = ring.seal(b"x", one, nonce()).unwrap();
        for (opened_for, other) in uses.iter().enumerate() {
            let opens = ring.open(&envelope, other).is_ok();
            assert_eq!(opens, sealed_for == opened_for, "{one:?} {other:?}");
        }
    }
}

#[test]
fn header_names_are_bound_without_case_and_parameters_with_it() {
    let of = |location, name| {
        Binding::injection(
            REGION,
            organisation(1),
            (credential(1), 1),
            (location, name),
        )
    };
    assert_eq!(of(Location::Header, "X-Key"), of(Location::Header, "x-key"));
    assert_ne!(of(Location::Query, "X-Key"), of(Location::Query, "x-key"));
}

#[test]
fn every_flipped_bit_and_every_cut_is_noticed() {
    let ring = ring_of(&[("k1", 1), ("k0", 2)]);
    let envelope = ring.seal(b"secret", &binding(), nonce()).unwrap();
    for at in 0..envelope.len() {
        for bit in 0..8 {
            let mut bent = envelope.clone();
            bent[at] ^= 1 << bit;
            assert!(ring.open(&bent, &binding()).is_err(), "byte {at} bit {bit}");
        }
        assert!(
            ring.open(&envelope[..at], &binding()).is_err(),
            "cut at {at}"
        );
    }
    let longer = [envelope.as_slice(), b"x"].concat();
    assert_eq!(
        ring.open(&longer, &binding()),
        Err(InvalidEnvelope::NotAuthentic)
    );
}

#[test]
fn errors_name_what_is_wrong() {
    let ring = ring_of(&[("k1", 1)]);
    let envelope = ring.seal(b"secret", &binding(), nonce()).unwrap();
    for (bytes, want) in [
        (&b""[..], InvalidEnvelope::Truncated),
        (b"\x01", InvalidEnvelope::Truncated),
        (b"\x01\xffk", InvalidEnvelope::Truncated),
        (b"\x02\x00", InvalidEnvelope::UnknownVersion(2)),
        (&envelope[..20], InvalidEnvelope::Truncated),
    ] {
        assert_eq!(ring.open(bytes, &binding()), Err(want), "{bytes:?}");
    }
    let other = ring_of(&[("k2", 1)]);
    assert_eq!(
        other.open(&envelope, &binding()),
        Err(InvalidEnvelope::UnknownKey)
    );
    let same_name = ring_of(&[("k1", 2)]);
    assert_eq!(
        same_name.open(&envelope, &binding()),
        Err(InvalidEnvelope::NotAuthentic)
    );
}

#[test]
fn after_a_rotation_the_newest_key_seals_and_all_open() {
    let old = ring_of(&[("k1", 1)]);
    let rotated = ring_of(&[("k2", 2), ("k1", 1)]);
    let before = old.seal(b"a", &binding(), nonce()).unwrap();
    let after = rotated.seal(b"b", &binding(), nonce()).unwrap();
    assert_eq!(rotated.open(&before, &binding()).unwrap().expose(), b"a");
    assert_eq!(rotated.open(&after, &binding()).unwrap().expose(), b"b");
    assert_eq!(rotated.is_current(&before), Ok(false));
    assert_eq!(rotated.is_current(&after), Ok(true));
    assert_eq!(
        old.open(&after, &binding()),
        Err(InvalidEnvelope::UnknownKey)
    );
    assert_eq!(rotated.is_current(b""), Err(InvalidEnvelope::Truncated));
    let names: Vec<_> = rotated.keys().map(|key| key.id().to_string()).collect();
    assert_eq!(names, ["k2", "k1"]);
}

#[test]
fn nonces_do_not_repeat() {
    let ring = ring();
    let mut seen = HashSet::new();
    for _ in 0..10_000 {
        let envelope = ring.seal(b"", &binding(), nonce()).unwrap();
        let header = 2 + usize::from(envelope[1]);
        assert!(seen.insert(envelope[header..header + 12].to_vec()));
    }
}

#[test]
fn key_rings_are_read_from_text() {
    let key = "BwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwc=";
    for (text, want) in [
        (format!("k1:{key}"), vec!["k1"]),
        (format!(" k2:{key},k1:{key}\n"), vec!["k2", "k1"]),
        (
            format!("2026-01_a.b:{key}, k1:{key}"),
            vec!["2026-01_a.b", "k1"],
        ),
    ] {
        let ring: KeyRing = text.parse().unwrap();
        let names: Vec<_> = ring.keys().map(|key| key.id().as_str()).collect();
        assert_eq!(names, want);
        assert_eq!(ring.newest().expose(), [7; 32]);
        let again = String::from_utf8(ring.to_text().expose().to_vec()).unwrap();
        assert_eq!(again.parse::<KeyRing>().unwrap().to_text(), ring.to_text());
    }
    let long_id = "k".repeat(65);
    let wrong = |position, source| InvalidKeyRing::Key { position, source };
    for (text, want) in [
        (String::new(), InvalidKeyRing::Empty),
        (" \n".to_owned(), InvalidKeyRing::Empty),
        ("k1".to_owned(), InvalidKeyRing::Shape(1)),
        (format!("k1:{key},"), InvalidKeyRing::Shape(2)),
        (format!("k1:{key}!"), InvalidKeyRing::Encoding(1)),
        ("k1:AAAA".to_owned(), wrong(1, InvalidKey::Length)),
        (format!(":{key}"), wrong(1, InvalidKey::Id)),
        (format!("k 1:{key}"), wrong(1, InvalidKey::Id)),
        (format!("{long_id}:{key}"), wrong(1, InvalidKey::Id)),
        (format!("k1:{key},k1:{key}"), InvalidKeyRing::Duplicate(2)),
    ] {
        assert_eq!(text.parse::<KeyRing>().map(|_| ()), Err(want), "{text}");
    }
}

#[test]
fn key_material_is_never_shown() {
    let ring: KeyRing = "k1:BwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwc="
        .parse()
        .unwrap();
    let shown = format!("{ring:?} {:?}", ring.to_text());
    assert!(!shown.contains("Bwc") && !shown.contains("7, 7"), "{shown}");
    let error = "k1:BwcHBwcHBwcHBwc=".parse::<KeyRing>().unwrap_err();
    assert!(!format!("{error} {error:?}").contains("Bwc"));
}

#[test]
fn generated_keys_are_named_after_themselves() {
    let key = Key::generate().unwrap();
    let again = Key::unnamed(SecretBytes::from(key.expose())).unwrap();
    assert_eq!(key.id(), again.id());
    assert_ne!(key.id(), Key::generate().unwrap().id());
    let envelope = key.seal(b"x", &binding(), nonce()).unwrap();
    assert!(KeyRing::of(again).open(&envelope, &binding()).is_ok());
    assert_eq!(
        Key::unnamed(SecretBytes::from(vec![1; 31])).err(),
        Some(InvalidKey::Length)
    );
}

proptest! {
    #[test]
    fn any_bytes_fail_to_open(bytes: Vec<u8>) {
        prop_assert!(ring_of(&[("k1", 1)]).open(&bytes, &binding()).is_err());
    }

    #[test]
    fn any_ring_text_is_read_without_panic(text: String) {
        let _read = text.parse::<KeyRing>();
    }
}

#[cfg(feature = "secrets")]
mod sealing_tests {
    use super::{super::sealing::*, *};

    #[test]
    fn the_region_opens_what_was_sealed_to_it() {
        let private = SealingPrivateKey::generate().unwrap();
        let public = SealingPublicKey::from_bytes(&private.public_key().to_bytes()).unwrap();
        let private = SealingPrivateKey::from_bytes(private.to_bytes().expose()).unwrap();
        for plaintext in [&b""[..], b"{\"key\":\"k\"}", &vec![9; 20_000]] {
            let sealed = public.seal(plaintext, &binding()).unwrap();
            assert_eq!(
                private.open(&sealed, &binding()).unwrap().expose(),
                plaintext
            );
        }
        let (one, two) = (public.seal(b"x", &binding()), public.seal(b"x", &binding()));
        assert_ne!(one, two);
    }

    /// Made by pyhpke: the suite and the layout are those of RFC 9180, not our own.
    #[test]
    fn a_secret_sealed_elsewhere_opens() {
        let private = SealingPrivateKey::from_bytes(&[7; 32]).unwrap();
        let sealed = include_bytes!("tests/sealed-1.secret");
        let opened = private.open(sealed, &binding()).unwrap();
        assert_eq!(opened.expose(), b"made by another implementation");
    }

    #[test]
    fn nobody_else_and_for_nothing_else() {
        let private = SealingPrivateKey::generate().unwrap();
        let sealed = private.public_key().seal(b"secret", &binding()).unwrap();
        let other = SealingPrivateKey::generate().unwrap();
        assert_eq!(
            other.open(&sealed, &binding()),
            Err(InvalidEnvelope::NotAuthentic)
        );
        for bent in [
            Binding {
                region: "eu-2",
                ..binding()
            },
            Binding {
                organisation: organisation(9),
                ..binding()
            },
            Binding {
                record: Uuid::from_u128(9),
                ..binding()
            },
            Binding {
                field: "other".into(),
                ..binding()
            },
            Binding {
                version: 4,
                ..binding()
            },
        ] {
            let opened = private.open(&sealed, &bent);
            assert_eq!(opened, Err(InvalidEnvelope::NotAuthentic), "{bent:?}");
        }
    }

    #[test]
    fn bent_and_cut_secrets_do_not_open() {
        let private = SealingPrivateKey::generate().unwrap();
        let sealed = private.public_key().seal(b"secret", &binding()).unwrap();
        for at in 0..sealed.len() {
            let mut bent = sealed.clone();
            // X25519 ignores the top bit of a public key's last byte, HPKE binds it all the same.
            bent[at] ^= 0x80;
            assert!(private.open(&bent, &binding()).is_err(), "byte {at}");
            assert!(
                private.open(&sealed[..at], &binding()).is_err(),
                "cut at {at}"
            );
        }
        let unknown = InvalidEnvelope::UnknownVersion(9);
        assert_eq!(private.open(b"\x09", &binding()), Err(unknown));
    }

    #[test]
    fn keys_are_32_bytes_and_private_ones_are_never_shown() {
        assert_eq!(
            SealingPublicKey::from_bytes(&[1; 31]).err(),
            Some(InvalidSealingKey)
        );
        assert_eq!(
            SealingPrivateKey::from_bytes(&[1; 33]).err(),
            Some(InvalidSealingKey)
        );
        let private = SealingPrivateKey::from_bytes(&[7; 32]).unwrap();
        assert_eq!(format!("{private:?}"), "[redacted]");
        let low_order = SealingPublicKey::from_bytes(&[0; 32]);
        assert!(low_order.is_err() || low_order.unwrap().seal(b"x", &binding()).is_err());
    }
}
