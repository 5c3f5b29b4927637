use super::*;

fn organisation(number: u128) -> OrganisationId {
    OrganisationId::from(uuid::Uuid::from_u128(number))
}

/// The streams in the order in which they are served, each for as many turns as it needs.
fn served(turns: &Turns, mut needed: BTreeMap<u32, usize>) -> Vec<u32> {
    let mut served = Vec::new();
    while let Some(stream) = turns.next() {
        served.push(stream);
        let left = needed.get_mut(&stream).unwrap();
        *left -= 1;
        let valve = turns.took(*left == 0);
        assert_eq!(valve, (*left == 0).then_some(stream + 10));
    }
    assert!(turns.is_empty());
    served
}

#[test]
fn organisations_take_turns_and_each_ends_one_stream_before_the_next() {
    let turns = Turns::default();
    for stream in [1, 2, 3] {
        turns.queue(organisation(1), stream, stream + 10);
    }
    turns.queue(organisation(2), 4, 14);
    turns.queue(organisation(1), 1, 11);
    let needed = BTreeMap::from([(1, 3), (2, 1), (3, 1), (4, 2)]);
    assert_eq!(served(&turns, needed), [1, 4, 1, 4, 1, 2, 3]);
}

#[test]
fn what_is_spent_at_once_comes_back_with_time() {
    let turns = Turns::default();
    let (one, other) = (organisation(1), organisation(2));
    assert_eq!(turns.begin(one, 1_000).left(), TURN_STEPS);
    turns.end(one, &Turn::of(0));
    assert_eq!(turns.begin(one, 1_000).left(), 0);
    assert_eq!(turns.begin(other, 1_000).left(), TURN_STEPS);
    assert_eq!(turns.begin(one, 1_002).left(), 2 * STEPS_PER_MS);
    assert_eq!(turns.begin(one, 9_000).left(), TURN_STEPS);
    // A clock that goes back gives nothing.
    turns.end(one, &Turn::of(0));
    assert_eq!(turns.begin(one, 8_000).left(), 0);
}

#[test]
fn organisations_without_work_are_forgotten() {
    let turns = Turns::default();
    turns.begin(organisation(0), 0);
    turns.end(organisation(0), &Turn::of(0));
    turns.queue(organisation(1), 7, 17);
    for number in 0..2_000 {
        turns.begin(organisation(number), 0);
    }
    let queue = turns.0.borrow();
    assert!(queue.shares.len() < MAX_IDLE + 2);
    assert!(queue.shares.contains_key(&organisation(0)), "it has spent");
    assert!(queue.shares.contains_key(&organisation(1)), "it waits");
}
