//! What of an injected value is the secret, as others may repeat it: without the scheme before it,
//! and of Basic authentication what is encoded, too.

use base64::{
    Engine as _,
    alphabet::STANDARD,
    engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig},
};

use crate::secret::SecretBytes;

/// As credentials are read: padding or not.
pub(crate) const ANY_PADDING: GeneralPurpose = GeneralPurpose::new(
    &STANDARD,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// Of a value with so many bytes before and behind what is secret in it; all of it where there are
/// not so many.
pub(crate) fn of_value(value: &SecretBytes, (before, behind): (usize, usize)) -> SecretBytes {
    let end = value.expose().len().checked_sub(behind);
    let secret = end.and_then(|end| value.expose().get(before..end));
    secret.map_or_else(|| value.clone(), SecretBytes::from)
}

/// Of a header's value.
pub(crate) fn of_header(value: &SecretBytes) -> Vec<SecretBytes> {
    match credentials(value.expose()) {
        Some((scheme, credentials)) => {
            let mut values = vec![SecretBytes::from(credentials)];
            if scheme.eq_ignore_ascii_case(b"basic") {
                values.extend(of_basic(credentials));
            }
            values
        }
        None => vec![value.clone()],
    }
}

/// Scheme and credentials, of a value that has this form (RFC 9110 §11.4).
fn credentials(value: &[u8]) -> Option<(&[u8], &[u8])> {
    let blank = value.iter().position(|byte| *byte == b' ')?;
    let (scheme, rest) = value.split_at_checked(blank)?;
    let credentials = rest.get(1..)?;
    let is_scheme = !scheme.is_empty() && scheme.iter().all(|byte| is_of_scheme(*byte));
    (is_scheme && !credentials.contains(&b' ')).then_some((scheme, credentials))
}

fn is_of_scheme(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'-'
}

/// User and password together, and the password.
pub(crate) fn of_basic(encoded: &[u8]) -> Vec<SecretBytes> {
    let Ok(both) = ANY_PADDING.decode(encoded).map(SecretBytes::from) else {
        return Vec::new();
    };
    let colon = both.expose().iter().position(|byte| *byte == b':');
    let password = colon.and_then(|colon| both.expose().get(colon + 1..));
    let password = password.map(SecretBytes::from);
    [both].into_iter().chain(password).collect()
}
