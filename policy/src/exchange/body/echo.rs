//! The search of what was made of a body, before it passes.

use std::sync::Arc;

use super::BodyPipe;
use crate::{
    denial::Denial,
    echo::{Guard, InPlace},
    effort::{Effort, Turn},
};

/// What is searched before a turn may end.
const PORTION_BYTES: usize = 64 << 10;

/// One response's.
#[derive(Debug)]
pub(super) struct EchoSearch {
    guard: Arc<Guard>,
    in_place: InPlace,
}

impl BodyPipe {
    /// Has what is made of the body searched.
    #[must_use]
    pub(in crate::exchange) fn guarded_by(mut self, guard: &Arc<Guard>) -> Self {
        self.echo = self.rewrites().then(|| EchoSearch::of(guard));
        self
    }

    /// What the head warns of.
    pub(in crate::exchange) fn warnings(&self) -> &[String] {
        &self.warnings
    }

    /// The head warns of that, too.
    pub(in crate::exchange) fn warn(&mut self, warning: &str) {
        self.warnings.push(warning.to_owned());
    }

    /// Whether it changes the body.
    pub(in crate::exchange) fn rewrites(&self) -> bool {
        self.redaction.is_some()
    }
}

/// Searches what is new.
pub(super) fn look(
    echo: &mut Option<EchoSearch>,
    made: &mut [u8],
    effort: &mut Effort,
) -> Result<(), Denial> {
    let Some(EchoSearch { guard, in_place }) = echo else {
        return Ok(());
    };
    let steps = in_place.look(guard, (made, false));
    effort.spend(steps).map_err(|_| Denial::ResponseTooLarge)
}

impl EchoSearch {
    pub(super) fn of(guard: &Arc<Guard>) -> Self {
        Self {
            guard: Arc::clone(guard),
            in_place: InPlace::default(),
        }
    }

    /// Nothing more is made. Says whether all is searched; if not, it is to be called again.
    pub(super) fn finish(&mut self, made: &mut [u8], turn: &mut Turn) -> bool {
        let Self { guard, in_place } = self;
        while in_place.clean_bytes() < made.len() {
            if turn.is_over() {
                return false;
            }
            // Longer than what may be left of the portion before it, so that it goes on.
            let portion = in_place.open_bytes().saturating_add(PORTION_BYTES);
            let portion = in_place.clean_bytes().saturating_add(portion);
            let is_end = portion >= made.len();
            let Some(portion) = made.get_mut(..portion.min(made.len())) else {
                return true;
            };
            let steps = in_place.look(guard, (portion, is_end));
            // A whole body took all of the account; its search is bounded by its length.
            turn.spend(u64::try_from(steps).unwrap_or(u64::MAX));
        }
        true
    }

    /// What of it stays for what comes.
    pub(super) fn keep(&mut self, made: &mut Vec<u8>) -> Vec<u8> {
        self.in_place.keep(made)
    }

    /// Whether anything was found.
    pub(super) fn has_found(&self) -> bool {
        self.in_place.has_found()
    }
}
