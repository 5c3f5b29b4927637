//! Any bytes as a JSON path: see `requestrocket_policy::redact::fuzzing`.
#![no_main]

use libfuzzer_sys::fuzz_target;
use requestrocket_policy::redact::fuzzing;

fuzz_target!(|data: &[u8]| fuzzing::json_path(data));
