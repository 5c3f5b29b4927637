//! What is sent when: rules of the delta xDS protocol.

use super::*;
use ResourceKind::{Cluster, Listener, Route, Scope};

const ALL_CLUSTERS: &str = "cluster #1 +target-http +target-http-renewable +target-https \
                            +target-https-renewable";

#[test]
fn a_fresh_envoy_gets_everything_in_the_order_of_its_questions() {
    let mut client = Client::new(3, &["a=1", "b=1@x"]);
    assert_eq!(client.sent(), Vec::<String>::new());
    client.subscribe(Cluster, &[]);
    assert_eq!(client.sent(), [ALL_CLUSTERS]);
    client.subscribe(Listener, &[]);
    assert_eq!(client.sent(), ["listener #2 +proxy-api"]);
    client.subscribe(Scope, &["*"]);
    assert_eq!(client.sent(), ["scope #3 +a +b +x"]);
    client.subscribe(Route, &["a", "b"]);
    assert_eq!(client.sent(), ["route #4 +a +b"]);
}

#[test]
fn a_response_says_what_it_is() {
    let mut client = Client::new(7, &["a=1"]);
    client.subscribe(Route, &["a"]);
    let response = client.stream.next_response().unwrap();
    assert_eq!(response.system_version_info, "7");
    assert_eq!(response.type_url, Route.type_url());
    let [resource] = &response.resources[..] else {
        panic!("{response:?}")
    };
    assert_eq!(resource.version, client.version(Route, "a"));
    let body = resource.resource.as_ref().unwrap();
    assert_eq!(body.type_url, Route.type_url());
    assert_eq!(body.value, b"a 1");
}

#[test]
fn questions_asked_at_once_are_answered_clusters_first() {
    let mut client = Client::new(1, &["a=1"]);
    for kind in [Scope, Route, Listener, Cluster] {
        client.subscribe(kind, &["*"]);
    }
    let sent = client.sent();
    let kinds: Vec<_> = sent
        .iter()
        .map(|line| line.split(' ').next().unwrap())
        .collect();
    assert_eq!(kinds, ["cluster", "listener", "route", "scope"]);
}

#[test]
fn a_change_sends_one_resource() {
    let mut client = Client::synced(1, &["a=1", "b=1", "c=1"]);
    client.publish(2, &["b=2"]);
    assert_eq!(client.sent(), ["route #5 +b"]);
    client.publish(3, &["d=1"]);
    assert_eq!(client.sent(), ["scope #6 +d"]);
    client.subscribe(Route, &["d"]);
    assert_eq!(client.sent(), ["route #7 +d"]);
}

#[test]
fn removals_go_the_other_way_and_after_additions() {
    let mut client = Client::synced(1, &["a=1@x", "b=1"]);
    client.publish(2, &["a", "b=2@y"]);
    assert_eq!(
        client.sent(),
        [
            "route #5 +b",
            "scope #6 +y",
            "scope #7 -a -x",
            "route #8 -a"
        ]
    );
}

#[test]
fn what_changed_twice_before_it_was_sent_is_sent_once() {
    let mut client = Client::synced(1, &["a=1", "b=1"]);
    client.publish(2, &["a=2", "b"]);
    client.publish(3, &["a=3", "b=1"]);
    assert_eq!(client.sent(), ["route #5 +a"]);
    client.publish(4, &["a=4"]);
    client.publish(5, &["a=3"]);
    assert_eq!(client.sent(), Vec::<String>::new());
}

#[test]
fn several_revisions_are_taken_in_one_step() {
    let mut client = Client::synced(1, &["a=1", "b=1"]);
    let mut ahead = client.snapshot.with_changes(2, vec![change("a=2")]);
    ahead = ahead.with_changes(3, vec![change("b"), change("c=1")]);
    client.stream.on_snapshot(Arc::new(ahead));
    assert_eq!(
        client.sent(),
        ["route #5 +a", "scope #6 +c", "scope #7 -b", "route #8 -b"]
    );
}

#[test]
fn nothing_is_said_before_the_first_revision() {
    let mut client = Client::new(0, &[]);
    let unpublished = Arc::new(no_proxies());
    client.stream = Stream::new(ListenerAddresses::default(), unpublished);
    for kind in ResourceKind::ALL {
        client.resume(kind, &["*"], &[("a", "0123456789abcdef".to_owned())]);
    }
    assert_eq!(client.sent(), Vec::<String>::new());
    assert_eq!(client.settled(), 0);
    client.publish(1, &["a=1"]);
    assert_eq!(
        client.sent(),
        [
            ALL_CLUSTERS,
            "listener #2 +proxy-api",
            "route #3 +a",
            "scope #4 +a",
            "listener #5 -a",
            "cluster #6 -a",
        ]
    );
}

#[test]
fn a_first_question_about_everything_is_answered_even_with_nothing() {
    let mut client = Client::new(0, &[]);
    client.subscribe(Scope, &[]);
    assert_eq!(client.sent(), ["scope #1"]);
    client.ack(Scope, 1);
    assert_eq!(client.sent(), Vec::<String>::new());
}

#[test]
fn a_name_that_does_not_exist_is_said_to_be_gone() {
    let mut client = Client::new(1, &["a=1"]);
    client.subscribe(Route, &["a", "z"]);
    assert_eq!(client.sent(), ["route #1 +a", "route #2 -z"]);
    client.ack(Route, 1);
    client.ack(Route, 2);
    assert_eq!(client.sent(), Vec::<String>::new());
    // It stays wanted.
    client.publish(2, &["z=1"]);
    assert_eq!(client.sent(), ["route #3 +z"]);
}

#[test]
fn an_unknown_type_is_an_empty_one() {
    let mut client = Client::new(1, &["a=1"]);
    for (type_url, names, sent) in [
        ("type.googleapis.com/named", &["a"][..], "unknown #1 -a"),
        ("type.googleapis.com/everything", &[], "unknown #2"),
    ] {
        let subscribe = texts(names);
        let request = Request {
            type_url: type_url.to_owned(),
            subscribe,
            ..Request::default()
        };
        client.stream.on_request(request).unwrap();
        let response = client.stream.next_response().unwrap();
        assert_eq!(response.type_url, type_url);
        assert_eq!(show(&response), sent);
        assert_eq!(client.sent(), Vec::<String>::new());
    }
}

#[test]
fn a_client_that_returns_gets_the_difference() {
    let mut client = Client::new(9, &["a=2", "b=1", "c=1"]);
    let (a, b) = ("0000000000000001".to_owned(), client.version(Route, "b"));
    let odd = "not ours".to_owned();
    client.resume(
        Route,
        &["a", "b", "c", "d"],
        &[("a", a), ("b", b), ("d", odd)],
    );
    assert_eq!(client.sent(), ["route #1 +a +c", "route #2 -d"]);
    let held = ["a", "b", "c"].map(|name| (name, client.version(Scope, name)));
    client.resume(Scope, &[], &held);
    assert_eq!(client.sent(), Vec::<String>::new());
}

#[test]
fn what_a_client_brings_but_does_not_want_is_no_matter() {
    let mut client = Client::new(1, &["a=1", "b=1"]);
    client.resume(Route, &["a"], &[("b", "0000000000000001".to_owned())]);
    assert_eq!(client.sent(), ["route #1 +a"]);
    client.publish(2, &["b=2"]);
    assert_eq!(client.sent(), Vec::<String>::new());
}

#[test]
fn what_is_not_wanted_any_more_is_not_sent() {
    let mut client = Client::synced(1, &["a=1", "b=1"]);
    client.publish(2, &["a=2"]);
    client.unsubscribe(Route, &["a", "unknown"]);
    assert_eq!(client.sent(), Vec::<String>::new());
    client.publish(3, &["a=3"]);
    assert_eq!(client.sent(), Vec::<String>::new());
    client.unsubscribe(Scope, &["*"]);
    client.publish(4, &["c=1", "a"]);
    assert_eq!(client.sent(), Vec::<String>::new());
}

#[test]
fn a_name_that_is_asked_for_again_is_sent_again() {
    let mut client = Client::synced(1, &["a=1", "b=1"]);
    client.subscribe(Route, &["a"]);
    assert_eq!(client.sent(), ["route #5 +a"]);
    client.unsubscribe(Route, &["a"]);
    client.subscribe(Route, &["a"]);
    assert_eq!(client.sent(), ["route #6 +a"]);
}

#[test]
fn a_name_given_up_under_a_wildcard_is_told_where_it_stands() {
    let mut client = Client::new(1, &["a=1"]);
    client.subscribe(Scope, &["*", "a", "z"]);
    assert_eq!(client.sent(), ["scope #1 +a", "scope #2 -z"]);
    client.ack(Scope, 1);
    client.ack(Scope, 2);
    client.unsubscribe(Scope, &["a", "z"]);
    assert_eq!(client.sent(), ["scope #3 +a"]);
}

#[test]
fn everything_may_be_asked_for_later_and_again() {
    let mut client = Client::new(1, &["a=1", "b=1"]);
    client.subscribe(Scope, &["a"]);
    assert_eq!(client.sent(), ["scope #1 +a"]);
    client.subscribe(Scope, &["*"]);
    assert_eq!(client.sent(), ["scope #2 +b"]);
    client.unsubscribe(Scope, &["*"]);
    client.publish(2, &["b", "c=1"]);
    assert_eq!(client.sent(), Vec::<String>::new());
    client.subscribe(Scope, &["*"]);
    assert_eq!(client.sent(), ["scope #3 +c"]);
    // Nothing new, but the question deserves an answer.
    client.unsubscribe(Scope, &["*"]);
    client.subscribe(Scope, &["*"]);
    assert_eq!(client.sent(), ["scope #4 +c"]);
}

#[test]
fn stale_and_foreign_nonces_change_nothing() {
    let mut client = Client::synced(1, &["a=1"]);
    client.publish(2, &["a=2"]);
    assert_eq!(client.sent(), ["route #5 +a"]);
    client.publish(3, &["a=3"]);
    assert_eq!(client.sent(), ["route #6 +a"]);
    for (kind, nonce) in [(Route, 99), (Scope, 6), (Route, 5), (Route, 5)] {
        client.ack(kind, nonce);
        assert_eq!(client.settled(), 1, "{nonce}");
    }
    client.nack(Route, 5, "late");
    assert_eq!(client.stream.standing().refusals, []);
    client.ack(Route, 6);
    assert_eq!(client.settled(), 3);
    assert_eq!(client.sent(), Vec::<String>::new());
}

#[test]
fn an_answer_may_come_with_new_names() {
    let mut client = Client::new(1, &["a=1", "b=1"]);
    client.subscribe(Route, &["a"]);
    assert_eq!(client.sent(), ["route #1 +a"]);
    let subscribe = texts(&["b"]);
    let both = Request {
        nonce: Some(1),
        subscribe,
        ..Request::default()
    };
    client.send(Route, both).unwrap();
    assert_eq!(client.sent(), ["route #2 +b"]);
}
