//! Signatures of others are in `jose::tests`; here is what no signer would make.

use super::*;

/// An encoded message of a length, made as RFC 8017 §9.1.1 says, with a change before it is masked.
fn encoded(bytes: usize, change: impl Fn(&mut Vec<u8>)) -> Vec<u8> {
    let salt = [7; 32];
    let digest = digest_of(
        Hash::Sha256,
        &[&[0; 8], &digest_of(Hash::Sha256, &[b"text"]), &salt],
    );
    let mut block = vec![0; bytes - 66];
    block.push(1);
    block.extend_from_slice(&salt);
    change(&mut block);
    unmask(&mut block, Hash::Sha256, &digest);
    [&block[..], &digest, &[0xbc]].concat()
}

fn is_right(mut message: Vec<u8>) -> bool {
    message[0] &= 0x7f;
    is_encoding(Hash::Sha256, b"text", (&message, 0x7f))
}

#[test]
fn an_encoding_is_right_only_as_a_whole() {
    let honest = || encoded(256, |_| {});
    assert!(is_right(honest()));
    assert!(!is_right(encoded(256, |block| block[10] = 1)));
    assert!(!is_right(encoded(256, |block| block[190] = 2)));
    assert!(!is_right(encoded(256, |block| *block
        .last_mut()
        .unwrap() ^= 1)));
    let mut trailer = honest();
    *trailer.last_mut().unwrap() = 0xcc;
    assert!(!is_right(trailer));
    let mut digest = honest();
    digest[230] ^= 1;
    assert!(!is_right(digest));
}

#[test]
fn bits_above_the_message_are_zero() {
    let mut message = encoded(256, |_| {});
    message[0] |= 0x80;
    assert!(!is_encoding(Hash::Sha256, b"text", (&message, 0x7f)));
}

#[test]
fn what_is_too_short_is_no_encoding() {
    assert!(is_right(encoded(66, |_| {})));
    for bytes in 0..66 {
        let mut message = vec![0; bytes];
        if let Some(last) = message.last_mut() {
            *last = 0xbc;
        }
        assert!(
            !is_encoding(Hash::Sha256, b"text", (&message, 0xff)),
            "{bytes}"
        );
    }
}
