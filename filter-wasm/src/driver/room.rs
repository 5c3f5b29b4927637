//! Room for the body of a request that waits for it.

use requestrocket_policy::{
    denial::Denial,
    holding::{Pool, Share},
    shares::Holder,
};

/// What one request's body takes, where it lies.
#[derive(Debug)]
pub(super) struct BodyRoom {
    in_envoy: Share,
    /// While it is judged.
    copied: Share,
}

impl BodyRoom {
    /// Of nothing yet.
    pub(super) fn new(holder: Holder) -> Self {
        Self {
            in_envoy: Share::new(Pool::Requests, holder),
            copied: Share::new(Pool::Responses, holder),
        }
    }

    /// Envoy holds so much of it.
    pub(super) fn hold(&mut self, bytes: usize) -> Result<(), Denial> {
        self.in_envoy.set(bytes)
    }

    /// All that Envoy holds is about to be copied.
    pub(super) fn copy(&mut self) -> Result<(), Denial> {
        self.copied.set(self.in_envoy.bytes())
    }
}
