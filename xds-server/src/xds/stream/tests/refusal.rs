//! A refused resource stops itself and nothing else.

use super::*;
use ResourceKind::{Cluster, Route, Scope};

fn refusal(proxy_id: &str, detail: &str) -> Refusal {
    refused_at(2, proxy_id, detail)
}

fn refused_at(revision: u64, proxy_id: &str, detail: &str) -> Refusal {
    Refusal {
        revision,
        proxy_id: Some(proxy_id.into()),
        detail: detail.to_owned(),
    }
}

#[test]
fn what_is_refused_alone_waits_for_its_next_version() {
    let mut client = Client::synced(1, &["a=1", "b=1"]);
    client.publish(2, &["a=bad"]);
    assert_eq!(client.sent(), ["route #5 +a"]);
    client.nack(Route, 5, "bad regex");
    // What the node holds could be older than what was revoked since.
    assert_eq!(client.sent(), ["route #6 !a"]);
    client.ack(Route, 6);
    let standing = client.stream.standing();
    assert_eq!(standing.refusals, [refusal("a", "bad regex")]);
    assert_eq!((standing.revision, standing.settled_revision), (2, 2));
    // Others go on, and asking again does not help.
    client.publish(3, &["b=2"]);
    client.subscribe(Route, &["a"]);
    assert_eq!(client.sent(), ["route #7 +b"]);
    assert_eq!(client.stream.standing().refusals.len(), 1);
    client.publish(4, &["a=good"]);
    assert_eq!(client.stream.standing().refusals, []);
    assert_eq!(client.sent(), ["route #8 +a"]);
}

#[test]
fn the_last_good_version_is_sent_again_when_it_returns() {
    let mut client = Client::synced(1, &["a=1"]);
    client.publish(2, &["a=bad"]);
    assert_eq!(client.sent(), ["route #5 +a"]);
    client.nack(Route, 5, "bad");
    // Nothing is closed that is good again.
    client.publish(3, &["a=1"]);
    assert_eq!(client.sent(), ["route #6 +a"]);
    client.publish(4, &["a=bad"]);
    assert_eq!(client.sent(), ["route #7 +a"]);
    client.nack(Route, 7, "bad");
    assert_eq!(client.sent(), ["route #8 !a"]);
    client.publish(5, &["a=1"]);
    assert_eq!(client.sent(), ["route #9 +a"]);
}

#[test]
fn what_is_refused_in_company_is_sent_one_by_one() {
    let mut client = Client::synced(1, &["a=1", "b=1", "c=1"]);
    client.publish(2, &["a=2", "b=bad", "c=2"]);
    assert_eq!(client.sent(), ["route #5 +a +b +c"]);
    client.nack(Route, 5, "one of you is bad");
    assert_eq!(client.stream.standing().refusals, []);
    assert_eq!(client.settled(), 1);
    assert_eq!(client.sent(), ["route #6 +a", "route #7 +b", "route #8 +c"]);
    client.nack(Route, 7, "b is bad");
    client.ack(Route, 6);
    client.ack(Route, 8);
    assert_eq!(
        client.stream.standing().refusals,
        [refusal("b", "b is bad")]
    );
    assert_eq!(client.settled(), 2);
    assert_eq!(client.sent(), ["route #9 !b"]);
}

#[test]
fn what_changes_while_it_waits_to_be_sent_alone_is_still_sent_alone_and_once() {
    let mut client = Client::synced(1, &["a=1", "b=1", "c=1"]);
    client.publish(2, &["a=2", "b=bad", "c=2"]);
    client.sent();
    client.nack(Route, 5, "bad");
    client.publish(3, &["a=3", "b"]);
    assert_eq!(
        client.sent(),
        ["route #6 +a", "route #7 +c", "scope #8 -b", "route #9 -b"]
    );
}

#[test]
fn a_refusal_of_an_older_version_is_not_one_of_the_present() {
    let mut client = Client::synced(1, &["a=1"]);
    client.publish(2, &["a=bad"]);
    assert_eq!(client.sent(), ["route #5 +a"]);
    client.publish(3, &["a=good"]);
    client.nack(Route, 5, "bad");
    assert_eq!(client.stream.standing().refusals, []);
    assert_eq!(client.settled(), 1);
    assert_eq!(client.sent(), ["route #6 +a"]);
    client.ack(Route, 6);
    assert_eq!(client.settled(), 3);
}

#[test]
fn a_refused_scope_settles_the_route_that_is_never_asked_for() {
    let mut client = Client::synced(1, &["a=1"]);
    client.publish(2, &["b=1"]);
    assert_eq!(client.sent(), ["scope #5 +b"]);
    assert_eq!(client.settled(), 1);
    client.nack(Scope, 5, "key conflict");
    assert_eq!(client.settled(), 2);
    assert_eq!(
        client.stream.standing().refusals,
        [refusal("b", "key conflict")]
    );
}

#[test]
fn a_refused_removal_is_over_all_the_same() {
    let mut client = Client::synced(1, &["a=1"]);
    client.publish(2, &["a"]);
    assert_eq!(client.sent(), ["scope #5 -a", "route #6 -a"]);
    client.nack(Scope, 5, "no");
    client.nack(Route, 6, "no");
    assert_eq!(client.settled(), 2);
    assert_eq!(client.stream.standing().refusals, []);
    assert_eq!(client.sent(), Vec::<String>::new());
}

#[test]
fn a_shared_resource_is_refused_in_nobodys_name() {
    let mut client = Client::new(1, &[]);
    client.subscribe(Cluster, &["target-http"]);
    assert_eq!(client.sent(), ["cluster #1 +target-http"]);
    client.nack(Cluster, 1, "no");
    let refusals = client.stream.standing().refusals;
    assert_eq!(
        refusals,
        [Refusal {
            proxy_id: None,
            revision: client
                .snapshot
                .get(Cluster, "target-http")
                .unwrap()
                .revision(),
            detail: "no".to_owned()
        }]
    );
}

#[test]
fn a_client_that_refuses_everything_is_sent_everything_twice_then_closed_and_no_more() {
    let mut client = Client::new(1, &["a=1", "b=1", "c=1"]);
    client.subscribe(Route, &["a", "b", "c"]);
    let mut sent = 0;
    while let Some(response) = client.stream.next_response() {
        sent += response.resources.len();
        client.nack(Route, response.nonce.parse().unwrap(), "never");
        client.subscribe(Route, &["a", "b", "c"]);
        assert!(sent <= 9, "hot loop");
    }
    assert_eq!(sent, 9);
    assert_eq!(client.stream.standing().refusals.len(), 3);
}

#[test]
fn an_endless_error_text_is_cut() {
    let mut client = Client::synced(1, &["a=1"]);
    client.publish(2, &["a=bad"]);
    client.sent();
    client.nack(Route, 5, &"é".repeat(100_000));
    let standing = client.stream.standing();
    assert!(
        standing
            .refusals
            .iter()
            .all(|refusal| refusal.detail.len() < 10_000)
    );
}

#[test]
fn a_refused_version_that_returns_before_anything_else_was_sent_is_refused_again() {
    let mut client = Client::synced(1, &["a=1"]);
    client.publish(2, &["a=bad"]);
    assert_eq!(client.sent(), ["route #5 +a"]);
    client.nack(Route, 5, "bad");
    client.publish(3, &["a=1"]);
    client.publish(4, &["a=bad"]);
    assert_eq!(client.stream.standing().refusals, []);
    assert_eq!(client.sent(), ["route #6 +a"]);
    client.nack(Route, 6, "bad");
    assert_eq!(
        client.stream.standing().refusals,
        [refused_at(4, "a", "bad")]
    );
}

#[test]
fn a_late_refusal_is_not_forgotten_when_its_version_returns() {
    let mut client = Client::synced(1, &["a=1"]);
    client.publish(2, &["a=bad"]);
    assert_eq!(client.sent(), ["route #5 +a"]);
    client.publish(3, &["a=1"]);
    client.nack(Route, 5, "bad");
    client.publish(4, &["a=bad"]);
    assert_eq!(client.sent(), ["route #6 +a"]);
}

#[test]
fn what_was_refused_in_company_and_is_then_removed_is_said_to_be_gone() {
    let mut client = Client::synced(1, &["a=1@x"]);
    client.publish(2, &["a=1@y", "b=1@x"]);
    assert_eq!(client.sent(), ["scope #5 +b +x +y"]);
    client.nack(Scope, 5, "key conflict");
    client.publish(3, &["a=1", "b"]);
    assert_eq!(client.sent(), ["scope #6 -b -x -y"]);
}
