//! Any stream of records. The body of the target runs over its corpus in `policy/tests` too.
#![no_main]

#[path = "../bodies/records.rs"]
mod body;

libfuzzer_sys::fuzz_target!(|data: &[u8]| body::run(data));
