//! `zstd` (RFC 8878): frames one after the other, with windows of at most 8 MiB (RFC 9659).
//!
//! The decoder takes whole blocks, so that is how they are cut from the input. It holds back up to
//! a window of what it decoded until a frame ends. It allocates without asking, so we ask before each
//! part.

use std::{fmt, io::Read as _};

use ruzstd::decoding::{BlockDecodingStrategy, FrameDecoder};

use super::{
    DecodeError,
    stage::{Stage, Step, count},
};
use crate::memory;

const MAX_WINDOW_BYTES: u64 = 8 * 1024 * 1024;
const MAGIC: u32 = 0xfd2f_b528;
const MAGIC_BYTES: usize = 4;
/// A skippable frame's magic number but for its lowest four bits.
const SKIPPABLE: u32 = 0x184d_2a50;
const SKIPPABLE_HEADER_BYTES: usize = 8;
const RESERVED: u8 = 1 << 3;
const HAS_CHECKSUM: u8 = 1 << 2;
const IS_SINGLE_SEGMENT: u8 = 1 << 5;
// RFC 8878 §3.1.1.2.4.
const MAX_BLOCK_BYTES: usize = 128 * 1024;
const BLOCK_HEADER_BYTES: usize = 3;
const CHECKSUM_BYTES: usize = 4;
/// What a decoder takes beside its window: two blocks that are not handed out, and one's literals,
/// sequences and tables.
const TABLES_BYTES: usize = 4 << 20;
/// What one part makes it allocate at most: a buffer twice the window, to which the old one moves.
const PART_ALLOCATES_BYTES: usize = 24 << 20;

pub(super) struct Zstd {
    decoder: FrameDecoder,
    part: Part,
    /// The beginning of the part, until all of it is there.
    held: Vec<u8>,
    /// What the current frame gave.
    given_bytes: u64,
    /// Of the largest window so far.
    window_bytes: usize,
}

/// What comes next in the input.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Part {
    FrameHeader,
    /// The rest of a skippable frame.
    Skipped(u32),
    Block {
        has_checksum: bool,
    },
    /// Nothing, until all that the frame's blocks decoded to is handed out.
    FrameEnd,
}

impl Part {
    fn skipped(left: u32) -> Self {
        match left {
            0 => Self::FrameHeader,
            left => Self::Skipped(left),
        }
    }
}

impl Zstd {
    pub(super) fn new() -> Self {
        let mut decoder = FrameDecoder::new();
        decoder.set_max_window_size(MAX_WINDOW_BYTES);
        Self {
            decoder,
            part: Part::FrameHeader,
            held: Vec::new(),
            given_bytes: 0,
            window_bytes: 0,
        }
    }

    /// Takes what is still missing of the part, and answers how much that was.
    fn hold(&mut self, input: &[u8]) -> Result<usize, DecodeError> {
        let mut taken = 0;
        loop {
            let missing = self.part_bytes()?.saturating_sub(self.held.len());
            let rest = input.get(taken..).unwrap_or_default();
            let next = rest.get(..missing).unwrap_or(rest);
            if next.is_empty() {
                return Ok(taken);
            }
            memory::extend(&mut self.held, next)?;
            taken += next.len();
        }
    }

    /// The length of the part, as far as it can be told from what is held of it.
    fn part_bytes(&self) -> Result<usize, DecodeError> {
        match self.part {
            Part::FrameHeader => frame_header_bytes(&self.held),
            Part::Block { has_checksum } => block_bytes(&self.held, has_checksum),
            Part::Skipped(_) | Part::FrameEnd => Ok(0),
        }
    }

    /// Decodes the part, all of which is held.
    fn complete(&mut self) -> Result<(), DecodeError> {
        memory::ask(PART_ALLOCATES_BYTES)?;
        match self.part {
            Part::FrameHeader => self.start_frame()?,
            Part::Block { .. } => {
                let one = BlockDecodingStrategy::UptoBlocks(1);
                let is_last = self.decoder.decode_blocks(&*self.held, one);
                if is_last.map_err(|_| DecodeError::Corrupt)? {
                    self.part = Part::FrameEnd;
                }
            }
            Part::Skipped(_) | Part::FrameEnd => {}
        }
        self.held.clear();
        Ok(())
    }

    fn start_frame(&mut self) -> Result<(), DecodeError> {
        if let Some(length) = self.held.get(MAGIC_BYTES..SKIPPABLE_HEADER_BYTES)
            && is_skippable(number(&self.held))
        {
            self.part = Part::skipped(number(length));
            return Ok(());
        }
        self.decoder
            .reset(&*self.held)
            .map_err(|_| DecodeError::Corrupt)?;
        let descriptor = self.held.get(MAGIC_BYTES).copied().unwrap_or_default();
        self.given_bytes = 0;
        self.window_bytes = self.window_bytes.max(window_bytes(&self.held));
        self.part = Part::Block {
            has_checksum: descriptor & HAS_CHECKSUM != 0,
        };
        Ok(())
    }

    fn end_frame(&mut self) -> Result<(), DecodeError> {
        let declared_bytes = self.decoder.content_size();
        // 0 stands for a frame that declares none.
        let is_whole = declared_bytes == 0 || declared_bytes == self.given_bytes;
        let checksum = self.decoder.get_checksum_from_data();
        let is_intact = checksum.is_none() || checksum == self.decoder.get_calculated_checksum();
        if !is_whole || !is_intact {
            return Err(DecodeError::Corrupt);
        }
        self.part = Part::FrameHeader;
        Ok(())
    }
}

impl Stage for Zstd {
    fn step(&mut self, input: &[u8], output: &mut [u8]) -> Result<Step, DecodeError> {
        let given = self
            .decoder
            .read(output)
            .map_err(|_| DecodeError::Corrupt)?;
        self.given_bytes = self.given_bytes.saturating_add(count(given));
        if given > 0 {
            return Ok(Step { taken: 0, given });
        }
        let taken = match self.part {
            Part::Skipped(left) => {
                let length = u32::try_from(input.len()).unwrap_or(u32::MAX).min(left);
                self.part = Part::skipped(left.saturating_sub(length));
                usize::try_from(length).unwrap_or(usize::MAX)
            }
            Part::FrameEnd => {
                self.end_frame()?;
                return self.step(input, output);
            }
            Part::FrameHeader | Part::Block { .. } => {
                let taken = self.hold(input)?;
                if self.held.len() == self.part_bytes()? {
                    self.complete()?;
                }
                taken
            }
        };
        Ok(Step { taken, given })
    }

    fn is_complete(&self) -> bool {
        self.part == Part::FrameHeader && self.held.is_empty()
    }

    fn memory_bytes(&self) -> usize {
        match self.window_bytes {
            0 => self.held.capacity(),
            // Its buffer may be twice the window.
            bytes => bytes.saturating_mul(2).saturating_add(TABLES_BYTES),
        }
    }
}

/// The length of a frame's header that starts with these bytes.
fn frame_header_bytes(start: &[u8]) -> Result<usize, DecodeError> {
    if start.len() < MAGIC_BYTES {
        return Ok(MAGIC_BYTES);
    }
    match number(start) {
        MAGIC => {}
        magic if is_skippable(magic) => return Ok(SKIPPABLE_HEADER_BYTES),
        _ => return Err(DecodeError::Corrupt),
    }
    let Some(descriptor) = start.get(MAGIC_BYTES) else {
        return Ok(MAGIC_BYTES + 1);
    };
    if descriptor & RESERVED != 0 {
        return Err(DecodeError::Corrupt);
    }
    let is_single_segment = descriptor & IS_SINGLE_SEGMENT != 0;
    let dictionary_id_bytes = match descriptor & 0b11 {
        0 => 0,
        1 => 1,
        2 => 2,
        _ => 4,
    };
    let content_size_bytes = match descriptor >> 6 {
        0 => usize::from(is_single_segment),
        1 => 2,
        2 => 4,
        _ => 8,
    };
    let window_bytes = usize::from(!is_single_segment);
    Ok(MAGIC_BYTES + 1 + window_bytes + dictionary_id_bytes + content_size_bytes)
}

/// The window of a frame with that header, which is not refused (RFC 8878, 3.1.1.1.2).
fn window_bytes(header: &[u8]) -> usize {
    let descriptor = header.get(MAGIC_BYTES).copied().unwrap_or_default();
    let max = usize::try_from(MAX_WINDOW_BYTES).unwrap_or(usize::MAX);
    // Without a window of its own a frame's is its content, which then has a length.
    let Some(window) = header.get(MAGIC_BYTES + 1) else {
        return max;
    };
    if descriptor & IS_SINGLE_SEGMENT != 0 {
        return max;
    }
    let base = 1_usize << (10 + (window >> 3)).min(30);
    base.saturating_add(base / 8 * usize::from(window & 7))
        .min(max)
}

/// The length of a block that starts with these bytes; the last one's includes the checksum that
/// follows it.
fn block_bytes(start: &[u8], has_checksum: bool) -> Result<usize, DecodeError> {
    let Some(header) = start.get(..BLOCK_HEADER_BYTES).map(number) else {
        return Ok(BLOCK_HEADER_BYTES);
    };
    let size = usize::try_from(header >> 3).unwrap_or(usize::MAX);
    if size > MAX_BLOCK_BYTES {
        return Err(DecodeError::Corrupt);
    }
    let is_last = header & 1 != 0;
    // Such a block is one byte, and its size says how often that comes.
    let is_run = (header >> 1) & 0b11 == 1;
    let content = if is_run { 1 } else { size };
    let checksum = if is_last && has_checksum {
        CHECKSUM_BYTES
    } else {
        0
    };
    Ok(BLOCK_HEADER_BYTES + content + checksum)
}

fn is_skippable(magic: u32) -> bool {
    magic & !0xf == SKIPPABLE
}

/// The first four bytes, little end first.
fn number(bytes: &[u8]) -> u32 {
    let digits = bytes.iter().take(4).rev();
    digits.fold(0, |number, byte| number << 8 | u32::from(*byte))
}

impl fmt::Debug for Zstd {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Zstd")
            .field("part", &self.part)
            .finish_non_exhaustive()
    }
}
