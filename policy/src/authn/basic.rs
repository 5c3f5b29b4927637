//! basicAuth: `Basic` and base64 of `username:password` (RFC 7617).

use base64::{
    Engine as _,
    alphabet::STANDARD,
    engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig},
};

use crate::secret::SecretBytes;

const ANY_PADDING: GeneralPurpose = GeneralPurpose::new(
    &STANDARD,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// The pair as bytes, if the value is of that form and the pair is UTF-8.
pub(super) fn compared(value: &[u8]) -> Option<SecretBytes> {
    let (scheme, encoded) = value.split_at_checked(b"Basic ".len())?;
    if !scheme.eq_ignore_ascii_case(b"Basic ") {
        return None;
    }
    let pair = ANY_PADDING
        .decode(encoded.trim_ascii())
        .map(SecretBytes::from)
        .ok()?;
    let is_pair = std::str::from_utf8(pair.expose()).is_ok_and(|pair| pair.contains(':'));
    is_pair.then_some(pair)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn any_padding_and_any_case_of_the_scheme_will_do() {
        for (value, want) in [
            ("Basic dXNlcjpwYXNz", Some("user:pass")),
            ("basic dXNlcjpwYXNz", Some("user:pass")),
            ("BASIC dXNlcjpwYXNz", Some("user:pass")),
            ("Basic  dXNlcjpwYXNz", Some("user:pass")),
            ("Basic dTpw", Some("u:p")),
            ("Basic dTpwYQ==", Some("u:pa")),
            ("Basic dTpwYQ=", Some("u:pa")),
            ("Basic dTpwYQ", Some("u:pa")),
            ("Basic dTrDqQ==", Some("u:é")),
            ("Basic dXNlcjo=", Some("user:")),
            ("Basic dTphOmI=", Some("u:a:b")),
            // Not UTF-8, no colon, not base64, another alphabet, another scheme, nothing.
            ("Basic dTr/", None),
            ("Basic dXNlcg==", None),
            ("Basic dXNlcjpwYXNz!", None),
            ("Basic dTr-_w==", None),
            ("Bearer dXNlcjpwYXNz", None),
            ("BasicdXNlcjpwYXNz", None),
            ("Basic ", None),
            ("Basic", None),
            ("", None),
            ("user:pass", None),
        ] {
            let got = compared(value.as_bytes());
            assert_eq!(
                got,
                want.map(|pair| SecretBytes::from(pair.as_bytes())),
                "{value:?}"
            );
        }
    }
}
