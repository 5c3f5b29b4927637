//! Fates: every answer in every place.

use super::*;

fn answer(selected: &[Groups], alive: &[Groups]) -> Answer {
    let mut answer = Answer::default();
    for group in selected {
        answer.selected.add(*group);
    }
    for group in alive {
        answer.alive.add(*group);
    }
    answer
}

#[test]
fn what_is_destroyed_goes_wherever_it_is() {
    for selected in [&[DESTROYED][..], &[DESTROYED, RETAINED]] {
        for alive in [&[][..], &[RETAINED], &[DESTROYED], &[RETAINED, DESTROYED]] {
            for is_retained in [true, false] {
                for is_container in [true, false] {
                    let fate = fate(answer(selected, alive), is_retained, is_container);
                    assert_eq!(fate, Fate::Goes);
                }
            }
        }
    }
}

#[test]
fn what_is_retained_stays_and_is_opened_only_to_destroy_in_it() {
    let opens = Fate::Opens { is_retained: true };
    for (selected, is_retained) in [(&[RETAINED][..], false), (&[RETAINED], true), (&[], true)] {
        for (alive, is_container, want) in [
            (&[][..], true, Fate::Stays),
            (&[], false, Fate::Stays),
            (&[RETAINED], true, Fate::Stays),
            (&[DESTROYED], true, opens),
            (&[DESTROYED, RETAINED], true, opens),
            (&[DESTROYED], false, Fate::Stays),
        ] {
            let fate = fate(answer(selected, alive), is_retained, is_container);
            assert_eq!(
                fate, want,
                "{selected:?} {is_retained} {alive:?} {is_container}"
            );
        }
    }
}

#[test]
fn what_is_not_retained_goes_unless_something_in_it_may_be() {
    let opens = Fate::Opens { is_retained: false };
    for (alive, is_container, want) in [
        (&[][..], true, Fate::Goes),
        (&[], false, Fate::Goes),
        (&[DESTROYED], true, Fate::Goes),
        (&[RETAINED], true, opens),
        (&[RETAINED, DESTROYED], true, opens),
        (&[RETAINED], false, Fate::Goes),
    ] {
        assert_eq!(fate(answer(&[], alive), false, is_container), want);
    }
}

#[test]
fn a_stage_knows_its_paths() {
    let path = |text: &str| JsonPath::parse(text).unwrap();
    let filter = |operation, paths: &[&str]| {
        Arc::new(Filter {
            id: "f".into(),
            operation,
            paths: paths.iter().map(|text| path(text)).collect(),
        })
    };
    let mut stage = Stage::default();
    assert!(stage.is_empty() && stage.is_streamable() && !stage.has_retain());
    stage
        .filters
        .push(filter(Operation::Destroy, &["$.a", "$.b"]));
    assert!(!stage.is_empty() && stage.is_streamable() && !stage.has_retain());
    stage
        .filters
        .push(filter(Operation::Retain, &["$[0]", "$[?@.x]"]));
    assert!(!stage.is_streamable() && stage.has_retain());
    let paths: Vec<_> = stage.paths().map(|(_, path)| path.as_str()).collect();
    assert_eq!(paths, ["$.a", "$.b", "$[0]", "$[?@.x]"]);
}
