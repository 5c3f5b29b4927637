//! One response's redaction, by the kind of its content.

use super::{BodyPipe, held::Held, too_much_or};
use crate::{
    coding::DecodeError,
    denial::Denial,
    effort::{Account, Effort, Exhausted, InTurns, Turn},
    holding::{Pool, Share},
    json::{InvalidJson, Problem},
    media::MediaKind,
    memory::{self, NoMemory},
    records::{Framer, RecordError, framing_steps},
    redact::{Documents, Mode, Redactor, Stage},
    shares::Holder,
};

/// A record is held whole, so it has a bound of its own.
const MAX_RECORD_BYTES: u64 = 8 << 20;

/// What takes the redacted parts out.
#[derive(Debug)]
pub(in crate::exchange) enum Redaction {
    /// One JSON text, as it comes.
    Stream(Redactor),
    /// One JSON text, whole: a path cannot be decided earlier.
    Hold(Documents, Held),
    /// All of that has come.
    Whole(InTurns<Result<Redacted, Denial>>),
    /// It is redacted: how many nodes each stage removed.
    Made(Vec<u64>),
    /// A stream of JSON texts, one at a time.
    Records(Documents, Framer, Share),
    /// Nothing that can be redacted: only an empty body passes.
    Impossible,
}

/// What is left of a whole body, and how many nodes each stage removed.
type Redacted = (Vec<u8>, Vec<u64>);

impl Redaction {
    /// For content of that kind. Records longer than `max_bytes` end their stream.
    pub(in crate::exchange) fn new(
        (stages, holder): (&[Stage], Holder),
        kind: MediaKind,
        max_bytes: u64,
    ) -> Self {
        let max_record = usize::try_from(max_bytes.min(MAX_RECORD_BYTES)).unwrap_or(usize::MAX);
        let documents = || Documents::new(stages);
        let records = |framer| {
            let share = Share::new(Pool::Responses, holder);
            Self::Records(documents(), framer, share)
        };
        match (kind, Mode::of(stages)) {
            (MediaKind::Json, Mode::Stream) => Self::Stream(Redactor::new(stages)),
            (MediaKind::Json, Mode::Hold) => Self::Hold(documents(), Held::of(holder)),
            // A record is there whole, so that each path can be decided in it.
            (MediaKind::EventStream, _) => records(Framer::sse(max_record)),
            (MediaKind::Ndjson, _) => records(Framer::ndjson(max_record)),
            (MediaKind::Other | MediaKind::Missing, _) => Self::Impossible,
        }
    }

    pub(super) fn push(
        &mut self,
        piece: &[u8],
        out: &mut Vec<u8>,
        effort: &mut Effort,
    ) -> Result<(), Denial> {
        match self {
            Self::Stream(redactor) => redactor
                .push_within(piece, out, effort)
                .map_err(Failure::from)?,
            Self::Hold(_, held) => held.extend(piece)?,
            Self::Records(documents, framer, share) => {
                effort.spend(framing_steps(piece)).map_err(Failure::from)?;
                ask_for_records(framer, piece)?;
                let rewrite = &mut |record: &[u8], out: &mut Vec<u8>| {
                    documents.redact(record, out, effort).map_err(Failure::from)
                };
                framer.push(piece, rewrite, out)?;
                share.set(framer.held_bytes())?;
            }
            Self::Whole(_) | Self::Made(_) | Self::Impossible => {
                return Err(Denial::ResponseNotFilterable);
            }
        }
        Ok(())
    }

    /// The body is complete. Says whether all is done; if not, it is to be called again.
    pub(super) fn finish(
        &mut self,
        out: &mut Vec<u8>,
        account: &mut Account,
        turn: &mut Turn,
    ) -> Result<bool, Denial> {
        if matches!(self, Self::Hold(..))
            && let Self::Hold(documents, held) = std::mem::replace(self, Self::Impossible)
        {
            *self = Self::Whole(redacted(documents, held, account.take()));
        }
        let done = match self {
            Self::Whole(work) => match work.go_on(turn) {
                Some(made) => {
                    let (left, removed) = made?;
                    *out = left;
                    *self = Self::Made(removed);
                    Ok(())
                }
                None => return Ok(false),
            },
            Self::Stream(redactor) => redactor
                .finish()
                .map_err(Failure::from)
                .map_err(Denial::from),
            Self::Records(documents, framer, _) => {
                ask_for_records(framer, &[])?;
                let (done, _) = account.pay(turn, |effort| {
                    let rewrite = &mut |record: &[u8], out: &mut Vec<u8>| {
                        documents.redact(record, out, effort).map_err(Failure::from)
                    };
                    let done = framer.finish(rewrite, out).map_err(Denial::from);
                    done.map_err(|denial| too_much_or(denial, effort.is_exhausted()))
                });
                done
            }
            Self::Hold(..) | Self::Made(_) | Self::Impossible => Ok(()),
        };
        done.map(|()| true)
    }

    /// How many top-most nodes each stage removed so far, in order.
    pub(super) fn removed(&self) -> Vec<u64> {
        match self {
            Self::Stream(redactor) => redactor.removed().collect(),
            Self::Records(documents, ..) => documents.removed(),
            Self::Made(removed) => removed.clone(),
            Self::Hold(..) | Self::Whole(_) | Self::Impossible => Vec::new(),
        }
    }
}

impl BodyPipe {
    /// How many top-most nodes each stage removed so far, in order; empty when nothing is redacted.
    pub(in crate::exchange) fn removed(&self) -> Vec<u64> {
        let redaction = self.redaction.as_ref();
        redaction.map_or_else(Vec::new, Redaction::removed)
    }
}

/// Asks for what framing allocates.
fn ask_for_records(framer: &Framer, piece: &[u8]) -> Result<(), Denial> {
    let bytes = framer.held_bytes().saturating_add(piece.len());
    // It is copied, put together and written: each time as much as is held at most, into
    // something that grows.
    memory::ask(bytes.saturating_mul(8)).map_err(|NoMemory| Denial::Overloaded)
}

/// What is left of a whole body, in turns.
fn redacted(
    mut documents: Documents,
    body: Held,
    mut effort: Effort,
) -> InTurns<Result<Redacted, Denial>> {
    InTurns::new(async move {
        let mut out = Vec::new();
        let body = &body.bytes;
        let done = documents.redact_in_turns(body, &mut out, &mut effort).await;
        let is_exhausted = effort.is_exhausted();
        let denial = |invalid| too_much_or(Failure::from(invalid).into(), is_exhausted);
        let done = done.map(|()| (out, documents.removed()));
        (done.map_err(denial), effort.spent_in_turn())
    })
}

/// The content is not what it has to be, or there is too much of it: then no effort is left. Or there
/// is no memory for it.
struct Failure(Denial);

impl From<InvalidJson> for Failure {
    fn from(invalid: InvalidJson) -> Self {
        Self(if invalid.problem == Problem::NoMemory {
            Denial::Overloaded
        } else {
            Denial::ResponseNotFilterable
        })
    }
}

impl From<Exhausted> for Failure {
    fn from(Exhausted: Exhausted) -> Self {
        Self(Denial::ResponseNotFilterable)
    }
}

impl From<RecordError> for Failure {
    fn from(error: RecordError) -> Self {
        Self(match error {
            RecordError::NoMemory => Denial::Overloaded,
            RecordError::TooLarge
            | RecordError::NotText
            | RecordError::NotField
            | RecordError::Failed => Denial::ResponseNotFilterable,
        })
    }
}

impl From<Failure> for Denial {
    fn from(Failure(denial): Failure) -> Self {
        denial
    }
}

/// What decoding went wrong on means to the caller.
pub(super) fn denial_of(error: DecodeError) -> Denial {
    match error {
        DecodeError::TooLarge => Denial::ResponseTooLarge,
        DecodeError::NoMemory(NoMemory) => Denial::Overloaded,
        DecodeError::UnknownCoding(_) | DecodeError::Corrupt | DecodeError::Truncated => {
            Denial::ResponseNotFilterable
        }
    }
}
