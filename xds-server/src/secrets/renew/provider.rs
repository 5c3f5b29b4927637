//! What an attempt to obtain a token is given, and what it brings.

use requestrocket_policy::secret_form::custom::Values;
use requestrocket_policy::secret_form::obtained::Apply;
use requestrocket_process::clock::Clock;

use super::answer::{Failure, Obtained};
use super::client::Client;

/// The world outside.
#[derive(Clone, Copy, Debug)]
pub(super) struct World<'a> {
    pub(super) client: &'a Client,
    pub(super) clock: &'a Clock,
}

/// Where a token goes, and what goes beside it.
#[derive(Debug)]
pub(super) struct Placed {
    pub(super) apply: Apply,
    pub(super) headers: Values,
    /// Statuses of a target that does not take it.
    pub(super) refresh_on: Vec<u16>,
}

/// A token in its place, or why not.
pub(super) type Attempt = Result<(Obtained, Placed), Failure>;

impl World<'_> {
    /// Unix time in milliseconds.
    pub(super) fn now_ms(self) -> u64 {
        self.clock.unix_ms()
    }
}
