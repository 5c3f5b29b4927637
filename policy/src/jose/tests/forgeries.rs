//! What forgers have tried, one test for each way.

use super::{library::Library, *};
use InvalidToken::{
    Algorithm as Alg, Critical, Encoding, KeyId, OwnKey, Parts, TooLong, Unencoded,
};

fn refused(token: &str) -> Option<Refused> {
    hs256()
        .verify(token.as_bytes(), &Trial::new(NOW_MS, &Nobody))
        .err()
}

fn no_token(token: &str, want: InvalidToken) {
    assert_eq!(refused(token), Some(Refused::Token(want)), "{token}");
}

/// With that member after a right algorithm.
fn with_member(member: &str) -> String {
    signed(&format!("{{\"alg\":\"HS256\",{member}}}"), CLAIMS)
}

#[test]
fn the_honest_token_is_right() {
    let end_ms = Some(1_800_003_600_000);
    let outcome = hs256().verify(
        signed(HEADER, CLAIMS).as_bytes(),
        &Trial::new(NOW_MS, &Nobody),
    );
    assert_eq!(outcome, Ok(Verified { end_ms }));
    assert_eq!(
        refused(&with_member("\"b64\":true,\"x5t\":\"a\",\"cty\":\"JWT\"")),
        None
    );
}

#[test]
fn none_is_no_algorithm_in_any_spelling() {
    for none in [
        "none",
        "None",
        "NONE",
        "nOnE",
        "none ",
        "",
        "null",
        "HS256none",
        "\\u006eone",
    ] {
        let header = format!("{{\"alg\":\"{none}\"}}");
        no_token(&signed(&header, CLAIMS), Alg);
        let text = signed(&header, CLAIMS);
        let (text, _) = text.rsplit_once('.').unwrap();
        no_token(&format!("{text}."), Alg);
    }
    for alg in ["null", "0", "false", "[\"HS256\"]", "{\"HS256\":1}"] {
        no_token(&signed(&format!("{{\"alg\":{alg}}}"), CLAIMS), Alg);
    }
    no_token(&signed("{\"typ\":\"JWT\"}", CLAIMS), Alg);
    no_token(&signed("{\"ALG\":\"HS256\"}", CLAIMS), Alg);
}

#[test]
fn unknown_algorithms_and_other_spellings_are_refused() {
    for alg in [
        "hs256", "HS-256", "HS1", "RS1", "ES256K", "A128KW", "dir", "RSA-OAEP", "MD5",
    ] {
        no_token(&signed(&format!("{{\"alg\":\"{alg}\"}}"), CLAIMS), Alg);
    }
}

#[test]
fn an_algorithm_outside_the_list_is_refused_whatever_its_signature() {
    for alg in ["HS384", "HS512", "RS256", "PS256", "ES256", "EdDSA"] {
        let token = signed(&format!("{{\"alg\":\"{alg}\"}}"), CLAIMS);
        assert_eq!(refused(&token), Some(Refused::Algorithm), "{alg}");
    }
}

#[test]
fn a_public_key_is_no_secret() {
    // Key confusion: the public key, in all its forms, as the secret of an HMAC.
    let jwk: serde_json::Value = serde_json::from_str(include_str!("openssl.json")).unwrap();
    let pem = jwk[0]["pem"].as_str().unwrap();
    let spki = base64url::decode(jwk[0]["spki"].as_str().unwrap().as_bytes()).unwrap();
    let modulus = base64url::decode(jwk[0]["jwk"]["n"].as_str().unwrap().as_bytes()).unwrap();
    for secret in [pem.as_bytes(), pem.trim().as_bytes(), &spki, &modulus] {
        let token = signed_with(secret, HEADER, CLAIMS);
        for algorithms in [&["RS256"][..], &["RS256", "HS256"]] {
            let material = read_pem(pem).unwrap().numbers.material().unwrap();
            let key = Key {
                id: None,
                algorithm: None,
                material,
            };
            let verifier = verifier(Keys::One(Box::new(key)), algorithms);
            let outcome = verifier.verify(token.as_bytes(), &Trial::new(NOW_MS, &Nobody));
            let want = match algorithms {
                [_] => Refused::Algorithm,
                _ => Refused::NoKey,
            };
            assert_eq!(outcome, Err(want));
        }
    }
}

#[test]
fn a_token_does_not_bring_its_key() {
    for member in [
        r#""jwk":{"kty":"oct","k":"AAAA"}"#,
        r#""jku":"https://evil.example/keys""#,
        r#""x5u":"https://evil.example/cert""#,
        r#""x5c":["MIIB"]"#,
        r#""jwk":null"#,
        r#""\u006awk":{}"#,
    ] {
        no_token(&with_member(member), OwnKey);
    }
}

#[test]
fn critical_extensions_are_refused() {
    for member in [
        r#""crit":["exp"]"#,
        r#""crit":["b64"],"b64":true"#,
        r#""crit":[]"#,
        r#""crit":null"#,
    ] {
        no_token(&with_member(member), Critical);
    }
}

#[test]
fn an_unencoded_payload_is_refused() {
    for b64 in ["false", "null", "0", "\"true\"", "[]"] {
        no_token(&with_member(&format!("\"b64\":{b64}")), Unencoded);
    }
}

#[test]
fn a_kid_is_a_string() {
    for kid in ["1", "null", "[\"a\"]", "{}", "\"\\ud800\""] {
        no_token(&with_member(&format!("\"kid\":{kid}")), KeyId);
    }
}

#[test]
fn members_come_once_in_the_header() {
    for header in [
        r#"{"alg":"HS256","alg":"HS256"}"#,
        r#"{"alg":"none","alg":"HS256"}"#,
        r#"{"alg":"HS256","\u0061lg":"none"}"#,
        r#"{"alg":"HS256","x":{"a":1,"a":2}}"#,
    ] {
        no_token(
            &signed(header, CLAIMS),
            InvalidToken::Header(InvalidObject::Repeated),
        );
    }
}

#[test]
fn members_come_once_in_the_claims() {
    for claims in [
        r#"{"exp":1,"exp":1800003600}"#,
        r#"{"exp":1800003600,"exp":1}"#,
        r#"{"exp":1800003600,"sub":"a","\u0073ub":"b"}"#,
        r#"{"exp":1800003600,"realm":{"roles":[],"roles":["admin"]}}"#,
    ] {
        let want = InvalidClaims::Object(InvalidObject::Repeated);
        assert_eq!(
            refused(&signed(HEADER, claims)),
            Some(Refused::Claims(want))
        );
    }
}

#[test]
fn claims_are_an_object() {
    use InvalidObject::{Json, NoObject};
    for (claims, want) in [
        ("", Json),
        ("{", Json),
        ("[]", NoObject),
        ("\"sub\"", NoObject),
        ("1800003600", NoObject),
        ("{\"exp\":1800003600}{}", Json),
        ("{\"exp\":1800003600}\0", Json),
    ] {
        let want = Refused::Claims(InvalidClaims::Object(want));
        assert_eq!(refused(&signed(HEADER, claims)), Some(want), "{claims}");
    }
}

#[test]
fn the_times_of_a_token_count() {
    for (claims, want) in [
        (r#"{"sub":"u"}"#, InvalidClaims::Endless),
        (r#"{"exp":"1800003600"}"#, InvalidClaims::Time),
        (r#"{"exp":1799999000}"#, InvalidClaims::Expired),
        (
            r#"{"exp":1800003600,"nbf":1800000061}"#,
            InvalidClaims::Early,
        ),
        (
            r#"{"exp":1800003600,"iat":1800000061}"#,
            InvalidClaims::Early,
        ),
    ] {
        let want = Some(Refused::Claims(want));
        assert_eq!(refused(&signed(HEADER, claims)), want, "{claims}");
    }
}

#[test]
fn a_wrong_signature_is_refused() {
    let token = signed(HEADER, CLAIMS);
    let (text, signature) = token.rsplit_once('.').unwrap();
    let other = signed(HEADER, r#"{"sub":"u-2","exp":1800003600}"#);
    let (other_text, _) = other.rsplit_once('.').unwrap();
    let short = signature.get(..20).unwrap();
    for token in [
        format!("{other_text}.{signature}"),
        format!("{text}."),
        format!("{text}.{short}"),
        format!("{text}.{}", encode(&[0; 32])),
        signed_with(b"another secret of thirty-two byt", HEADER, CLAIMS),
    ] {
        assert_eq!(refused(&token), Some(Refused::Signature), "{token}");
    }
}

#[test]
fn base64_has_one_spelling() {
    let token = signed(HEADER, CLAIMS);
    let [header, claims, signature] = parts(&token);
    // Of 32 bytes the last letter has two bits to spare.
    let last = signature.chars().last().unwrap();
    let spelled = (0..4).map(|more| next_letter(last, more));
    let others = spelled.filter(|letter| *letter != last);
    for letter in others {
        let other = format!("{}{letter}", signature.strip_suffix(last).unwrap());
        no_token(&format!("{header}.{claims}.{other}"), Encoding);
    }
    for token in [
        format!("{header}.{claims}.{signature}="),
        format!("{header}=.{claims}.{signature}"),
        format!("{header} .{claims}.{signature}"),
        format!("{header}.{claims}.{signature}\0"),
        format!("{header}.{claims}.{signature}+"),
    ] {
        no_token(&token, Encoding);
    }
    // Of the payload it is seen when it is read, behind a signature that is right.
    for text in [
        format!("{header}.{claims}="),
        format!("{header}.{claims}\n"),
    ] {
        let token = format!("{text}.{}", encode(&mac(SECRET, &text)));
        no_token(&token, Encoding);
    }
}

/// Letters whose upper four bits are the same.
fn next_letter(letter: char, more: usize) -> char {
    const ALPHABET: &str = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    let place = ALPHABET.find(letter).unwrap();
    ALPHABET.chars().nth(place & !3 | more).unwrap()
}

fn parts(token: &str) -> [&str; 3] {
    token.split('.').collect::<Vec<_>>().try_into().unwrap()
}

#[test]
fn a_token_has_three_parts() {
    let token = signed(HEADER, CLAIMS);
    let [header, claims, signature] = parts(&token);
    for token in [
        String::new(),
        ".".to_owned(),
        format!("{header}.{claims}"),
        format!("{token}."),
        format!("{token}.{signature}"),
        // JWE has five.
        format!("{header}.{claims}.{signature}.AA.AA"),
    ] {
        no_token(&token, Parts);
    }
    no_token("..", InvalidToken::Header(InvalidObject::Json));
    // The JSON serialisations.
    let json = format!("{{\"payload\":\"{claims}\",\"signature\":\"{signature}\"}}");
    no_token(&json, Parts);
}

#[test]
fn a_long_token_is_refused() {
    let of = |bytes: usize| {
        let claims = format!("{{\"exp\":1800003600,\"a\":\"{}\"}}", "a".repeat(bytes));
        signed(HEADER, &claims)
    };
    let honest = of(24_300);
    assert!(honest.len() > MAX_TOKEN_BYTES - 300 && honest.len() <= MAX_TOKEN_BYTES);
    assert_eq!(refused(&honest), None);
    no_token(&of(24_600), TooLong);
    no_token(
        &with_member(&format!("\"kid\":\"{}\"", "a".repeat(4000))),
        TooLong,
    );
    let token = signed(HEADER, CLAIMS);
    no_token(&format!("{token}{}", "A".repeat(4096)), TooLong);
}

/// Of the points of P-256.
const ORDER: [u8; 32] = [
    0xff, 0xff, 0xff, 0xff, 0, 0, 0, 0, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xbc, 0xe6,
    0xfa, 0xad, 0xa7, 0x17, 0x9e, 0x84, 0xf3, 0xb9, 0xca, 0xc2, 0xfc, 0x63, 0x25, 0x51,
];

#[test]
fn ecdsa_signatures_of_nothing_are_refused() {
    // CVE-2022-21449: r or s of 0 was right for any text.
    let jwk = serde_json::json!({
        "kty": "EC", "crv": "P-256",
        "x": "f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU",
        "y": "x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0",
    });
    let key = read_jwk(&jwk).unwrap();
    let verifier = verifier(
        Keys::One(Box::new(Key {
            id: None,
            algorithm: None,
            material: key.numbers.material().unwrap(),
        })),
        &["ES256"],
    );
    let one = [&[0; 31][..], &[1]].concat();
    let text = signed(r#"{"alg":"ES256"}"#, CLAIMS);
    let (text, _) = text.rsplit_once('.').unwrap();
    for (r, s, is_asked) in [
        (&[0; 32][..], &[0; 32][..], false),
        (&[0; 32], &one, false),
        (&one, &[0; 32], false),
        (&ORDER, &ORDER, true),
        (&one, &ORDER, true),
        (&ORDER, &one, true),
        (&one, &one, true),
    ] {
        let token = format!("{text}.{}", encode(&[r, s].concat()));
        let library = Library { known: None };
        let host: &dyn Signatures = if is_asked { &library } else { &Nobody };
        let outcome = verifier.verify(token.as_bytes(), &Trial::new(NOW_MS, host));
        assert_eq!(outcome, Err(Refused::Signature), "{r:?} {s:?}");
    }
    // In DER, as other protocols have it.
    let der = encode(&key::der::ecdsa_signature(&one, &one));
    let outcome = verifier.verify(
        format!("{text}.{der}").as_bytes(),
        &Trial::new(NOW_MS, &Nobody),
    );
    assert_eq!(outcome, Err(Refused::Signature));
}

#[test]
fn ed25519_keys_of_small_order_sign_nothing() {
    // With the neutral element as key and as R, and 0 as S, the equation holds for any text.
    let neutral = [&[1][..], &[0; 31]].concat();
    let key = Key {
        id: None,
        algorithm: None,
        material: KeyMaterial::ed25519(&neutral).unwrap(),
    };
    let verifier = verifier(Keys::One(Box::new(key)), &["EdDSA"]);
    let text = signed(r#"{"alg":"EdDSA"}"#, CLAIMS);
    let (text, _) = text.rsplit_once('.').unwrap();
    let signature = encode(&[&neutral[..], &[0; 32]].concat());
    let outcome = verifier.verify(
        format!("{text}.{signature}").as_bytes(),
        &Trial::new(NOW_MS, &Nobody),
    );
    assert_eq!(outcome, Err(Refused::Signature));
}

proptest::proptest! {
    #[test]
    fn no_bytes_are_a_token_and_none_break_it(bytes: Vec<u8>) {
        let outcome = hs256().verify(&bytes, &Trial::new(NOW_MS, &Nobody));
        proptest::prop_assert!(outcome.is_err());
    }

    #[test]
    fn a_changed_byte_is_noticed(place in 0_usize..130, byte: u8) {
        let token = signed(HEADER, CLAIMS).into_bytes();
        let mut changed = token.clone();
        let place = place % token.len();
        changed[place] = byte;
        let outcome = hs256().verify(&changed, &Trial::new(NOW_MS, &Nobody));
        proptest::prop_assert_eq!(outcome.is_ok(), changed == token);
    }
}
