use metrics_exporter_prometheus::PrometheusBuilder;

use super::*;
use crate::fixtures::http_get as get;

#[tokio::test]
async fn the_endpoints_tell_health_readiness_and_metrics() {
    let recorder = PrometheusBuilder::new().build_recorder();
    let metrics = recorder.handle();
    ::metrics::with_local_recorder(&recorder, || {
        crate::metrics::batch_stored("delta");
        crate::metrics::revision_stored(12);
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
