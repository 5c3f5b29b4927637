//! Which parameters carry a credential, and removal byte for byte.

use proptest::prelude::*;

use super::*;

mod model;

fn value(text: &str) -> Carried {
    Carried::One(SecretBytes::from(text.as_bytes()))
}

#[test]
fn the_authorization_parameter_is_found_in_every_spelling() {
    for (query, want) in [
        ("Authorization=key", value("key")),
        ("authorization=key", value("key")),
        ("AUTHORIZATION=key", value("key")),
        ("%41uthorization=key", value("key")),
        ("%61%75%74%68%6f%72%69%7a%61%74%69%6F%6e=key", value("key")),
        ("a=1&Authorization=key&b=2", value("key")),
        ("Authorization=a=b", value("a=b")),
        ("xAuthorization=key", Carried::Nothing),
        ("Authorizations=key", Carried::Nothing),
        ("Authorization%20=key", Carried::Nothing),
        ("%2541uthorization=key", Carried::Nothing),
        ("Authorization[]=key", Carried::Nothing),
        // Parameters are split at `&` only.
        ("a=1;Authorization=key", Carried::Nothing),
        ("Authorization=a;b", value("a;b")),
        ("", Carried::Nothing),
    ] {
        assert_eq!(carried(query.as_bytes()), want, "{query}");
    }
}

#[test]
fn the_value_is_decoded_and_a_plus_is_a_plus() {
    for (raw, want) in [
        ("a%20b", "a b"),
        ("a+b", "a+b"),
        ("a%2Bb", "a+b"),
        ("%6bey", "key"),
        ("k%zzy%", "k%zzy%"),
        ("%2541", "%41"),
        // Except directly after the scheme word, of any case and spelling.
        ("Bearer+abc", "Bearer abc"),
        ("bearer+abc", "bearer abc"),
        ("BEARER+a+c", "BEARER a+c"),
        ("Bearer++abc", "Bearer +abc"),
        ("%42earer+abc", "Bearer abc"),
        ("Basic+dTpw", "Basic dTpw"),
        ("basic+a+b==", "basic a+b=="),
        ("Bearer%20a+b", "Bearer a+b"),
        ("Bearer%2Babc", "Bearer+abc"),
        ("Bearer+", "Bearer "),
        ("Digest+abc", "Digest+abc"),
        ("Bearerx+abc", "Bearerx+abc"),
        ("x+Bearer+abc", "x+Bearer+abc"),
        ("+Bearer", "+Bearer"),
    ] {
        let query = format!("Authorization={raw}");
        assert_eq!(carried(query.as_bytes()), value(want), "{raw}");
    }
}

#[test]
fn bytes_that_are_no_text_are_a_value_too() {
    let want = Carried::One(SecretBytes::from(&b"\xff\xfe"[..]));
    assert_eq!(carried(b"Authorization=%ff\xfe"), want);
}

#[test]
fn blank_values_are_not_presented_and_several_are_several() {
    for (query, want) in [
        ("Authorization", Carried::Blank),
        ("Authorization=", Carried::Blank),
        ("Authorization=%20", Carried::Blank),
        ("Authorization=%09%20", Carried::Blank),
        ("Authorization=&authorization", Carried::Blank),
        ("Authorization=&Authorization=key", value("key")),
        ("Authorization=key&Authorization=", value("key")),
        ("Authorization=key&Authorization=key", Carried::Several),
        ("Authorization=a&x=1&authorization=b", Carried::Several),
        (
            "Authorization=a&authorization=b&%41uthorization=c",
            Carried::Several,
        ),
        (
            "Authorization=a&authorization=b&Authorization=",
            Carried::Several,
        ),
    ] {
        assert_eq!(carried(query.as_bytes()), want, "{query}");
    }
}

#[test]
fn pairs_are_decoded_as_forms_are() {
    for (parameter, name, value) in [
        (&b"a=1"[..], "a", "1"),
        (b"a", "a", ""),
        (b"a=", "a", ""),
        (b"=1", "", "1"),
        (b"", "", ""),
        (b"a=b=c", "a", "b=c"),
        (b"a+b=c+d", "a b", "c d"),
        (b"a%2Bb=%2b", "a+b", "+"),
        (b"%61%3D=%26", "a=", "&"),
        (b"a=%2541", "a", "%41"),
        (b"a=%zz%4", "a", "%zz%4"),
        (b"a=%C3%A9+\xc3\xa9", "a", "é é"),
        (b"\xff=%ff+", "\u{fffd}", "\u{fffd} "),
    ] {
        let (got_name, got_value) = pair(parameter);
        assert_eq!((&*got_name, &*got_value), (name, value), "{parameter:?}");
    }
    // What needs no decoding is not copied.
    assert!(matches!(pair(b"a=1"), (Cow::Borrowed(_), Cow::Borrowed(_))));
}

#[test]
fn a_query_that_some_reader_would_cut_is_not_sent() {
    for query in ["", "a=1&b", "%00", "a+b", "?", "é"] {
        assert!(is_sendable(query.as_bytes()), "{query}");
    }
    for query in [" ", "a b", "a\tb", "a\n", "#", "a=1#b", "\0", "\u{7f}"] {
        assert!(!is_sendable(query.as_bytes()), "{query}");
    }
}

fn rewrite(query: Option<&str>, appended: &[&str]) -> String {
    let mut out = b"/p".to_vec();
    let appended = appended.iter().map(|parameter| parameter.as_bytes());
    rewrite_into(
        query.map(str::as_bytes),
        &is_authorization,
        appended,
        &mut out,
    );
    String::from_utf8(out).unwrap()
}

#[test]
fn removal_takes_the_parameter_and_one_ampersand() {
    for (query, want) in [
        (None, "/p"),
        (Some(""), "/p?"),
        (Some("a=1"), "/p?a=1"),
        (Some("a=1&"), "/p?a=1&"),
        (Some("&&"), "/p?&&"),
        (Some("Authorization=k"), "/p"),
        (Some("Authorization"), "/p"),
        (Some("Authorization="), "/p"),
        (Some("Authorization=k&Authorization=l"), "/p"),
        (Some("a=1&Authorization=k"), "/p?a=1"),
        (Some("Authorization=k&a=1"), "/p?a=1"),
        (Some("a=1&Authorization=k&b=2"), "/p?a=1&b=2"),
        (
            Some("a=1&authorization=k&b=2&%41uthorization=l&c=3"),
            "/p?a=1&b=2&c=3",
        ),
        (Some("a&&Authorization=k&b"), "/p?a&&b"),
        (Some("Authorization=k&"), "/p"),
        (Some("&Authorization=k"), "/p"),
        (
            Some("a=%7E+%zz;x=?&Authorization=k&b=/é"),
            "/p?a=%7E+%zz;x=?&b=/é",
        ),
        (Some("a=?Authorization=k"), "/p?a=?Authorization=k"),
    ] {
        assert_eq!(rewrite(query, &[]), want, "{query:?}");
    }
}

#[test]
fn injected_parameters_come_last() {
    for (query, want) in [
        (None, "/p?k=1&l=2"),
        (Some(""), "/p?k=1&l=2"),
        (Some("a=1"), "/p?a=1&k=1&l=2"),
        (Some("a=1&"), "/p?a=1&&k=1&l=2"),
        (Some("Authorization=x"), "/p?k=1&l=2"),
        (Some("a=1&Authorization=x"), "/p?a=1&k=1&l=2"),
    ] {
        assert_eq!(rewrite(query, &["k=1", "l=2"]), want, "{query:?}");
    }
}

#[test]
fn names_compare_decoded_and_with_case() {
    for (parameter, name, want) in [
        ("key=1", "key", true),
        ("key", "key", true),
        ("%6bey=1", "key", true),
        ("Key=1", "key", false),
        ("key2=1", "key", false),
        ("my+key=1", "my key", true),
        ("my%20key=1", "my key", true),
        ("my+key=1", "my+key", true),
        ("my%2Bkey=1", "my+key", true),
        ("my%2Bkey=1", "my key", false),
        ("%C3%A9=1", "é", true),
        ("k[]=1", "k[]", true),
        ("=1", "", true),
    ] {
        let got = is_named(parameter.as_bytes(), name.as_bytes());
        assert_eq!(got, want, "{parameter} {name}");
    }
}

/// A parameter that is no carrier.
fn plain() -> impl Strategy<Value = Vec<u8>> {
    proptest::collection::vec(any::<u8>().prop_filter("separator", |&b| b != b'&'), 1..12)
        .prop_filter("carrier", |parameter| !is_authorization(parameter))
}

fn carrier() -> impl Strategy<Value = Vec<u8>> {
    let spellings = [
        "Authorization=k",
        "authorization",
        "%41uthorization=",
        "AUTHORIZATION=%26",
    ];
    proptest::sample::select(spellings.map(|text| text.as_bytes().to_vec()).to_vec())
}

proptest! {
    #[test]
    fn removal_leaves_every_other_byte(
        parameters in proptest::collection::vec(prop_oneof![plain(), carrier()], 1..8),
    ) {
        let kept: Vec<_> = parameters.iter().filter(|one| !is_authorization(one)).cloned().collect();
        let query = parameters.join(&b'&');
        let mut out = Vec::new();
        rewrite_into(Some(&query), &is_authorization, std::iter::empty(), &mut out);
        let want = if kept.is_empty() { Vec::new() } else { [b"?", kept.join(&b'&').as_slice()].concat() };
        prop_assert_eq!(out, want);
    }

    #[test]
    fn any_query_is_read_without_panic(query: Vec<u8>) {
        let had_any = parameters(&query).any(is_authorization);
        prop_assert_eq!(carried(&query) != Carried::Nothing, had_any);
        let mut out = Vec::new();
        rewrite_into(Some(&query), &is_authorization, std::iter::empty(), &mut out);
        prop_assert!(!parameters(out.get(1..).unwrap_or_default()).any(is_authorization));
        if !had_any {
            prop_assert_eq!(out.get(1..), Some(query.as_slice()));
        }
    }
}
