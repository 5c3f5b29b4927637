use proptest::prelude::*;

use super::of;

/// Step by step, in numbers that the machine has.
fn naive(base: u64, exponent: u64, modulus: u64) -> u64 {
    let (modulus, mut square) = (u128::from(modulus), u128::from(base));
    let mut power = 1;
    for bit in 0..64 {
        if exponent >> bit & 1 == 1 {
            power = power * square % modulus;
        }
        square = square * square % modulus;
    }
    u64::try_from(power).unwrap()
}

fn trimmed(number: u64) -> Vec<u8> {
    let bytes = number.to_be_bytes();
    let zeros = bytes.iter().take_while(|byte| **byte == 0).count();
    bytes[zeros..].to_vec()
}

proptest! {
    #[test]
    fn powers_are_those_of_arithmetic(base: u64, exponent in 1_u64.., modulus in 3_u64..) {
        let modulus = modulus | 1;
        let base = base % modulus;
        let length = trimmed(modulus).len();
        let want = naive(base, exponent, modulus).to_be_bytes();
        let got = of(&trimmed(base), exponent, &trimmed(modulus));
        prop_assert_eq!(got.as_deref(), Some(&want[8 - length..]));
    }
}

#[test]
fn carries_go_through_numbers_of_ones() {
    // (m - 1)^2 is 1 modulo m, and (m - 1)^3 is m - 1 again.
    for length in [1, 3, 4, 5, 8, 255, 256, 257, 1024] {
        let modulus = vec![0xff; length];
        let mut minus_one = modulus.clone();
        *minus_one.last_mut().unwrap() = 0xfe;
        let mut one = vec![0; length];
        *one.last_mut().unwrap() = 1;
        assert_eq!(of(&minus_one, 2, &modulus), Some(one), "{length}");
        assert_eq!(of(&minus_one, 3, &modulus), Some(minus_one), "{length}");
    }
}

#[test]
fn what_has_no_answer_has_none() {
    for (base, exponent, modulus) in [
        (&[3][..], 3, &[2][..]),
        (&[7], 3, &[7]),
        (&[8], 3, &[7]),
        (&[1, 0, 0, 0, 0], 3, &[7]),
        (&[2], 0, &[7]),
        (&[2], 3, &[]),
        (&[2], 3, &[0]),
        (&[2], 3, &[0, 0, 0, 0, 7]),
    ] {
        assert_eq!(of(base, exponent, modulus), None, "{base:?} {modulus:?}");
    }
}
