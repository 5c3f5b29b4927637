//! `gzip` (RFC 1952): members of a header, a DEFLATE stream and a checksum, one after the other.

use flate2::Crc;

use super::{
    DecodeError,
    deflate::{Inflate, MEMORY_BYTES},
    stage::{Stage, Step},
};

/// What every member starts with: the magic number and the method, DEFLATE.
const MAGIC: [u8; 3] = [0x1f, 0x8b, 8];
const FIXED_BYTES: u8 = 10;
const FLAGS_AT: u8 = 3;
const HAS_HEADER_CRC: u8 = 1 << 1;
const HAS_EXTRA: u8 = 1 << 2;
const HAS_NAME: u8 = 1 << 3;
const HAS_COMMENT: u8 = 1 << 4;
const RESERVED: u8 = 0b1110_0000;

#[derive(Debug)]
pub(super) struct Gzip {
    part: Part,
    /// Those of the parts that are still to come.
    flags: u8,
    /// Over the header, then over what it decodes to.
    crc: Crc,
    inflate: Inflate,
}

/// Where in a member the next byte is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Part {
    /// The fixed start of the header, with how many of its bytes are known.
    Fixed(u8),
    ExtraLength,
    ExtraLengthHigh(u8),
    /// With how much is left.
    Extra(u16),
    Name,
    Comment,
    HeaderCrc,
    HeaderCrcHigh(u8),
    Body,
    /// Checksum and length, with how many of their bytes are known.
    Trailer(u64, u8),
}

impl Gzip {
    pub(super) fn new() -> Self {
        Self {
            part: Part::Fixed(0),
            flags: 0,
            crc: Crc::new(),
            inflate: Inflate::new(false),
        }
    }

    /// Takes one byte outside of the DEFLATE stream.
    fn frame(&mut self, byte: u8) -> Result<(), DecodeError> {
        if !matches!(
            self.part,
            Part::HeaderCrc | Part::HeaderCrcHigh(_) | Part::Trailer(..)
        ) {
            self.crc.update(&[byte]);
        }
        self.part = match self.part {
            Part::Fixed(at) => self.fixed(at, byte)?,
            Part::ExtraLength => Part::ExtraLengthHigh(byte),
            Part::ExtraLengthHigh(low) => self.extra(u16::from_le_bytes([low, byte])),
            Part::Extra(left) => self.extra(left.saturating_sub(1)),
            Part::Name | Part::Comment if byte == 0 => self.next_part(),
            Part::HeaderCrc => Part::HeaderCrcHigh(byte),
            Part::HeaderCrcHigh(low) => self.header_crc(u16::from_le_bytes([low, byte]))?,
            Part::Trailer(known, count) => self.trailer(known, count, byte)?,
            part @ (Part::Name | Part::Comment | Part::Body) => part,
        };
        if self.part == Part::Body {
            self.crc.reset();
        }
        Ok(())
    }

    fn fixed(&mut self, at: u8, byte: u8) -> Result<Part, DecodeError> {
        let wanted = MAGIC.get(usize::from(at));
        if wanted.is_some_and(|wanted| *wanted != byte) {
            return Err(DecodeError::Corrupt);
        }
        if at == FLAGS_AT {
            if byte & RESERVED != 0 {
                return Err(DecodeError::Corrupt);
            }
            self.flags = byte;
        }
        Ok(if at + 1 < FIXED_BYTES {
            Part::Fixed(at + 1)
        } else {
            self.next_part()
        })
    }

    fn extra(&mut self, left: u16) -> Part {
        if left > 0 {
            Part::Extra(left)
        } else {
            self.next_part()
        }
    }

    fn next_part(&mut self) -> Part {
        for (flag, part) in [
            (HAS_EXTRA, Part::ExtraLength),
            (HAS_NAME, Part::Name),
            (HAS_COMMENT, Part::Comment),
            (HAS_HEADER_CRC, Part::HeaderCrc),
        ] {
            if self.flags & flag != 0 {
                self.flags &= !flag;
                return part;
            }
        }
        Part::Body
    }

    fn header_crc(&mut self, declared: u16) -> Result<Part, DecodeError> {
        if u32::from(declared) == self.crc.sum() & 0xffff {
            Ok(self.next_part())
        } else {
            Err(DecodeError::Corrupt)
        }
    }

    fn trailer(&mut self, known: u64, count: u8, byte: u8) -> Result<Part, DecodeError> {
        let known = known | u64::from(byte) << (8 * count);
        if count < 7 {
            return Ok(Part::Trailer(known, count + 1));
        }
        if known != u64::from(self.crc.sum()) | u64::from(self.crc.amount()) << 32 {
            return Err(DecodeError::Corrupt);
        }
        // Not a new one: a body of members of a few bytes would spend all time on new states.
        self.inflate.restart();
        self.crc.reset();
        Ok(Part::Fixed(0))
    }
}

impl Stage for Gzip {
    fn step(&mut self, input: &[u8], output: &mut [u8]) -> Result<Step, DecodeError> {
        let mut framed = 0;
        for &byte in input {
            if self.part == Part::Body {
                break;
            }
            self.frame(byte)?;
            framed += 1;
        }
        if self.part != Part::Body {
            return Ok(Step {
                taken: framed,
                given: 0,
            });
        }
        let rest = input.get(framed..).unwrap_or_default();
        let Step { taken, given } = self.inflate.step(rest, output)?;
        self.crc.update(output.get(..given).unwrap_or_default());
        if self.inflate.has_ended {
            self.part = Part::Trailer(0, 0);
        }
        Ok(Step {
            taken: framed + taken,
            given,
        })
    }

    fn is_complete(&self) -> bool {
        self.part == Part::Fixed(0)
    }

    fn memory_bytes(&self) -> usize {
        MEMORY_BYTES
    }
}
