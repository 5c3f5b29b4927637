//! A response's body on its way to the caller: measured, decoded, read by meters, redacted.
//!
//! Meters read what the target sent, before redaction. What has been passed on is
//! never taken back, so whatever goes wrong later ends the response where it is.

mod due;
mod echo;
mod held;
mod redaction;
mod size;

use self::{due::Due, echo::EchoSearch};
pub(super) use self::{held::Held, redaction::Redaction, size::SizeWatch};
use super::{
    BodyUse, ResponseEdit,
    values::{Counting, Values},
};
use crate::{
    coding::{Coding, DecodeError, Decoder},
    denial::{Denial, Refusal},
    effort::{Account, Turn},
    memory::{self, TURN_BYTES},
    policy::Policy,
};

/// What to do with a chunk.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ChunkDecision {
    /// Pass it on as it is.
    Pass,
    /// Pass these bytes on in its place, and the head if it is still held, with these edits.
    Replace(Vec<u8>, Vec<ResponseEdit>),
    /// Take it out and go on holding the head.
    Wait,
    /// Hold it and what follows, and go on in another turn. What comes of it is about all that is
    /// held then.
    Later,
    /// Answer the caller in the target's place: the head is still held.
    Refuse(Refusal),
    /// End the response so that the caller sees that it is not whole.
    Cut,
}

/// What happens to the chunks of one response.
#[derive(Debug)]
pub(super) struct BodyPipe {
    size: SizeWatch,
    /// Takes codings off for those that read; none when nobody does.
    decoder: Option<Decoder>,
    values: Values,
    redaction: Option<Redaction>,
    /// Of what is made; none when nothing is to be found.
    echo: Option<EchoSearch>,
    /// What the head says in warning so far.
    warnings: Vec<String>,
    is_head_held: bool,
    is_empty: bool,
    /// Nothing more comes of the redaction.
    is_made: bool,
    /// Why the response was cut.
    cut_by: Option<Denial>,
    account: Account,
    due: Due,
}

impl BodyPipe {
    /// For a response that nobody looks into.
    pub(super) fn watching(size: SizeWatch, values: Values) -> Self {
        Self {
            due: Due::of(values.holder),
            size,
            decoder: None,
            values,
            redaction: None,
            echo: None,
            warnings: Vec::new(),
            is_head_held: false,
            is_empty: true,
            is_made: false,
            cut_by: None,
            account: Account::new(),
        }
    }

    /// For a response whose body is read in the given coding.
    pub(super) fn reading(
        size: SizeWatch,
        coding: &Coding,
        values: Values,
        redaction: Option<Redaction>,
    ) -> Self {
        let decoder = Decoder::new(coding, size.max_bytes.unwrap_or(u64::MAX));
        Self {
            // What is only read passes whatever it decodes to; memory does not grow with it.
            decoder: Some(decoder.of(Some(values.holder))),
            is_head_held: redaction.is_some(),
            redaction,
            ..Self::watching(size, values)
        }
    }

    /// Says what the head warns of, so that a later warning does not take its place.
    #[must_use]
    pub(super) fn with_warnings(mut self, warnings: Vec<String>) -> Self {
        self.warnings = warnings;
        self
    }

    /// Whether a meter's value is known to be missing.
    pub(super) fn is_value_missing(&self) -> bool {
        self.values.is_any_missing()
    }

    pub(super) fn body_use(&self) -> BodyUse {
        if self.redaction.is_some() {
            BodyUse::Rewrite
        } else if self.values.reads_body() {
            BodyUse::Bytes
        } else if self.size.max_bytes.is_some() {
            BodyUse::Size
        } else {
            BodyUse::Unused
        }
    }

    pub(super) fn on_size(&mut self, bytes: usize) -> ChunkDecision {
        if self.size.takes(bytes) {
            ChunkDecision::Pass
        } else {
            self.cut_by = Some(Denial::ResponseTooLarge);
            ChunkDecision::Cut
        }
    }

    pub(super) fn cut_by(&self) -> Option<Denial> {
        self.cut_by
    }

    /// More of the body has come.
    pub(super) fn on_chunk(
        &mut self,
        (chunk, is_end): (&[u8], bool),
        turn: &mut Turn,
    ) -> ChunkDecision {
        self.is_empty &= chunk.is_empty();
        // By what is sent, and not by what that decodes to: a bomb earns nothing.
        self.account.earn(chunk.len());
        self.due.is_end |= is_end;
        // Of what is redacted the decoded bytes are measured, when they are taken in.
        if self.redaction.is_none() && self.on_size(chunk.len()) == ChunkDecision::Cut {
            return self.fail(Denial::ResponseTooLarge);
        }
        if memory::ask(TURN_BYTES).is_err() {
            return self.give_up();
        }
        // Bytes that came before are not worked on yet.
        let done = if self.due.is_waiting {
            self.due.keep(chunk).map(|()| false)
        } else {
            self.work_on_chunk(chunk, turn)
        };
        self.decide(done)
    }

    /// Goes on with what waits, as far as this turn goes.
    pub(super) fn on_turn(&mut self, turn: &mut Turn) -> ChunkDecision {
        if memory::ask(TURN_BYTES).is_err() {
            return self.give_up();
        }
        let done = self.work_on_due(turn);
        self.decide(done)
    }

    /// There is no memory to work with: what has to be changed ends, and what is only read passes.
    fn give_up(&mut self) -> ChunkDecision {
        if self.redaction.is_some() {
            return self.fail(Denial::Overloaded);
        }
        self.values.fail();
        self.decoder = None;
        self.due.forget_input();
        self.pass_on()
    }

    fn decide(&mut self, done: Result<bool, Denial>) -> ChunkDecision {
        match done {
            Ok(true) => self.pass_on(),
            Ok(false) => {
                self.due.is_waiting = true;
                ChunkDecision::Later
            }
            Err(denial) => self.fail(denial),
        }
    }

    /// Whether nothing more of the body comes.
    pub(super) fn is_end(&self) -> bool {
        self.due.is_end
    }

    /// Counts what is known of the values of meters, once.
    pub(super) fn settle(&mut self, policy: &Policy, counting: Counting<'_>) {
        let mut effort = self.account.open();
        self.values.settle(policy, counting, &mut effort);
    }

    fn work_on_chunk(&mut self, chunk: &[u8], turn: &mut Turn) -> Result<bool, Denial> {
        let mut rest = chunk;
        let done = self.work(&mut rest, turn)?;
        if !done {
            self.due.keep(rest)?;
        }
        Ok(done)
    }

    fn work_on_due(&mut self, turn: &mut Turn) -> Result<bool, Denial> {
        let decoded = std::mem::take(&mut self.due.decoded);
        let mut piece = decoded.rest();
        self.take_in(&mut piece, turn)?;
        let taken = decoded.rest().len().saturating_sub(piece.len());
        self.due.decoded = decoded.without(taken);
        if !self.due.decoded.is_empty() {
            return Ok(false);
        }
        let input = std::mem::take(&mut self.due.input);
        let mut rest = input.rest();
        let done = self.work(&mut rest, turn);
        let taken = input.rest().len().saturating_sub(rest.len());
        self.due.input = input.without(taken);
        done
    }

    /// Works on what is encoded, and at the end of the body on that. Says whether all is done.
    fn work(&mut self, rest: &mut &[u8], turn: &mut Turn) -> Result<bool, Denial> {
        // Taken out, because what it decodes borrows of it while `self` works on that.
        while let Some(mut decoder) = self.decoder.take() {
            if turn.is_over() {
                self.decoder = Some(decoder);
                return Ok(false);
            }
            let mut effort = self.account.open();
            let decoded = decoder.decode_within(rest, &mut effort);
            self.account.close(&effort, turn);
            let taken_in = match decoded {
                Ok(Some(mut piece)) => {
                    let taken_in = self.take_in(&mut piece, turn);
                    taken_in.and_then(|()| self.due.decoded.extend(piece))
                }
                Ok(None) => {
                    self.decoder = Some(decoder);
                    break;
                }
                Err(error) => self.cannot_decode(error),
            };
            taken_in?;
            // Meters that need no more of it need no decoder either.
            if self.redaction.is_some() || self.values.reads_body() {
                self.decoder = Some(decoder);
            } else {
                self.values.fail();
            }
            if !self.due.decoded.is_empty() {
                return Ok(false);
            }
        }
        if self.due.is_end {
            self.end(turn)
        } else {
            Ok(true)
        }
    }

    fn cannot_decode(&mut self, error: DecodeError) -> Result<(), Denial> {
        self.values.fail();
        match self.redaction {
            Some(_) => Err(redaction::denial_of(error)),
            None => Ok(()),
        }
    }

    /// Works on what is decoded, in portions that do not outlast the turn by much.
    fn take_in(&mut self, piece: &mut &[u8], turn: &mut Turn) -> Result<(), Denial> {
        while !piece.is_empty() && !turn.is_over() {
            let (now, later) = self.due.next_portion(piece);
            if self.redaction.is_some() && !self.size.takes(now.len()) {
                return Err(Denial::ResponseTooLarge);
            }
            if self.redaction.is_some() {
                self.due.make_room(now.len())?;
            }
            let (values, redaction) = (&mut self.values, &mut self.redaction);
            let (out, echo) = (&mut self.due.out, &mut self.echo);
            let (done, cost) = self.account.pay(turn, |effort| {
                // Before it is redacted: a meter counts what the target sent.
                values.read(now, effort);
                let Some(redaction) = redaction else {
                    return Ok(());
                };
                let done = redaction.push(now, out, effort);
                let done = done.and_then(|()| echo::look(echo, out, effort));
                done.map_err(|denial| too_much_or(denial, effort.is_exhausted()))
            });
            done?;
            self.due.was_portion(now.len(), cost)?;
            *piece = later;
        }
        Ok(())
    }

    /// The body's end. Says whether all is done.
    fn end(&mut self, turn: &mut Turn) -> Result<bool, Denial> {
        // An empty body passes whatever its type is.
        if self.is_empty && self.redaction.is_some() {
            return Ok(true);
        }
        if let Some(decoder) = self.decoder.take() {
            if self.redaction.is_some() {
                decoder.finish().map_err(redaction::denial_of)?;
            }
            let values = &mut self.values;
            self.account.pay(turn, |effort| values.read_end(effort));
            if turn.is_over() {
                return Ok(false);
            }
        }
        if let Some(redaction) = &mut self.redaction
            && !self.is_made
        {
            self.is_made = redaction.finish(&mut self.due.out, &mut self.account, turn)?;
            if !self.is_made {
                return Ok(false);
            }
        }
        match &mut self.echo {
            Some(echo) => Ok(echo.finish(&mut self.due.out, turn)),
            None => Ok(true),
        }
    }

    /// All that came is worked on.
    fn pass_on(&mut self) -> ChunkDecision {
        let (out, is_end) = self.due.pass_on(self.echo.as_mut());
        if self.redaction.is_none() {
            return ChunkDecision::Pass;
        }
        // As long as the head is held a refusal can take its place.
        if out.is_empty() && !is_end && self.is_head_held {
            return ChunkDecision::Wait;
        }
        let edits = self.late_warnings(is_end);
        self.is_head_held = false;
        ChunkDecision::Replace(out, edits)
    }

    /// A clean answer while that is possible, else the end.
    fn fail(&mut self, denial: Denial) -> ChunkDecision {
        self.due = Due::of(self.values.holder);
        if self.is_head_held {
            ChunkDecision::Refuse(denial.into())
        } else {
            self.cut_by = Some(denial);
            ChunkDecision::Cut
        }
    }

    /// Says in the head, if it is still held, that something was masked, and at the end of the body
    /// that a value is missing.
    fn late_warnings(&mut self, is_end: bool) -> Vec<ResponseEdit> {
        if !self.is_head_held {
            return Vec::new();
        }
        let is_missing = is_end && self.values.is_any_missing();
        let has_found = self.echo.as_ref().is_some_and(EchoSearch::has_found);
        let late = [
            (super::values::MISSING, is_missing),
            (super::ECHO_WARNING, has_found),
        ];
        let mut warnings = std::mem::take(&mut self.warnings);
        let before = warnings.len();
        for (warning, _) in late.into_iter().filter(|(_, is_so)| *is_so) {
            if !warnings.iter().any(|said| said == warning) {
                warnings.push(warning.to_owned());
            }
        }
        let is_more = warnings.len() > before;
        Vec::from_iter(is_more.then(|| ResponseEdit::warning(&warnings)))
    }
}

/// Who runs out of effort has sent too much.
fn too_much_or(denial: Denial, is_exhausted: bool) -> Denial {
    if is_exhausted {
        Denial::ResponseTooLarge
    } else {
        denial
    }
}
