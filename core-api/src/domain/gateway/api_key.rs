//! Generated keys: `rr_<region>_`, 32 random characters, 6 characters of checksum.

use crc::{CRC_32_ISO_HDLC, Crc};
use requestrocket_policy::secret::SecretText;
use zeroize::Zeroizing;

use super::region::RegionName;
use crate::domain::random::{base62, digit};

const RANDOM_CHARACTERS: usize = 32;
const CHECKSUM_CHARACTERS: usize = 6;
const CRC: Crc<u32> = Crc::<u32>::new(&CRC_32_ISO_HDLC);

/// A new key for callers of `region`.
///
/// # Errors
/// The machine gives no randomness.
pub fn generate(region: &RegionName) -> Result<SecretText, getrandom::Error> {
    let random = base62(RANDOM_CHARACTERS)?;
    let mut key = Zeroizing::new(format!("rr_{region}_{}", *random));
    let checksum = checksum(&key);
    key.push_str(&checksum);
    Ok(key.into())
}

/// CRC-32 in base62, most significant digit first.
fn checksum(text: &str) -> String {
    let mut rest = CRC.checksum(text.as_bytes());
    let mut digits = Vec::with_capacity(CHECKSUM_CHARACTERS);
    for _ in 0..CHECKSUM_CHARACTERS {
        digits.extend(digit(rest % 62));
        rest /= 62;
    }
    digits.iter().rev().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_names_its_region_and_ends_in_the_checksum_of_the_rest() {
        let region = "eu-west-1".parse().unwrap();
        let key = generate(&region).unwrap();
        let key = key.expose();
        let random = key.strip_prefix("rr_eu-west-1_").unwrap();
        assert_eq!(random.len(), 38);
        assert!(random.bytes().all(|b| b.is_ascii_alphanumeric()));
        let (body, end) = key.split_at(key.len() - 6);
        assert_eq!(checksum(body), end);
        assert_ne!(generate(&region).unwrap().expose(), key);
    }

    #[test]
    fn the_checksum_is_the_common_crc_32() {
        // CRC-32 of "123456789" is 0xCBF43926 = 3421780262.
        assert_eq!(checksum("123456789"), "3jZRME");
    }
}
