//! What decoding costs in memory does not grow with what comes out.
//!
//! Alone in its process, of which it reads the peak.

#![expect(clippy::unwrap_used, reason = "tests")]

use std::{fs, io::Write};

use requestrocket_policy::coding::{Coding, Decoder};

const MEBIBYTES: usize = 128;
/// Two of the largest windows: one is moved to the other when it grows.
const ALLOWED_KIBIBYTES: u64 = 40 * 1024;

fn peak_kibibytes() -> u64 {
    let status = fs::read_to_string("/proc/self/status").unwrap();
    let line = status
        .lines()
        .find_map(|line| line.strip_prefix("VmHWM:"))
        .unwrap();
    line.trim().trim_end_matches(" kB").parse().unwrap()
}

/// Writes text that compresses to a hundredth, so that no ratio ends it, and is never whole.
fn write_text(mut encoder: impl Write) {
    let mut line = vec![b'-'; 2048];
    for n in 0..MEBIBYTES * 512 {
        let mixed = n.wrapping_mul(0x9e37_79b9_7f4a_7c15);
        write!(&mut line[..], "{mixed:020}").unwrap();
        encoder.write_all(&line).unwrap();
    }
    encoder.flush().unwrap();
}

fn bodies() -> [(&'static str, Vec<u8>); 3] {
    let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    write_text(&mut gzip);
    let mut br = Vec::new();
    write_text(brotli::CompressorWriter::new(&mut br, 65536, 1, 24));
    let mut zstd = zstd::stream::write::Encoder::new(Vec::new(), 1).unwrap();
    zstd.window_log(23).unwrap();
    write_text(&mut zstd);
    [
        ("gzip", gzip.finish().unwrap()),
        ("br", br),
        ("zstd", zstd.finish().unwrap()),
    ]
}

#[test]
fn memory_does_not_grow_with_the_content() {
    for (name, body) in bodies() {
        // Forgets the peak of encoding.
        fs::write("/proc/self/clear_refs", "5").unwrap();
        let before = peak_kibibytes();
        let mut decoder = Decoder::new(&Coding::parse(name.as_bytes()).unwrap(), u64::MAX);
        let mut given = 0;
        for mut chunk in body.chunks(16 * 1024) {
            while let Some(piece) = decoder.decode(&mut chunk).unwrap() {
                given += piece.len();
            }
        }
        decoder.finish().unwrap();
        let grown = peak_kibibytes() - before;
        assert_eq!(given, MEBIBYTES * 1024 * 1024, "{name}");
        assert!(grown < ALLOWED_KIBIBYTES, "{name} took {grown} KiB");
    }
}
