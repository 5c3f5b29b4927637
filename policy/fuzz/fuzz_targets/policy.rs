//! Any bytes as a policy, either part of it: it compiles or is refused, and never panics.
//!
//! The input is tried as it is, and laid over a valid policy (its first two bytes say where), so
//! that the fuzzer gets past the envelopes.

#![no_main]

use std::sync::LazyLock;

use libfuzzer_sys::fuzz_target;
use requestrocket_policy::admission::Admission;
use requestrocket_policy::fixtures::PolicyFixture;
use requestrocket_policy::policy::Policy;

static VALID: LazyLock<(PolicyFixture, Vec<u8>, Vec<u8>)> = LazyLock::new(|| {
    let fixture = PolicyFixture::new().api_key("key").header("x-key", "secret").query("k", "v");
    let (admission, policy) = fixture.encode();
    (fixture, admission, policy)
});

fuzz_target!(|bytes: &[u8]| {
    let (fixture, admission, policy) = &*VALID;
    compile(bytes, bytes, fixture);
    if let Some((&[high, low], patch)) = bytes.split_first_chunk() {
        let at = usize::from(u16::from_be_bytes([high, low]));
        compile(&laid_over(admission, at, patch), &laid_over(policy, at, patch), fixture);
    }
});

fn compile(admission: &[u8], policy: &[u8], fixture: &PolicyFixture) {
    let _ = Admission::compile(admission, &fixture.keys);
    let valid = fixture.admission().expect("a valid admission");
    let _ = Policy::compile(valid, policy);
}

fn laid_over(valid: &[u8], at: usize, patch: &[u8]) -> Vec<u8> {
    let at = at % valid.len();
    let rest = valid.get(at + patch.len()..).unwrap_or_default();
    [&valid[..at], patch, rest].concat()
}
