//! Any bytes as key ring, envelope or token: an error, never a panic and never a plaintext.
#![no_main]

use std::sync::LazyLock;

use libfuzzer_sys::fuzz_target;
use requestrocket_policy::{
    authn::jwt::expiry_ms,
    envelope::{Binding, Key, KeyRing, sealing::SealingPrivateKey},
    fixtures::{ORGANISATION_ID, REGION},
};

static KEYS: LazyLock<(KeyRing, SealingPrivateKey)> = LazyLock::new(|| {
    let key = Key::generate().expect("randomness");
    (KeyRing::of(key), SealingPrivateKey::generate().expect("randomness"))
});

fuzz_target!(|data: &[u8]| {
    let (ring, private) = &*KEYS;
    let organisation = ORGANISATION_ID.parse().expect("an id");
    let binding = Binding::data_key(REGION, organisation);
    assert!(ring.open(data, &binding).is_err());
    assert!(private.open(data, &binding).is_err());
    if let Ok(text) = std::str::from_utf8(data) {
        let _ring = text.parse::<KeyRing>();
        assert_ne!(expiry_ms(text), Ok(Some(0)));
    }
});
