//! Bodies that are held whole, within a bound over all of them.

use std::sync::atomic::{AtomicUsize, Ordering};

use crate::denial::Denial;

/// What all bodies together may take. A filter's memory never shrinks and ends at 4 GiB, and one
/// that runs out of it takes every call of its worker along.
const MAX_HELD_BYTES: usize = 512 << 20;

/// Of all calls of this process; in Envoy, of this worker.
static BUDGET: Budget = Budget::new(MAX_HELD_BYTES);

/// A bound over several bodies.
#[derive(Debug)]
struct Budget {
    max_bytes: usize,
    held_bytes: AtomicUsize,
}

/// One body.
#[derive(Debug)]
pub(in crate::exchange) struct Held {
    pub(in crate::exchange) bytes: Vec<u8>,
    budget: &'static Budget,
}

impl Budget {
    const fn new(max_bytes: usize) -> Self {
        Self {
            max_bytes,
            held_bytes: AtomicUsize::new(0),
        }
    }
}

impl Held {
    const fn within(budget: &'static Budget) -> Self {
        Self {
            bytes: Vec::new(),
            budget,
        }
    }

    pub(in crate::exchange) fn extend(&mut self, piece: &[u8]) -> Result<(), Denial> {
        let before = self
            .budget
            .held_bytes
            .fetch_add(piece.len(), Ordering::Relaxed);
        self.bytes.extend_from_slice(piece);
        if before.saturating_add(piece.len()) > self.budget.max_bytes {
            return Err(Denial::GatewayFault);
        }
        Ok(())
    }
}

impl Default for Held {
    fn default() -> Self {
        Self::within(&BUDGET)
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        self.budget
            .held_bytes
            .fetch_sub(self.bytes.len(), Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Other tests run beside this one, and may have theirs.
    static SMALL: Budget = Budget::new(99);

    #[test]
    fn what_is_held_is_counted_until_it_is_dropped() {
        let piece = [0; 50];
        let mut first = Held::within(&SMALL);
        assert_eq!(first.extend(&piece), Ok(()));
        let mut second = Held::within(&SMALL);
        assert_eq!(second.extend(&piece), Err(Denial::GatewayFault));
        drop(first);
        drop(second);
        assert_eq!(Held::within(&SMALL).extend(&piece), Ok(()));
    }

    #[test]
    fn all_calls_share_a_budget() {
        assert!(std::ptr::eq(Held::default().budget, &raw const BUDGET));
        assert_eq!(BUDGET.max_bytes, MAX_HELD_BYTES);
    }
}
