//! Any bytes as a policy: refused or compiled, never a panic. The input overwrites a valid policy
//! from an offset on, so that the fuzzer gets past the envelopes.
#![no_main]

use std::sync::LazyLock;

use libfuzzer_sys::fuzz_target;
use requestrocket_policy::{fixtures::PolicyFixture, policy::Policy};

static VALID: LazyLock<(PolicyFixture, Vec<u8>)> = LazyLock::new(|| {
    let fixture = PolicyFixture::new().api_key("key").header("x-key", "secret").query("k", "v");
    let bytes = fixture.encode();
    (fixture, bytes)
});

fuzz_target!(|data: &[u8]| {
    let (fixture, valid) = &*VALID;
    let _refused = Policy::compile(data, &fixture.keys);
    if let Some((&[high, low], patch)) = data.split_first_chunk() {
        let at = usize::from(u16::from_be_bytes([high, low])) % valid.len();
        let bytes = [&valid[..at], patch, valid.get(at + patch.len()..).unwrap_or_default()].concat();
        let _compiled = Policy::compile(&bytes, &fixture.keys);
    }
});
