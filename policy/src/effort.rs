//! How much work a part of a body may cost, counted and not timed.
//!
//! A worker serves many streams, and whatever one of them costs the others wait for. So everything
//! that is done to a body is paid for here, before or while it is done: a response by the body's
//! account, and when that is empty the response is over; and all by the turn, and when that is over
//! the rest waits for the next one. A step is about what it takes to read one byte as JSON in one
//! stage: some 300 million of them take a second.

use std::{
    future::{Future, poll_fn},
    pin::{Pin, pin},
    task::{Context, Poll, Waker},
};

/// A turn, of about one millisecond.
pub const TURN_STEPS: u64 = 256 << 10;
/// What cannot be done in parts, such as a record, may cost that much.
const PIECE_STEPS: u64 = 8 << 20;
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
    /// With no more than this left the turn is over.
    turn_end: u64,
    turn_steps: u64,
}

/// What may be done before others are served. Work that was begun is ended, so it may take somewhat
/// more.
#[derive(Debug)]
pub struct Turn {
    left: u64,
}

impl Turn {
    /// For that many steps.
    pub const fn of(steps: u64) -> Self {
        Self { left: steps }
    }

    /// What is left of it, in steps.
    pub const fn left(&self) -> u64 {
        self.left
    }

    pub(crate) fn is_over(&self) -> bool {
        self.left == 0
    }

    pub(crate) fn spend(&mut self, steps: u64) {
        self.left = self.left.saturating_sub(steps);
    }
}

impl Effort {
    /// For work that others bound, or that nobody waits for.
    pub const fn unbounded() -> Self {
        Self::of(u64::MAX)
    }

    /// For that many steps, in one go.
    pub const fn of(steps: u64) -> Self {
        Self {
            left: steps,
            turn_end: 0,
            turn_steps: TURN_STEPS,
        }
    }

    /// For that many steps, in turns.
    pub(crate) const fn in_turns(steps: u64) -> Self {
        Self::in_turns_of(TURN_STEPS, steps)
    }

    /// For that many steps, in turns of that many.
    pub(crate) const fn in_turns_of(turn_steps: u64, steps: u64) -> Self {
        Self {
            left: steps,
            turn_end: steps.saturating_sub(turn_steps),
            turn_steps,
        }
    }

    /// Lets others have theirs if this turn is over.
    pub(crate) async fn rest(&mut self) {
        // 0 where there are no turns, and in the last one.
        if self.turn_end > 0 && self.left <= self.turn_end {
            self.turn_end = self.left.saturating_sub(self.turn_steps);
            // Pending once, which ends the part that is being polled.
            let mut has_rested = false;
            poll_fn(|_| {
                if std::mem::replace(&mut has_rested, true) {
                    Poll::Ready(())
                } else {
                    Poll::Pending
                }
            })
            .await;
        }
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

    /// Work was done that is paid for already: the turn is over the sooner.
    pub(crate) fn tire(&mut self, steps: usize) {
        let steps = u64::try_from(steps).unwrap_or(u64::MAX);
        #[cfg(test)]
        tests::count(steps);
        if self.turn_end > 0 {
            self.turn_end = self.turn_end.saturating_add(steps);
        }
    }

    /// What is left.
    pub(crate) fn left(&self) -> u64 {
        self.left
    }

    /// What was spent since the last rest, of an effort in turns.
    pub(crate) fn spent_in_turn(&self) -> u64 {
        let left = self.left.saturating_sub(self.turn_end);
        self.turn_steps.saturating_sub(left)
    }

    /// Whether nothing is left.
    pub(crate) fn is_exhausted(&self) -> bool {
        self.left == 0
    }
}

/// Work that is done in turns. Its result comes with the steps of its last turn.
pub(crate) struct InTurns<T>(Pin<Box<dyn Future<Output = (T, u64)>>>);

impl<T> InTurns<T> {
    /// Nothing is done yet.
    pub(crate) fn new(work: impl Future<Output = (T, u64)> + 'static) -> Self {
        Self(Box::pin(work))
    }

    /// Goes on as far as the turn goes. Its result, once that is there; then it is not to be called
    /// again.
    pub(crate) fn go_on(&mut self, turn: &mut Turn) -> Option<T> {
        while !turn.is_over() {
            if let Some((result, steps)) = go_on(self.0.as_mut()) {
                turn.spend(steps);
                return Some(result);
            }
            // A part that rests took a whole turn.
            turn.spend(TURN_STEPS);
        }
        None
    }
}

/// It may hold anything.
impl<T> std::fmt::Debug for InTurns<T> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("InTurns")
    }
}

/// One part of such work; its result when that was the last.
pub(crate) fn go_on<T>(work: Pin<&mut (impl Future<Output = T> + ?Sized)>) -> Option<T> {
    // Nobody is woken: whoever gives out turns asks again.
    match work.poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(result) => Some(result),
        Poll::Pending => None,
    }
}

/// All parts, one after the other.
pub(crate) fn go_through<T>(work: impl Future<Output = T>) -> T {
    let mut work = pin!(work);
    loop {
        if let Some(result) = go_on(work.as_mut()) {
            return result;
        }
    }
}

/// The account of one body.
#[derive(Debug)]
pub(crate) struct Account {
    left: u64,
}

impl Account {
    pub(crate) const fn new() -> Self {
        Self { left: CALL_STEPS }
    }

    /// Bytes of the body have come.
    pub(crate) fn earn(&mut self, bytes: usize) {
        let bytes = u64::try_from(bytes).unwrap_or(u64::MAX);
        let earned = bytes.saturating_mul(STEPS_PER_SENT_BYTE);
        self.left = self.left.saturating_add(earned);
    }

    /// For a piece.
    pub(crate) fn open(&self) -> Effort {
        Effort::of(self.left.min(PIECE_STEPS))
    }

    /// Takes back what the piece did not need, and answers what it did.
    pub(crate) fn close(&mut self, effort: &Effort, turn: &mut Turn) -> u64 {
        let given = self.left.min(PIECE_STEPS);
        let spent = given.saturating_sub(effort.left);
        self.left = self.left.saturating_sub(spent);
        turn.spend(spent);
        spent
    }

    /// Works on a piece, and answers what that cost beside what came of it.
    pub(crate) fn pay<T>(
        &mut self,
        turn: &mut Turn,
        work: impl FnOnce(&mut Effort) -> T,
    ) -> (T, u64) {
        let mut effort = self.open();
        let result = work(&mut effort);
        (result, self.close(&effort, turn))
    }

    /// All of it, for work in turns that is the last of the body.
    pub(crate) fn take(&mut self) -> Effort {
        Effort::in_turns(std::mem::take(&mut self.left))
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
    fn a_piece_gets_its_share_and_no_more() {
        let mut account = Account::new();
        let mut turn = Turn::of(TURN_STEPS);
        let work = |effort: &mut Effort| (effort.spend(8 << 20), effort.spend(1));
        let (spent, cost) = account.pay(&mut turn, work);
        assert_eq!(spent, (Ok(()), Err(Exhausted)));
        assert_eq!(cost, PIECE_STEPS);
        assert_eq!(account.left, CALL_STEPS - PIECE_STEPS);
        assert!(turn.is_over());
    }

    #[test]
    fn a_body_pays_with_its_length() {
        let mut account = Account::new();
        let mut turn = Turn::of(u64::MAX);
        for _ in 0..8 {
            let (spent, _) = account.pay(&mut turn, |effort| effort.spend(8 << 20));
            assert_eq!(spent, Ok(()));
        }
        let (spent, _) = account.pay(&mut turn, |effort| effort.spend(1));
        assert_eq!(spent, Err(Exhausted));
        account.earn(2);
        let (left, _) = account.pay(&mut turn, |effort| effort.left());
        assert_eq!(left, 2 * STEPS_PER_SENT_BYTE);
    }

    #[test]
    fn work_in_turns_rests_after_each() {
        let work = async {
            let mut effort = Effort::in_turns(10 * TURN_STEPS);
            for _ in 0..20 {
                effort.rest().await;
                effort.spend(128 << 10).ok();
            }
            effort.left
        };
        let mut work = pin!(work);
        let turns = std::iter::repeat_with(|| go_on(work.as_mut()));
        let turns: Vec<Option<u64>> = turns.take(10).collect();
        assert_eq!(turns, [&[None; 9][..], &[Some(0)]].concat());
    }

    #[test]
    fn what_failed_once_fails_for_ever() {
        let mut effort = Effort::of(3);
        assert_eq!(effort.spend(4), Err(Exhausted));
        assert_eq!(effort.spend(1), Err(Exhausted));
        assert!(effort.is_exhausted());
    }
}
