//! Ready-made answers of targets: JSON, streams, and bodies in given pieces.

use bytes::Bytes;

use super::script::{Gate, Script, Step, chunk_bytes, head, respond};

/// 200 with this document and its length.
pub fn json(document: impl AsRef<[u8]>) -> Script {
    typed("application/json", document)
}

/// 200 of any type, with its length.
pub fn typed(content_type: &str, body: impl AsRef<[u8]>) -> Script {
    respond("200 OK", &[("content-type", content_type)], body.as_ref())
}

/// 200 of a coded JSON document.
pub fn coded(coding: &str, body: impl AsRef<[u8]>) -> Script {
    let headers = [
        ("content-type", "application/json"),
        ("content-encoding", coding),
    ];
    respond("200 OK", &headers, body.as_ref())
}

/// 200 of any type without a length, one chunk for each piece.
pub fn chunked<P: AsRef<[u8]>>(content_type: &str, pieces: &[P]) -> Script {
    let mut steps = vec![chunked_head(content_type)];
    steps.extend(pieces.iter().map(|piece| chunk_step(piece.as_ref())));
    steps.push(last_chunk());
    Script::AfterRequest(steps)
}

/// 200 without a length that ends with the connection.
pub fn until_close(content_type: &str, body: impl AsRef<[u8]>) -> Script {
    let headers = [("content-type", content_type), ("connection", "close")];
    Script::AfterRequest(vec![
        head("200 OK", &headers),
        Step::Send(Bytes::copy_from_slice(body.as_ref())),
        Step::Close,
    ])
}

/// The head of an answer whose body has no length.
pub fn chunked_head(content_type: &str) -> Step {
    let headers = [
        ("content-type", content_type),
        ("transfer-encoding", "chunked"),
    ];
    head("200 OK", &headers)
}

/// A piece of such a body.
pub fn chunk_step(piece: &[u8]) -> Step {
    Step::Send(chunk_bytes(piece))
}

/// Its end.
pub fn last_chunk() -> Step {
    Step::Send(Bytes::from_static(b"0\r\n\r\n"))
}

/// Lets a target send a body piece by piece, each when the one before has got through.
#[derive(Clone, Debug, Default)]
pub struct Pace {
    sent: Gate,
    next: Gate,
}

impl Pace {
    /// 200 of any type, one chunk for each piece.
    pub fn chunked<P: AsRef<[u8]>>(&self, content_type: &str, pieces: &[P]) -> Script {
        let mut steps = vec![chunked_head(content_type)];
        for piece in pieces {
            steps.push(chunk_step(piece.as_ref()));
            steps.push(Step::Open(self.sent.clone()));
            steps.push(Step::Wait(self.next.clone()));
        }
        steps.push(last_chunk());
        Script::AfterRequest(steps)
    }

    /// Waits until the target has sent its next piece.
    pub async fn sent(&self) {
        self.sent.pass().await;
    }

    /// Lets it send the one after.
    pub fn go_on(&self) {
        self.next.open();
    }
}
