//! Which keys of a set a token is tried with.

use std::cell::Cell;

use super::*;

fn key(id: Option<&str>, algorithm: Option<&str>, secret: &[u8]) -> Key {
    Key {
        id: id.map(Into::into),
        algorithm: algorithm.map(|name| name.parse().unwrap()),
        material: KeyMaterial::secret(secret.into()).unwrap(),
    }
}

const OTHER: &[u8] = b"another secret of thirty-two byt";

fn check(keys: Vec<Key>, kid: Option<&str>, want: Result<(), Refused>) {
    let verifier = verifier(Keys::Set(keys.into()), &["HS256", "RS256"]);
    let header = match kid {
        Some(kid) => format!("{{\"alg\":\"HS256\",\"kid\":\"{kid}\"}}"),
        None => HEADER.to_owned(),
    };
    let outcome = verifier.verify(
        signed(&header, CLAIMS).as_bytes(),
        &Trial::new(NOW_MS, &Nobody),
    );
    assert_eq!(outcome.map(drop), want, "{kid:?}");
}

#[test]
fn a_kid_means_the_keys_of_that_kid_and_no_others() {
    let keys = || {
        vec![
            key(Some("a"), None, OTHER),
            key(Some("b"), None, SECRET),
            key(None, None, SECRET),
        ]
    };
    check(keys(), Some("b"), Ok(()));
    check(keys(), Some("a"), Err(Refused::Signature));
    check(keys(), Some("c"), Err(Refused::NoKey));
    check(keys(), Some("B"), Err(Refused::NoKey));
    check(keys(), Some(""), Err(Refused::NoKey));
    check(Vec::new(), Some("b"), Err(Refused::NoKey));
}

#[test]
fn several_keys_may_share_a_kid() {
    let keys = vec![key(Some("a"), None, OTHER), key(Some("a"), None, SECRET)];
    check(keys, Some("a"), Ok(()));
}

#[test]
fn without_a_kid_all_that_fit_are_tried() {
    let keys = || vec![key(Some("a"), None, OTHER), key(Some("b"), None, SECRET)];
    check(keys(), None, Ok(()));
    check(vec![key(None, None, OTHER)], None, Err(Refused::Signature));
    check(Vec::new(), None, Err(Refused::NoKey));
}

#[test]
fn a_key_for_another_algorithm_does_not_fit() {
    check(
        vec![key(Some("a"), Some("HS384"), SECRET)],
        Some("a"),
        Err(Refused::NoKey),
    );
    check(
        vec![key(Some("a"), Some("HS256"), SECRET)],
        Some("a"),
        Ok(()),
    );
    check(
        vec![key(None, Some("RS256"), SECRET)],
        None,
        Err(Refused::NoKey),
    );
}

#[test]
fn no_more_than_eight_are_tried() {
    let keys = |before: usize| {
        let mut keys: Vec<Key> = (0..before).map(|_| key(None, None, OTHER)).collect();
        keys.push(key(None, None, SECRET));
        keys
    };
    check(keys(MAX_KEYS_TRIED - 1), None, Ok(()));
    check(keys(MAX_KEYS_TRIED), None, Err(Refused::Signature));
    // Those that do not fit do not count.
    let mut keys: Vec<Key> = (0..20).map(|_| key(None, Some("HS384"), SECRET)).collect();
    keys.push(key(None, None, SECRET));
    check(keys, None, Ok(()));
}

#[test]
fn the_host_is_asked_eight_times_at_most() {
    struct Counting(Cell<usize>);
    impl Signatures for Counting {
        fn is_signed(&self, _: &Question<'_>) -> bool {
            self.0.set(self.0.get() + 1);
            false
        }
    }
    let modulus = [&[0xff][..], &[0xff; 255]].concat();
    let keys = (0..40).map(|_| Key {
        id: None,
        algorithm: None,
        material: KeyMaterial::rsa(&modulus, &[1, 0, 1]).unwrap(),
    });
    let verifier = verifier(Keys::Set(keys.collect()), &["RS256"]);
    let text = signed(r#"{"alg":"RS256"}"#, CLAIMS);
    let (text, _) = text.rsplit_once('.').unwrap();
    let token = format!("{text}.{}", encode(&[1; 256]));
    let host = Counting(Cell::new(0));
    let outcome = verifier.verify(token.as_bytes(), &Trial::new(NOW_MS, &host));
    assert_eq!(
        (outcome, host.0.get()),
        (Err(Refused::Signature), MAX_KEYS_TRIED)
    );
}

#[test]
fn a_lone_key_is_taken_whatever_the_kid() {
    let verifier = verifier(
        Keys::One(Box::new(key(Some("mine"), None, SECRET))),
        &["HS256"],
    );
    for header in [HEADER, r#"{"alg":"HS256","kid":"yours"}"#] {
        let outcome = verifier.verify(
            signed(header, CLAIMS).as_bytes(),
            &Trial::new(NOW_MS, &Nobody),
        );
        assert!(outcome.is_ok(), "{header}");
    }
}

#[test]
fn newer_keys_help_with_keys_and_signatures_only() {
    for (refused, want) in [
        (Refused::NoKey, true),
        (Refused::Signature, true),
        (Refused::Algorithm, false),
        (Refused::Token(InvalidToken::Parts), false),
        (Refused::Claims(InvalidClaims::Expired), false),
    ] {
        assert_eq!(refused.may_know_newer_keys(), want, "{refused}");
    }
}

#[test]
fn all_credentials_together_try_sixteen_keys() {
    let keys = || (0..MAX_KEYS_TRIED).map(|_| key(None, None, OTHER));
    let others = verifier(Keys::Set(keys().collect()), &["HS256"]);
    let token = signed(HEADER, CLAIMS);
    let trial = Trial::new(NOW_MS, &Nobody);
    for _ in 0..MAX_TRIES / MAX_KEYS_TRIED - 1 {
        assert!(others.verify(token.as_bytes(), &trial).is_err());
    }
    assert!(hs256().verify(token.as_bytes(), &trial).is_ok());
    assert!(others.verify(token.as_bytes(), &trial).is_err());
    let outcome = hs256().verify(token.as_bytes(), &trial);
    assert_eq!(outcome, Err(Refused::Signature));
}

#[test]
fn a_try_of_pss_counts_for_several() {
    let modulus = [&[0xff][..], &[0xff; 255]].concat();
    for (times, want) in [(1, "Trial(12)"), (4, "Trial(0)"), (9, "Trial(0)")] {
        let key = Key {
            id: None,
            algorithm: None,
            material: KeyMaterial::rsa(&modulus, &[1, 0, 1]).unwrap(),
        };
        let lone = verifier(Keys::One(Box::new(key)), &["PS256"]);
        let text = signed(r#"{"alg":"PS256"}"#, CLAIMS);
        let (text, _) = text.rsplit_once('.').unwrap();
        let token = format!("{text}.{}", encode(&[1; 256]));
        let trial = Trial::new(NOW_MS, &Nobody);
        for _ in 0..times {
            assert!(lone.verify(token.as_bytes(), &trial).is_err());
        }
        assert_eq!(format!("{trial:?}"), want, "{times}");
    }
}
