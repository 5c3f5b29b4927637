//! What each format allows.

use super::*;

/// A member with every optional field, as RFC 1952 lays it out.
fn member(flags: u8, content: &[u8]) -> Vec<u8> {
    let mut member = vec![0x1f, 0x8b, 8, flags, 1, 2, 3, 4, 2, 3];
    if flags & 4 != 0 {
        member.extend_from_slice(b"\x04\x00ABCD");
    }
    if flags & 8 != 0 {
        member.extend_from_slice(b"name\0");
    }
    if flags & 16 != 0 {
        member.extend_from_slice(b"a comment\0");
    }
    if flags & 2 != 0 {
        let low = flate2_crc(&member).to_le_bytes();
        member.extend_from_slice(&low[..2]);
    }
    member.extend(bare_deflate(content, 6));
    member.extend(flate2_crc(content).to_le_bytes());
    member.extend(u32::try_from(content.len()).unwrap().to_le_bytes());
    member
}

fn flate2_crc(bytes: &[u8]) -> u32 {
    let mut crc = flate2::Crc::new();
    crc.update(bytes);
    crc.sum()
}

#[test]
fn gzip_headers_may_have_every_field() {
    for flags in 0..32 {
        let body = member(flags, b"content");
        assert_eq!(
            decode_whole(Format::Gzip, &body).as_deref(),
            Ok(&b"content"[..]),
            "flags {flags:05b}"
        );
    }
    let mut with_empty_extra = member(4, b"content");
    with_empty_extra.splice(10..16, [0, 0]);
    assert_eq!(
        decode_whole(Format::Gzip, &with_empty_extra).as_deref(),
        Ok(&b"content"[..])
    );
}

#[test]
fn gzip_frames_are_checked() {
    let good = member(2, b"content");
    let end = good.len();
    for (what, at, byte) in [
        ("magic", 0, 0x1e),
        ("magic", 1, 0),
        ("method", 2, 7),
        ("reserved flag", 3, 2 | 32),
        ("reserved flag", 3, 2 | 128),
        ("header, not its checksum", 4, 9),
        ("header's checksum", 10, good[10] ^ 1),
        ("checksum", end - 8, good[end - 8] ^ 1),
        ("checksum", end - 5, good[end - 5] ^ 1),
        ("length", end - 4, good[end - 4] ^ 1),
        ("length", end - 1, 1),
    ] {
        let mut body = good.clone();
        body[at] = byte;
        let decoded = decode_whole(Format::Gzip, &body);
        assert_eq!(decoded, Err(DecodeError::Corrupt), "{what}");
    }
}

#[test]
fn gzip_has_members() {
    let body = [member(0, b"one "), member(31, b""), member(8, b"two")].concat();
    assert_eq!(
        decode_whole(Format::Gzip, &body).as_deref(),
        Ok(&b"one two"[..])
    );
}

#[test]
fn deflate_comes_with_and_without_zlibs_header() {
    let content = text(3000);
    for level in 0..=9 {
        let bare = bare_deflate(&content, level);
        assert_eq!(decode_whole(Format::Deflate, &bare), Ok(content.clone()));
        let mut encoder = ZlibEncoder::new(Vec::new(), Compression::new(level));
        encoder.write_all(&content).unwrap();
        let framed = encoder.finish().unwrap();
        assert_eq!(decode_whole(Format::Deflate, &framed), Ok(content.clone()));
    }
}

#[test]
fn zlib_is_checked() {
    let good = encode(Format::Deflate, b"content");
    let end = good.len();
    for (what, at, byte) in [
        ("header's check", 1, good[1] ^ 1),
        ("preset dictionary", 1, 0x20 | 0x1b),
        ("window", 0, 0x88),
        ("checksum", end - 1, good[end - 1] ^ 1),
    ] {
        let mut body = good.clone();
        body[at] = byte;
        let decoded = decode_whole(Format::Deflate, &body);
        assert_eq!(decoded, Err(DecodeError::Corrupt), "{what}");
    }
}

#[test]
fn brotli_comes_at_every_level() {
    let content = text(20_000);
    for level in 0..=11 {
        for window in [10, 24] {
            let mut body = Vec::new();
            let mut encoder = ::brotli::CompressorWriter::new(&mut body, 4096, level, window);
            encoder.write_all(&content).unwrap();
            drop(encoder);
            let decoded = decode(&[Format::Brotli], &body, &[1000], u64::MAX);
            assert!(decoded.as_ref() == Ok(&content), "{level} {window}");
        }
    }
}

#[test]
fn brotli_has_no_large_windows() {
    let params = ::brotli::enc::BrotliEncoderParams {
        large_window: true,
        lgwin: 30,
        ..Default::default()
    };
    let mut body = Vec::new();
    ::brotli::BrotliCompress(&mut &text(1000)[..], &mut body, &params).unwrap();
    assert_eq!(
        decode_whole(Format::Brotli, &body),
        Err(DecodeError::Corrupt)
    );
}

#[test]
fn zstd_comes_at_every_level() {
    let content = text(150_000);
    for level in [-7, -1, 1, 2, 3, 5, 7, 9, 12, 15, 17, 19] {
        let body = zstd_with(&content, level, |encoder| {
            encoder.include_checksum(level % 2 == 0).unwrap();
        });
        let decoded = decode(&[Format::Zstd], &body, &[1000], u64::MAX);
        assert!(decoded.as_ref() == Ok(&content), "{level}");
    }
}

#[test]
fn zstd_has_frames_of_every_kind() {
    let skippable = [&b"\x5f\x2a\x4d\x18\x05\x00\x00\x00"[..], b"12345"].concat();
    let empty_skippable = b"\x50\x2a\x4d\x18\x00\x00\x00\x00".to_vec();
    let known_size = ::zstd::bulk::compress(&text(300), 3).unwrap();
    let plain = zstd_with(&text(70_000), 3, |_| {});
    let checked = encode(Format::Zstd, &text(200_000));
    let nothing = encode(Format::Zstd, b"");
    let body = [
        skippable.clone(),
        known_size,
        empty_skippable,
        plain,
        nothing,
        checked,
        skippable,
    ]
    .concat();
    let want = [text(300), text(70_000), text(200_000)].concat();
    let decoded = decode_whole(Format::Zstd, &body);
    assert!(
        decoded.as_ref() == Ok(&want),
        "{:?}",
        decoded.map(|it| it.len())
    );
}

#[test]
fn zstd_is_checked() {
    let sized = ::zstd::bulk::compress(&[b'a'; 300], 3).unwrap();
    let checked = encode(Format::Zstd, b"content");
    let last = checked.len() - 1;
    for (what, good, at, byte) in [
        ("magic", &checked, 0, 0x29),
        ("reserved bit", &checked, 4, checked[4] | 8),
        ("dictionary", &checked, 4, checked[4] | 1),
        ("checksum", &checked, last, checked[last] ^ 1),
        ("content size", &sized, 5, sized[5] ^ 1),
        ("block type", &checked, 6, checked[6] | 6),
        ("block size", &checked, 8, 0xff),
    ] {
        let mut body = good.clone();
        body[at] = byte;
        assert!(decode_whole(Format::Zstd, &body).is_err(), "{what}");
    }
}

#[test]
fn zstd_windows_are_limited() {
    let content = text(10_000);
    for (window_log, want) in [(17, true), (23, true), (24, false), (27, false)] {
        let body = zstd_with(&content, 3, |encoder| {
            encoder.window_log(window_log).unwrap();
        });
        let decoded = decode(&[Format::Zstd], &body, &[100], u64::MAX);
        assert_eq!(decoded.is_ok(), want, "{window_log}");
    }
}

#[test]
fn zstd_single_segments_are_windows() {
    // No window descriptor, and a content size of eight bytes: nothing is allocated for it.
    let body = b"\x28\xb5\x2f\xfd\xe0\x00\x00\x00\x00\x00\x01\x00\x00\x01\x00\x00";
    assert_eq!(decode_whole(Format::Zstd, body), Err(DecodeError::Corrupt));
}
