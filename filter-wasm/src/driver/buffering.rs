//! The usual way to redact, for the benchmark alone: hold the body, make a tree of it, write it again.

use serde_json::Value;

use super::{Call, Chunk, Flow, response::ResponseState};
use crate::host::Host;

impl ResponseState {
    /// More of the body has come.
    pub(super) fn on_held_body(&mut self, host: &impl Host, chunk: Chunk) -> Flow {
        let Ok(bytes) = host.response_chunk(chunk.size) else {
            return Call::cut(host);
        };
        self.held.extend(bytes);
        let next = if chunk.is_end {
            redact(&self.held)
        } else {
            Some(Vec::new())
        };
        match next.map(|bytes| host.replace_response_chunk(&bytes)) {
            Some(Ok(())) if chunk.is_end => Flow::Continue,
            Some(Ok(())) => Flow::HeldBack,
            Some(Err(_)) | None => Call::cut(host),
        }
    }
}

/// Without `$.items[*].ssn`, `$.items[*].card.number` and `$.items[*].secret`.
fn redact(body: &[u8]) -> Option<Vec<u8>> {
    let mut value: Value = serde_json::from_slice(body).ok()?;
    let items = value.get_mut("items").and_then(Value::as_array_mut);
    for item in items.into_iter().flatten().filter_map(Value::as_object_mut) {
        item.remove("ssn");
        item.remove("secret");
        if let Some(card) = item.get_mut("card").and_then(Value::as_object_mut) {
            card.remove("number");
        }
    }
    serde_json::to_vec(&value).ok()
}
