//! Memory that bodies take, counted by whose they are.

use std::{cell::RefCell, marker::PhantomData};

use crate::{
    denial::Denial,
    shares::{Holder, NothingLeft, Shares, Whole},
};

/// What there is for each worker. Envoy refuses everybody when its heap is full (2 GiB,
/// envoy/bootstrap.yaml), and sixteen workers' bodies leave a quarter of it for all else.
const ENVOY_BYTES: usize = 96 << 20;
/// A filter's memory never shrinks and ends at 4 GiB, and one that runs out of it takes every call of
/// its worker along.
const FILTER_BYTES: usize = 192 << 20;

/// What is held.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pool {
    /// Bodies of requests that rules look into, in Envoy's memory.
    Requests,
    /// Bodies of responses, in ours, and those of requests while they are judged.
    Responses,
}

impl Pool {
    const fn bytes(self) -> usize {
        match self {
            Self::Requests => ENVOY_BYTES,
            Self::Responses => FILTER_BYTES,
        }
    }
}

// A worker's own: its VM has one thread, and a memory that no other takes of.
thread_local! {
    static LEDGERS: RefCell<[Shares; 2]> = RefCell::default();
}

/// What one body takes of a pool; it is given back when this is dropped.
#[derive(Debug)]
pub struct Share {
    pool: Pool,
    holder: Holder,
    /// Memory, which may be more than what lies in it.
    bytes: usize,
    /// The ledger is the thread's.
    _not_send: PhantomData<*const ()>,
}

impl Share {
    /// Of nothing yet.
    pub fn new(pool: Pool, holder: Holder) -> Self {
        Self {
            pool,
            holder,
            bytes: 0,
            _not_send: PhantomData,
        }
    }

    /// Says what is taken now.
    ///
    /// # Errors
    ///
    /// [`Denial::Overloaded`] when that is more than the holder may take; then what was taken
    /// before still is.
    pub fn set(&mut self, bytes: usize) -> Result<(), Denial> {
        let whole = Whole::of(self.pool.bytes());
        match bytes.checked_sub(self.bytes) {
            Some(0) => {}
            Some(more) => with(self.pool, |ledger| ledger.take(whole, self.holder, more))
                .map_err(|NothingLeft| Denial::Overloaded)?,
            None => with(self.pool, |ledger| {
                ledger.give_back(self.holder, self.bytes.saturating_sub(bytes));
            }),
        }
        self.bytes = bytes;
        Ok(())
    }

    /// What is taken.
    pub fn bytes(&self) -> usize {
        self.bytes
    }
}

impl Drop for Share {
    fn drop(&mut self) {
        with(self.pool, |ledger| {
            ledger.give_back(self.holder, self.bytes);
        });
    }
}

fn with<T>(pool: Pool, act: impl FnOnce(&mut Shares) -> T) -> T {
    LEDGERS.with_borrow_mut(|[requests, responses]| match pool {
        Pool::Requests => act(requests),
        Pool::Responses => act(responses),
    })
}

#[cfg(test)]
pub(crate) fn held_bytes(pool: Pool, holder: Holder) -> usize {
    with(pool, |ledger| ledger.of(holder.organisation))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixtures::holder;

    #[test]
    fn what_is_over_is_overload_and_what_was_taken_stays() {
        let mut share = Share::new(Pool::Requests, holder(1));
        // Half of the pool is an organisation's, of that two thirds a proxy's, of that a caller's.
        let most = ENVOY_BYTES / 2 * 4 / 9;
        assert_eq!(share.set(most + 2), Err(Denial::Overloaded));
        assert_eq!(share.set(most), Ok(()));
        assert_eq!(share.set(ENVOY_BYTES), Err(Denial::Overloaded));
        assert_eq!(share.bytes(), most);
        assert_eq!(share.set(10), Ok(()));
        assert_eq!(Share::new(Pool::Requests, holder(1)).set(most - 10), Ok(()));
    }

    #[test]
    fn pools_are_apart_and_what_is_given_back_is_there() {
        let most = ENVOY_BYTES / 2 * 4 / 9;
        let mut requests = Share::new(Pool::Requests, holder(1));
        let mut responses = Share::new(Pool::Responses, holder(1));
        assert_eq!(requests.set(most), Ok(()));
        assert_eq!(responses.set(most), Ok(()));
        assert_eq!(requests.set(10), Ok(()));
        assert_eq!(held_bytes(Pool::Requests, holder(1)), 10);
        drop((requests, responses));
        for pool in [Pool::Requests, Pool::Responses] {
            with(pool, |ledger| assert!(ledger.is_empty()));
        }
    }
}
