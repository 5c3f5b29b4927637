use super::*;

fn candidates(all: &[(&str, &str, u32)]) -> Vec<Candidate> {
    let of = |(organisation, target, room): &(&str, &str, u32)| Candidate {
        organisation_id: (*organisation).to_owned(),
        target_id: (*target).to_owned(),
        room: *room,
    };
    all.iter().map(of).collect()
}

fn shared(busy: &[(&str, u32)], all: &[(&str, &str, u32)], free: u32) -> Vec<(String, u32)> {
    let busy = busy.iter().map(|(id, count)| ((*id).to_owned(), *count));
    shares(&busy.collect(), &candidates(all), free)
        .into_iter()
        .collect()
}

fn want(all: &[(&str, u32)]) -> Vec<(String, u32)> {
    all.iter()
        .map(|(id, count)| ((*id).to_owned(), *count))
        .collect()
}

#[test]
fn organisations_get_the_same_whatever_they_ask_for() {
    for (busy, all, free, wanted) in [
        (
            &[][..],
            &[("a", "t1", 100), ("b", "t2", 1)][..],
            10,
            &[("t1", 9), ("t2", 1)][..],
        ),
        (
            &[],
            &[("a", "t1", 100), ("b", "t2", 100)],
            10,
            &[("t1", 5), ("t2", 5)],
        ),
        // Who has much under way waits for who has little.
        (
            &[("a", 8)],
            &[("a", "t1", 100), ("b", "t2", 100)],
            10,
            &[("t1", 1), ("t2", 9)],
        ),
        (
            &[("a", 50)],
            &[("a", "t1", 100), ("b", "t2", 100)],
            10,
            &[("t2", 10)],
        ),
        // Many targets do not make more of an organisation.
        (
            &[],
            &[
                ("a", "t1", 9),
                ("a", "t2", 9),
                ("a", "t3", 9),
                ("b", "t4", 9),
            ],
            6,
            &[("t1", 1), ("t2", 1), ("t3", 1), ("t4", 3)],
        ),
        // Nothing is left lying.
        (
            &[],
            &[("a", "t1", 2), ("a", "t2", 0), ("b", "t3", 3)],
            100,
            &[("t1", 2), ("t3", 3)],
        ),
        (&[], &[("a", "t1", 2)], 0, &[]),
        (&[], &[], 5, &[]),
    ] {
        assert_eq!(
            shared(busy, all, free),
            want(wanted),
            "{busy:?} {all:?} {free}"
        );
    }
}

fn rate(per_second: u32) -> Rate {
    Rate::of(Pace {
        per_second: Some(per_second),
        ..Pace::default()
    })
    .unwrap()
}

#[test]
fn a_rate_is_kept_over_any_second() {
    for per_second in [1, 3, 10, 25, 1_000] {
        let rate = rate(per_second);
        let (mut mark_us, mut begun) = (0, Vec::new());
        for now_ms in 1_000..4_000 {
            let room = rate.room(mark_us, now_ms);
            mark_us = rate.spent(mark_us, now_ms, room);
            begun.push(room);
        }
        let most = begun
            .windows(1_000)
            .map(|second| second.iter().sum::<u32>())
            .max();
        let allowed = per_second + (per_second / 10).max(1);
        assert!(most.unwrap() <= allowed, "{per_second}: {most:?}");
        let all: u32 = begun.iter().sum();
        assert!(all >= per_second * 3 - 1, "{per_second}: {all}");
    }
}

#[test]
fn a_pace_without_a_rate_has_none() {
    assert_eq!(Rate::of(Pace::default()), None);
}
