use super::*;
use crate::records::record::denying_layer;

fn target(id: &str, check_seconds: u32) -> Target {
    Target {
        target_id: id.to_owned(),
        organisation_id: "o".to_owned(),
        base_url: "http://t".to_owned(),
        layer: denying_layer(),
        check_seconds,
        test_path: String::new(),
    }
}

/// Ids of what is called at that second, where there are so many places.
fn called(targets: &[Target], begun: &mut Begun, (now_s, places): (u64, usize)) -> Vec<String> {
    let mut open = Open::default();
    for other in 0..MAX_OPEN - places {
        assert!(open.take(&format!("other {other}")));
    }
    let due = take_due(targets.to_vec(), begun, (now_s * 1_000, &mut open));
    due.into_iter().map(|target| target.target_id).collect()
}

#[test]
fn a_target_is_called_at_once_and_then_in_its_time() {
    let targets = [target("a", 60), target("b", 100)];
    let mut begun = Begun::new();
    let mut calls = Vec::new();
    for now_s in (1_000..1_200).step_by(2) {
        let called = called(&targets, &mut begun, (now_s, 9));
        calls.extend(called.into_iter().map(|id| format!("{id}{now_s}")));
    }
    assert_eq!(
        calls,
        ["a1000", "b1000", "a1060", "b1100", "a1120", "a1180"]
    );
}

#[test]
fn what_waits_longest_has_the_next_place_and_what_is_gone_is_forgotten() {
    let targets = ["a", "b", "c"].map(|id| target(id, 60));
    let mut begun = Begun::new();
    assert_eq!(called(&targets, &mut begun, (1_000, 1)), ["a"]);
    assert_eq!(called(&targets, &mut begun, (1_070, 1)), ["b"]);
    assert_eq!(called(&targets, &mut begun, (1_080, 0)), [""; 0]);
    assert_eq!(called(&targets, &mut begun, (1_090, 9)), ["c", "a"]);
    assert_eq!(called(&targets[..1], &mut begun, (1_091, 9)), [""; 0]);
    assert_eq!(begun.keys().collect::<Vec<_>>(), ["a"]);
}

#[test]
fn targets_of_one_organisation_that_do_not_answer_hold_up_no_other() {
    let own: Vec<Target> = (0..9).map(|n| target(&format!("slow {n}"), 60)).collect();
    let mut other = target("other", 60);
    other.organisation_id = "p".to_owned();
    let (mut begun, mut open) = (Begun::new(), Open::default());
    let all = || own.iter().chain([&other]).cloned().collect();
    let first = take_due(all(), &mut begun, (1_000_000, &mut open));
    assert_eq!(first.len(), MAX_OPEN_EACH + 1);
    assert!(first.iter().any(|target| target.target_id == "other"));
    assert!(take_due(all(), &mut begun, (1_002_000, &mut open)).is_empty());
    open.give_back("o");
    assert_eq!(take_due(all(), &mut begun, (1_004_000, &mut open)).len(), 1);
}

#[test]
fn everything_is_told_once_and_then_what_is_new() {
    let check = |id: &str, status| {
        let test = TargetTest {
            is_reachable: true,
            status,
            ..TargetTest::default()
        };
        let check = TargetCheck {
            target_id: id.to_owned(),
            test: Some(test),
            checked_at_ms: 1,
        };
        (Arc::from(id), Arc::new(check))
    };
    let before: Checks = [check("a", 200), check("b", 200)].into_iter().collect();
    let after: Checks = [check("a", 200), check("b", 500)].into_iter().collect();
    let ids = |messages: Vec<TargetChecks>| {
        let checks = messages.into_iter().flat_map(|message| message.checks);
        checks.map(|check| check.target_id).collect::<Vec<_>>()
    };
    assert_eq!(ids(told(None, &before)), ["a", "b"]);
    assert_eq!(ids(told(Some(&before), &after)), ["b"]);
    assert_eq!(ids(told(Some(&after), &Checks::default())), [""; 0]);
}
