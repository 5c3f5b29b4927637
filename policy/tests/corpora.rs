//! The fuzz targets' bodies over their corpora.

#![expect(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::unwrap_used,
    reason = "the bodies are tests as well"
)]

use std::{fs, path::Path};

#[path = "../fuzz/bodies/coding.rs"]
mod coding;
#[path = "../fuzz/bodies/records.rs"]
mod records;

/// Runs the body over every file, and over every beginning of it.
fn check(target: &str, body: fn(&[u8])) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("fuzz/corpus")
        .join(target);
    let mut files = 0;
    for entry in fs::read_dir(folder).unwrap() {
        let input = fs::read(entry.unwrap().path()).unwrap();
        for length in 0..=input.len() {
            body(&input[..length]);
        }
        files += 1;
    }
    assert!(files > 0, "no corpus of {target}");
}

#[test]
fn coding_corpus() {
    check("coding", coding::run);
}

#[test]
fn records_corpus() {
    check("records", records::run);
}
