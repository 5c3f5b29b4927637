//! As the filter sees it: both keys of a ring in rotation open, and only they do.

use super::*;
use crate::{envelope::Nonce, fixtures::REGION, id::OrganisationId, secret::SecretBytes};

fn key(id: &str, bytes: &[u8]) -> Key {
    Key::new(id.parse().unwrap(), SecretBytes::from(bytes)).unwrap()
}

fn ring(keys: &[&Key]) -> KeyRing {
    let entries: Vec<String> = keys
        .iter()
        .map(|one| {
            let text = KeyRing::of(key(one.id().as_str(), one.expose())).to_text();
            String::from_utf8(text.expose().to_vec()).unwrap()
        })
        .collect();
    entries.join(",").parse().unwrap()
}

/// The same policy with its data key wrapped by another ring.
fn rewrapped(fixture: &mut PolicyFixture, to: &KeyRing) {
    let organisation: OrganisationId = ORGANISATION_ID.parse().unwrap();
    let binding = Binding::data_key(REGION, organisation);
    let data_key = fixture
        .keys
        .open(&fixture.admission.data_key, &binding)
        .unwrap();
    let wrapped = to
        .seal(data_key.expose(), &binding, Nonce::random().unwrap())
        .unwrap();
    fixture.admission.data_key = wrapped.into();
}

#[test]
fn admissions_of_either_key_compile_while_the_ring_holds_both() {
    let mut fixture = full();
    let old = key("k1", fixture.keys.newest().expose());
    let new = key("k2", &[9; 32]);
    rewrapped(&mut fixture, &ring(&[&old]));
    let (before, _) = fixture.encode();
    let both = ring(&[&new, &old]);
    fixture.keys = ring(&[&old]);
    rewrapped(&mut fixture, &both);
    let (after, _) = fixture.encode();

    let unknown = Some(InvalidPolicy::DataKey(InvalidEnvelope::UnknownKey));
    for (keys, opens_before, opens_after) in [
        (ring(&[&old]), true, false),
        (both, true, true),
        (ring(&[&old, &new]), true, true),
        (ring(&[&new]), false, true),
    ] {
        for (bytes, opens) in [(&before, opens_before), (&after, opens_after)] {
            let got = Admission::compile(bytes, &keys).err();
            assert_eq!(got, if opens { None } else { unknown.clone() }, "{keys:?}");
        }
    }
}

#[test]
fn a_key_of_the_right_name_and_the_wrong_bytes_opens_nothing() {
    let fixture = full();
    let newest = fixture.keys.newest();
    let impostor = key(newest.id().as_str(), &[0; 32]);
    let got = Admission::compile(&fixture.encode().0, &ring(&[&impostor])).err();
    assert_eq!(
        got,
        Some(InvalidPolicy::DataKey(InvalidEnvelope::NotAuthentic))
    );
}

#[test]
fn a_data_key_of_another_length_is_refused() {
    for length in [0, 16, 31, 33] {
        let mut fixture = full();
        let organisation: OrganisationId = ORGANISATION_ID.parse().unwrap();
        let binding = Binding::data_key(REGION, organisation);
        let nonce = Nonce::random().unwrap();
        let wrapped = fixture
            .keys
            .seal(&vec![1; length], &binding, nonce)
            .unwrap();
        fixture.admission.data_key = wrapped.into();
        let got = fixture.compile().err();
        assert_eq!(
            got,
            Some(InvalidPolicy::DataKeyMaterial(InvalidKey::Length)),
            "{length}"
        );
    }
}
