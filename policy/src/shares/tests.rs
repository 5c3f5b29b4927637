use proptest::prelude::*;
use uuid::Uuid;

use super::*;

const WHOLE: Whole = Whole::of(3_600);

fn holder(organisation: u128, proxy: u128, credential: u128) -> Holder {
    Holder {
        organisation: Uuid::from_u128(organisation).into(),
        proxy: Uuid::from_u128(proxy).into(),
        credential: Some(Uuid::from_u128(credential).into()),
    }
}

#[test]
fn a_share_is_what_each_level_leaves() {
    let one = holder(1, 11, 111);
    for (taken_before, who, most) in [
        (
            vec![(one, 800), (holder(1, 13, 111), 400)],
            holder(1, 11, 112),
            90,
        ),
        // A caller alone: two thirds of two thirds of half.
        (vec![], one, 800),
        (vec![(one, 800)], one, 0),
        // The same proxy's other caller.
        (vec![(one, 800)], holder(1, 11, 112), 267),
        // The same caller at another proxy: what its credential has counts.
        (vec![(one, 800)], holder(1, 12, 111), 400),
        (vec![(one, 800)], holder(1, 12, 112), 445),
        // The proxy is full, the organisation is not.
        (
            vec![(one, 800), (holder(1, 11, 112), 400)],
            holder(1, 11, 113),
            0,
        ),
        (
            vec![(one, 800), (holder(1, 11, 112), 400)],
            holder(1, 12, 113),
            267,
        ),
        // Others leave it less.
        (
            vec![(holder(2, 21, 211), 800), (holder(2, 22, 212), 445)],
            one,
            524,
        ),
    ] {
        let mut shares = Shares::default();
        for &(who, taken) in &taken_before {
            shares.add(who, taken);
        }
        assert_eq!(shares.left(WHOLE, who), most, "{taken_before:?} {who:?}");
        assert_eq!(shares.take(WHOLE, who, most + 1), Err(NothingLeft));
        assert_eq!(shares.take(WHOLE, who, most), Ok(()));
    }
}

#[test]
fn an_organisation_may_have_a_bound_of_its_own() {
    let whole = Whole {
        all: 3_600,
        organisation: 900,
    };
    let mut shares = Shares::default();
    assert_eq!(
        shares.take(whole, holder(1, 11, 111), 401),
        Err(NothingLeft)
    );
    assert_eq!(shares.take(whole, holder(1, 11, 111), 400), Ok(()));
}

/// Who takes what they can, and who is to have something all the same.
fn hostile_and_innocent() -> impl Strategy<Value = (Vec<Holder>, Vec<Holder>)> {
    let other_organisation = holder(9, 91, 911);
    let other_proxy = holder(1, 12, 121);
    let other_caller = holder(1, 11, 119);
    prop::sample::select(vec![
        (
            vec![holder(1, 11, 111)],
            vec![other_caller, other_proxy, other_organisation],
        ),
        (
            vec![holder(1, 11, 111), holder(1, 13, 111)],
            vec![other_caller, other_proxy, other_organisation],
        ),
        (
            vec![holder(1, 11, 111), holder(1, 11, 112)],
            vec![other_proxy, other_organisation],
        ),
        (
            vec![holder(1, 11, 111), holder(1, 13, 112)],
            vec![other_organisation],
        ),
    ])
}

/// The least that is left over: to a caller of a proxy whose other caller took what it may there, and
/// then elsewhere what its credential may.
const LEFT: usize = 88;

proptest! {
    #[test]
    fn what_some_take_leaves_something_for_others(
        takes in prop::collection::vec((0_usize..2, 0_usize..2_000), 0..40),
        (hostile, innocent) in hostile_and_innocent(),
    ) {
        let mut shares = Shares::default();
        for (at, more) in takes {
            let _too_much = shares.take(WHOLE, hostile[at % hostile.len()], more);
        }
        for who in innocent {
            prop_assert!(shares.left(WHOLE, who) >= LEFT, "{who:?}: {shares:?}");
        }
    }

    #[test]
    fn what_is_given_back_is_there(
        takes in prop::collection::vec((0_u128..2, 0_u128..3, 0_u128..3, 0_usize..500), 0..40),
    ) {
        let mut shares = Shares::default();
        let mut taken = Vec::new();
        for (organisation, proxy, credential, more) in takes {
            let who = holder(organisation, 10 * organisation + proxy, credential);
            if shares.take(WHOLE, who, more).is_ok() {
                taken.push((who, more));
            }
            let all: usize = taken.iter().map(|(_, more)| more).sum();
            prop_assert!(all <= WHOLE.all);
            prop_assert_eq!(shares.taken, all);
        }
        for (who, less) in taken {
            shares.give_back(who, less);
        }
        prop_assert!(shares.is_empty());
        prop_assert_eq!(shares.taken, 0);
    }
}
