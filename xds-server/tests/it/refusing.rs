//! Who is not served, and what a node that misbehaves can do: nothing.

use envoy_types::pb::envoy::config::core::v3::Node;
use envoy_types::pb::envoy::service::discovery::v3::{DeltaDiscoveryRequest, DiscoveryRequest};
use rcgen::{CertificateParams, date_time_ymd};
use requestrocket_xds_server::records::region_config::RegionUpdate;
use requestrocket_xds_server::xds::resource::ResourceKind::{Route, Scope};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tonic::Code;

use crate::delta_client::{DeltaClient, names, subscription};
use crate::region::{Authority, NodeKeys, REGION, Region, changed, proxy, region_and_node};

/// A stream on which anything is sent is a hole.
async fn is_served(region: &Region, keys: Option<&NodeKeys>, node: Node) -> Result<(), Code> {
    let Ok(mut client) = region.connect(keys).await else {
        return Err(Code::Unavailable);
    };
    let request = DeltaDiscoveryRequest {
        node: Some(node),
        ..subscription(Scope, &["*"])
    };
    let requests = tokio_stream::iter([request]);
    let mut responses = match client.delta_aggregated_resources(requests).await {
        Ok(responses) => responses.into_inner(),
        Err(status) => return Err(status.code()),
    };
    match responses.message().await {
        Ok(Some(_)) => Ok(()),
        Ok(None) => Err(Code::Cancelled),
        Err(status) => Err(status.code()),
    }
}

fn node(id: &str, cluster: &str) -> Node {
    Node {
        id: id.to_owned(),
        cluster: cluster.to_owned(),
        ..Node::default()
    }
}

#[tokio::test]
async fn x1_only_the_node_in_the_certificate_is_served() {
    let (region, keys) = region_and_node(&["a"]).await;
    let own = || node("eu-envoy-1", REGION);
    assert_eq!(is_served(&region, Some(&keys), own()).await, Ok(()));
    for (id, cluster) in [
        ("eu-envoy-2", REGION),
        ("", REGION),
        ("*", REGION),
        ("eu-envoy-1", "us"),
        ("eu-envoy-1", ""),
    ] {
        let refused = is_served(&region, Some(&keys), node(id, cluster)).await;
        assert_eq!(refused, Err(Code::PermissionDenied), "{id} {cluster}");
    }
    assert!(
        is_served(&region, None, own()).await.is_err(),
        "no certificate"
    );
    let foreign = Authority::new().sign("eu-envoy-1");
    assert!(
        is_served(&region, Some(&foreign), own()).await.is_err(),
        "wrong authority"
    );
    let mut expired = CertificateParams::new(vec!["eu-envoy-1".to_owned()]).unwrap();
    expired.not_before = date_time_ymd(2020, 1, 1);
    expired.not_after = date_time_ymd(2021, 1, 1);
    let expired = region.sign_with(&expired);
    assert!(
        is_served(&region, Some(&expired), own()).await.is_err(),
        "expired"
    );
    let nameless = region.sign_with(&CertificateParams::default());
    assert_eq!(
        is_served(&region, Some(&nameless), own()).await,
        Err(Code::Unauthenticated)
    );
    assert_eq!(
        is_served(&region, Some(&keys), own()).await,
        Ok(()),
        "and the right one still is"
    );
}

#[tokio::test]
async fn a_first_request_without_a_node_is_refused() {
    let (region, keys) = region_and_node(&["a"]).await;
    let mut client = region.connect(Some(&keys)).await.unwrap();
    let requests = tokio_stream::iter([subscription(Scope, &["*"])]);
    let mut responses = client
        .delta_aggregated_resources(requests)
        .await
        .unwrap()
        .into_inner();
    assert_eq!(
        responses.message().await.unwrap_err().code(),
        Code::InvalidArgument
    );
    assert_eq!(region.fleet.live_streams(), 0);
}

#[tokio::test]
async fn state_of_the_world_is_not_spoken() {
    let (region, keys) = region_and_node(&["a"]).await;
    let mut client = region.connect(Some(&keys)).await.unwrap();
    let requests = tokio_stream::iter([DiscoveryRequest::default()]);
    let status = client
        .stream_aggregated_resources(requests)
        .await
        .unwrap_err();
    assert_eq!(status.code(), Code::Unimplemented);
}

#[tokio::test]
async fn garbage_on_the_port_is_closed_and_hurts_nobody() {
    let (region, keys) = region_and_node(&["a"]).await;
    let mut honest = DeltaClient::open(&region, &keys, "eu-envoy-1")
        .await
        .unwrap();
    honest.sync(&["a"]).await;
    for garbage in [
        &b"GET / HTTP/1.1\r\n\r\n"[..],
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
        &[0xff; 4096],
        b"\x16\x03\x01",
    ] {
        let mut raw = TcpStream::connect(region.address).await.unwrap();
        raw.write_all(garbage).await.unwrap();
        raw.shutdown().await.unwrap();
        let mut rest = Vec::new();
        // A reset is as good as an end.
        let _ = raw.read_to_end(&mut rest).await;
    }
    region.change(2, vec![changed("a", 1)]);
    assert_eq!(honest.take().await, ["a"]);
}

#[tokio::test]
async fn x4_a_lying_client_is_told_once_and_no_more() {
    let (region, keys) = region_and_node(&["a", "b", "c"]).await;
    let mut liar = DeltaClient::open(&region, &keys, "eu-envoy-1")
        .await
        .unwrap();
    liar.subscribe(Route, &["a", "b", "c"]).await;
    let first = liar.next().await;
    assert_eq!(names(&first), ["a", "b", "c"]);
    // Wrong, foreign and repeated nonces are no answers.
    for nonce in ["99", "x", "-1", "18446744073709551616"] {
        let lie = DeltaDiscoveryRequest {
            type_url: first.type_url.clone(),
            response_nonce: nonce.to_owned(),
            ..DeltaDiscoveryRequest::default()
        };
        liar.send(lie).await;
    }
    liar.answer(&first, Some("one of these")).await;
    liar.answer(&first, Some("again")).await;
    for want in ["a", "b", "c"] {
        let alone = liar.next().await;
        assert_eq!(names(&alone), [want]);
        liar.answer(&alone, (want == "b").then_some("b is bad"))
            .await;
    }
    // Nothing comes for it until something changes; then that alone does.
    liar.subscribe(Route, &["b"]).await;
    region.change(2, vec![changed("c", 1)]);
    assert_eq!(liar.take().await, ["c"]);
    region.change(3, vec![changed("b", 1)]);
    assert_eq!(liar.take().await, ["b"]);
}

#[tokio::test]
async fn a_refusal_shows_in_the_fleet_until_it_is_mended() {
    let (region, keys) = region_and_node(&["a", "b"]).await;
    let mut node = DeltaClient::open(&region, &keys, "eu-envoy-1")
        .await
        .unwrap();
    node.sync(&["a", "b"]).await;
    region.change(2, vec![changed("a", 1)]);
    let bad = node.next().await;
    node.answer(&bad, Some("will not do")).await;
    let fleet = region
        .fleet_until("refused", |nodes| !nodes[0].rejections.is_empty())
        .await;
    let rejection = &fleet[0].rejections[0];
    assert_eq!((rejection.proxy_id.as_str(), rejection.revision), ("a", 2));
    assert_eq!(rejection.detail, "will not do");
    assert_eq!((fleet[0].settled_revision, rejection.brought_by), (2, 2));
    // In its place comes what lets nobody pass.
    assert_eq!(node.take().await, ["a"]);
    // It still stands when others move on.
    region.change(3, vec![changed("b", 1)]);
    assert_eq!(node.take().await, ["b"]);
    let fleet = region
        .fleet_until("at 3", |nodes| nodes[0].settled_revision == 3)
        .await;
    let rejection = &fleet[0].rejections[0];
    assert_eq!((rejection.revision, rejection.brought_by), (3, 2));
    region.change(4, vec![changed("a", 2)]);
    assert_eq!(node.take().await, ["a"]);
    let fleet = region
        .fleet_until("at 4", |nodes| nodes[0].settled_revision == 4)
        .await;
    assert_eq!(fleet[0].rejections, []);
}

#[tokio::test]
async fn a_newer_stream_of_a_node_takes_over() {
    let (region, keys) = region_and_node(&["a"]).await;
    let mut older = DeltaClient::open(&region, &keys, "eu-envoy-1")
        .await
        .unwrap();
    older.sync(&["a"]).await;
    let mut newer = DeltaClient::open(&region, &keys, "eu-envoy-1")
        .await
        .unwrap();
    newer.sync(&["a"]).await;
    assert_eq!(older.next_or_end().await.unwrap_err().code(), Code::Aborted);
    region
        .fleet_until("one", |nodes| nodes.len() == 1 && nodes[0].is_connected)
        .await;
    assert_eq!(region.fleet.live_streams(), 1);
    region.change(2, vec![changed("a", 1)]);
    assert_eq!(newer.take().await, ["a"]);
}

#[tokio::test]
async fn x13_oversized_requests_end_the_stream() {
    let (region, keys) = region_and_node(&["a"]).await;
    let mut client = DeltaClient::open(&region, &keys, "eu-envoy-1")
        .await
        .unwrap();
    let giant = "x".repeat(32 << 20);
    client.subscribe(Route, &[&giant]).await;
    assert!(client.next_or_end().await.is_err());
    let mut client = DeltaClient::open(&region, &keys, "eu-envoy-1")
        .await
        .unwrap();
    client.subscribe(Route, &[&"x".repeat(4096)]).await;
    assert_eq!(
        client.next_or_end().await.unwrap_err().code(),
        Code::ResourceExhausted
    );
    region
        .fleet_until("gone", |nodes| nodes.iter().all(|node| !node.is_connected))
        .await;
}

#[tokio::test]
async fn x13_a_stream_on_which_nothing_is_asked_ends() {
    let (region, keys) = region_and_node(&["a"]).await;
    let mut client = DeltaClient::open(&region, &keys, "eu-envoy-1")
        .await
        .unwrap();
    // From here the clock runs ahead whenever everybody waits.
    tokio::time::pause();
    assert!(client.next_or_end().await.is_err());
    assert_eq!(region.fleet.live_streams(), 0);
}

#[tokio::test]
async fn x13_a_client_that_never_reads_is_let_go() {
    let region = Region::start().await;
    let ids: Vec<String> = (0..10_000).map(|i| format!("proxy-{i:05}")).collect();
    let proxies = ids.iter().map(|id| proxy(id)).collect();
    region.publisher.apply(1, RegionUpdate::Full(proxies));
    let keys = region.keys("eu-envoy-1");
    let mut client = DeltaClient::open(&region, &keys, "eu-envoy-1")
        .await
        .unwrap();
    let all: Vec<&str> = ids.iter().map(String::as_str).collect();
    client.subscribe(Route, &all).await;
    region
        .fleet_until("there", |nodes| nodes.iter().any(|node| node.is_connected))
        .await;
    tokio::time::pause();
    let mut statuses = region.fleet.subscribe();
    statuses
        .wait_for(|nodes| nodes.iter().all(|node| !node.is_connected))
        .await
        .unwrap();
    assert_eq!(region.fleet.live_streams(), 0);
}
