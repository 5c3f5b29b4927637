//! The calls of one VM that are under way.
//!
//! Nobody tells us that a stream has ended: to be told costs every call, and almost all of them are
//! done by then. Instead those are looked for that were not heard of for a while.

use std::collections::BTreeMap;

use crate::driver::Call;

/// Calls by stream.
#[derive(Debug, Default)]
pub struct Calls(BTreeMap<u32, Kept>);

#[derive(Debug)]
struct Kept {
    // Apart, so that finding a place among others moves little.
    call: Box<Call>,
    is_quiet: bool,
}

impl Calls {
    /// Takes a call out, for its next callback.
    pub fn take(&mut self, stream: u32) -> Option<Box<Call>> {
        self.0.remove(&stream).map(|kept| kept.call)
    }

    /// Keeps a call until its next callback, if that can still matter.
    pub fn keep(&mut self, stream: u32, call: Box<Call>) {
        if !call.is_done() {
            let is_quiet = false;
            self.0.insert(stream, Kept { call, is_quiet });
        }
    }

    /// The streams that were not heard of since this was last asked.
    pub fn quiet(&mut self) -> Vec<u32> {
        let before = |kept: &mut Kept| std::mem::replace(&mut kept.is_quiet, true);
        self.0
            .iter_mut()
            .filter_map(|(stream, kept)| before(kept).then_some(*stream))
            .collect()
    }
}

#[cfg(test)]
mod tests;
