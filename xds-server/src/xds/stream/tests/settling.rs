//! How far a node has come.

use super::*;
use ResourceKind::{Cluster, Listener, Route, Scope};

#[test]
fn a_node_settles_with_its_last_answer() {
    let mut client = Client::new(5, &["a=1"]);
    let mut steps = Vec::new();
    for (kind, names) in [
        (Cluster, &[][..]),
        (Listener, &[]),
        (Scope, &[]),
        (Route, &["a"]),
    ] {
        client.subscribe(kind, names);
        client.ack_all();
        steps.push(client.settled());
    }
    // Until it has asked for scopes, nobody knows; then the proxy's route is what is missing.
    assert_eq!(steps, [0, 0, 4, 5]);
}

#[test]
fn a_new_proxy_is_settled_when_its_route_is_taken() {
    let mut client = Client::synced(1, &["a=1"]);
    client.publish(2, &["b=1"]);
    assert_eq!(client.settled(), 1);
    client.ack_all();
    assert_eq!(client.settled(), 1, "the scope alone is not the proxy");
    client.subscribe(Route, &["b"]);
    assert_eq!(client.settled(), 1);
    client.ack_all();
    assert_eq!(client.settled(), 2);
}

#[test]
fn a_removed_proxy_is_settled_when_scope_and_route_are_gone() {
    let mut client = Client::synced(1, &["a=1@x"]);
    client.publish(2, &["a"]);
    assert_eq!(client.sent(), ["scope #5 -a -x", "route #6 -a"]);
    client.ack(Scope, 5);
    assert_eq!(client.settled(), 1);
    client.ack(Route, 6);
    assert_eq!(client.settled(), 2);
}

#[test]
fn a_route_that_the_node_gave_up_by_itself_is_gone_too() {
    let mut client = Client::synced(1, &["a=1"]);
    client.publish(2, &["a"]);
    assert_eq!(client.sent(), ["scope #5 -a", "route #6 -a"]);
    client.ack(Scope, 5);
    client.unsubscribe(Route, &["a"]);
    assert_eq!(client.settled(), 2);
    client.ack(Route, 6);
    assert_eq!(client.settled(), 2);
}

#[test]
fn a_revision_without_a_change_is_settled_at_once() {
    let mut client = Client::synced(1, &["a=1"]);
    client.publish(2, &[]);
    assert_eq!(client.settled(), 2);
    client.publish(3, &["a=2"]);
    client.publish(4, &[]);
    assert_eq!(client.settled(), 2);
}

#[test]
fn an_open_change_keeps_its_age() {
    let mut client = Client::synced(1, &["a=1", "b=1"]);
    client.publish(2, &["a=2"]);
    assert_eq!(client.sent(), ["route #5 +a"]);
    client.publish(3, &["b=2"]);
    assert_eq!(client.sent(), ["route #6 +b"]);
    client.publish(4, &["a=3"]);
    assert_eq!(client.sent(), ["route #7 +a"]);
    client.ack(Route, 5);
    assert_eq!(client.settled(), 1);
    client.ack(Route, 6);
    assert_eq!(client.settled(), 1);
    client.ack(Route, 7);
    assert_eq!(client.settled(), 4);
}

#[test]
fn a_change_and_its_reversal_need_no_answer() {
    let mut client = Client::synced(1, &["a=1"]);
    client.publish(2, &["a=2"]);
    client.publish(3, &["a=1"]);
    assert_eq!(client.settled(), 3);
}

#[test]
fn revisions_left_out_are_not_taken_for_settled() {
    let mut client = Client::synced(1, &["a=1"]);
    let ahead = client.snapshot.with_changes(2, vec![change("a=2")]);
    let ahead = ahead.with_changes(9, vec![change("a=3")]);
    client.stream.on_snapshot(Arc::new(ahead));
    assert_eq!(client.settled(), 1);
    client.ack_all();
    assert_eq!(client.settled(), 9);
}

#[test]
fn a_node_that_returns_with_everything_is_settled_at_once() {
    let mut client = Client::new(6, &["a=1"]);
    client.subscribe(Cluster, &[]);
    client.subscribe(Listener, &[]);
    client.ack_all();
    let scope = client.version(Scope, "a");
    let route = client.version(Route, "a");
    client.resume(Scope, &[], &[("a", scope)]);
    client.resume(Route, &["a"], &[("a", route)]);
    assert_eq!(client.settled(), 6);
}

#[test]
fn a_node_that_returns_with_something_that_is_gone_has_to_drop_it_first() {
    let mut client = Client::new(6, &["a=1"]);
    client.subscribe(Cluster, &[]);
    client.subscribe(Listener, &[]);
    client.subscribe(Route, &["a"]);
    client.ack_all();
    let held = [
        ("a", client.version(Scope, "a")),
        ("old", "0000000000000001".to_owned()),
    ];
    client.resume(Scope, &[], &held);
    assert_eq!(client.sent(), ["scope #4 -old"]);
    assert_eq!(client.settled(), 0);
    client.ack(Scope, 4);
    assert_eq!(client.settled(), 6);
}
