//! A body that is searched as it comes. What may be the beginning of a value waits for what follows.

use std::ops::Range;

use super::{Guard, mask};
use crate::effort::Turn;

/// Of a body that nobody changes otherwise so much is searched.
const MAX_BYTES: u64 = 1 << 20;
/// No more than this is held back, so that what is held and what follows fit into Envoy's buffers
/// (64 KiB), whatever the part: a longer one passes, and the beginning of a value at its end with it.
const MAX_HELD_BYTES: usize = 32 << 10;
/// What a body may cost, and each byte of it above that, in steps: more than any that does not bring
/// the beginning of a long value byte by byte, again and again.
const STEPS: u64 = 4 << 20;
const STEPS_PER_BYTE: u64 = 64;

/// A body that passes as it comes, but for what is found.
#[derive(Debug, Default)]
pub(crate) struct Watch {
    /// Passed, or held back.
    seen: u64,
    spent: u64,
    held: Held,
}

/// What is held back of it.
#[derive(Debug, Default)]
struct Held {
    bytes: usize,
    /// Where the beginning of a value may be.
    open_from: usize,
    found: Vec<Range<usize>>,
}

/// What is to be done with all that is at hand: what was held back, and what came.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Looked {
    /// It passes as it is.
    Clean,
    /// It passes as it was made.
    Masked,
    /// It is held back.
    Open,
    /// It takes too much work.
    TooMuch,
}

impl Watch {
    /// How much is held back.
    pub(crate) fn held_bytes(&self) -> usize {
        self.held.bytes
    }

    /// Whether the rest passes without being looked at.
    pub(crate) fn is_over(&self) -> bool {
        self.held.bytes == 0 && self.seen >= MAX_BYTES
    }

    /// Looks at what is at hand. The turn is the shorter for it.
    pub(crate) fn look(
        &mut self,
        guard: &Guard,
        (at_hand, is_end): (&mut [u8], bool),
        turn: &mut Turn,
    ) -> Looked {
        let new = at_hand.len().saturating_sub(self.held.bytes);
        self.seen = self.seen.saturating_add(number(new));
        let is_end = is_end || self.seen >= MAX_BYTES || at_hand.len() > MAX_HELD_BYTES;
        let Held {
            open_from,
            mut found,
            ..
        } = std::mem::take(&mut self.held);
        // Not put off to a turn: it takes about as long as it takes Envoy to pass the bytes on.
        let searched = guard.search((at_hand, open_from), is_end, &mut found);
        // What is held is copied to be looked at again.
        let steps = number(searched.steps.saturating_add(at_hand.len()));
        turn.spend(steps);
        self.spent = self.spent.saturating_add(steps);
        if self.spent > STEPS.saturating_add(self.seen.saturating_mul(STEPS_PER_BYTE)) {
            return Looked::TooMuch;
        }
        if let Some(open_from) = searched.open_from {
            self.held = Held {
                bytes: at_hand.len(),
                open_from,
                found,
            };
            return Looked::Open;
        }
        if found.is_empty() {
            return Looked::Clean;
        }
        for place in found {
            mask(at_hand, place);
        }
        Looked::Masked
    }
}

/// What was made of a body, and grows at its end until it is taken from its front.
#[derive(Debug, Default)]
pub(crate) struct InPlace {
    /// So much may pass, and as much after that not yet.
    clean: usize,
    open: usize,
    /// So much is masked, however it goes on.
    masked: usize,
    has_found: bool,
}

impl InPlace {
    /// Looks at what is new. Answers what that took, in steps.
    pub(crate) fn look(&mut self, guard: &Guard, (made, is_end): (&mut [u8], bool)) -> usize {
        let mut found = Vec::new();
        let searched = guard.search((made, self.clean), is_end, &mut found);
        let clean = searched.open_from.unwrap_or(made.len());
        self.has_found |= !found.is_empty();
        found.push(self.clean..self.masked);
        for place in &found {
            if place.start < clean {
                self.masked = self.masked.max(place.end);
                mask(made, place.start..place.end.min(clean));
            }
        }
        self.clean = clean;
        self.open = made.len().saturating_sub(clean);
        searched.steps
    }

    /// How much may pass.
    pub(crate) fn clean_bytes(&self) -> usize {
        self.clean
    }

    /// How much that was looked at may not, yet.
    pub(crate) fn open_bytes(&self) -> usize {
        self.open
    }

    /// Takes off what may not pass yet.
    pub(crate) fn keep(&mut self, made: &mut Vec<u8>) -> Vec<u8> {
        self.masked = self.masked.saturating_sub(self.clean);
        match std::mem::take(&mut self.clean) {
            // Else there would be room for as much once more.
            0 => std::mem::take(made),
            clean => made.split_off(clean.min(made.len())),
        }
    }

    /// Whether anything was found.
    pub(crate) fn has_found(&self) -> bool {
        self.has_found
    }
}

fn number(bytes: usize) -> u64 {
    u64::try_from(bytes).unwrap_or(u64::MAX)
}
