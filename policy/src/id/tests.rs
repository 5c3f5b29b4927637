//! The text forms of ids, and what is none.

use proptest::prelude::*;

use super::*;

const UUID: &str = "0b9e3d4c-6a52-4a38-9d2f-5d1b7a4f0c11";

#[test]
fn ids_have_one_text_form() {
    assert_eq!(
        UUID.parse::<ProxyId>().map(|id| id.to_string()),
        Ok(UUID.to_owned())
    );
    for raw in [
        "",
        "0B9E3D4C-6A52-4A38-9D2F-5D1B7A4F0C11",
        "0b9e3d4c6a524a389d2f5d1b7a4f0c11",
        "{0b9e3d4c-6a52-4a38-9d2f-5d1b7a4f0c11}",
        "urn:uuid:0b9e3d4c-6a52-4a38-9d2f-5d1b7a4f0c11",
        "0b9e3d4c-6a52-4a38-9d2f-5d1b7a4f0c1",
        "0b9e3d4c-6a52-4a38-9d2f-5d1b7a4f0c11 ",
    ] {
        assert_eq!(raw.parse::<ProxyId>(), Err(InvalidId), "{raw}");
        assert_eq!(raw.parse::<CredentialId>(), Err(InvalidId), "{raw}");
        assert_eq!(raw.parse::<OrganisationId>(), Err(InvalidId), "{raw}");
    }
}

#[test]
fn regions_are_short_slugs() {
    let long = "a".repeat(32);
    for raw in ["eu", "local-1", "eu-west-1", long.as_str(), "--"] {
        assert_eq!(
            raw.parse::<Region>().map(|r| r.to_string()),
            Ok(raw.to_owned()),
            "{raw}"
        );
    }
    let too_long = "a".repeat(33);
    for raw in ["", "a", "EU", "eu_1", "eu 1", "é1", too_long.as_str()] {
        assert_eq!(raw.parse::<Region>(), Err(InvalidRegion), "{raw}");
    }
}

#[test]
fn aliases_are_slugs_that_are_no_uuid() {
    let long = "a".repeat(63);
    for raw in ["abc", "my-api", "a-b", "0a0", long.as_str()] {
        assert_eq!(
            raw.parse::<Alias>().map(|a| a.as_str().to_owned()),
            Ok(raw.to_owned()),
            "{raw}"
        );
    }
    let too_long = "a".repeat(64);
    for raw in [
        "",
        "a",
        "ab",
        "-abc",
        "abc-",
        "Abc",
        "a.c",
        "a/c",
        "a_c",
        UUID,
        too_long.as_str(),
    ] {
        assert_eq!(raw.parse::<Alias>(), Err(InvalidAlias), "{raw}");
    }
}

/// An alias as a pattern: `^[a-z0-9]([a-z0-9-]{1,61}[a-z0-9])$`.
fn is_alias(text: &str) -> bool {
    let is_edge = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit();
    let chars: Vec<char> = text.chars().collect();
    let [first, inner @ .., last] = chars.as_slice() else {
        return false;
    };
    let is_inner = |c: &char| is_edge(*c) || *c == '-';
    is_edge(*first)
        && is_edge(*last)
        && (1..=61).contains(&inner.len())
        && inner.iter().all(is_inner)
}

proptest! {
    #[test]
    fn aliases_follow_the_pattern(text in "[a-z0-9-]{0,66}|[a-zA-Z0-9_./-]{0,8}|.{0,6}") {
        prop_assert_eq!(text.parse::<Alias>().is_ok(), is_alias(&text), "{}", text);
    }

    #[test]
    fn regions_follow_the_pattern(text in "[a-z0-9-]{0,34}|.{0,6}") {
        let legal = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
        let want = (2..=32).contains(&text.len()) && text.chars().all(legal);
        prop_assert_eq!(text.parse::<Region>().is_ok(), want, "{}", text);
    }

    #[test]
    fn every_id_is_read_back(bits: u128) {
        let id = CredentialId::from(Uuid::from_u128(bits));
        prop_assert_eq!(id.to_string().parse(), Ok(id));
        prop_assert_eq!(id.as_uuid().as_u128(), bits);
    }
}
