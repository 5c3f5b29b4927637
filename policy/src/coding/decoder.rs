//! Decodes a body piece by piece, through one stage for each of its codings.

use std::fmt;

use crate::{
    effort::{DECODING, Effort, Exhausted},
    holding::{Pool, Share},
    memory::NoMemory,
    shares::Holder,
};

use super::{
    Coding, DecodeError, Format,
    brotli::Brotli,
    deflate::Deflate,
    gzip::Gzip,
    stage::{Stage, Step, count},
    zstd::Zstd,
};

/// The longest piece that is handed out.
const PIECE_BYTES: usize = 64 * 1024;
/// What may be decoded however little came.
const FREE_BYTES: u64 = 16 * 1024 * 1024;
/// What may be decoded for each byte that came, above that. Honest bodies stay under 100.
const MAX_RATIO: u64 = 250;

/// Decodes one body. Feed it the body's chunks in order, and `finish` it at the end.
pub struct Decoder {
    /// The outermost coding, which was applied last, first.
    layers: Vec<Layer>,
    max_decoded_bytes: u64,
    /// What has come.
    body_bytes: u64,
    /// What failed once stays so.
    failed: Option<DecodeError>,
    /// What it takes; none: nobody counts that.
    room: Option<Share>,
}

struct Layer {
    stage: Box<dyn Stage>,
    output: Box<[u8]>,
    /// Up to here, `output` is filled.
    filled: usize,
    /// Up to here, the next layer has taken it.
    taken: usize,
    given_bytes: u64,
}

impl Decoder {
    /// A decoder for a body with these codings.
    ///
    /// No coding may decode to more than `max_decoded_bytes`, and neither to more than 16 MiB and
    /// 250 times the body: without a size limit, a chunk must still come to an end.
    pub fn new(coding: &Coding, max_decoded_bytes: u64) -> Self {
        Self {
            layers: coding.0.iter().rev().copied().map(Layer::new).collect(),
            max_decoded_bytes,
            body_bytes: 0,
            failed: None,
            room: None,
        }
    }

    /// Has the memory that it takes counted as the holder's.
    #[must_use]
    pub(crate) fn of(mut self, holder: Option<Holder>) -> Self {
        self.room = holder.map(|holder| Share::new(Pool::Responses, holder));
        self
    }

    /// Decodes the next piece, of at most 64 KiB, and takes what it was made of from the front of
    /// `input`. Call it until it answers `None`: then all of `input` is taken.
    pub fn decode<'d, 'i: 'd>(
        &'d mut self,
        input: &mut &'i [u8],
    ) -> Result<Option<&'d [u8]>, DecodeError> {
        self.decode_within(input, &mut Effort::unbounded())
    }

    /// As [`Decoder::decode`], as far as the effort goes: what comes out of a coding may be little
    /// when much came out of the one around it.
    pub fn decode_within<'d, 'i: 'd>(
        &'d mut self,
        input: &mut &'i [u8],
        effort: &mut Effort,
    ) -> Result<Option<&'d [u8]>, DecodeError> {
        if let Some(error) = self.failed {
            return Err(error);
        }
        let max = self.max_bytes(input);
        let before = input.len();
        let filled = fill(&mut self.layers, input, (max, effort));
        if let Err(error) = filled.and_then(|()| self.count_memory()) {
            self.failed = Some(error);
            // Nothing of it is needed any more.
            self.layers.clear();
            self.room = None;
            return Err(error);
        }
        let taken = before.saturating_sub(input.len());
        self.body_bytes = self.body_bytes.saturating_add(count(taken));
        let piece = match self.layers.last_mut() {
            Some(layer) => layer.take(),
            None => take_piece(input),
        };
        Ok((!piece.is_empty()).then_some(piece))
    }

    /// Ends the body. Nothing is left to hand out.
    ///
    /// A body without a byte is an empty body, whatever its coding.
    pub fn finish(&self) -> Result<(), DecodeError> {
        if let Some(error) = self.failed {
            return Err(error);
        }
        if self.layers.iter().all(Layer::is_complete) {
            Ok(())
        } else {
            Err(DecodeError::Truncated)
        }
    }

    fn count_memory(&mut self) -> Result<(), DecodeError> {
        let Some(room) = &mut self.room else {
            return Ok(());
        };
        let bytes = self.layers.iter().map(Layer::memory_bytes).sum();
        Ok(room.set(bytes).map_err(|_| NoMemory)?)
    }

    /// How much any coding may have given when `input` is taken.
    fn max_bytes(&self, input: &[u8]) -> u64 {
        let come = self.body_bytes.saturating_add(count(input.len()));
        let max = come.saturating_mul(MAX_RATIO).saturating_add(FREE_BYTES);
        max.min(self.max_decoded_bytes)
    }
}

/// Fills the last layer's output, of which everything was taken. It stays empty when all of the
/// input is needed to get that far.
fn fill(
    layers: &mut [Layer],
    input: &mut &[u8],
    (max, effort): (u64, &mut Effort),
) -> Result<(), DecodeError> {
    let Some((last, before)) = layers.split_last_mut() else {
        return Ok(());
    };
    loop {
        let source = before.last().map_or(*input, Layer::pending);
        let taken = last.run(source, (max, effort))?;
        match before.last_mut() {
            Some(previous) => previous.taken += taken,
            None => *input = input.get(taken..).unwrap_or_default(),
        }
        if last.filled > 0 || before.is_empty() {
            return Ok(());
        }
        fill(before, input, (max, effort))?;
        if before.last().is_none_or(|it| it.pending().is_empty()) {
            return Ok(());
        }
    }
}

fn take_piece<'i>(input: &mut &'i [u8]) -> &'i [u8] {
    let (piece, rest) = input.split_at_checked(PIECE_BYTES).unwrap_or((*input, &[]));
    *input = rest;
    piece
}

impl Layer {
    fn new(format: Format) -> Self {
        let stage: Box<dyn Stage> = match format {
            Format::Gzip => Box::new(Gzip::new()),
            Format::Deflate => Box::new(Deflate::new()),
            Format::Brotli => Box::new(Brotli::new()),
            Format::Zstd => Box::new(Zstd::new()),
        };
        Self {
            stage,
            output: vec![0; PIECE_BYTES].into_boxed_slice(),
            filled: 0,
            taken: 0,
            given_bytes: 0,
        }
    }

    /// Fills the output anew, and answers how much of the input that took.
    fn run(
        &mut self,
        input: &[u8],
        (max, effort): (u64, &mut Effort),
    ) -> Result<usize, DecodeError> {
        (self.filled, self.taken) = (0, 0);
        let mut done = 0;
        loop {
            let rest = input.get(done..).unwrap_or_default();
            let room = self.output.get_mut(self.filled..).unwrap_or_default();
            if room.is_empty() {
                break;
            }
            let Step { taken, given } = self.stage.step(rest, room)?;
            let work = DECODING.saturating_add(taken).saturating_add(given);
            effort
                .spend(work)
                .map_err(|Exhausted| DecodeError::TooLarge)?;
            done += taken;
            self.filled += given;
            if taken == 0 && given == 0 {
                // Input that a stage does not want is no part of the body.
                if !rest.is_empty() {
                    return Err(DecodeError::Corrupt);
                }
                break;
            }
        }
        self.given_bytes = self.given_bytes.saturating_add(count(self.filled));
        if self.given_bytes > max {
            return Err(DecodeError::TooLarge);
        }
        Ok(done)
    }

    /// What the next layer has not taken yet.
    fn pending(&self) -> &[u8] {
        self.output.get(self.taken..self.filled).unwrap_or_default()
    }

    fn take(&mut self) -> &[u8] {
        let start = std::mem::replace(&mut self.taken, self.filled);
        self.output.get(start..self.filled).unwrap_or_default()
    }

    fn is_complete(&self) -> bool {
        self.stage.is_complete() && self.pending().is_empty()
    }

    fn memory_bytes(&self) -> usize {
        self.output.len().saturating_add(self.stage.memory_bytes())
    }
}

impl fmt::Debug for Decoder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Decoder")
            .field("layers", &self.layers.len())
            .field("failed", &self.failed)
            .finish_non_exhaustive()
    }
}
