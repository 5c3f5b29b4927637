//! Asynchronous requests on their way in and out.

use std::collections::BTreeMap;

use requestrocket_policy::{
    fixtures::credential_id,
    passage::{ARRIVAL_HEADER, Arrival, DELIVERER, DELIVERY_HEADER, Delivery, Sender},
};
use uuid::Uuid;

use super::*;

const ROUTE: &str = "x-rr-route";

/// A call of that path, with the name of its route as Envoy puts it.
fn arriving(path: &str) -> (FakeHost, Shared) {
    let fixture = fixture();
    let name = format!("{PROXY_ID}/1");
    let host = FakeHost::get(path, &[KEY, (ROUTE, &name)]).on_route(&name, Some(fixture.encode()));
    (host, policies_of(&fixture))
}

fn delivered() -> (FakeHost, Shared) {
    let delivery = Delivery {
        request: Uuid::from_u128(7),
        attempt: 3,
        sender: Sender {
            credential: credential_id(0),
            claims: None,
        },
    };
    let header = String::from_utf8(delivery.to_header()).unwrap();
    let (mut host, shared) = call(&fixture(), &[(DELIVERY_HEADER, &header)]);
    host.peer_name = Some(DELIVERER);
    (host, shared)
}

/// None where there is nothing to tell.
fn messages_about_usage(host: &FakeHost, policies: &Shared) -> usize {
    policies.usage.tick(host, BTreeMap::new()).unwrap();
    host.usage.borrow().len()
}

#[test]
fn what_is_for_the_region_server_takes_the_route_to_it_and_its_answer_passes() {
    for entry in ["async", "requests"] {
        let (host, policies) = arriving(&format!("/{entry}/{PROXY_ID}/x"));
        let mut call = Call::new(7);
        assert_eq!(call.on_request_head(&host, &policies, true), Flow::Continue);
        let route = format!("{PROXY_ID}/1/arrives");
        assert_eq!(host.header(ROUTE), Some(route), "{entry}");
        assert_eq!(host.header("authorization"), None, "{entry}");
        let arrival = host.header(ARRIVAL_HEADER).unwrap();
        let arrival = Arrival::from_header(arrival.as_bytes()).unwrap();
        assert_eq!(arrival.sender.credential, credential_id(0));
        assert!(!call.is_done(), "its answer would be taken for a target's");
        let head = call.on_response_head(&host, &policies, false);
        assert_eq!((head, call.is_done()), (Flow::Continue, true), "{entry}");
    }
}

#[test]
fn an_edit_that_fails_is_no_way_to_the_region_server() {
    for failing in [HostCall::SetRequestHeader, HostCall::RemoveRequestHeader] {
        let (host, policies) = arriving(&format!("/async/{PROXY_ID}/x"));
        refused_bare(&host.failing_at(failing), &policies);
    }
}

#[test]
fn a_request_for_later_counts_once_and_a_question_never() {
    for (path, counted) in [("async", 1), ("requests", 0)] {
        let (host, policies) = arriving(&format!("/{path}/{PROXY_ID}/x"));
        Call::new(7).on_request_head(&host, &policies, true);
        assert_eq!(messages_about_usage(&host, &policies), counted, "{path}");
    }
    let (host, policies) = delivered();
    let flow = Call::new(7).on_request_head(&host, &policies, true);
    let counted = messages_about_usage(&host, &policies);
    assert_eq!((flow, counted), (Flow::Continue, 0));
}

#[test]
fn the_region_server_calls_for_whoever_sent_the_request() {
    let (host, policies) = delivered();
    let flow = Call::new(7).on_request_head(&host, &policies, true);
    assert_eq!((flow, host.status()), (Flow::Continue, None));
    let authorization = host.header("authorization");
    assert_eq!(authorization.as_deref(), Some("Bearer target"));
    assert!(!host.notes.borrow().is_empty());
}

#[test]
fn nobody_else_calls_for_others() {
    for peer_name in [
        None,
        Some("local-1-envoy-1"),
        Some(""),
        Some("x.deliveries.requestrocket.internal"),
    ] {
        let (mut host, policies) = delivered();
        host.peer_name = peer_name;
        refused_bare(&host, &policies);
    }
    let (host, policies) = delivered();
    refused_bare(&host.failing_at(HostCall::PeerName), &policies);
    // Nor does it without saying for whom.
    let (mut host, policies) = call(&fixture(), &[(DELIVERY_HEADER, "CgE")]);
    host.peer_name = Some(DELIVERER);
    refused_bare(&host, &policies);
}
