use std::num::NonZeroU32;

use requestrocket_proto::policy::v1 as wire;

use super::*;
use crate::records::record::denying_layer;
use crate::translate::TargetRoots;
use crate::xds::resource::ResourceKind::{Route, Scope};

fn publisher() -> Publisher {
    Publisher::new(Settings {
        region: "eu".to_owned(),
        filter_wasm: "/filter.wasm".into(),
        allow_private_targets: Vec::new(),
        target_roots: TargetRoots::File("/roots.pem".into()),
        collector: None,
    })
}

fn proxy(id: &str, max_response_bytes: u64) -> ProxyConfig {
    ProxyConfig {
        target_id: String::new(),
        proxy_id: id.to_owned(),
        organisation_id: "organisation".to_owned(),
        alias: Some(format!("alias-of-{id}")),
        is_active: true,
        is_suspended: false,
        timeout_seconds: NonZeroU32::MIN,
        max_response_bytes,
        max_inspected_bytes: 0,
        cors: None,
        target: None,
        proxy_credentials: Vec::new(),
        target_credential: None,
        layer: denying_layer(),
        limits: wire::Limits::default(),
        meters: Vec::new(),
        data_key: Vec::new(),
        digest_key: Vec::new(),
    }
}

fn names(snapshot: &Snapshot) -> Vec<String> {
    let names = |kind| {
        snapshot
            .names(kind)
            .map(ToString::to_string)
            .collect::<Vec<_>>()
    };
    [names(Route), names(Scope)].concat()
}

#[test]
fn there_is_no_revision_before_the_first_call() {
    let publisher = publisher();
    let snapshots = publisher.subscribe();
    assert_eq!(snapshots.borrow().revision(), None);
    publisher.apply(0, RegionUpdate::Full(Vec::new()));
    assert_eq!(snapshots.borrow().revision(), Some(0));
}

#[test]
fn each_revision_is_seen_whole() {
    let publisher = publisher();
    let mut snapshots = publisher.subscribe();
    publisher.apply(1, RegionUpdate::Full(vec![proxy("a", 1), proxy("b", 1)]));
    assert!(snapshots.has_changed().unwrap());
    let first = Arc::clone(&snapshots.borrow_and_update());
    assert_eq!(
        names(&first),
        ["a", "b", "a", "alias/alias-of-a", "alias/alias-of-b", "b"]
    );
    let delta = vec![
        ("a".to_owned(), None),
        ("c".to_owned(), Some(proxy("c", 1))),
    ];
    publisher.apply(2, RegionUpdate::Delta(delta));
    let second = Arc::clone(&snapshots.borrow_and_update());
    assert_eq!(
        names(&second),
        ["b", "c", "alias/alias-of-b", "alias/alias-of-c", "b", "c"]
    );
    // A stream that still holds the first sees it unchanged.
    assert_eq!((first.proxies(), first.revision()), (2, Some(1)));
    publisher.apply(3, RegionUpdate::Full(vec![proxy("b", 2)]));
    let third = Arc::clone(&snapshots.borrow_and_update());
    assert_eq!(names(&third), ["b", "alias/alias-of-b", "b"]);
    assert_eq!(third.get(Route, "b").unwrap().revision(), 3);
    assert_eq!(third.get(Scope, "b").unwrap().revision(), 1);
}
