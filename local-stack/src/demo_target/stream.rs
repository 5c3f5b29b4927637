//! Bodies that come piece by piece.

use std::convert::Infallible;
use std::time::Duration;

use axum::body::Body;
use axum::extract::{Path, Query};
use axum::http::header::{CONTENT_TYPE, TRAILER};
use axum::http::{HeaderMap, HeaderValue};
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use futures::{Stream, StreamExt, stream};
use http_body::Frame;
use http_body_util::StreamBody;
use serde::Deserialize;

const CHUNK_BYTES: u64 = 64 * 1024;
const LONGEST_STREAM: u64 = 16 * 1024 * 1024 * 1024;

/// `length` zero bytes, without a declared length.
pub(super) async fn bytes(Path(length): Path<u64>) -> Response {
    let zeros = Bytes::from(vec![0; usize::try_from(CHUNK_BYTES).unwrap_or(0)]);
    let chunks = stream::unfold(length.min(LONGEST_STREAM), move |left| {
        let size = left.min(CHUNK_BYTES);
        let chunk = zeros.slice(..usize::try_from(size).unwrap_or(0));
        async move { (left > 0).then(|| (Ok::<_, Infallible>(chunk), left - size)) }
    });
    (
        [(CONTENT_TYPE, "application/octet-stream")],
        Body::from_stream(chunks),
    )
        .into_response()
}

/// How many records, and how long between them.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct Pace {
    count: u64,
    ms: u64,
}

impl Default for Pace {
    fn default() -> Self {
        Self { count: 5, ms: 100 }
    }
}

pub(super) async fn sse(Query(pace): Query<Pace>) -> Response {
    let records = paced(pace, |n| format!("id: {n}\ndata: {{\"n\":{n}}}\n\n"));
    (
        [(CONTENT_TYPE, "text/event-stream")],
        Body::from_stream(records),
    )
        .into_response()
}

pub(super) async fn ndjson(Query(pace): Query<Pace>) -> Response {
    let records = paced(pace, |n| format!("{{\"n\":{n}}}\n"));
    (
        [(CONTENT_TYPE, "application/x-ndjson")],
        Body::from_stream(records),
    )
        .into_response()
}

fn paced(
    pace: Pace,
    record: fn(u64) -> String,
) -> impl Stream<Item = Result<String, Infallible>> + Send {
    let pause = Duration::from_millis(pace.ms);
    stream::iter(0..pace.count).then(move |n| async move {
        if n > 0 {
            tokio::time::sleep(pause).await;
        }
        Ok(record(n))
    })
}

/// A short body followed by a trailer.
pub(super) async fn trailers() -> Response {
    let after = HeaderMap::from_iter([(
        axum::http::HeaderName::from_static("x-demo-trailer"),
        HeaderValue::from_static("after the body"),
    )]);
    let frames = [
        Frame::data(Bytes::from_static(b"body\n")),
        Frame::trailers(after),
    ];
    let body = StreamBody::new(stream::iter(frames.map(Ok::<_, Infallible>)));
    // `hyper` sends no trailers over HTTP/1.1 but those that are announced.
    ([(TRAILER, "x-demo-trailer")], Body::new(body)).into_response()
}
