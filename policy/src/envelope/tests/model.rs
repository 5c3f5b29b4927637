//! A ring that rotates, against a model that remembers which key sealed what.

use super::*;

#[derive(Clone, Copy, Debug)]
enum Step {
    /// A new key becomes the newest.
    Rotate,
    /// The oldest key goes, if there is more than one.
    Retire,
    /// A value is sealed for one of four owners.
    Seal(u8),
    /// Envelopes that are not current are sealed again.
    Reseal,
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        2 => Just(Step::Rotate),
        2 => Just(Step::Retire),
        4 => (0_u8..4).prop_map(Step::Seal),
        1 => Just(Step::Reseal),
    ]
}

/// What was sealed: the key's number, the owner, the envelope.
struct Sealed {
    key: u8,
    owner: u8,
    envelope: Vec<u8>,
}

fn owner(n: u8) -> Binding<'static> {
    Binding {
        version: u64::from(n),
        ..binding()
    }
}

/// A ring of the numbered keys, newest first.
fn ring_of_numbers(keys: &[u8]) -> KeyRing {
    let named: Vec<(String, u8)> = keys.iter().map(|&n| (format!("k{n}"), n)).collect();
    let named: Vec<(&str, u8)> = named.iter().map(|(id, n)| (id.as_str(), *n)).collect();
    ring_of(&named)
}

fn seal(keys: &[u8], owned_by: u8) -> Sealed {
    let envelope = ring_of_numbers(keys)
        .seal(&[owned_by], &owner(owned_by), nonce())
        .unwrap();
    Sealed {
        key: keys[0],
        owner: owned_by,
        envelope,
    }
}

fn check(keys: &[u8], sealed: &[Sealed]) {
    let ring = ring_of_numbers(keys);
    for Sealed {
        key,
        owner: owned_by,
        envelope,
    } in sealed
    {
        let is_held = keys.contains(key);
        for n in 0..4 {
            let want = match (is_held, n == *owned_by) {
                (true, true) => Ok(SecretBytes::from(vec![n])),
                (true, false) => Err(InvalidEnvelope::NotAuthentic),
                (false, _) => Err(InvalidEnvelope::UnknownKey),
            };
            assert_eq!(ring.open(envelope, &owner(n)), want, "k{key} {keys:?}");
        }
        assert_eq!(ring.is_current(envelope), Ok(*key == keys[0]));
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn envelopes_open_while_their_key_is_held_and_for_their_owner_only(
        steps in proptest::collection::vec(step(), 1..14),
    ) {
        let mut keys = vec![0_u8];
        let mut next = 1;
        let mut sealed: Vec<Sealed> = Vec::new();
        for step in steps {
            match step {
                Step::Rotate => {
                    keys.insert(0, next);
                    next += 1;
                }
                Step::Retire if keys.len() > 1 => {
                    keys.pop();
                }
                Step::Retire => {}
                Step::Seal(owned_by) => sealed.push(seal(&keys, owned_by)),
                Step::Reseal => {
                    // What no key opens any more stays as it is: rotation retires a key last.
                    for one in sealed.iter_mut().filter(|one| keys.contains(&one.key)) {
                        *one = seal(&keys, one.owner);
                    }
                }
            }
            check(&keys, &sealed);
        }
    }
}
