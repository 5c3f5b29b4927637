//! Bodies that are held whole, within a bound over all of them.

use std::sync::atomic::{AtomicUsize, Ordering};

use crate::denial::Denial;

/// What all bodies together may take. A filter's memory never shrinks and ends at 4 GiB, and one
/// that runs out of it takes every call of its worker along.
const MAX_HELD_BYTES: usize = 512 << 20;

/// Held by all calls of this process; in Envoy, of this worker.
static HELD_BYTES: AtomicUsize = AtomicUsize::new(0);

/// One body.
#[derive(Debug, Default)]
pub(in crate::exchange) struct Held {
    pub(in crate::exchange) bytes: Vec<u8>,
}

impl Held {
    pub(in crate::exchange) fn extend(&mut self, piece: &[u8]) -> Result<(), Denial> {
        let before = HELD_BYTES.fetch_add(piece.len(), Ordering::Relaxed);
        self.bytes.extend_from_slice(piece);
        if before.saturating_add(piece.len()) > MAX_HELD_BYTES {
            return Err(Denial::GatewayFault);
        }
        Ok(())
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        HELD_BYTES.fetch_sub(self.bytes.len(), Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_held_is_counted_until_it_is_dropped() {
        let piece = vec![0; MAX_HELD_BYTES / 2 + 1];
        let mut first = Held::default();
        assert_eq!(first.extend(&piece), Ok(()));
        let mut second = Held::default();
        assert_eq!(second.extend(&piece), Err(Denial::GatewayFault));
        drop(first);
        drop(second);
        assert_eq!(Held::default().extend(&piece), Ok(()));
    }
}
