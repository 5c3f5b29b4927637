use metrics_exporter_prometheus::PrometheusBuilder;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use super::*;

#[tokio::test]
async fn the_endpoints_tell_health_readiness_and_metrics() {
    let recorder = PrometheusBuilder::new().build_recorder();
    let metrics = recorder.handle();
    ::metrics::with_local_recorder(&recorder, || {
        crate::metrics::batch_stored("delta", 12);
        crate::metrics::link_down("unreachable");
    });
    let (ready, is_ready) = watch::channel(false);
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let base = format!("http://{}", listener.local_addr().unwrap());
    let stopping = CancellationToken::new();
    let server = serve(listener, Health { is_ready, metrics }, stopping.clone());
    let client = async {
        assert_eq!(get(&base, "/healthz").await, (200, "ok".to_owned()));
        assert_eq!(
            get(&base, "/readyz").await,
            (503, r#"{"ready":false}"#.to_owned())
        );
        ready.send_replace(true);
        assert_eq!(
            get(&base, "/readyz").await,
            (200, r#"{"ready":true}"#.to_owned())
        );
        let (status, text) = get(&base, "/metrics").await;
        assert_eq!(status, 200);
        assert!(
            text.contains("rr_region_batches_total{kind=\"delta\"} 1"),
            "{text}"
        );
        assert!(text.contains("rr_region_stored_revision 12"), "{text}");
        assert_eq!(get(&base, "/config").await.0, 404);
        stopping.cancel();
    };
    let (ended, ()) = tokio::join!(server, client);
    ended.unwrap();
}

/// The router is asked over a real socket: HTTP/1.1 by hand needs no client.
async fn get(base: &str, path: &str) -> (u16, String) {
    let address = base.trim_start_matches("http://");
    let mut socket = tokio::net::TcpStream::connect(address).await.unwrap();
    let head = format!("GET {path} HTTP/1.1\r\nhost: {address}\r\nconnection: close\r\n\r\n");
    socket.write_all(head.as_bytes()).await.unwrap();
    let mut text = String::new();
    socket.read_to_string(&mut text).await.unwrap();
    let (head, body) = text.split_once("\r\n\r\n").unwrap();
    let status = head.split(' ').nth(1).unwrap().parse().unwrap();
    (status, body.to_owned())
}
