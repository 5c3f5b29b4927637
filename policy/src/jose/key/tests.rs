use super::*;

fn odd(bytes: usize, first: u8) -> Vec<u8> {
    let mut number = vec![0xff; bytes];
    number[0] = first;
    number
}

#[test]
fn weak_and_impossible_rsa_keys_are_none() {
    use InvalidKey::{Rsa, WeakRsa};
    let modulus = odd(256, 0x80);
    let even = [&modulus[..255], &[0xfe]].concat();
    let e = &[1, 0, 1][..];
    for (modulus, exponent, want) in [
        (&odd(256, 0x7f), e, Some(WeakRsa)),
        (&odd(128, 0x80), e, Some(WeakRsa)),
        (&Vec::new(), e, Some(WeakRsa)),
        (&[vec![0; 200], odd(128, 0x80)].concat(), e, Some(WeakRsa)),
        (&modulus, e, None),
        (&modulus, &[3], None),
        (&modulus, &[0, 0, 1, 0, 1], None),
        (&modulus, &[1, 0xff, 0xff, 0xff, 0xff], None),
        (&odd(512, 0xff), e, None),
        (&odd(513, 1), e, Some(Rsa)),
        (&even, e, Some(Rsa)),
        (&modulus, &[], Some(Rsa)),
        (&modulus, &[1], Some(Rsa)),
        (&modulus, &[1, 0, 0], Some(Rsa)),
        (&modulus, &[2, 0, 0, 0, 1], Some(Rsa)),
        (&modulus, &odd(9, 1), Some(Rsa)),
    ] {
        let key = KeyMaterial::rsa(modulus, exponent);
        assert_eq!(key.err(), want, "{} bytes, {exponent:?}", modulus.len());
    }
}

#[test]
fn points_have_two_coordinates_of_full_length() {
    let (full, short, long) = ([1; 32], [1; 31], [1; 33]);
    assert!(KeyMaterial::ec(Curve::P256, &full, &full).is_ok());
    for (x, y) in [
        (&short[..], &full[..]),
        (&full, &short),
        (&long, &full),
        (&full, &long),
        (&[], &full),
    ] {
        let key = KeyMaterial::ec(Curve::P256, x, y);
        assert_eq!(key.err(), Some(InvalidKey::Ec));
    }
    assert!(KeyMaterial::ec(Curve::P521, &[1; 66], &[1; 66]).is_ok());
    assert!(KeyMaterial::ec(Curve::P521, &[1; 65], &[1; 66]).is_err());
}

#[test]
fn a_key_suits_the_algorithms_of_its_kind_only() {
    let rsa = KeyMaterial::rsa(&odd(256, 0x80), &[3]).unwrap();
    let ec = KeyMaterial::ec(Curve::P384, &[1; 48], &[1; 48]).unwrap();
    let ed = KeyMaterial::ed25519(&[1; 32]).unwrap();
    let secret = |bytes: usize| KeyMaterial::secret(vec![7; bytes].into()).unwrap();
    for (key, want) in [
        (&rsa, "RS256 RS384 RS512 PS256 PS384 PS512"),
        (&ec, "ES384"),
        (&ed, "EdDSA"),
        (&secret(32), "HS256"),
        (&secret(63), "HS256 HS384"),
        (&secret(64), "HS256 HS384 HS512"),
    ] {
        let suited = Algorithm::ALL.into_iter().filter(|one| key.suits(*one));
        let suited: Vec<_> = suited.map(Algorithm::as_str).collect();
        assert_eq!(suited.join(" "), want, "{key:?}");
    }
}

#[test]
fn short_secrets_and_other_lengths_are_no_keys() {
    let secret = |bytes: usize| KeyMaterial::secret(vec![7; bytes].into()).err();
    assert_eq!(secret(31), Some(InvalidKey::WeakSecret));
    assert_eq!(secret(0), Some(InvalidKey::WeakSecret));
    let ed = |bytes: usize| KeyMaterial::ed25519(&vec![7; bytes]).err();
    assert_eq!(ed(31), Some(InvalidKey::Ed25519));
    assert_eq!(ed(57), Some(InvalidKey::Ed25519));
}
