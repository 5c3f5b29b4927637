//! What a node of the region gets.

use std::collections::HashMap;

use envoy_types::pb::envoy::config::core::v3::{Node, address, socket_address::PortSpecifier};
use envoy_types::pb::envoy::config::listener::v3::Listener;
use envoy_types::pb::google::protobuf::{Struct, Value, value::Kind};
use prost::Message;
use requestrocket_proto::policy::v1 as wire;
use requestrocket_xds_server::records::region_config::{ProxyConfig, RegionUpdate};
use requestrocket_xds_server::xds::resource::ResourceKind::{
    Cluster, Listener as Lds, Route, Scope,
};

use crate::delta_client::{DeltaClient, names};
use crate::region::{REGION, Region, changed, proxy, region_and_node};

#[tokio::test]
async fn a_node_gets_everything_and_is_then_settled() {
    let (region, keys) = region_and_node(&["a", "b"]).await;
    let mut node = DeltaClient::open(&region, &keys, "eu-envoy-1")
        .await
        .unwrap();
    let held = node.sync(&["a", "b"]).await;
    assert_eq!(held[&Scope.type_url()].len(), 2);
    let fleet = region
        .fleet_until("settled", |nodes| {
            nodes.iter().any(|node| node.settled_revision == 1)
        })
        .await;
    let [status] = &fleet[..] else {
        panic!("{fleet:?}")
    };
    assert_eq!(
        (status.node_id.as_str(), status.is_connected),
        ("eu-envoy-1", true)
    );
    assert!(status.changed_at_ms > 0);
    assert_eq!(status.rejections, []);
}

#[tokio::test]
async fn a_change_brings_one_resource_and_settles_its_revision() {
    let (region, keys) = region_and_node(&["a", "b", "c"]).await;
    let mut node = DeltaClient::open(&region, &keys, "eu-envoy-1")
        .await
        .unwrap();
    node.sync(&["a", "b", "c"]).await;
    region
        .fleet_until("at 1", |nodes| nodes[0].settled_revision == 1)
        .await;
    region.change(2, vec![changed("b", 1024)]);
    let response = node.next().await;
    assert_eq!(
        (response.type_url.clone(), names(&response)),
        (Route.type_url(), vec!["b".into()])
    );
    assert_eq!(region.fleet.subscribe().borrow()[0].settled_revision, 1);
    node.answer(&response, None).await;
    region
        .fleet_until("at 2", |nodes| nodes[0].settled_revision == 2)
        .await;
    region
        .publisher
        .apply(3, RegionUpdate::Delta(vec![("b".to_owned(), None)]));
    for _ in [Scope, Route] {
        let response = node.next().await;
        assert_eq!(response.removed_resources, ["b"]);
        node.answer(&response, None).await;
    }
    region
        .fleet_until("at 3", |nodes| nodes[0].settled_revision == 3)
        .await;
}

/// A proxy whose target is given that token. All of them end at the same moment.
fn with_token(id: &str, token: u64) -> ProxyConfig {
    let injection = wire::Injection {
        location: wire::Location::Header.into(),
        name: "authorization".to_owned(),
        sealed_value: token.to_be_bytes().repeat(100).into(),
        reads_body: false,
        bytes_before: 7,
        bytes_behind: 0,
    };
    let credential = wire::TargetCredential {
        credential_id: "c".to_owned(),
        version: 3,
        injections: vec![injection],
        layer: None,
        serves_until_ms: Some(1_900_000_000_000),
        ends_at_ms: 0,
        refresh_on: vec![401],
        is_token_apart: false,
    };
    ProxyConfig {
        target_credential: Some(credential),
        ..proxy(id)
    }
}

#[tokio::test]
async fn another_token_is_one_small_resource_for_two_hundred_proxies() {
    let ids: Vec<String> = (0..200).map(|n| format!("p{n:03}")).collect();
    let all = |token| ids.iter().map(|id| with_token(id, token)).collect();
    let (region, keys) = region_and_node(&[]).await;
    region.change(2, all(1));
    let mut node = DeltaClient::open(&region, &keys, "eu-envoy-1")
        .await
        .unwrap();
    let routes: Vec<&str> = ids.iter().map(String::as_str).collect();
    let held = node.sync(&routes).await;
    assert_eq!(held[&Route.type_url()].len(), 200);
    assert!(held[&Cluster.type_url()].contains_key("token/c/3"));
    region
        .fleet_until("at 2", |nodes| nodes[0].settled_revision == 2)
        .await;
    region.change(3, all(2));
    let response = node.next().await;
    assert_eq!(
        (response.type_url.clone(), names(&response)),
        (Cluster.type_url(), vec!["token/c/3".into()])
    );
    let bytes = response.encoded_len();
    println!("another token: {bytes} bytes");
    assert!(bytes < 2_048, "{bytes}");
    node.answer(&response, None).await;
    // That was all of it.
    region
        .fleet_until("at 3", |nodes| nodes[0].settled_revision == 3)
        .await;
    // With the last proxy that has it, it goes.
    region
        .publisher
        .apply(4, RegionUpdate::Full(vec![with_token(&ids[0], 2)]));
    for _ in [Scope, Route] {
        let response = node.next().await;
        assert_eq!(response.removed_resources.len(), 199);
        node.answer(&response, None).await;
    }
    region.publisher.apply(5, RegionUpdate::Full(Vec::new()));
    let mut removed = Vec::new();
    for _ in [Scope, Route, Cluster] {
        let response = node.next().await;
        removed.extend(response.removed_resources.clone());
        node.answer(&response, None).await;
    }
    assert_eq!(removed, [&*ids[0], &*ids[0], "token/c/3"]);
}

#[tokio::test]
async fn a_node_that_returns_gets_the_difference_only() {
    let (region, keys) = region_and_node(&["a", "b"]).await;
    let mut node = DeltaClient::open(&region, &keys, "eu-envoy-1")
        .await
        .unwrap();
    let mut held = node.sync(&["a", "b"]).await;
    drop(node);
    region
        .fleet_until("gone", |nodes| !nodes[0].is_connected)
        .await;
    region.change(2, vec![changed("b", 1024)]);
    let mut node = DeltaClient::open(&region, &keys, "eu-envoy-1")
        .await
        .unwrap();
    for kind in [Cluster, Lds, Scope, Route] {
        node.resume(kind, held.remove(&kind.type_url()).unwrap())
            .await;
    }
    assert_eq!(node.take().await, ["b"]);
    region
        .fleet_until("at 2", |nodes| nodes[0].settled_revision == 2)
        .await;
}

#[tokio::test]
async fn before_the_first_revision_a_node_that_returns_keeps_what_it_has() {
    let region = Region::start().await;
    let keys = region.keys("eu-envoy-1");
    let mut node = DeltaClient::open(&region, &keys, "eu-envoy-1")
        .await
        .unwrap();
    let held = HashMap::from([("a".to_owned(), "0000000000000001".to_owned())]);
    node.resume(Scope, held).await;
    region.fleet_until("there", |nodes| nodes.len() == 1).await;
    region
        .publisher
        .apply(7, RegionUpdate::Full(vec![proxy("a")]));
    let response = node.next().await;
    assert_eq!(
        (names(&response), response.removed_resources),
        (vec!["a".to_owned()], vec![])
    );
}

#[tokio::test]
async fn a_node_says_where_it_listens() {
    let (region, keys) = region_and_node(&[]).await;
    let value = |kind| Value { kind: Some(kind) };
    let fields = HashMap::from([
        (
            "listener_address".to_owned(),
            value(Kind::StringValue("127.0.0.7".to_owned())),
        ),
        (
            "listener_port".to_owned(),
            value(Kind::NumberValue(20001.0)),
        ),
    ]);
    let node = Node {
        id: "eu-envoy-1".to_owned(),
        cluster: REGION.to_owned(),
        metadata: Some(Struct { fields }),
        ..Node::default()
    };
    let mut node = DeltaClient::open_as(&region, &keys, node).await.unwrap();
    node.subscribe(Lds, &[]).await;
    let response = node.next().await;
    let body = response.resources[0].resource.as_ref().unwrap();
    let listener = Listener::decode(&body.value[..]).unwrap();
    let Some(address::Address::SocketAddress(socket)) = listener.address.unwrap().address else {
        panic!("no socket address")
    };
    assert_eq!(socket.address, "127.0.0.7");
    assert_eq!(socket.port_specifier, Some(PortSpecifier::PortValue(20001)));
    assert_eq!(listener.filter_chains.len(), 1);
}

#[tokio::test]
async fn every_node_gets_its_own_and_all_get_the_same() {
    let region = Region::with(&["a"]).await;
    let mut nodes = Vec::new();
    for name in ["eu-envoy-1", "eu-envoy-2", "eu-envoy-3"] {
        let keys = region.keys(name);
        let mut node = DeltaClient::open(&region, &keys, name).await.unwrap();
        node.sync(&["a"]).await;
        nodes.push(node);
    }
    assert_eq!(region.fleet.live_streams(), 3);
    region.change(2, vec![changed("a", 1)]);
    // The slow one holds up nobody.
    let mut nodes = nodes.into_iter();
    let mut slow = nodes.next().unwrap();
    for mut node in nodes.by_ref() {
        assert_eq!(node.take().await, ["a"]);
        region
            .fleet_until("the fast at 2", |fleet| {
                fleet.iter().any(|node| node.settled_revision == 2)
            })
            .await;
    }
    assert_eq!(slow.take().await, ["a"]);
}

#[tokio::test]
async fn streams_that_end_leave_nothing() {
    let region = Region::with(&["a"]).await;
    for round in 0..20 {
        let name = format!("eu-envoy-{round}");
        let keys = region.keys(&name);
        let mut node = DeltaClient::open(&region, &keys, &name).await.unwrap();
        node.sync(&["a"]).await;
        assert!(region.fleet.live_streams() >= 1);
    }
    region
        .fleet_until("all gone", |nodes| {
            nodes.iter().all(|node| !node.is_connected) && region.fleet.live_streams() == 0
        })
        .await;
    // No task is left that shutdown would have to wait for, and none can hold it up.
    region.tasks.shutdown().await;
}

#[tokio::test]
async fn shutdown_ends_open_streams() {
    let (region, keys) = region_and_node(&["a"]).await;
    let mut node = DeltaClient::open(&region, &keys, "eu-envoy-1")
        .await
        .unwrap();
    node.sync(&["a"]).await;
    region.tasks.shutdown().await;
    assert!(node.next_or_end().await.is_err());
}

#[tokio::test]
async fn ten_thousand_proxies_arrive_and_one_change_among_them_is_one_resource() {
    let region = Region::start().await;
    let ids: Vec<String> = (0..10_000).map(|i| format!("proxy-{i:05}")).collect();
    region.publisher.apply(
        1,
        RegionUpdate::Full(ids.iter().map(|id| proxy(id)).collect()),
    );
    let keys = region.keys("eu-envoy-1");
    let mut node = DeltaClient::open(&region, &keys, "eu-envoy-1")
        .await
        .unwrap();
    for kind in [Cluster, Lds] {
        node.subscribe(kind, &["*"]).await;
        node.take().await;
    }
    let all: Vec<&str> = ids.iter().map(String::as_str).collect();
    for (kind, subscribed) in [(Scope, &["*"][..]), (Route, &all)] {
        node.subscribe(kind, subscribed).await;
        let mut seen = 0;
        while seen < ids.len() {
            seen += node.take().await.len();
        }
    }
    region
        .fleet_until("at 1", |nodes| nodes[0].settled_revision == 1)
        .await;
    region.change(2, vec![changed("proxy-05000", 1)]);
    assert_eq!(node.take().await, ["proxy-05000"]);
    region
        .fleet_until("at 2", |nodes| nodes[0].settled_revision == 2)
        .await;
}
