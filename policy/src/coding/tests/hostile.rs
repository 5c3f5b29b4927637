//! What comes from elsewhere: bombs, cut and broken bodies.

use super::*;
use crate::{
    holding::{Pool, held_bytes},
    memory::NoMemory,
};

const BOMB_BYTES: usize = 2 * 1024 * 1024;
const CAP: u64 = 256 * 1024;

fn bomb(format: Format) -> Vec<u8> {
    encode(format, &vec![b' '; BOMB_BYTES])
}

#[test]
fn bombs_stop_at_the_cap() {
    for format in FORMATS {
        let body = bomb(format);
        assert!(body.len() < BOMB_BYTES / 500, "{format:?} is a bomb");
        let mut decoder = Decoder::new(&Coding(vec![format]), CAP);
        let mut given = 0;
        let mut rest = &body[..];
        let error = loop {
            match decoder.decode(&mut rest) {
                Ok(piece) => given += piece.unwrap().len(),
                Err(error) => break error,
            }
        };
        assert_eq!(error, DecodeError::TooLarge, "{format:?}");
        assert!(stage::count(given) <= CAP, "{format:?} {given}");
        assert_eq!(
            decode_all(name(format).as_bytes(), &body, 256 * 1024),
            Err(DecodeError::TooLarge)
        );
    }
}

#[test]
fn bombs_within_bombs_stop_at_the_cap() {
    let bombs = FORMATS.map(|inner| (inner, bomb(inner)));
    for format in FORMATS {
        for (inner, bomb) in &bombs {
            let body = encode(format, bomb);
            let decoded = decode(&[*inner, format], &body, &[usize::MAX], CAP);
            assert_eq!(
                decoded,
                Err(DecodeError::TooLarge),
                "{inner:?} in {format:?}"
            );
        }
    }
}

#[test]
fn without_a_cap_the_ratio_is_one() {
    let mebibyte = encode(Format::Zstd, &vec![b' '; 1024 * 1024]);
    for (frames, want) in [(16, None), (32, Some(DecodeError::TooLarge))] {
        let body = mebibyte.repeat(frames);
        let decoded = decode(&[Format::Zstd], &body, &[1000], u64::MAX);
        assert_eq!(decoded.err(), want, "{frames}");
    }
}

#[test]
fn a_coding_that_comes_to_nothing_has_a_cap_too() {
    // Each member is empty, so that all that counts is what the outer coding gives.
    let empty_members = gzip(b"").repeat(10_000);
    let body = gzip(&empty_members);
    let formats = [Format::Gzip, Format::Gzip];
    assert_eq!(decode(&formats, &body, &[1000], u64::MAX), Ok(Vec::new()));
    assert_eq!(
        decode(&formats, &body, &[1000], 100_000),
        Err(DecodeError::TooLarge)
    );
}

#[test]
fn a_cut_body_is_truncated_wherever_it_is_cut() {
    let content = text(700);
    let bodies = FORMATS
        .map(|format| (format, encode(format, &content)))
        .into_iter()
        .chain([
            (Format::Deflate, bare_deflate(&content, 6)),
            (Format::Deflate, bare_deflate(&content, 0)),
            (Format::Zstd, zstd_with(&content, 3, |_| {})),
            (
                Format::Zstd,
                b"\x5f\x2a\x4d\x18\x05\x00\x00\x0012345".to_vec(),
            ),
        ]);
    for (format, body) in bodies {
        for length in 1..body.len() {
            assert_eq!(
                decode_whole(format, &body[..length]),
                Err(DecodeError::Truncated),
                "{format:?} cut at {length} of {}",
                body.len()
            );
        }
    }
}

#[test]
fn a_cut_within_another_coding_is_truncated() {
    let whole = gzip(&text(700));
    for length in 1..whole.len() {
        let body = encode(Format::Zstd, &whole[..length]);
        assert_eq!(
            decode(&[Format::Gzip, Format::Zstd], &body, &[7], u64::MAX),
            Err(DecodeError::Truncated)
        );
    }
}

#[test]
fn nothing_may_follow_the_end() {
    let content = text(700);
    for format in FORMATS {
        for garbage in [&b"\0"[..], b"{\"more\":1}", b"\xff\xff\xff\xff\xff"] {
            let body = [&encode(format, &content)[..], garbage].concat();
            let decoded = decode_whole(format, &body);
            let is_cut_magic = format == Format::Zstd && garbage.len() < 4;
            let want = if is_cut_magic {
                DecodeError::Truncated
            } else {
                DecodeError::Corrupt
            };
            assert_eq!(decoded, Err(want), "{format:?} {garbage:?}");
        }
    }
}

#[test]
fn what_failed_stays_failed() {
    let coding = Coding(vec![Format::Gzip]);
    let mut decoder = Decoder::new(&coding, 100);
    assert_eq!(
        decoder.decode(&mut &b"no gzip"[..]),
        Err(DecodeError::Corrupt)
    );
    assert_eq!(
        decoder.decode(&mut &gzip(b"{}")[..]),
        Err(DecodeError::Corrupt)
    );
    assert_eq!(decoder.decode(&mut &b""[..]), Err(DecodeError::Corrupt));
    assert_eq!(decoder.finish(), Err(DecodeError::Corrupt));
}

#[test]
fn a_flipped_bit_changes_no_checked_content() {
    let content = text(400);
    for format in [Format::Gzip, Format::Deflate, Format::Zstd] {
        let good = encode(format, &content);
        for bit in 0..good.len() * 8 {
            let mut body = good.clone();
            body[bit / 8] ^= 1 << (bit % 8);
            if let Ok(decoded) = decode_whole(format, &body) {
                assert!(decoded == content, "{format:?} bit {bit}");
            }
        }
    }
}

/// Bytes that get past a format's first checks.
fn almost(format: Format, tail: &[u8]) -> Vec<u8> {
    let head: &[u8] = match format {
        Format::Gzip => b"\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\x00",
        Format::Deflate => b"\x78\x9c",
        Format::Brotli => b"\x0b",
        Format::Zstd => b"\x28\xb5\x2f\xfd\x00\x58",
    };
    [head, tail].concat()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    #[test]
    fn any_bytes_decode_or_fail(
        format in proptest::sample::select(&FORMATS[..]),
        bytes in proptest::collection::vec(any::<u8>(), 0..400),
        has_head: bool,
    ) {
        let body = if has_head { almost(format, &bytes) } else { bytes };
        let _ = decode(&[format], &body, &[13, 1], 1024 * 1024);
    }

    #[test]
    fn broken_bodies_decode_or_fail(
        format in proptest::sample::select(&FORMATS[..]),
        length in 0usize..3000,
        breaks in proptest::collection::vec((any::<proptest::sample::Index>(), any::<u8>()), 1..8),
        chunk in 1usize..600,
    ) {
        let mut body = encode(format, &text(length));
        for (at, byte) in breaks {
            let at = at.index(body.len());
            body[at] = byte;
        }
        let _ = decode(&[format], &body, &[chunk], 1024 * 1024);
    }
}

/// A frame that says that its window is 8 MiB, and goes on.
const LARGE_WINDOW: [u8; 6] = [0x28, 0xb5, 0x2f, 0xfd, 0, 13 << 3];

#[test]
fn windows_are_their_holders_and_no_more_than_may_be() {
    let somebody = crate::fixtures::holder(1);
    let begin = || {
        let mut decoder = Decoder::new(&Coding(vec![Format::Zstd]), u64::MAX).of(Some(somebody));
        let begun = decoder.decode(&mut &LARGE_WINDOW[..]).map(drop);
        (decoder, begun)
    };
    let mut open = Vec::new();
    let refused = loop {
        match begin() {
            (decoder, Ok(())) => open.push(decoder),
            (decoder, Err(error)) => break (decoder, error),
        }
    };
    assert_eq!(refused.1, DecodeError::NoMemory(NoMemory));
    let taken = held_bytes(Pool::Responses, somebody);
    assert!(taken >= open.len() * (16 << 20), "{taken} bytes");
    assert!((2..6).contains(&open.len()), "{} windows", open.len());
    drop((open, refused));
    assert_eq!(held_bytes(Pool::Responses, somebody), 0);
}
