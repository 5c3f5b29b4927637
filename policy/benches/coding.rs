//! Micro-benchmarks: `cargo bench -p requestrocket-policy --bench coding`.
//!
//! Content a second, from chunks as Envoy hands them over. The last ones are what a hostile body
//! can make of a byte.

#![expect(
    clippy::expect_used,
    reason = "a benchmark without its body is of no use"
)]

use std::{hint::black_box, io::Write as _};

use divan::{Bencher, counter::BytesCount};
use requestrocket_policy::{
    coding::{Coding, Decoder},
    records::{Framer, RecordError},
};

const CHUNK_BYTES: usize = 16 * 1024;

fn main() {
    divan::main();
}

/// A list of objects as an API would send it, one a line, compressing to a quarter or so.
fn lines(before: &str, after: &str) -> Vec<u8> {
    let mut text = Vec::new();
    let mut n: u32 = 1;
    let mut next = || {
        n = n.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        n
    };
    while text.len() < 4 * 1024 * 1024 {
        let (id, word, price) = (next(), next() >> 20, next() >> 12);
        let line = format!(
            r#"{before}{{"id":"{id:08x}","name":"item {word}","isActive":{},"price":{price}.5}}{after}"#,
            price % 2 == 0,
        );
        text.extend_from_slice(line.as_bytes());
    }
    text
}

fn encode(coding: &str, content: &[u8]) -> Vec<u8> {
    let level = flate2::Compression::default();
    match coding {
        "gzip" => {
            let mut encoder = flate2::write::GzEncoder::new(Vec::new(), level);
            encoder.write_all(content).expect("memory");
            encoder.finish().expect("memory")
        }
        "deflate" => {
            let mut encoder = flate2::write::ZlibEncoder::new(Vec::new(), level);
            encoder.write_all(content).expect("memory");
            encoder.finish().expect("memory")
        }
        "br" => {
            let mut body = Vec::new();
            let mut encoder = brotli::CompressorWriter::new(&mut body, 65536, 5, 22);
            encoder.write_all(content).expect("memory");
            drop(encoder);
            body
        }
        _ => zstd::encode_all(content, 3).expect("memory"),
    }
}

fn decode(coding: &Coding, body: &[u8]) -> usize {
    let mut decoder = Decoder::new(coding, u64::MAX);
    let mut given = 0;
    for mut chunk in body.chunks(CHUNK_BYTES) {
        while let Ok(Some(piece)) = decoder.decode(&mut chunk) {
            given += piece.len();
        }
    }
    given
}

#[divan::bench(args = ["gzip", "deflate", "br", "zstd"])]
fn content_of(bencher: Bencher<'_, '_>, name: &str) {
    let content = lines("", ",\n");
    let body = encode(name, &content);
    let coding = Coding::parse(name.as_bytes()).expect("a known coding");
    assert_eq!(decode(&coding, &body), content.len());
    bencher
        .counter(BytesCount::new(content.len()))
        .bench_local(|| decode(&coding, black_box(&body)));
}

/// A small answer: mostly what a decoder costs to set up.
#[divan::bench(args = ["gzip", "deflate", "br", "zstd"])]
fn small_body_of(bencher: Bencher<'_, '_>, name: &str) {
    let body = encode(name, br#"{"id":1,"name":"item"}"#);
    let coding = Coding::parse(name.as_bytes()).expect("a known coding");
    bencher.bench_local(|| decode(&coding, black_box(&body)));
}

fn frame(bencher: Bencher<'_, '_>, new: fn(usize) -> Framer, stream: &[u8]) {
    let mut out = Vec::with_capacity(CHUNK_BYTES * 2);
    bencher
        .counter(BytesCount::new(stream.len()))
        .bench_local(|| {
            let mut framer = new(1024 * 1024);
            let mut records = 0;
            for chunk in black_box(stream).chunks(CHUNK_BYTES) {
                out.clear();
                let mut same = |record: &[u8], out: &mut Vec<u8>| {
                    records += 1;
                    out.extend_from_slice(record);
                    Ok::<_, RecordError>(())
                };
                framer
                    .push(chunk, &mut same, &mut out)
                    .expect("short records");
            }
            records
        });
}

#[divan::bench]
fn records_of_events(bencher: Bencher<'_, '_>) {
    frame(bencher, Framer::sse, &lines("data: ", "\n\n"));
}

#[divan::bench]
fn records_of_ndjson(bencher: Bencher<'_, '_>) {
    frame(bencher, Framer::ndjson, &lines("", "\n"));
}

/// Bytes of body here, not of content.
#[divan::bench(args = ["empty deflate blocks", "empty gzip members", "empty zstd frames"])]
fn nothing_of(bencher: Bencher<'_, '_>, name: &str) {
    let (coding, unit) = match name {
        // Four blocks of ten bits: not the last, fixed codes, end of block.
        "empty deflate blocks" => ("deflate", vec![0x02, 0x08, 0x20, 0x80, 0x00]),
        "empty gzip members" => ("gzip", encode("gzip", b"")),
        _ => ("zstd", encode("zstd", b"")),
    };
    let body = unit.repeat(1_000_000 / unit.len());
    let coding = Coding::parse(coding.as_bytes()).expect("a known coding");
    bencher
        .counter(BytesCount::new(body.len()))
        .bench_local(|| decode(&coding, black_box(&body)));
}
