//! A response's body on its way to the caller: measured, decoded, read by meters, redacted.
//!
//! Meters read what the target sent, before redaction (details 51). What has been passed on is
//! never taken back, so whatever goes wrong later ends the response where it is.

mod held;
mod redaction;

pub(super) use self::{
    held::{Held, Share},
    redaction::Redaction,
};
use super::{BodyUse, ResponseEdit, values::Values};
use crate::{
    coding::{Coding, Decoder},
    denial::{Denial, Refusal},
    effort::{Account, Effort},
    policy::Policy,
};

use super::ports::Ports;

/// What to do with a chunk.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ChunkDecision {
    /// Pass it on as it is.
    Pass,
    /// Pass these bytes on in its place, and the head if it is still held, with these edits.
    Replace(Vec<u8>, Vec<ResponseEdit>),
    /// Take it out and go on holding the head.
    Wait,
    /// Answer the caller in the target's place: the head is still held.
    Refuse(Refusal),
    /// End the response so that the caller sees that it is not whole.
    Cut,
}

/// What one chunk may decode to, because all of it is kept before any passes. Codings that nobody
/// looks behind are paid for by effort alone.
const MAX_CHUNK_BYTES: usize = 8 << 20;

/// What happens to the chunks of one response.
#[derive(Debug)]
pub(super) struct BodyPipe {
    size: SizeWatch,
    /// Takes codings off for those that read; none when nobody does.
    decoder: Option<Decoder>,
    values: Values,
    redaction: Option<Redaction>,
    /// What the head says in warning so far.
    warnings: Vec<String>,
    is_head_held: bool,
    is_empty: bool,
    account: Account,
}

/// Ceiling on the length of a body, if it has one.
#[derive(Debug)]
pub(super) struct SizeWatch {
    pub(super) seen_bytes: u64,
    pub(super) max_bytes: Option<u64>,
}

impl SizeWatch {
    pub(super) fn new(max_bytes: Option<u64>) -> Self {
        Self {
            seen_bytes: 0,
            max_bytes,
        }
    }

    fn takes(&mut self, bytes: usize) -> bool {
        let bytes = u64::try_from(bytes).unwrap_or(u64::MAX);
        self.seen_bytes = self.seen_bytes.saturating_add(bytes);
        self.max_bytes.is_none_or(|max| self.seen_bytes <= max)
    }
}

impl BodyPipe {
    /// For a response that nobody looks into.
    pub(super) fn watching(size: SizeWatch, values: Values) -> Self {
        Self {
            size,
            decoder: None,
            values,
            redaction: None,
            warnings: Vec::new(),
            is_head_held: false,
            is_empty: true,
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
        Self {
            // What is only read passes whatever it decodes to; memory does not grow with it.
            decoder: Some(Decoder::new(coding, size.max_bytes.unwrap_or(u64::MAX))),
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
            ChunkDecision::Cut
        }
    }

    pub(super) fn on_chunk(&mut self, chunk: &[u8], is_end: bool) -> ChunkDecision {
        let mut effort = self.account.open(chunk.len());
        let decision = self.chunk((chunk, is_end), &mut effort);
        self.account.close(&effort);
        decision
    }

    fn chunk(&mut self, (chunk, is_end): (&[u8], bool), effort: &mut Effort) -> ChunkDecision {
        self.is_empty &= chunk.is_empty();
        match self.redaction.take() {
            Some(mut redaction) => {
                let decision = self.redact(&mut redaction, (chunk, is_end), effort);
                self.redaction = Some(redaction);
                decision
            }
            None => self.read((chunk, is_end), effort),
        }
    }

    /// Counts what is known of the values of meters, once.
    pub(super) fn settle(&mut self, policy: &Policy, ports: &dyn Ports) {
        self.values.settle(policy, ports);
    }

    /// Passes the chunk on and lets meters read it. What they cannot read changes nothing for the
    /// caller, and neither does what would be too much work.
    fn read(&mut self, (chunk, is_end): (&[u8], bool), effort: &mut Effort) -> ChunkDecision {
        let decision = self.on_size(chunk.len());
        if let Some(decoder) = &mut self.decoder {
            let mut rest = chunk;
            let is_read = loop {
                match decoder.decode_within(&mut rest, effort) {
                    Ok(Some(piece)) => self.values.read(piece, effort),
                    Ok(None) => break true,
                    Err(_) => break false,
                }
                if !self.values.reads_body() {
                    break false;
                }
            };
            if !is_read {
                self.decoder = None;
                self.values.fail();
            }
        }
        if is_end && self.decoder.is_some() {
            self.values.read_end(effort);
        }
        decision
    }

    fn redact(
        &mut self,
        redaction: &mut Redaction,
        (chunk, is_end): (&[u8], bool),
        effort: &mut Effort,
    ) -> ChunkDecision {
        let mut out = Vec::new();
        let redacted = self.redact_into(redaction, (chunk, is_end), &mut out, effort);
        if let Err(denial) = redacted {
            return self.fail(if effort.is_exhausted() {
                Denial::ResponseTooLarge
            } else {
                denial
            });
        }
        if out.is_empty() && !is_end && self.is_head_held {
            return ChunkDecision::Wait;
        }
        let edits = self.late_warnings(is_end);
        self.is_head_held = false;
        ChunkDecision::Replace(out, edits)
    }

    fn redact_into(
        &mut self,
        redaction: &mut Redaction,
        (chunk, is_end): (&[u8], bool),
        out: &mut Vec<u8>,
        effort: &mut Effort,
    ) -> Result<(), Denial> {
        let not_filterable = Denial::ResponseNotFilterable;
        let decoder = self.decoder.as_mut().ok_or(not_filterable)?;
        let mut rest = chunk;
        let mut of_chunk = 0_usize;
        while let Some(piece) = decoder
            .decode_within(&mut rest, effort)
            .map_err(redaction::denial_of)?
        {
            of_chunk = of_chunk.saturating_add(piece.len());
            if !self.size.takes(piece.len()) || of_chunk > MAX_CHUNK_BYTES {
                return Err(Denial::ResponseTooLarge);
            }
            self.values.read(piece, effort);
            out.try_reserve(piece.len())
                .map_err(|_| Denial::GatewayFault)?;
            redaction.push(piece, out, effort)?;
        }
        // An empty body passes whatever its type is.
        if is_end && !self.is_empty {
            decoder.finish().map_err(redaction::denial_of)?;
            self.values.read_end(effort);
            redaction.finish(out, effort)?;
        }
        Ok(())
    }

    /// A clean answer while that is possible, else the end.
    fn fail(&mut self, denial: Denial) -> ChunkDecision {
        if self.is_head_held {
            ChunkDecision::Refuse(denial.into())
        } else {
            ChunkDecision::Cut
        }
    }

    /// Says in the head, if it is still held at the end of the body, that a value is missing.
    fn late_warnings(&mut self, is_end: bool) -> Vec<ResponseEdit> {
        if !(self.is_head_held && is_end && self.values.is_any_missing()) {
            return Vec::new();
        }
        let mut warnings = std::mem::take(&mut self.warnings);
        warnings.push(super::values::MISSING.to_owned());
        vec![ResponseEdit::warning(&warnings)]
    }
}
