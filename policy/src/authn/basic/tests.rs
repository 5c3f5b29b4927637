//! Pairs with any padding, in UTF-8.

use base64::engine::general_purpose::STANDARD;
use proptest::prelude::*;

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

/// The value in the case and padding that a caller might choose.
fn spelled(pair: &str, padding: usize, is_upper: bool) -> String {
    let encoded = STANDARD.encode(pair);
    let bare = encoded.trim_end_matches('=');
    let most = encoded.len() - bare.len();
    let scheme = if is_upper { "BASIC" } else { "basic" };
    format!("{scheme} {bare}{}", "=".repeat(padding.min(most)))
}

proptest! {
    #[test]
    fn every_pair_is_read_in_every_spelling(
        user in "[^:]{0,12}",
        password in ".{0,12}",
        padding in 0_usize..3,
        is_upper: bool,
    ) {
        let pair = format!("{user}:{password}");
        let got = compared(spelled(&pair, padding, is_upper).as_bytes());
        prop_assert_eq!(got, Some(SecretBytes::from(pair.as_bytes())));
    }

    #[test]
    fn what_is_no_text_is_no_pair(bytes in proptest::collection::vec(any::<u8>(), 0..20)) {
        let got = compared(format!("Basic {}", STANDARD.encode(&bytes)).as_bytes());
        let want = std::str::from_utf8(&bytes).is_ok_and(|pair| pair.contains(':'));
        prop_assert_eq!(got.is_some(), want);
    }

    #[test]
    fn any_bytes_are_read_without_panic(bytes: Vec<u8>) {
        compared(&bytes);
        compared(&[b"Basic ", bytes.as_slice()].concat());
    }
}
