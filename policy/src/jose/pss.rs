//! RSASSA-PSS (RFC 8017 §8.1.2), which Envoy has no call for. All it works with is public, so its
//! time may depend on it.

mod power;

use sha2::{Sha256, Sha384, Sha512};

use super::{algorithm::Hash, key::RsaKey};

/// Whether the key made the signature, with a salt as long as the hash (RFC 7518 §3.5) and MGF1 of
/// the same hash. The signature is as long as the modulus.
pub(super) fn is_signed(hash: Hash, key: &RsaKey, text: &[u8], signature: &[u8]) -> bool {
    let Some(encoded) = power::of(signature, key.exponent, &key.modulus) else {
        return false;
    };
    let first = key.modulus.first().copied().unwrap_or_default();
    // The encoded message has a bit less than the modulus.
    match first.checked_ilog2() {
        Some(0) => encoded
            .split_first()
            .is_some_and(|(zero, rest)| *zero == 0 && is_encoding(hash, text, (rest, 0xff))),
        Some(bits) => is_encoding(hash, text, (&encoded, (1 << bits) - 1)),
        None => false,
    }
}

/// EMSA-PSS-VERIFY (RFC 8017 §9.1.2); of the first byte, the mask's bits are the message's.
fn is_encoding(hash: Hash, text: &[u8], (encoded, mask): (&[u8], u8)) -> bool {
    const TRAILER: u8 = 0xbc;
    let Some((&TRAILER, rest)) = encoded.split_last() else {
        return false;
    };
    let Some(at) = rest.len().checked_sub(hash.bytes()) else {
        return false;
    };
    let Some((masked, digest)) = rest.split_at_checked(at) else {
        return false;
    };
    if masked.first().is_none_or(|first| first & !mask != 0) {
        return false;
    }
    let mut block = masked.to_vec();
    unmask(&mut block, hash, digest);
    if let Some(first) = block.first_mut() {
        *first &= mask;
    }
    let Some(salt) = salt(&block, hash.bytes()) else {
        return false;
    };
    let text = digest_of(hash, &[text]);
    digest_of(hash, &[&[0; 8], &text, salt]) == digest
}

/// What follows zeros and a one.
fn salt(block: &[u8], bytes: usize) -> Option<&[u8]> {
    let (padding, salt) = block.split_at_checked(block.len().checked_sub(bytes)?)?;
    let (one, zeros) = padding.split_last()?;
    (*one == 1 && zeros.iter().all(|byte| *byte == 0)).then_some(salt)
}

/// MGF1 (RFC 8017 §B.2.1).
fn unmask(block: &mut [u8], hash: Hash, seed: &[u8]) {
    for (count, part) in (0_u32..).zip(block.chunks_mut(hash.bytes())) {
        let mask = digest_of(hash, &[seed, &count.to_be_bytes()]);
        for (byte, mask) in part.iter_mut().zip(mask) {
            *byte ^= mask;
        }
    }
}

fn digest_of(hash: Hash, parts: &[&[u8]]) -> Vec<u8> {
    fn of<D: sha2::Digest>(parts: &[&[u8]]) -> Vec<u8> {
        let hasher = parts.iter().fold(D::new(), sha2::Digest::chain_update);
        hasher.finalize().to_vec()
    }
    match hash {
        Hash::Sha256 => of::<Sha256>(parts),
        Hash::Sha384 => of::<Sha384>(parts),
        Hash::Sha512 => of::<Sha512>(parts),
    }
}

#[cfg(test)]
mod tests;
