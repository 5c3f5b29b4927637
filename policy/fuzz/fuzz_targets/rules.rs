//! Any bytes as a rule and a call: it compiles or is refused, decides without a panic, and what must
//! hold of every decision holds. The body is the crate's, which tests it over the corpus.
#![no_main]

use libfuzzer_sys::fuzz_target;
use requestrocket_policy::fixtures::fuzz;

fuzz_target!(|data: &[u8]| fuzz::rules(data));
