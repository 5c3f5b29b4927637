//! Random text for tokens and keys.

use zeroize::Zeroizing;

const ALPHABET: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

/// `length` characters out of 0-9, A-Z, a-z, each equally likely.
///
/// # Errors
/// The machine gives no randomness.
pub fn base62(length: usize) -> Result<Zeroizing<String>, getrandom::Error> {
    let mut text = Zeroizing::new(String::with_capacity(length));
    let mut bytes = Zeroizing::new([0_u8; 64]);
    while text.len() < length {
        getrandom::fill(&mut *bytes)?;
        // 248 = 4 * 62: a byte above would favour the first characters.
        let fair = bytes.iter().filter(|byte| **byte < 248);
        let missing = length - text.len();
        text.extend(
            fair.filter_map(|byte| digit(u32::from(*byte) % 62))
                .take(missing),
        );
    }
    Ok(text)
}

/// The character for a value below 62.
pub fn digit(value: u32) -> Option<char> {
    ALPHABET
        .get(usize::try_from(value).ok()?)
        .map(|byte| char::from(*byte))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_has_its_length_and_alphabet_and_never_repeats() {
        let one = base62(43).unwrap();
        assert_eq!(one.len(), 43);
        assert!(one.bytes().all(|b| b.is_ascii_alphanumeric()));
        assert_ne!(*one, *base62(43).unwrap());
    }
}
