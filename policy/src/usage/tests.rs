use super::*;

const HOUR_MS: u64 = 3_600_000;

fn share(n: u128) -> Share {
    Share {
        organisation: Uuid::from_u128(1).into(),
        proxy: Uuid::from_u128(2).into(),
        of: Of::Credential(Uuid::from_u128(n).into()),
    }
}

fn admit(ledger: &mut Ledger, n: u128) {
    ledger.add(share(n), Amounts::of_call(Outcome::Admitted));
}

/// Admitted calls by hour, as a region reads them.
fn admitted(told: Option<&Told>) -> Vec<(u64, u64)> {
    let bytes = request([7; 16], told);
    let wire::TellRequest { worker_id, counts } = wire::TellRequest::decode(&bytes[..]).unwrap();
    assert_eq!(worker_id.as_ref(), [7; 16]);
    let counts = counts.into_iter();
    counts.map(|one| (one.start_ms, one.admitted)).collect()
}

#[test]
fn what_is_lost_is_told_again_as_it_is_by_then() {
    let mut ledger = Ledger::default();
    ledger.set_time(HOUR_MS + 5);
    assert!(ledger.tell().is_none());
    assert_eq!(admitted(None), []);
    admit(&mut ledger, 3);
    let first = ledger.tell().unwrap();
    assert_eq!(admitted(Some(&first)), [(HOUR_MS, 1)]);
    assert!(ledger.tell().is_none());
    admit(&mut ledger, 3);
    let second = ledger.tell().unwrap();
    assert_eq!(admitted(Some(&second)), [(HOUR_MS, 2)]);
    // Whatever came of the second one, the first was lost.
    ledger.is_known(&second);
    admit(&mut ledger, 3);
    ledger.is_lost(&first);
    assert_eq!(admitted(ledger.tell().as_ref()), [(HOUR_MS, 3)]);
}

#[test]
fn an_hour_is_forgotten_when_it_is_over_and_known() {
    let mut ledger = Ledger::default();
    ledger.set_time(0);
    for hour in 1..4 {
        admit(&mut ledger, 3);
        ledger.set_time(hour * HOUR_MS);
    }
    // A clock that steps back begins no hour anew.
    ledger.set_time(0);
    admit(&mut ledger, 4);
    assert_eq!(ledger.entries.len(), 4);
    let told = ledger.tell().unwrap();
    assert_eq!(
        admitted(Some(&told)),
        [(0, 1), (HOUR_MS, 1), (2 * HOUR_MS, 1), (3 * HOUR_MS, 1)]
    );
    ledger.is_known(&told);
    assert_eq!(ledger.entries.len(), 1);
    assert!(ledger.tell().is_none());
}

#[test]
fn counts_are_bounded_and_the_organisation_s_sum_is_not_lost() {
    let mut ledger = Ledger::default();
    let all = u128::try_from(MOST).unwrap() + 10;
    for n in 0..all {
        admit(&mut ledger, n + 1);
    }
    assert_eq!(ledger.entries.len(), MOST + 1);
    let mut sum = 0;
    while let Some(told) = ledger.tell() {
        sum += admitted(Some(&told))
            .iter()
            .map(|(_, calls)| calls)
            .sum::<u64>();
        ledger.is_known(&told);
    }
    assert_eq!(u128::from(sum), all);
}

#[test]
fn each_amount_is_told() {
    let mut ledger = Ledger::default();
    ledger.add(share(3), Amounts::of_call(Outcome::Refused));
    let of = Of::Meter(Uuid::from_u128(9));
    let meter = Share { of, ..share(3) };
    ledger.add(meter, Amounts::of_value(Micros::ONE));
    ledger.add(meter, Amounts::of_value(Micros::LEAST));
    let bytes = request([7; 16], ledger.tell().as_ref());
    let counts = wire::TellRequest::decode(&bytes[..]).unwrap().counts;
    assert_eq!((counts[0].admitted, counts[0].refused), (0, 1));
    let meter_id = Uuid::from_u128(9).as_bytes().to_vec().into();
    assert_eq!(counts[1].of, Some(wire::count::Of::MeterId(meter_id)));
    assert_eq!(counts[1].value_micros, 1_000_001);
    assert!(is_answer(&[]));
    assert!(!is_answer(b"\xff"));
}
