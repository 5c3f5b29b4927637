use prost::Message as _;
use requestrocket_proto::usage::v1::TellRequest;

use super::*;
use crate::fake_host::{FakeHost, HostCall};

fn share() -> Share {
    Share {
        organisation: Uuid::from_u128(1).into(),
        proxy: Uuid::from_u128(2).into(),
        of: Of::Credential(Uuid::from_u128(3).into()),
    }
}

/// The token of the last message, and admitted calls and values in it.
fn last(host: &FakeHost) -> (u32, Vec<(u64, u64)>) {
    let usage = host.usage.borrow();
    let (token, bytes) = usage.last().unwrap();
    let counts = TellRequest::decode(&bytes[..]).unwrap().counts.into_iter();
    let counts = counts.map(|count| (count.admitted, count.value_micros));
    (*token, counts.collect())
}

#[test]
fn what_was_let_through_is_told_until_it_is_known() {
    let host = FakeHost::default();
    let usage = Usage::start(&host);
    let meters = BTreeMap::from([((Uuid::from_u128(2), Uuid::from_u128(4)), Micros::ONE)]);
    usage.add_call(share(), Outcome::Admitted);
    usage.tick(&host, meters).unwrap();
    let (token, told) = last(&host);
    assert_eq!(told, [(1, 0), (0, 1_000_000)]);
    assert!(!usage.on_answer(token + 1, None));
    assert!(usage.on_answer(token, None));
    usage.add_call(share(), Outcome::Admitted);
    usage.tick(&host, BTreeMap::new()).unwrap();
    let (token, told) = last(&host);
    assert_eq!(told, [(2, 0), (0, 1_000_000)]);
    assert!(usage.on_answer(token, Some(&[])));
    usage.tick(&host, BTreeMap::new()).unwrap();
    // Nothing is new, and it was heard of a moment ago.
    assert_eq!(host.usage.borrow().len(), 2);
}

#[test]
fn what_cannot_be_sent_is_sent_later() {
    let away = FakeHost::default().failing_at(HostCall::TellUsage);
    let usage = Usage::start(&away);
    usage.add_call(share(), Outcome::Admitted);
    usage.tick(&away, BTreeMap::new()).unwrap_err();
    let host = FakeHost::default();
    usage.tick(&host, BTreeMap::new()).unwrap();
    assert_eq!(last(&host).1, [(1, 0)]);
}
