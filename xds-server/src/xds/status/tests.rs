use time::OffsetDateTime;

use super::*;
use crate::xds::stream::Refusal;

fn fleet() -> (Fleet, Clock) {
    let clock = Clock::manual(OffsetDateTime::UNIX_EPOCH + Duration::from_secs(1));
    (Fleet::new(clock.clone()), clock)
}

fn standing(revision: u64, settled_revision: u64) -> Standing {
    Standing {
        revision,
        settled_revision,
        refusals: Vec::new(),
    }
}

/// What a report made now would say, as `id connected settled changed`.
fn report(fleet: &Fleet) -> Vec<String> {
    fleet.report();
    let statuses = fleet.subscribe().borrow().clone();
    let show = |node: &NodeStatus| {
        let sign = if node.is_connected { '+' } else { '-' };
        format!(
            "{sign}{} {} @{}",
            node.node_id, node.settled_revision, node.changed_at_ms
        )
    };
    statuses.iter().map(show).collect()
}

#[test]
fn nodes_come_move_on_and_go() {
    let (fleet, clock) = fleet();
    let one = fleet.join("one".to_owned());
    let two = fleet.join("two".to_owned());
    assert_eq!(report(&fleet), ["+one 0 @1000", "+two 0 @1000"]);
    clock.advance(Duration::from_secs(1));
    two.report(standing(5, 4));
    assert_eq!(report(&fleet), ["+one 0 @1000", "+two 4 @2000"]);
    clock.advance(Duration::from_secs(1));
    // The revision to reach is not the node's doing.
    two.report(standing(6, 4));
    drop(one);
    assert_eq!(report(&fleet), ["-one 0 @3000", "+two 4 @2000"]);
    assert_eq!(fleet.live_streams(), 1);
}

#[test]
fn a_node_that_is_gone_is_forgotten_after_ten_minutes() {
    let (fleet, clock) = fleet();
    let stays = fleet.join("stays".to_owned());
    drop(fleet.join("goes".to_owned()));
    clock.advance(Duration::from_secs(599));
    assert_eq!(report(&fleet).len(), 2);
    clock.advance(Duration::from_secs(1));
    assert_eq!(report(&fleet), ["+stays 0 @1000"]);
    drop(stays);
}

#[test]
fn a_newer_stream_takes_the_place_and_the_older_one_says_nothing_more() {
    let (fleet, _) = fleet();
    let older = fleet.join("one".to_owned());
    older.report(standing(5, 5));
    let newer = fleet.join("one".to_owned());
    assert!(older.replaced().is_cancelled());
    assert!(!newer.replaced().is_cancelled());
    // A stream that begins knows nothing of the node; it may have been restarted.
    assert_eq!(report(&fleet), ["+one 0 @1000"]);
    older.report(standing(9, 9));
    drop(older);
    assert_eq!(report(&fleet), ["+one 0 @1000"]);
    newer.report(standing(6, 6));
    assert_eq!(report(&fleet), ["+one 6 @1000"]);
}

#[test]
fn a_refusal_is_of_the_present_revision_and_of_a_proxy() {
    let (fleet, _) = fleet();
    let node = fleet.join("one".to_owned());
    let refusal = |proxy_id: Option<&str>| Refusal {
        revision: 5,
        proxy_id: proxy_id.map(Into::into),
        detail: "no".to_owned(),
    };
    let refusals = vec![refusal(None), refusal(Some("a"))];
    node.report(Standing {
        revision: 7,
        settled_revision: 7,
        refusals,
    });
    fleet.report();
    let statuses = fleet.subscribe().borrow().clone();
    let [rejection] = &statuses[0].rejections[..] else {
        panic!("{statuses:?}")
    };
    assert_eq!((rejection.proxy_id.as_str(), rejection.revision), ("a", 7));
    assert_eq!(rejection.brought_by, 5);
    assert_eq!(rejection.detail, "no");
}

#[tokio::test]
async fn reports_are_made_when_something_changes_and_only_then() {
    let (fleet, _) = fleet();
    let stopping = CancellationToken::new();
    let running = fleet.clone().run(stopping.clone());
    let checks = async {
        let mut statuses = fleet.subscribe();
        let node = fleet.join("one".to_owned());
        for settled in 1..=100 {
            node.report(standing(100, settled));
        }
        statuses
            .wait_for(|nodes| nodes.iter().any(|n| n.settled_revision == 100))
            .await
            .unwrap();
        node.report(standing(100, 100));
        fleet.report();
        assert!(!statuses.has_changed().unwrap());
        drop(node);
        statuses
            .wait_for(|nodes| nodes.iter().all(|n| !n.is_connected))
            .await
            .unwrap();
        stopping.cancel();
    };
    let (ended, ()) = tokio::join!(running, checks);
    ended.unwrap();
}
