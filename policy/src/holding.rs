//! Memory that bodies take, counted by whose they are.
//!
//! All calls of a worker share what there is. An organisation may take as much as is left over: one
//! alone half of it, two a third each, and so on. So there is always something left for the next.

use std::{cell::RefCell, collections::BTreeMap, marker::PhantomData};

use crate::{denial::Denial, id::OrganisationId};

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

/// A pool and who holds what of it.
#[derive(Debug, Default)]
struct Ledger {
    bytes: usize,
    holders: BTreeMap<OrganisationId, usize>,
}

thread_local! {
    static LEDGERS: RefCell<[Ledger; 2]> = RefCell::default();
}

/// What one body takes of a pool; it is given back when this is dropped.
#[derive(Debug)]
pub struct Share {
    pool: Pool,
    organisation: OrganisationId,
    /// Memory, which may be more than what lies in it.
    bytes: usize,
    /// The ledger is the thread's.
    _not_send: PhantomData<*const ()>,
}

impl Ledger {
    /// All or nothing, of so many bytes that there are.
    fn take(
        &mut self,
        pool_bytes: usize,
        (organisation, more): (OrganisationId, usize),
    ) -> Result<(), Denial> {
        let own = self.holders.get(&organisation).copied().unwrap_or_default();
        let (own, all) = (own.saturating_add(more), self.bytes.saturating_add(more));
        if own > pool_bytes.saturating_sub(all) {
            return Err(Denial::Overloaded);
        }
        self.holders.insert(organisation, own);
        self.bytes = all;
        Ok(())
    }

    fn give_back(&mut self, organisation: OrganisationId, bytes: usize) {
        self.bytes = self.bytes.saturating_sub(bytes);
        if let Some(own) = self.holders.get_mut(&organisation) {
            *own = own.saturating_sub(bytes);
            if *own == 0 {
                self.holders.remove(&organisation);
            }
        }
    }
}

impl Share {
    /// Of nothing yet.
    pub fn new(pool: Pool, organisation: OrganisationId) -> Self {
        Self {
            pool,
            organisation,
            bytes: 0,
            _not_send: PhantomData,
        }
    }

    /// Says what is taken now.
    ///
    /// # Errors
    ///
    /// [`Denial::Overloaded`] when that is more than the organisation may take; then what was taken
    /// before still is.
    pub fn set(&mut self, bytes: usize) -> Result<(), Denial> {
        let organisation = self.organisation;
        match bytes.checked_sub(self.bytes) {
            Some(more) => with(self.pool, |ledger| {
                ledger.take(self.pool.bytes(), (organisation, more))
            })?,
            None => with(self.pool, |ledger| {
                ledger.give_back(organisation, self.bytes.saturating_sub(bytes));
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
            ledger.give_back(self.organisation, self.bytes);
        });
    }
}

fn with<T>(pool: Pool, act: impl FnOnce(&mut Ledger) -> T) -> T {
    LEDGERS.with_borrow_mut(|[requests, responses]| match pool {
        Pool::Requests => act(requests),
        Pool::Responses => act(responses),
    })
}

#[cfg(test)]
pub(crate) fn held_bytes(pool: Pool, organisation: OrganisationId) -> usize {
    with(pool, |ledger| {
        ledger
            .holders
            .get(&organisation)
            .copied()
            .unwrap_or_default()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const POOL_BYTES: usize = ENVOY_BYTES;

    fn share(number: u128) -> Share {
        Share::new(Pool::Requests, uuid::Uuid::from_u128(number).into())
    }

    #[test]
    fn everybody_may_take_what_is_left_over() {
        let mut first = share(1);
        assert_eq!(first.set(POOL_BYTES / 2 + 1), Err(Denial::Overloaded));
        assert_eq!(first.set(POOL_BYTES / 2), Ok(()));
        let mut again = share(1);
        assert_eq!(again.set(1), Err(Denial::Overloaded));
        let mut second = share(2);
        assert_eq!(second.set(POOL_BYTES / 4 + 1), Err(Denial::Overloaded));
        assert_eq!(second.set(POOL_BYTES / 4), Ok(()));
        assert_eq!(share(3).set(POOL_BYTES / 8), Ok(()), "there is something");
        drop(first);
        assert_eq!(again.set(POOL_BYTES / 4), Ok(()));
    }

    #[test]
    fn pools_are_apart_and_what_is_given_back_is_there() {
        let organisation = uuid::Uuid::from_u128(1).into();
        let mut requests = share(1);
        let mut responses = Share::new(Pool::Responses, organisation);
        assert_eq!(requests.set(POOL_BYTES / 2), Ok(()));
        assert_eq!(responses.set(POOL_BYTES / 2), Ok(()));
        assert_eq!(requests.set(10), Ok(()));
        assert_eq!(held_bytes(Pool::Requests, organisation), 10);
        drop((requests, responses));
        for pool in [Pool::Requests, Pool::Responses] {
            assert_eq!(held_bytes(pool, organisation), 0);
            with(pool, |ledger| assert!(ledger.holders.is_empty()));
        }
    }
}
