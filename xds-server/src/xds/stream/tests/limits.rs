//! Large regions and clients that mean ill.

use super::type_state::outgoing::{MAX_BYTES, MAX_RESOURCES};
use super::*;
use ResourceKind::{Route, Scope};

#[test]
fn many_resources_come_in_portions_and_only_as_fast_as_they_are_taken() {
    let names: Vec<String> = (0..20_000).map(|i| format!("p{i:05}=1")).collect();
    let mut client = Client::new(1, &names.iter().map(String::as_str).collect::<Vec<_>>());
    client.subscribe(Scope, &[]);
    let mut seen = Vec::new();
    let mut unanswered = 0;
    while let Some(response) = client.stream.next_response() {
        assert!(response.resources.len() <= MAX_RESOURCES);
        seen.extend(response.resources.into_iter().map(|resource| resource.name));
        unanswered += 1;
    }
    assert_eq!(unanswered, 32, "what nobody answers for is not piled up");
    client.ack(Scope, 1);
    while let Some(response) = client.stream.next_response() {
        seen.extend(response.resources.into_iter().map(|resource| resource.name));
        client.ack(Scope, response.nonce.parse().unwrap());
        client.ack(Scope, response.nonce.parse::<u64>().unwrap() - 31);
    }
    assert_eq!(seen.len(), 20_000);
    assert!(seen.is_sorted());
}

#[test]
fn large_resources_come_in_portions_too() {
    let body = "x".repeat(MAX_BYTES / 3);
    let mut proxies: Vec<String> = (0..5).map(|i| format!("p{i}={body}")).collect();
    proxies.push(format!("p9={}", "x".repeat(2 * MAX_BYTES)));
    let mut client = Client::new(1, &proxies.iter().map(String::as_str).collect::<Vec<_>>());
    client.subscribe(Route, &["p0", "p1", "p2", "p3", "p4", "p9"]);
    assert_eq!(
        client.sent(),
        [
            "route #1 +p0 +p1",
            "route #2 +p2 +p3",
            "route #3 +p4",
            "route #4 +p9"
        ]
    );
}

#[test]
fn many_removals_come_in_portions() {
    let names: Vec<String> = (0..1_001).map(|i| format!("p{i:05}=1")).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let mut client = Client::synced(1, &names);
    let gone: Vec<&str> = names
        .iter()
        .map(|text| text.split('=').next().unwrap())
        .collect();
    client.publish(2, &gone);
    let mut removed = 0;
    while let Some(response) = client.stream.next_response() {
        assert!(response.removed_resources.len() <= MAX_RESOURCES);
        removed += response.removed_resources.len();
    }
    assert_eq!(removed, 2_002);
}

#[test]
fn requests_are_limited_between_ticks() {
    let mut client = Client::new(1, &[]);
    for _ in 0..MAX_REQUESTS_PER_TICK {
        client.subscribe(Scope, &[]);
    }
    let one_more = || Request::default();
    assert_eq!(
        client.send(Scope, one_more()),
        Err(Violation::TooManyRequests)
    );
    client.stream.on_tick().unwrap();
    assert_eq!(client.send(Scope, one_more()), Ok(()));
}

#[test]
fn unknown_types_are_limited() {
    let mut client = Client::new(1, &[]);
    for i in 0..MAX_UNKNOWN_TYPES {
        let request = Request {
            type_url: format!("t{i}"),
            ..Request::default()
        };
        client.stream.on_request(request).unwrap();
    }
    let request = Request {
        type_url: "one more".to_owned(),
        ..Request::default()
    };
    assert_eq!(
        client.stream.on_request(request),
        Err(Violation::TooManyTypes)
    );
    client.subscribe(Scope, &[]);
}

#[test]
fn a_response_must_be_answered_some_time() {
    let mut client = Client::new(1, &["a=1"]);
    for _ in 0..100 {
        client.stream.on_tick().unwrap();
    }
    client.subscribe(Scope, &[]);
    client.sent();
    for _ in 0..MAX_TICKS_TO_ANSWER {
        client.stream.on_tick().unwrap();
    }
    assert_eq!(client.stream.on_tick(), Err(Violation::AnswerOverdue));
    client.ack(Scope, 1);
    client.stream.on_tick().unwrap();
}

#[test]
fn absurd_names_are_a_violation() {
    let mut client = Client::new(1, &[]);
    for is_first in [true, false] {
        let subscribe = vec!["x".repeat(10_000)];
        let request = Request {
            subscribe,
            ..Request::default()
        };
        let refused = client.send(Route, request).is_err();
        assert!(refused, "{is_first}");
        client.subscribe(Route, &["a"]);
    }
}
