//! How long a body may be.

/// Ceiling on the length of a body, if it has one.
#[derive(Debug)]
pub(in crate::exchange) struct SizeWatch {
    pub(in crate::exchange) seen_bytes: u64,
    pub(in crate::exchange) max_bytes: Option<u64>,
}

impl SizeWatch {
    pub(in crate::exchange) fn new(max_bytes: Option<u64>) -> Self {
        Self {
            seen_bytes: 0,
            max_bytes,
        }
    }

    pub(super) fn takes(&mut self, bytes: usize) -> bool {
        let bytes = u64::try_from(bytes).unwrap_or(u64::MAX);
        self.seen_bytes = self.seen_bytes.saturating_add(bytes);
        self.max_bytes.is_none_or(|max| self.seen_bytes <= max)
    }
}
