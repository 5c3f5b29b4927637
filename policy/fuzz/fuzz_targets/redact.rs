//! Any bytes as a response body, in any pieces: see `requestrocket_policy::redact::fuzzing`.
#![no_main]

use libfuzzer_sys::fuzz_target;
use requestrocket_policy::redact::fuzzing;

fuzz_target!(|data: &[u8]| fuzzing::redact(data));
