//! One response's redaction, by the kind of its content.

use super::held::Held;
use crate::{
    coding::DecodeError,
    denial::Denial,
    json::InvalidJson,
    media::MediaKind,
    records::{Framer, RecordError},
    redact::{Mode, Redactor, Stage, redact_held},
};

/// A record is held whole, so it has a bound of its own.
const MAX_RECORD_BYTES: u64 = 8 << 20;

/// What takes the redacted parts out.
#[derive(Debug)]
pub(in crate::exchange) enum Redaction {
    /// One JSON text, as it comes.
    Stream(Redactor),
    /// One JSON text, whole: a path cannot be decided earlier.
    Hold(Vec<Stage>, Held),
    /// A stream of JSON texts, one at a time.
    Records(Vec<Stage>, Framer),
    /// Nothing that can be redacted: only an empty body passes.
    Impossible,
}

impl Redaction {
    /// For content of that kind. Records longer than `max_bytes` end their stream.
    pub(in crate::exchange) fn new(stages: Vec<Stage>, kind: MediaKind, max_bytes: u64) -> Self {
        let max_record = usize::try_from(max_bytes.min(MAX_RECORD_BYTES)).unwrap_or(usize::MAX);
        match (kind, Mode::of(&stages)) {
            (MediaKind::Json, Mode::Stream) => Self::Stream(Redactor::new(&stages)),
            (MediaKind::Json, Mode::Hold) => Self::Hold(stages, Held::default()),
            (MediaKind::EventStream, _) => Self::Records(stages, Framer::sse(max_record)),
            (MediaKind::Ndjson, _) => Self::Records(stages, Framer::ndjson(max_record)),
            (MediaKind::Other | MediaKind::Missing, _) => Self::Impossible,
        }
    }

    pub(super) fn push(&mut self, piece: &[u8], out: &mut Vec<u8>) -> Result<(), Denial> {
        match self {
            Self::Stream(redactor) => redactor.push(piece, out).map_err(Failure::from)?,
            Self::Hold(_, held) => held.extend(piece)?,
            Self::Records(stages, framer) => {
                framer.push(piece, &mut |record, out| rewrite(stages, record, out), out)?;
            }
            Self::Impossible => return Err(Denial::ResponseNotFilterable),
        }
        Ok(())
    }

    pub(super) fn finish(&mut self, out: &mut Vec<u8>) -> Result<(), Denial> {
        match self {
            Self::Stream(redactor) => redactor.finish().map_err(Failure::from)?,
            Self::Hold(stages, held) => {
                let body = std::mem::take(held);
                out.extend(redact_held(stages, &body.bytes).map_err(Failure::from)?);
            }
            Self::Records(stages, framer) => {
                framer.finish(&mut |record, out| rewrite(stages, record, out), out)?;
            }
            Self::Impossible => {}
        }
        Ok(())
    }
}

fn rewrite(stages: &[Stage], record: &[u8], out: &mut Vec<u8>) -> Result<(), Failure> {
    match Mode::of(stages) {
        Mode::Stream => {
            let mut redactor = Redactor::new(stages);
            redactor.push(record, out)?;
            redactor.finish()?;
        }
        Mode::Hold => out.extend(redact_held(stages, record)?),
    }
    Ok(())
}

/// The content is not what it has to be.
struct Failure;

impl From<InvalidJson> for Failure {
    fn from(_: InvalidJson) -> Self {
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
