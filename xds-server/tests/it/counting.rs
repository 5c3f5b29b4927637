//! Counts over the wire: who may tell them, and what comes back.

use rcgen::CertificateParams;
use requestrocket_proto::meter::v1::meter_sync_client::MeterSyncClient;
use requestrocket_proto::meter::v1::{Counter, Report, SyncRequest, Window, counter};
use tonic::Code;

use crate::region::{Authority, NodeKeys, Region};

/// The first window of the calendar is long over; it is answered all the same.
fn request() -> SyncRequest {
    let counter = Counter {
        kind: counter::Kind::Meter.into(),
        id: vec![7; 16].into(),
    };
    SyncRequest {
        incarnation: vec![1; 16].into(),
        sent_at_ms: 1,
        reports: vec![Report {
            counter: Some(counter),
            window: Window::Month.into(),
            start_ms: 0,
            own_micros: 1,
            limit_micros: 0,
            wanted_micros: 0,
            queued_micros: 0,
        }],
    }
}

async fn sync(region: &Region, keys: Option<&NodeKeys>, request: SyncRequest) -> Result<u32, Code> {
    let channel = region.channel(keys).await.map_err(|_| Code::Unavailable)?;
    let answer = MeterSyncClient::new(channel).sync(request).await;
    let response = answer.map_err(|status| status.code())?.into_inner();
    assert_eq!(response.grants.len(), 1);
    Ok(response.epoch)
}

#[tokio::test]
async fn x1_only_nodes_of_the_region_count() {
    let region = Region::start().await;
    let keys = region.keys("eu-envoy-1");
    let epoch = sync(&region, Some(&keys), request()).await.unwrap();
    assert!(epoch > 0);
    let refused = sync(&region, None, request()).await;
    assert!(refused.is_err(), "no certificate");
    let foreign = Authority::new().sign("eu-envoy-1");
    let refused = sync(&region, Some(&foreign), request()).await;
    assert!(refused.is_err(), "wrong authority");
    let nameless = region.sign_with(&CertificateParams::default());
    let refused = sync(&region, Some(&nameless), request()).await;
    assert_eq!(refused, Err(Code::Unauthenticated), "no name");
}

/// Every service of the server is behind the same guard, and so is whatever is added to it.
#[tokio::test]
async fn no_path_is_served_to_who_names_no_node() {
    let region = Region::start().await;
    let nameless = region.sign_with(&CertificateParams::default());
    let channel = region.channel(Some(&nameless)).await.unwrap();
    for path in [
        "/envoy.service.discovery.v3.AggregatedDiscoveryService/DeltaAggregatedResources",
        "/envoy.service.discovery.v3.AggregatedDiscoveryService/StreamAggregatedResources",
        "/requestrocket.meter.v1.MeterSync/Sync",
        "/requestrocket.access.v1.AccessCheck/Check",
        "/envoy.service.accesslog.v3.AccessLogService/StreamAccessLogs",
        "/unknown.Service/Method",
    ] {
        let mut client = tonic::client::Grpc::new(channel.clone());
        client.ready().await.unwrap();
        let codec = tonic_prost::ProstCodec::<SyncRequest, SyncRequest>::default();
        let request = tonic::Request::new(request());
        let answer = client.unary(request, path.parse().unwrap(), codec).await;
        assert_eq!(answer.unwrap_err().code(), Code::Unauthenticated, "{path}");
    }
}

#[tokio::test]
async fn wrong_and_oversized_requests_are_refused() {
    let region = Region::start().await;
    let keys = region.keys("eu-envoy-1");
    let no_name = SyncRequest {
        incarnation: Vec::new().into(),
        ..request()
    };
    let refused = sync(&region, Some(&keys), no_name).await;
    assert_eq!(refused, Err(Code::InvalidArgument));
    let report = request().reports.remove(0);
    let oversized = SyncRequest {
        reports: vec![report; 40_000],
        ..request()
    };
    let refused = sync(&region, Some(&keys), oversized).await;
    assert_eq!(refused, Err(Code::OutOfRange));
    assert!(sync(&region, Some(&keys), request()).await.is_ok());
}
