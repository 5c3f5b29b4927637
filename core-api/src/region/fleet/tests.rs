use requestrocket_proto::region::v1::{Rejection, UnusableProxy};

use super::*;

const MINUTE: u64 = 60_000;

fn node(id: &str, is_connected: bool, settled: u64, rejected: &[(&str, u64)]) -> NodeStatus {
    let reject = |&(proxy_id, revision): &(&str, u64)| Rejection {
        proxy_id: proxy_id.to_owned(),
        revision,
        brought_by: revision,
        detail: "bad route".to_owned(),
    };
    NodeStatus {
        node_id: id.to_owned(),
        is_connected,
        settled_revision: settled,
        changed_at_ms: MINUTE,
        rejections: rejected.iter().map(reject).collect(),
    }
}

fn region(link: Link, nodes: Vec<NodeStatus>) -> RegionState {
    RegionState {
        link,
        nodes,
        ..RegionState::default()
    }
}

#[test]
fn the_word_follows_the_records_first_and_the_connected_nodes_then() {
    let away = Link::Down { since_ms: 0 };
    let taken = || node("a", true, 7, &[]);
    let behind = || node("b", true, 6, &[]);
    let gone = || node("c", false, 1, &[("p", 7)]);
    let refused = || node("d", true, 7, &[("p", 7)]);
    let refused_before = || node("e", true, 7, &[("p", 6)]);
    let refused_other = || node("f", true, 7, &[("q", 7)]);
    for (link, nodes, want) in [
        (Link::Up, vec![], ProxyStatus::Pending),
        (Link::Up, vec![gone()], ProxyStatus::Pending),
        (Link::Up, vec![taken()], ProxyStatus::Applied),
        (Link::Up, vec![taken(), gone()], ProxyStatus::Applied),
        (Link::Up, vec![taken(), behind()], ProxyStatus::Pending),
        (Link::Up, vec![behind(), refused()], ProxyStatus::Rejected),
        (Link::Up, vec![refused_before()], ProxyStatus::Applied),
        (Link::Up, vec![refused_other()], ProxyStatus::Applied),
        (away, vec![taken()], ProxyStatus::Pending),
        (Link::Never, vec![taken()], ProxyStatus::Pending),
    ] {
        let region = region(link, nodes);
        assert_eq!(
            region.proxy_status(ProxyCondition::Serving, "p", 7),
            want,
            "{region:?}"
        );
        let inactive = region.proxy_status(ProxyCondition::Inactive, "p", 7);
        assert_eq!(inactive, ProxyStatus::Inactive);
        let incomplete = region.proxy_status(ProxyCondition::Incomplete, "p", 7);
        assert_eq!(incomplete, ProxyStatus::Incomplete);
    }
}

#[test]
fn a_node_shows_what_it_did_with_the_desired_revision() {
    let nodes = vec![
        node("a", true, 9, &[]),
        node("b", true, 3, &[]),
        node("c", true, 8, &[("p", 8)]),
    ];
    let views = region(Link::Up, nodes).nodes_of_proxy("p", 8, MINUTE);
    let shown: Vec<_> = views
        .iter()
        .map(|view| (view.state.as_str(), view.revision, &view.rejection))
        .collect();
    let refused = Some("bad route".to_owned());
    assert_eq!(
        shown,
        [
            ("acknowledged", 9, &None),
            ("pending", 3, &None),
            ("rejected", 8, &refused)
        ]
    );
}

/// What the batch of these revisions brought of `p` cannot be used.
fn with_unusable(mut region: RegionState, (after, to): (u64, u64)) -> RegionState {
    let one = UnusableProxy {
        proxy_id: "p".to_owned(),
        after_revision: after,
        revision: to,
        detail: "credential c: secret has the wrong shape for its type".to_owned(),
    };
    region.unusable = BTreeMap::from([(one.proxy_id.clone(), one)]);
    region
}

#[test]
fn what_the_region_cannot_use_is_never_applied() {
    let nodes = |settled| vec![node("a", true, settled, &[])];
    for (proxy_id, settled, want) in [
        ("p", 6, ProxyStatus::Pending),
        ("p", 7, ProxyStatus::Rejected),
        ("p", 9, ProxyStatus::Rejected),
        ("q", 9, ProxyStatus::Applied),
    ] {
        let region = with_unusable(region(Link::Up, nodes(settled)), (5, 7));
        let status = region.proxy_status(ProxyCondition::Serving, proxy_id, 7);
        assert_eq!(status, want, "{proxy_id} {settled}");
        let [view] = &region.nodes_of_proxy(proxy_id, 7, MINUTE)[..] else {
            panic!("one node")
        };
        let shown = view.rejection.as_deref();
        let want = (want == ProxyStatus::Rejected)
            .then_some("credential c: secret has the wrong shape for its type");
        assert_eq!(shown, want, "{proxy_id} {settled}");
    }
    let refused = with_unusable(
        region(Link::Up, vec![node("a", true, 7, &[("p", 7)])]),
        (5, 7),
    );
    let views = refused.nodes_of_proxy("p", 7, MINUTE);
    assert_eq!(views[0].rejection.as_deref(), Some("bad route"));
}

#[tokio::test]
async fn waiting_tells_what_the_region_cannot_use_of_what_came() {
    let limit = Duration::from_millis(20);
    for (span, settled, want) in [
        ((3, 4), 4, Applied::Rejected),
        ((1, 5), 5, Applied::Rejected),
        ((3, 4), 3, Applied::Timeout),
        ((4, 5), 5, Applied::True),
        ((2, 3), 5, Applied::True),
    ] {
        let fleets = Fleets::default();
        let nodes = vec![node("a", true, settled, &[])];
        let state = with_unusable(region(Link::Up, nodes), span);
        fleets.update("eu", |known| *known = state);
        assert_eq!(fleets.wait_applied("eu", 4, limit).await, want, "{span:?}");
    }
}

#[test]
fn a_node_gone_for_ten_minutes_is_left_out() {
    let nodes = || vec![node("stays", true, 1, &[]), node("left", false, 1, &[])];
    let down = Link::Down {
        since_ms: 5 * MINUTE,
    };
    for (link, minute, want) in [
        (Link::Up, 10, &["stays", "left"][..]),
        (Link::Up, 11, &["stays"]),
        (down, 10, &["stays", "left"]),
        (down, 14, &["stays"]),
        (down, 15, &[]),
    ] {
        let views = region(link, nodes()).nodes_of_proxy("p", 1, minute * MINUTE);
        let ids: Vec<_> = views.iter().map(|view| view.node_id.as_str()).collect();
        assert_eq!(ids, want, "{link:?} at minute {minute}");
    }
}

#[test]
fn no_node_counts_as_connected_while_its_region_is_away() {
    let nodes = || vec![node("a", true, 1, &[]), node("b", false, 1, &[])];
    assert_eq!(region(Link::Up, nodes()).connected_nodes(), 1);
    let away = region(Link::Down { since_ms: MINUTE }, nodes());
    assert_eq!(away.connected_nodes(), 0);
    assert!(
        away.nodes_of_proxy("p", 1, MINUTE)
            .iter()
            .all(|view| !view.is_connected)
    );
}

#[tokio::test]
async fn waiting_ends_with_what_every_connected_node_did() {
    let limit = Duration::from_millis(20);
    for (nodes, want) in [
        (vec![], Applied::NoEnvoy),
        (vec![node("a", false, 9, &[])], Applied::NoEnvoy),
        (vec![node("a", true, 4, &[])], Applied::True),
        (vec![node("a", true, 3, &[])], Applied::Timeout),
        (vec![node("a", true, 5, &[("p", 4)])], Applied::Rejected),
        (vec![node("a", true, 5, &[("p", 5)])], Applied::True),
    ] {
        let fleets = Fleets::default();
        fleets.update("eu", |state| *state = region(Link::Up, nodes.clone()));
        assert_eq!(fleets.wait_applied("eu", 4, limit).await, want, "{nodes:?}");
    }
    assert_eq!(
        Fleets::default().wait_applied("eu", 4, limit).await,
        Applied::NoEnvoy
    );
}

#[tokio::test]
async fn waiting_ends_when_the_last_node_settles() {
    let fleets = Fleets::default();
    fleets.update("eu", |state| {
        *state = region(Link::Up, vec![node("a", true, 3, &[])]);
    });
    let settle = async {
        fleets.update("eu", |state| state.nodes = vec![node("a", true, 4, &[])]);
    };
    let wait = fleets.wait_applied("eu", 4, Duration::from_mins(1));
    let (applied, ()) = futures::join!(wait, settle);
    assert_eq!(applied, Applied::True);
}

#[test]
fn an_announcement_never_goes_back() {
    let fleets = Fleets::default();
    fleets.announce(7);
    fleets.announce(5);
    assert_eq!(*fleets.committed().borrow(), 7);
}
