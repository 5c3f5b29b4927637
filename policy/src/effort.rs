//! How much work a part of a response may cost, counted and not timed.
//!
//! A worker serves many streams, and whatever one of them costs the others wait for. So everything
//! that is done to a response's body is paid for here, before or while it is done, and a response
//! that runs out is over. A step is about what it takes to read one byte as JSON in one stage: some
//! 300 million of them take a second.

/// For one call of the host.
const CALLBACK_STEPS: u64 = 16 << 20;
/// For a whole body, however short it is as it is sent.
const CALL_STEPS: u64 = 64 << 20;
/// For each byte of it as it is sent, above that: four stages over an honest body that became a
/// hundred times as long.
const STEPS_PER_SENT_BYTE: u64 = 512;

/// A value in one stage, beside its bytes.
pub(crate) const VALUE: usize = 8;
/// A record, for each stage and each path that needs all of it.
pub(crate) const RECORD: usize = 24;
/// A line of a stream of records.
pub(crate) const LINE: usize = 12;
/// A value that a path over a held document looks at.
pub(crate) const LOOK: usize = 4;
/// One call of a decoder's stage, which may have tables to build.
pub(crate) const DECODING: usize = 64;

/// There is nothing left to spend.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Exhausted;

/// What may still be spent.
#[derive(Debug)]
pub struct Effort {
    left: u64,
}

impl Effort {
    /// For work that others bound, or that nobody waits for.
    pub const fn unbounded() -> Self {
        Self { left: u64::MAX }
    }

    /// For that many steps.
    pub const fn of(steps: u64) -> Self {
        Self { left: steps }
    }

    /// Pays for work. Once that fails it fails for ever.
    #[inline]
    pub fn spend(&mut self, steps: usize) -> Result<(), Exhausted> {
        let steps = u64::try_from(steps).unwrap_or(u64::MAX);
        #[cfg(test)]
        tests::count(steps.min(self.left));
        let left = self.left.checked_sub(steps);
        self.left = left.unwrap_or_default();
        left.map(drop).ok_or(Exhausted)
    }

    /// What is left.
    pub(crate) fn left(&self) -> u64 {
        self.left
    }

    /// Whether nothing is left.
    pub(crate) fn is_exhausted(&self) -> bool {
        self.left == 0
    }
}

/// The account of one body: each call of the host gets its share.
#[derive(Debug)]
pub(crate) struct Account {
    left: u64,
    given: u64,
}

impl Account {
    pub(crate) const fn new() -> Self {
        Self {
            left: CALL_STEPS,
            given: 0,
        }
    }

    /// For a call of the host that brings that many bytes.
    pub(crate) fn open(&mut self, bytes: usize) -> Effort {
        let bytes = u64::try_from(bytes).unwrap_or(u64::MAX);
        let earned = bytes.saturating_mul(STEPS_PER_SENT_BYTE);
        self.left = self.left.saturating_add(earned);
        self.given = self.left.min(CALLBACK_STEPS);
        Effort::of(self.given)
    }

    /// Takes back what that call did not spend.
    pub(crate) fn close(&mut self, effort: &Effort) {
        let spent = self.given.saturating_sub(effort.left);
        self.left = self.left.saturating_sub(spent);
        self.given = 0;
    }
}

#[cfg(test)]
pub(crate) use self::tests::counted;

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use super::*;

    thread_local! {
        static COUNTED: Cell<u64> = const { Cell::new(0) };
    }

    pub(super) fn count(steps: u64) {
        COUNTED.set(COUNTED.get().saturating_add(steps));
    }

    /// The steps of this thread so far.
    pub(crate) fn counted() -> u64 {
        COUNTED.get()
    }

    #[test]
    fn a_call_of_the_host_gets_its_share_and_no_more() {
        let mut account = Account::new();
        let mut effort = account.open(0);
        assert_eq!(effort.left(), CALLBACK_STEPS);
        assert_eq!(effort.spend(16 << 20), Ok(()));
        assert_eq!(effort.spend(1), Err(Exhausted));
        account.close(&effort);
        assert_eq!(account.left, CALL_STEPS - CALLBACK_STEPS);
    }

    #[test]
    fn a_body_pays_with_its_length() {
        let mut account = Account::new();
        for _ in 0..4 {
            let effort = Effort::of(0);
            assert_eq!(account.open(0).left(), CALLBACK_STEPS);
            account.close(&effort);
        }
        assert_eq!(account.open(0).left(), 0);
        assert_eq!(account.open(2).left(), 2 * STEPS_PER_SENT_BYTE);
    }

    #[test]
    fn what_failed_once_fails_for_ever() {
        let mut effort = Effort::of(3);
        assert_eq!(effort.spend(4), Err(Exhausted));
        assert_eq!(effort.spend(1), Err(Exhausted));
        assert!(effort.is_exhausted());
    }
}
