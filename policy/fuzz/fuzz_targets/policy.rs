//! Any bytes as a policy: it compiles or is refused, and never panics.
//!
//! The input is tried as it is, and laid over a valid policy (its first two bytes say where), so
//! that the fuzzer gets past the envelopes.

#![no_main]

use std::sync::LazyLock;

use libfuzzer_sys::fuzz_target;
use requestrocket_policy::fixtures::PolicyFixture;
use requestrocket_policy::policy::Policy;

static VALID: LazyLock<(PolicyFixture, Vec<u8>)> = LazyLock::new(|| {
    let fixture = PolicyFixture::new().api_key("key").header("x-key", "secret").query("k", "v");
    let bytes = fixture.encode();
    (fixture, bytes)
});

fuzz_target!(|bytes: &[u8]| {
    let (fixture, valid) = &*VALID;
    let _ = Policy::compile(bytes, &fixture.keys);
    if let Some((&[high, low], patch)) = bytes.split_first_chunk() {
        let at = usize::from(u16::from_be_bytes([high, low])) % valid.len();
        let rest = valid.get(at + patch.len()..).unwrap_or_default();
        let _ = Policy::compile(&[&valid[..at], patch, rest].concat(), &fixture.keys);
    }
});
