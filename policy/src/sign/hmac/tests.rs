//! What is signed, and how it is written.

use super::{template::InvalidTemplate, *};
use crate::sign::{
    Hash,
    tests::{Broken, Given, given},
};

const AT_MS: u64 = 1_700_000_000_999;

fn filled(template: &str, request: &Given, of_time: Option<&str>) -> String {
    let template = Template::parse(template).unwrap();
    let text = template.fill(&request.outgoing(), ("1700000000", of_time));
    String::from_utf8(text.unwrap()).unwrap()
}

#[test]
fn parts_of_the_request_are_put_in() {
    let lines = [
        ("content-type", " text/plain "),
        ("x-many", "a"),
        ("x-other", "c"),
        ("x-many", "b"),
    ];
    let request = given("POST", "/v1/a%20b?x=1&y=%3F", &lines);
    let empty = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
    for (template, want) in [
        ("", ""),
        ("words } only", "words } only"),
        ("{method}\n{path}\n{query}", "POST\n/v1/a%20b\nx=1&y=%3F"),
        ("v1.{timestamp}.", "v1.1700000000."),
        ("{header:Content-Type}", "text/plain"),
        ("{header:x-many}|{header:x-none}|", "a, b||"),
        ("{header:host}", "bucket.example"),
        ("{header:x-time}", "1700000000"),
        ("{bodySha256}", empty),
    ] {
        assert_eq!(
            filled(template, &request, Some("x-time")),
            want,
            "{template}"
        );
    }
}

#[test]
fn what_is_no_template_says_so() {
    let unknown = |name: &str| InvalidTemplate::Unknown(name.to_owned());
    let header = |name: &str| InvalidTemplate::Header(name.to_owned());
    for (template, want) in [
        ("{method", InvalidTemplate::Open),
        ("a{", InvalidTemplate::Open),
        ("{body}", unknown("body")),
        ("{}", unknown("")),
        ("{Method}", unknown("Method")),
        ("{header:}", header("")),
        ("{header:Content-Length}", header("Content-Length")),
        ("{header:X-Forwarded-For}", header("X-Forwarded-For")),
    ] {
        assert_eq!(Template::parse(template), Err(want), "{template}");
    }
}

#[test]
fn the_body_is_read_only_where_it_is_named() {
    for (template, want) in [("{method}{bodySha256}", true), ("bodySha256 {path}", false)] {
        let signer = signer(Hash::Sha256, b"k", template, Encoding::Hex);
        assert_eq!(signer.reads_body(), want, "{template}");
        let mut request = given("POST", "/", &[]);
        request.body_sha256 = None;
        let result = signer.sign(&request.outgoing(), &Broken);
        assert_eq!(result.is_err(), want, "{template}");
    }
}

#[test]
fn a_header_that_has_a_twin_is_not_signed_beside_it() {
    let signer = signer(Hash::Sha256, b"k", "{header:x-a}", Encoding::Hex);
    for (lines, want) in [
        (&[("x-a", "1"), ("x-ab", "2")][..], true),
        (&[("x-a", "1"), ("x_a", "2")], false),
        (&[("x_a", "2")], false),
    ] {
        let request = given("GET", "/", lines);
        assert_eq!(
            signer.sign(&request.outgoing(), &Broken).is_ok(),
            want,
            "{lines:?}"
        );
    }
}

fn signer(hash: Hash, key: &[u8], template: &str, encoding: Encoding) -> HmacSigner {
    let places = HmacPlaces {
        header: "x-signature".to_owned(),
        prefix: "v1=".to_owned(),
        timestamp_header: Some("x-time".to_owned()),
    };
    let key = MacKey::new(hash, key).unwrap();
    HmacSigner::new(key, Template::parse(template).unwrap(), encoding, places)
}

/// RFC 4231, test cases 1 and 2.
#[test]
fn signatures_are_those_of_the_rfc() {
    let jefe: (&[u8], _) = (b"Jefe", "what do ya want for nothing?");
    let hi: (&[u8], _) = (&[0x0b; 20], "Hi There");
    for ((key, text), hash, encoding, want) in [
        (
            hi,
            Hash::Sha256,
            Encoding::Hex,
            "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7",
        ),
        (
            jefe,
            Hash::Sha256,
            Encoding::Hex,
            "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843",
        ),
        (
            jefe,
            Hash::Sha256,
            Encoding::Base64,
            "W9zBRr9gdU5qBCQmCJV1x1oAPwidJzmDnexYuWTsOEM=",
        ),
        (
            jefe,
            Hash::Sha384,
            Encoding::Hex,
            "af45d2e376484031617f78d2b58a6b1b9c7ef464f5a01b47e42ec3736322445e\
             8e2240ca5e69e2c78b3239ecfab21649",
        ),
        (
            jefe,
            Hash::Sha512,
            Encoding::Hex,
            "164b7a7bfcf819e2e395fbe73b56e0a387bd64222e831fd610270cd7ea250554\
             9758bf75c05a994a6d034f65f8f0e6fdcaeab1a34d4a6b4b636e070a38bce737",
        ),
    ] {
        let signer = signer(hash, key, text, encoding);
        let mut request = given("GET", "/", &[]);
        request.now_ms = AT_MS;
        let placed = signer.sign(&request.outgoing(), &Broken).unwrap();
        let header = |name, value: &str, secret| Placed {
            header: Some(name),
            value: SecretBytes::from(value.as_bytes()),
            secret,
        };
        let value = format!("v1={want}");
        let want = [
            header("x-signature", &value, 3..value.len()),
            header("x-time", "1700000000", 0..0),
        ];
        assert!(placed == want, "{hash:?} {encoding:?}");
    }
}

#[test]
fn nothing_is_signed_when_nobody_knows_the_time() {
    let signer = signer(Hash::Sha256, b"k", "{path}", Encoding::Hex);
    let mut request = given("GET", "/", &[]);
    request.now_ms = u64::MAX;
    assert_eq!(signer.sign(&request.outgoing(), &Broken), Err(CannotSign));
}
