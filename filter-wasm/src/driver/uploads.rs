//! How long a request's body may take, and which bodies are on their way to a target.

use std::collections::BTreeMap;

/// How long a body may take, and how much of it earns a second more.
const BODY_MS: u64 = 60_000;
const BYTES_PER_SECOND: usize = 64 << 10;

/// Whether a body of which so much has come since then is late.
pub(super) fn is_late(bytes: usize, since_ms: u64, now_ms: u64) -> bool {
    let earned_s = u64::try_from(bytes / BYTES_PER_SECOND).unwrap_or(u64::MAX);
    let most_ms = BODY_MS.saturating_add(earned_s.saturating_mul(1000));
    now_ms.saturating_sub(since_ms) > most_ms
}

/// By stream.
#[derive(Debug, Default)]
pub(super) struct Uploads(BTreeMap<u32, Upload>);

#[derive(Debug, Default)]
struct Upload {
    /// None until the first look at it: calls need not ask for the time.
    since_ms: Option<u64>,
    bytes: usize,
    is_told: bool,
}

impl Uploads {
    /// The head of one was let through.
    pub(super) fn begin(&mut self, stream: u32) {
        self.0.insert(stream, Upload::default());
    }

    /// A part of a body went by, if it is one of these.
    pub(super) fn on_part(&mut self, stream: u32, bytes: usize) {
        if let Some(upload) = self.0.get_mut(&stream) {
            upload.bytes = upload.bytes.saturating_add(bytes);
        }
    }

    /// It is complete, or gone.
    pub(super) fn end(&mut self, stream: u32) {
        self.0.remove(&stream);
    }

    /// Forgets those that are gone.
    pub(super) fn retain(&mut self, is_there: impl Fn(u32) -> bool) {
        self.0.retain(|stream, _| is_there(*stream));
    }

    /// Whether this one is on its way.
    pub(super) fn contains(&self, stream: u32) -> bool {
        self.0.contains_key(&stream)
    }

    /// Those that are late, each told once.
    pub(super) fn late(&mut self, now_ms: u64) -> Vec<u32> {
        let mut late = Vec::new();
        for (stream, upload) in &mut self.0 {
            let since_ms = *upload.since_ms.get_or_insert(now_ms);
            if !upload.is_told && is_late(upload.bytes, since_ms, now_ms) {
                upload.is_told = true;
                late.push(*stream);
            }
        }
        late
    }
}
