//! Takes in a body of any length without keeping it.

use std::fmt::Write;

use axum::Json;
use axum::body::Body;
use axum::http::StatusCode;
use futures::StreamExt;
use serde::Serialize;
use sha2::{Digest, Sha256};

/// What arrived.
#[derive(Debug, Serialize)]
pub(super) struct Received {
    length: u64,
    sha256: String,
}

pub(super) async fn upload(body: Body) -> Result<Json<Received>, StatusCode> {
    let (mut length, mut digest) = (0_u64, Sha256::new());
    let mut chunks = body.into_data_stream();
    while let Some(chunk) = chunks.next().await {
        let chunk = chunk.map_err(|_| StatusCode::BAD_REQUEST)?;
        length += u64::try_from(chunk.len()).unwrap_or(u64::MAX);
        digest.update(&chunk);
    }
    Ok(Json(Received {
        length,
        sha256: hex(&digest.finalize()),
    }))
}

pub(super) fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        // Writing to a String cannot fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}
