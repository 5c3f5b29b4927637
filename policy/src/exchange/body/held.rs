//! Bodies that are held whole.

use crate::{
    denial::Denial,
    holding::{Pool, Share},
    shares::Holder,
};

/// What one body may take. The work at its end is bounded for itself, and a longer one would be
/// beyond it.
const MAX_BODY_BYTES: usize = 8 << 20;
/// Room is taken in steps of so much at least.
const LEAST_BYTES: usize = 4 << 10;

/// One body.
#[derive(Debug)]
pub(in crate::exchange) struct Held {
    pub(in crate::exchange) bytes: Vec<u8>,
    max_bytes: usize,
    share: Share,
}

impl Held {
    /// Of a response to that holder.
    pub(in crate::exchange) fn of(holder: Holder) -> Self {
        Self {
            bytes: Vec::new(),
            max_bytes: MAX_BODY_BYTES,
            share: Share::new(Pool::Responses, holder),
        }
    }

    pub(in crate::exchange) fn extend(&mut self, piece: &[u8]) -> Result<(), Denial> {
        let needed = self.bytes.len().saturating_add(piece.len());
        if needed > self.max_bytes {
            return Err(Denial::ResponseTooLarge);
        }
        if needed > self.share.bytes() {
            self.grow(needed)?;
        }
        self.bytes.extend_from_slice(piece);
        Ok(())
    }

    fn grow(&mut self, needed: usize) -> Result<(), Denial> {
        let taken = self.share.bytes();
        // By half at least, so that pieces are not copied time and again.
        let half_more = taken.saturating_add(taken / 2);
        let wanted = half_more.max(LEAST_BYTES).min(self.max_bytes).max(needed);
        self.share.set(wanted)?;
        self.bytes
            .try_reserve_exact(wanted.saturating_sub(self.bytes.len()))
            .map_err(|_| Denial::Overloaded)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::holding::held_bytes;

    fn somebody() -> Holder {
        crate::fixtures::holder(1)
    }

    #[test]
    fn what_is_taken_is_counted_until_it_is_dropped() {
        let mut held = Held::of(somebody());
        assert_eq!(held.extend(b"x"), Ok(()));
        assert_eq!(held_bytes(Pool::Responses, somebody()), LEAST_BYTES);
        assert_eq!(held.extend(&[0; LEAST_BYTES]), Ok(()));
        let taken = held.bytes.capacity();
        assert_eq!(held_bytes(Pool::Responses, somebody()), taken);
        drop(held);
        assert_eq!(held_bytes(Pool::Responses, somebody()), 0);
    }

    #[test]
    fn one_body_has_a_bound_of_its_own() {
        let mut held = Held::of(somebody());
        assert_eq!(held.extend(&vec![0; MAX_BODY_BYTES]), Ok(()));
        assert_eq!(held.extend(&[0; 1]), Err(Denial::ResponseTooLarge));
    }
}
