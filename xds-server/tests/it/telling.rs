//! Calls over the wire: what a node told before the server ended is in the log.

use envoy_types::pb::envoy::config::core::v3::Node;
use envoy_types::pb::envoy::data::accesslog::v3::{
    AccessLogCommon, HttpAccessLogEntry, HttpRequestProperties, HttpResponseProperties,
};
use envoy_types::pb::envoy::service::accesslog::v3::StreamAccessLogsMessage;
use envoy_types::pb::envoy::service::accesslog::v3::access_log_service_client::AccessLogServiceClient;
use envoy_types::pb::envoy::service::accesslog::v3::stream_access_logs_message::{
    HttpAccessLogEntries, Identifier, LogEntries,
};
use envoy_types::pb::google::protobuf::{BytesValue, Timestamp};
use envoy_types::util::pack_any;
use prost::Message as _;
use requestrocket_proto::record::v1::Note;
use requestrocket_proto::region::v1::RecordsQuery;
use requestrocket_xds_server::access_log::CallLog;
use tokio::sync::mpsc;
use tokio_stream::wrappers::ReceiverStream;

use crate::region::Region;

const ROUTE: &str = "7f2c1e0a-1111-4222-8333-444455556666/v9";
const ORGANISATION: &str = "02020202-0202-0202-0202-020202020202";

fn message(number: u64) -> StreamAccessLogsMessage {
    let note = Note {
        worker_id: vec![1; 16].into(),
        number,
        organisation_id: vec![2; 16].into(),
        ..Note::default()
    };
    let value = note.encode_to_vec();
    let state = (
        "wasm.requestrocket-note".to_owned(),
        pack_any(BytesValue { value }),
    );
    let entry = HttpAccessLogEntry {
        common_properties: Some(AccessLogCommon {
            route_name: ROUTE.to_owned(),
            start_time: Some(Timestamp {
                seconds: 4_000_000_000,
                nanos: 0,
            }),
            filter_state_objects: [state].into(),
            ..AccessLogCommon::default()
        }),
        request: Some(HttpRequestProperties::default()),
        response: Some(HttpResponseProperties::default()),
        ..HttpAccessLogEntry::default()
    };
    let envoy = Node {
        id: "eu-envoy-1".to_owned(),
        cluster: "eu".to_owned(),
        ..Node::default()
    };
    StreamAccessLogsMessage {
        identifier: (number == 1).then(|| Identifier {
            node: Some(envoy),
            log_name: "calls".to_owned(),
        }),
        log_entries: Some(LogEntries::HttpLogs(HttpAccessLogEntries {
            log_entry: vec![entry],
        })),
    }
}

async fn recorded(log: &CallLog) -> u64 {
    let query = RecordsQuery {
        organisation_id: ORGANISATION.to_owned(),
        limit: 1,
        ..RecordsQuery::default()
    };
    log.search(&query).await.unwrap().recorded
}

#[tokio::test]
async fn what_was_told_before_the_end_of_the_server_is_recorded() {
    let region = Region::start().await;
    let keys = region.keys("eu-envoy-1");
    let channel = region.channel(Some(&keys)).await.unwrap();
    let (tell, told) = mpsc::channel(64);
    let mut client = AccessLogServiceClient::new(channel);
    let answer = client.stream_access_logs(ReceiverStream::new(told));
    let calls = async {
        tell.send(message(1)).await.unwrap();
        while recorded(&region.calls).await < 1 {
            tokio::task::yield_now().await;
        }
        for number in 2..=50 {
            tell.send(message(number)).await.unwrap();
        }
        region.tasks.shutdown().await;
    };
    // The node's stream, which it never ends itself, ends with an answer.
    let (answered, ()) = tokio::join!(answer, calls);
    answered.unwrap();
    assert_eq!(recorded(&region.calls).await, 50);
}
