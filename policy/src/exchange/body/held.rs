//! Bodies that are held whole, within a bound for each and one over all of them.

use std::sync::atomic::{AtomicUsize, Ordering};

use crate::denial::Denial;

/// What one body may take. The work at its end is bounded for itself, and a longer one would be
/// beyond it.
const MAX_BODY_BYTES: usize = 8 << 20;
/// What all bodies together may take. A filter's memory never shrinks and ends at 4 GiB, and one
/// that runs out of it takes every call of its worker along.
const MAX_HELD_BYTES: usize = 96 << 20;
/// Room is taken in steps of so much at least.
const LEAST_BYTES: usize = 4 << 10;

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
    max_bytes: usize,
    share: Share,
}

/// What one holder takes of a budget.
#[derive(Debug)]
pub(in crate::exchange) struct Share {
    budget: &'static Budget,
    /// Memory, which may be more than what lies in it.
    bytes: usize,
}

impl Budget {
    const fn new(max_bytes: usize) -> Self {
        Self {
            max_bytes,
            held_bytes: AtomicUsize::new(0),
        }
    }

    /// All or nothing.
    fn take(&self, bytes: usize) -> Result<(), Denial> {
        let before = self.held_bytes.fetch_add(bytes, Ordering::Relaxed);
        if before.saturating_add(bytes) > self.max_bytes {
            self.give_back(bytes);
            return Err(Denial::GatewayFault);
        }
        Ok(())
    }

    fn give_back(&self, bytes: usize) {
        self.held_bytes.fetch_sub(bytes, Ordering::Relaxed);
    }
}

impl Share {
    /// Says what is taken now.
    pub(in crate::exchange) fn set(&mut self, bytes: usize) -> Result<(), Denial> {
        match bytes.checked_sub(self.bytes) {
            Some(more) => self.budget.take(more)?,
            None => self.budget.give_back(self.bytes.saturating_sub(bytes)),
        }
        self.bytes = bytes;
        Ok(())
    }
}

impl Default for Share {
    fn default() -> Self {
        let budget = &BUDGET;
        Self { budget, bytes: 0 }
    }
}

impl Drop for Share {
    fn drop(&mut self) {
        self.budget.give_back(self.bytes);
    }
}

impl Held {
    const fn within(budget: &'static Budget, max_bytes: usize) -> Self {
        Self {
            bytes: Vec::new(),
            max_bytes,
            share: Share { budget, bytes: 0 },
        }
    }

    pub(in crate::exchange) fn extend(&mut self, piece: &[u8]) -> Result<(), Denial> {
        let needed = self.bytes.len().saturating_add(piece.len());
        if needed > self.max_bytes {
            return Err(Denial::ResponseTooLarge);
        }
        if needed > self.share.bytes {
            self.grow(needed)?;
        }
        self.bytes.extend_from_slice(piece);
        Ok(())
    }

    /// By half at least, so that pieces are not copied time and again.
    fn grow(&mut self, needed: usize) -> Result<(), Denial> {
        let taken = self.share.bytes;
        let half_more = taken.saturating_add(taken / 2);
        let wanted = half_more.max(LEAST_BYTES).min(self.max_bytes).max(needed);
        self.share.set(wanted)?;
        self.bytes
            .try_reserve_exact(wanted.saturating_sub(self.bytes.len()))
            .map_err(|_| Denial::GatewayFault)
    }
}

impl Default for Held {
    fn default() -> Self {
        Self::within(&BUDGET, MAX_BODY_BYTES)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Other tests run beside this one, and may have theirs.
    static SMALL: Budget = Budget::new(3 * LEAST_BYTES);

    #[test]
    fn what_is_taken_is_counted_until_it_is_dropped() {
        let new = || Held::within(&SMALL, 2 * LEAST_BYTES);
        let mut first = new();
        assert_eq!(first.extend(b"x"), Ok(()));
        assert_eq!(SMALL.held_bytes.load(Ordering::Relaxed), LEAST_BYTES);
        assert_eq!(first.extend(&[0; LEAST_BYTES]), Ok(()));
        let taken = first.bytes.capacity();
        assert_eq!(SMALL.held_bytes.load(Ordering::Relaxed), taken);
        let mut second = new();
        assert_eq!(second.extend(&[0; LEAST_BYTES]), Ok(()));
        assert_eq!(second.extend(&[0; LEAST_BYTES]), Err(Denial::GatewayFault));
        drop(first);
        assert_eq!(second.extend(&[0; LEAST_BYTES]), Ok(()));
        drop(second);
        assert_eq!(SMALL.held_bytes.load(Ordering::Relaxed), 0);
    }

    #[test]
    fn one_body_has_a_bound_of_its_own() {
        static LARGE: Budget = Budget::new(1 << 20);
        let mut held = Held::within(&LARGE, 10);
        assert_eq!(held.extend(&[0; 10]), Ok(()));
        assert_eq!(held.extend(&[0; 1]), Err(Denial::ResponseTooLarge));
    }

    #[test]
    fn all_calls_share_a_budget() {
        assert!(std::ptr::eq(
            Held::default().share.budget,
            &raw const BUDGET
        ));
        assert_eq!(BUDGET.max_bytes, MAX_HELD_BYTES);
    }
}
