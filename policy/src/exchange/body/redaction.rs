//! One response's redaction, by the kind of its content.

use super::held::{Held, Share};
use crate::{
    coding::DecodeError,
    denial::Denial,
    effort::{Effort, Exhausted},
    json::InvalidJson,
    media::MediaKind,
    records::{Framer, RecordError, framing_steps},
    redact::{Documents, Mode, Redactor, Stage},
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
    /// A stream of JSON texts, one at a time.
    Records(Documents, Framer, Share),
    /// Nothing that can be redacted: only an empty body passes.
    Impossible,
}

impl Redaction {
    /// For content of that kind. Records longer than `max_bytes` end their stream.
    pub(in crate::exchange) fn new(stages: &[Stage], kind: MediaKind, max_bytes: u64) -> Self {
        let max_record = usize::try_from(max_bytes.min(MAX_RECORD_BYTES)).unwrap_or(usize::MAX);
        let documents = || Documents::new(stages);
        let records = |framer| Self::Records(documents(), framer, Share::default());
        match (kind, Mode::of(stages)) {
            (MediaKind::Json, Mode::Stream) => Self::Stream(Redactor::new(stages)),
            (MediaKind::Json, Mode::Hold) => Self::Hold(documents(), Held::default()),
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
                let rewrite = &mut |record: &[u8], out: &mut Vec<u8>| {
                    documents.redact(record, out, effort).map_err(Failure::from)
                };
                framer.push(piece, rewrite, out)?;
                share.set(framer.held_bytes())?;
            }
            Self::Impossible => return Err(Denial::ResponseNotFilterable),
        }
        Ok(())
    }

    pub(super) fn finish(&mut self, out: &mut Vec<u8>, effort: &mut Effort) -> Result<(), Denial> {
        match self {
            Self::Stream(redactor) => redactor.finish().map_err(Failure::from)?,
            Self::Hold(documents, held) => {
                let body = std::mem::take(held);
                documents
                    .redact(&body.bytes, out, effort)
                    .map_err(Failure::from)?;
            }
            Self::Records(documents, framer, _) => {
                let rewrite = &mut |record: &[u8], out: &mut Vec<u8>| {
                    documents.redact(record, out, effort).map_err(Failure::from)
                };
                framer.finish(rewrite, out)?;
            }
            Self::Impossible => {}
        }
        Ok(())
    }
}

/// The content is not what it has to be, or there is too much of it: then no effort is left.
struct Failure;

impl From<InvalidJson> for Failure {
    fn from(_: InvalidJson) -> Self {
        Self
    }
}

impl From<Exhausted> for Failure {
    fn from(Exhausted: Exhausted) -> Self {
        Self
    }
}

impl From<RecordError> for Failure {
    fn from(_: RecordError) -> Self {
        Self
    }
}

impl From<Failure> for Denial {
    fn from(Failure: Failure) -> Self {
        Self::ResponseNotFilterable
    }
}

/// What decoding went wrong on means to the caller.
pub(super) fn denial_of(error: DecodeError) -> Denial {
    match error {
        DecodeError::TooLarge => Denial::ResponseTooLarge,
        DecodeError::UnknownCoding(_) | DecodeError::Corrupt | DecodeError::Truncated => {
            Denial::ResponseNotFilterable
        }
    }
}
