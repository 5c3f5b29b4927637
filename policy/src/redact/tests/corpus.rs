//! The fuzz targets, over their corpora and over random bytes.

use std::{fs, path::Path};

use proptest::prelude::*;

use crate::redact::fuzzing;

fn each_seed(target: &str, run: impl Fn(&[u8])) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("fuzz/corpus")
        .join(target);
    let seeds: Vec<_> = fs::read_dir(folder)
        .unwrap()
        .map(|seed| seed.unwrap().path())
        .collect();
    assert!(seeds.len() > 5);
    for seed in seeds {
        let data = fs::read(seed).unwrap();
        run(&data);
        // Each part, and each with one bit changed.
        for at in 0..data.len().min(80) {
            run(&data[..at]);
            let mut changed = data.clone();
            changed[at] ^= 1 << (at % 8);
            run(&changed);
        }
    }
}

#[test]
fn the_seeds_of_redact() {
    each_seed("redact", fuzzing::redact);
}

#[test]
fn the_seeds_of_json_path() {
    each_seed("json_path", fuzzing::json_path);
}

/// Bytes that JSON is made of, more often than others.
fn bytes() -> impl Strategy<Value = Vec<u8>> {
    let byte = prop_oneof![
        8 => proptest::sample::select(b"{}[]:,\"abc\\u0 1.5e-\n".to_vec()),
        1 => any::<u8>(),
    ];
    proptest::collection::vec(byte, 0..64)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2048))]

    #[test]
    fn random_bodies(choice in any::<u8>(), size in any::<u8>(), body in bytes()) {
        fuzzing::redact(&[&[choice, size], body.as_slice()].concat());
    }

    #[test]
    fn random_paths(text in "\\$[$@.\\[\\]*?'abé0-9:,()<=!&| -]{0,32}") {
        fuzzing::json_path(text.as_bytes());
    }
}
