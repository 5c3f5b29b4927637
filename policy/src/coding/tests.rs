use std::io::Write as _;

use flate2::{
    Compression,
    write::{DeflateEncoder, GzEncoder, ZlibEncoder},
};
use proptest::prelude::*;

use super::*;
use crate::effort::go_through;

mod formats;
mod hostile;

const FORMATS: [Format; 4] = [Format::Gzip, Format::Deflate, Format::Brotli, Format::Zstd];

/// What another implementation makes of the bytes.
fn encode(format: Format, bytes: &[u8]) -> Vec<u8> {
    match format {
        Format::Gzip => gzip(bytes),
        Format::Deflate => {
            let mut encoder = ZlibEncoder::new(Vec::new(), Compression::default());
            encoder.write_all(bytes).unwrap();
            encoder.finish().unwrap()
        }
        Format::Brotli => {
            let mut body = Vec::new();
            let mut encoder = ::brotli::CompressorWriter::new(&mut body, 4096, 5, 22);
            encoder.write_all(bytes).unwrap();
            drop(encoder);
            body
        }
        Format::Zstd => zstd_with(bytes, 3, |encoder| {
            encoder.include_checksum(true).unwrap();
        }),
    }
}

fn decode_all(
    header_value: &[u8],
    body: &[u8],
    max_decoded_bytes: usize,
) -> Result<Vec<u8>, DecodeError> {
    let coding = Coding::parse(header_value)?;
    let effort = &mut Effort::unbounded();
    go_through(decode_in_turns(
        (&coding, None),
        body,
        max_decoded_bytes,
        effort,
    ))
}

pub(crate) fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

fn bare_deflate(bytes: &[u8], level: u32) -> Vec<u8> {
    let mut encoder = DeflateEncoder::new(Vec::new(), Compression::new(level));
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

fn zstd_with(
    bytes: &[u8],
    level: i32,
    set: impl FnOnce(&mut ::zstd::stream::write::Encoder<'_, Vec<u8>>),
) -> Vec<u8> {
    let mut encoder = ::zstd::stream::write::Encoder::new(Vec::new(), level).unwrap();
    set(&mut encoder);
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

fn name(format: Format) -> &'static str {
    match format {
        Format::Gzip => "gzip",
        Format::Deflate => "deflate",
        Format::Brotli => "br",
        Format::Zstd => "zstd",
    }
}

/// Decodes the body in chunks of these sizes over and over. No piece is too long.
fn decode(
    formats: &[Format],
    body: &[u8],
    chunks: &[usize],
    max: u64,
) -> Result<Vec<u8>, DecodeError> {
    let mut decoder = Decoder::new(&Coding(formats.to_vec()), max);
    let mut content = Vec::new();
    let mut sizes = chunks.iter().cycle();
    let mut rest = body;
    while !rest.is_empty() {
        let size = (*sizes.next().unwrap()).min(rest.len());
        let (mut chunk, after) = rest.split_at(size);
        rest = after;
        while let Some(piece) = decoder.decode(&mut chunk)? {
            assert!((1..=64 * 1024).contains(&piece.len()));
            content.extend_from_slice(piece);
        }
        assert!(chunk.is_empty());
    }
    decoder.finish()?;
    Ok(content)
}

/// Decodes the body at once, as every test's second opinion also byte by byte.
fn decode_whole(format: Format, body: &[u8]) -> Result<Vec<u8>, DecodeError> {
    let at_once = decode(&[format], body, &[usize::MAX], u64::MAX);
    let bytewise = decode(&[format], body, &[1], u64::MAX);
    match (&at_once, &bytewise) {
        (Ok(a), Ok(b)) => assert!(a == b, "chunks change the content"),
        // Whether the bytes run out or are found wrong first depends on the chunks.
        (a, b) => assert_eq!(a.is_err(), b.is_err(), "{name}", name = name(format)),
    }
    at_once
}

/// Text that compresses, and has more than one block in every format.
fn text(bytes: usize) -> Vec<u8> {
    let mut text = Vec::new();
    let mut n: u32 = 1;
    while text.len() < bytes {
        n = n.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        write!(text, "{{\"id\":{n},\"name\":\"item {}\"}},", n >> 28).unwrap();
    }
    text.truncate(bytes);
    text
}

#[test]
fn codings_are_parsed_in_order() {
    use Format::{Brotli, Deflate, Gzip, Zstd};
    for (value, want) in [
        ("", Some(&[][..])),
        ("identity", Some(&[])),
        (" Identity , identity,, ", Some(&[])),
        ("gzip", Some(&[Gzip])),
        ("GZip", Some(&[Gzip])),
        ("x-gzip", Some(&[Gzip])),
        ("deflate", Some(&[Deflate])),
        ("br", Some(&[Brotli])),
        ("zstd", Some(&[Zstd])),
        ("\tzstd ", Some(&[Zstd])),
        ("gzip, br", Some(&[Gzip, Brotli])),
        ("gzip,identity,br,", Some(&[Gzip, Brotli])),
        ("gzip, gzip", Some(&[Gzip, Gzip])),
        ("gzip, gzip, gzip", None),
        ("compress", None),
        ("x-compress", None),
        ("gzip;q=1", None),
        ("gzip br", None),
        ("utf-8", None),
        ("dcz", None),
        ("gzip, exi", None),
    ] {
        let parsed = Coding::parse(value.as_bytes());
        let want = want.map(|formats| Coding(formats.to_vec()));
        assert_eq!(parsed, want.ok_or(UnknownCoding), "{value}");
    }
    assert_eq!(Coding::parse(b"gz\xffip"), Err(UnknownCoding));
}

#[test]
fn only_no_coding_is_the_identity() {
    for (value, want) in [("", true), ("identity", true), ("gzip", false)] {
        let coding = Coding::parse(value.as_bytes()).unwrap();
        assert_eq!(coding.is_identity(), want, "{value}");
    }
}

#[test]
fn whole_bodies_are_decoded_up_to_the_cap() {
    let body = text(5000);
    let twice = encode(Format::Brotli, &gzip(&body));
    for (header, sent) in [
        ("x-gzip", gzip(&body)),
        ("deflate", encode(Format::Deflate, &body)),
        ("br", encode(Format::Brotli, &body)),
        ("zstd", encode(Format::Zstd, &body)),
        ("gzip, br", twice),
    ] {
        let decoded = decode_all(header.as_bytes(), &sent, 5000);
        assert_eq!(decoded.as_deref(), Ok(&body[..]), "{header}");
        let decoded = decode_all(header.as_bytes(), &sent, 4999);
        assert_eq!(decoded, Err(DecodeError::TooLarge), "{header}");
    }
}

#[test]
fn whole_bodies_are_refused_by_what_is_wrong() {
    let body = gzip(b"{}");
    for (header, sent, want) in [
        ("gzip", &b"{}"[..], DecodeError::Corrupt),
        ("br", &body, DecodeError::Corrupt),
        ("zstd", &body, DecodeError::Corrupt),
        ("deflate", &body, DecodeError::Corrupt),
        ("gzip, gzip", &body, DecodeError::Corrupt),
        ("gzip", &body[..body.len() - 1], DecodeError::Truncated),
    ] {
        assert_eq!(
            decode_all(header.as_bytes(), sent, 100),
            Err(want),
            "{header}"
        );
    }
}

#[test]
fn an_empty_body_is_empty_in_every_coding() {
    for format in FORMATS {
        assert_eq!(decode_whole(format, b""), Ok(Vec::new()), "{format:?}");
        let encoded = encode(format, b"");
        assert_eq!(decode_whole(format, &encoded), Ok(Vec::new()), "{format:?}");
    }
}

#[test]
fn errors_tell_nothing_of_the_content() {
    for (error, want) in [
        (
            DecodeError::UnknownCoding(UnknownCoding),
            "the content coding is unknown",
        ),
        (
            DecodeError::Corrupt,
            "the body is not valid in its content coding",
        ),
        (
            DecodeError::Truncated,
            "the body ends before its content coding does",
        ),
        (
            DecodeError::TooLarge,
            "the body decodes to more than is allowed",
        ),
    ] {
        assert_eq!(error.to_string(), want);
    }
    let coding = Coding::parse(b"gzip, br").unwrap();
    let shown = format!("{:?}", Decoder::new(&coding, 1));
    assert_eq!(shown, "Decoder { layers: 2, failed: None, .. }");
}

fn formats() -> impl Strategy<Value = Vec<Format>> {
    proptest::collection::vec(proptest::sample::select(&FORMATS[..]), 0..=2)
}

fn content() -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![
        proptest::collection::vec(any::<u8>(), 0..2000),
        (0usize..200_000).prop_map(text),
        (any::<u8>(), 0usize..300_000).prop_map(|(byte, count)| vec![byte; count]),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn decoding_undoes_encoding_in_any_chunks(
        formats in formats(),
        content in content(),
        chunks in proptest::collection::vec(1usize..5000, 1..10),
    ) {
        let encoded = formats.iter().fold(content.clone(), |body, format| encode(*format, &body));
        let decoded = decode(&formats, &encoded, &chunks, u64::MAX);
        prop_assert!(decoded.as_ref() == Ok(&content), "{:?}", decoded.map(|it| it.len()));
    }
}
