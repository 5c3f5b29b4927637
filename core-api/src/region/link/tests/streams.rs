use tonic::Code;

use super::harness::{Control, attach, credentials, hello};
use crate::region::fleet::Link;
use crate::store::gateway::region::{region_fetch, sealing_key};
use crate::store::testing::{sqlite, stores};
use requestrocket_proto::region::v1::{
    Hello, RegionMessage, Unusable, UnusableProxy, region_message::Kind,
};

#[tokio::test]
async fn a_region_is_told_its_own_records_and_no_others() {
    for store in stores().await {
        let control = Control::with_records(store).await;
        control.put_credential("eu-1", "of-eu", 2).await;
        control.put_credential("us-1", "of-us", 3).await;
        let (eu, us) = (control.region("eu-1").await, control.region("us-1").await);
        let mut eu = eu.attach(&control, 0).await;
        let mut us = us.attach(&control, 0).await;
        assert_eq!(credentials(&eu.batch().await), ["of-eu"]);
        assert_eq!(credentials(&us.batch().await), ["of-us"]);
        control.put_credential("us-1", "of-us-later", 4).await;
        control.put_credential("eu-1", "of-eu-later", 5).await;
        assert_eq!(credentials(&eu.batch().await), ["of-eu-later"]);
        assert_eq!(credentials(&us.batch().await), ["of-us-later"]);
    }
}

#[tokio::test]
async fn a_region_that_comes_back_is_told_what_it_missed() {
    for store in stores().await {
        let control = Control::with_records(store).await;
        control.put_credential("eu-1", "first", 2).await;
        let region = control.region("eu-1").await;
        let mut link = region.attach(&control, 0).await;
        let full = link.batch().await;
        assert!(full.is_full && full.is_last);
        link.stored(full.revision).await;
        link.report("n").await;
        control
            .fleets
            .until("eu-1", |state| !state.nodes.is_empty())
            .await;
        drop(link);
        control
            .fleets
            .until("eu-1", |state| !state.is_connected())
            .await;
        control.put_credential("eu-1", "missed", 3).await;
        let mut link = region.attach(&control, full.revision).await;
        let delta = link.batch().await;
        assert!(!delta.is_full);
        assert_eq!(
            (delta.revision, credentials(&delta)),
            (3, vec!["missed".to_owned()])
        );
    }
}

#[tokio::test]
async fn what_the_region_stored_is_dropped_here() {
    for store in stores().await {
        let control = Control::with_records(store).await;
        control.put_credential("eu-1", "early", 2).await;
        let region = control.region("eu-1").await;
        let mut link = region.attach(&control, 0).await;
        let full = link.batch().await;
        control.put_credential("eu-1", "late", 3).await;
        link.batch().await;
        assert_eq!(control.sealed_copies().await, ["early", "late"]);
        for (revision, left) in [(full.revision, &["late"][..]), (3, &[])] {
            link.stored(revision).await;
            let mark = format!("after-{revision}");
            link.report(&mark).await;
            control
                .fleets
                .until("eu-1", |state| {
                    state.nodes.iter().any(|n| n.node_id == mark)
                })
                .await;
            assert_eq!(control.sealed_copies().await, left);
        }
        let row = region_fetch(&mut *control.store.conn().await, "eu-1")
            .await
            .unwrap()
            .unwrap();
        assert_eq!(row.stored_revision, 3);
    }
}

#[tokio::test]
async fn what_a_region_cannot_use_is_known_until_it_says_otherwise() {
    let control = Control::with_records(sqlite().await).await;
    let region = control.region("eu-1").await;
    let mut link = region.attach(&control, 0).await;
    let report = |ids: &[&str], is_last| {
        let proxies = ids.iter().map(|id| UnusableProxy {
            proxy_id: (*id).to_owned(),
            detail: format!("of {id}"),
            ..UnusableProxy::default()
        });
        Kind::Unusable(Unusable {
            proxies: proxies.collect(),
            is_last,
        })
    };
    let known = async |mark: &str, want: &[&str]| {
        control
            .fleets
            .until("eu-1", |state| {
                state.nodes.iter().any(|node| node.node_id == mark)
            })
            .await;
        let known = control.fleets.region("eu-1").unusable;
        assert_eq!(known.keys().collect::<Vec<_>>(), want, "{mark}");
    };
    link.send(report(&["p"], false)).await;
    link.report("in part").await;
    known("in part", &[]).await;
    link.send(report(&["q"], true)).await;
    link.report("whole").await;
    known("whole", &["p", "q"]).await;
    drop(link);
    control
        .fleets
        .until("eu-1", |state| !state.is_connected())
        .await;
    assert_eq!(control.fleets.region("eu-1").unusable.len(), 2);
    link = region.attach(&control, 0).await;
    link.send(report(&[], true)).await;
    link.report("repaired").await;
    known("repaired", &[]).await;
}

#[tokio::test]
async fn a_region_cannot_claim_what_it_was_not_told() {
    let control = Control::with_records(sqlite().await).await;
    control.put_credential("eu-1", "sealed", 2).await;
    let mut link = control.region("eu-1").await.attach(&control, 0).await;
    link.batch().await;
    link.stored(u64::MAX).await;
    assert_eq!(link.end().await.unwrap().code(), Code::InvalidArgument);
    assert_eq!(control.sealed_copies().await, ["sealed"]);
}

#[tokio::test]
async fn a_region_says_where_it_is_and_a_new_key_replaces_the_old() {
    let control = Control::with_records(sqlite().await).await;
    let region = control.region("eu-1").await;
    let mut keys = Vec::new();
    for _ in 0..2 {
        let mut link = region.attach(&control, 0).await;
        link.batch().await;
        let mut conn = control.store.conn().await;
        keys.push(sealing_key(&mut conn, "eu-1").await.unwrap());
        let row = region_fetch(&mut conn, "eu-1").await.unwrap().unwrap();
        assert_eq!(row.base_url.as_deref(), Some("https://eu.example.com"));
    }
    assert_ne!(keys[0], keys[1]);
}

#[tokio::test]
async fn a_newer_link_takes_over() {
    let control = Control::with_records(sqlite().await).await;
    let region = control.region("eu-1").await;
    let mut first = region.attach(&control, 0).await;
    first.batch().await;
    let mut second = region.attach(&control, 0).await;
    second.batch().await;
    assert_eq!(first.end().await.unwrap().code(), Code::Aborted);
    assert!(control.fleets.region("eu-1").is_connected());
    control.put_credential("eu-1", "later", 2).await;
    assert_eq!(credentials(&second.batch().await), ["later"]);
}

#[tokio::test]
async fn the_fleet_is_known_while_the_link_is_up() {
    let control = Control::with_records(sqlite().await).await;
    let region = control.region("eu-1").await;
    assert_eq!(control.fleets.region("eu-1").link, Link::Never);
    let link = region.attach(&control, 0).await;
    link.report("eu-1-envoy-1").await;
    control
        .fleets
        .until("eu-1", |state| state.connected_nodes() == 1)
        .await;
    drop(link);
    control
        .fleets
        .until("eu-1", |state| !state.is_connected())
        .await;
    let state = control.fleets.region("eu-1");
    assert_eq!((state.connected_nodes(), state.nodes.len()), (0, 1));
}

#[tokio::test]
async fn a_link_out_of_order_is_refused() {
    let control = Control::with_records(sqlite().await).await;
    let region = control.region("eu-1").await;
    for first in [
        RegionMessage { kind: None },
        RegionMessage {
            kind: Some(Kind::Hello(Hello::default())),
        },
    ] {
        let refusal = attach(&control, region.identity.clone(), first)
            .await
            .unwrap_err();
        assert_eq!(refusal.code(), Code::InvalidArgument);
    }
    let mut link = region.attach(&control, 0).await;
    link.send(hello(0).kind.unwrap()).await;
    assert_eq!(link.end().await.unwrap().code(), Code::InvalidArgument);
}

#[tokio::test]
async fn stopping_the_process_ends_every_link() {
    let control = Control::with_records(sqlite().await).await;
    let mut link = control.region("eu-1").await.attach(&control, 0).await;
    link.batch().await;
    let (end, ()) = tokio::join!(link.end(), control.tasks.shutdown());
    assert!(end.is_none_or(|status| status.code() == Code::Unavailable));
}
