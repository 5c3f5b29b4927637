//! Tells the caller what arrived here.

use axum::Json;
use axum::body::Body;
use axum::extract::Request;
use axum::http::{HeaderMap, StatusCode};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use http_body_util::BodyExt;
use serde::Serialize;
use sha2::{Digest, Sha256};

use super::upload::hex;

/// Bodies are repeated up to this length; `length` and `sha256` are of any.
const REPEATED_BYTES: usize = 64 * 1024;

pub(super) type Echo = Json<Arrived>;

/// A request as it arrived.
#[derive(Debug, Serialize)]
pub(super) struct Arrived {
    method: String,
    path: String,
    /// As sent, without the question mark; `null` when there was none.
    query: Option<String>,
    version: String,
    /// In order of arrival; lines of one name stand together.
    headers: Vec<(String, String)>,
    body: ArrivedBody,
    trailers: Vec<(String, String)>,
}

#[derive(Debug, Serialize)]
struct ArrivedBody {
    length: u64,
    sha256: String,
    /// The first 64 KiB.
    base64: String,
    /// The same when it is UTF-8.
    text: Option<String>,
}

/// Any method, any path below `/anything`.
pub(super) async fn anything(request: Request) -> Result<Echo, StatusCode> {
    let (head, body) = request.into_parts();
    let (body, trailers) = take_in(body).await?;
    Ok(Json(Arrived {
        method: head.method.to_string(),
        path: head.uri.path().to_owned(),
        query: head.uri.query().map(str::to_owned),
        version: format!("{:?}", head.version),
        headers: pairs(&head.headers),
        body,
        trailers: pairs(&trailers),
    }))
}

async fn take_in(mut body: Body) -> Result<(ArrivedBody, HeaderMap), StatusCode> {
    let (mut length, mut digest) = (0, Sha256::new());
    let (mut kept, mut trailers) = (Vec::new(), HeaderMap::new());
    while let Some(frame) = body.frame().await {
        let frame = frame.map_err(|_| StatusCode::BAD_REQUEST)?;
        match frame.into_data() {
            Ok(data) => {
                length += u64::try_from(data.len()).unwrap_or(u64::MAX);
                digest.update(&data);
                kept.extend(data.iter().take(REPEATED_BYTES.saturating_sub(kept.len())));
            }
            Err(frame) => trailers = frame.into_trailers().unwrap_or_default(),
        }
    }
    let body = ArrivedBody {
        length,
        sha256: hex(&digest.finalize()),
        base64: STANDARD.encode(&kept),
        text: String::from_utf8(kept).ok(),
    };
    Ok((body, trailers))
}

/// Header lines as text; bytes that are no UTF-8 become replacement characters.
fn pairs(headers: &HeaderMap) -> Vec<(String, String)> {
    headers
        .iter()
        .map(|(name, value)| {
            (
                name.to_string(),
                String::from_utf8_lossy(value.as_bytes()).into_owned(),
            )
        })
        .collect()
}

/// What there is, for everything else.
pub(super) async fn index() -> (StatusCode, &'static str) {
    const WHAT: &str = "\
/anything[/...]        echoes method, path, query, headers and body
/status/{n}            answers with that status
/delay/{seconds}       echoes after a while
/bytes/{n}             n bytes, streamed
/upload                counts and digests the body, streamed
/sse?count=&ms=        server-sent events
/ndjson?count=&ms=     JSON lines
/trailers              a body with trailers
/ws                    WebSocket echo
";
    (StatusCode::NOT_FOUND, WHAT)
}
