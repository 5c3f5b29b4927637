//! Strings: escapes, control bytes and UTF-8, eight bytes at a time where nothing is special.

use crate::json::Problem;

/// How far a string is read.
#[derive(Clone, Copy, Debug)]
pub(super) enum StringState {
    Plain,
    /// Behind a backslash.
    Escape,
    /// Hex digits that must still follow.
    Hex(u8),
    /// Continuation bytes that must still follow, and the range of the next.
    Utf8 {
        missing: u8,
        low: u8,
        high: u8,
    },
}

impl StringState {
    /// Reads to behind the closing quote: true when that is there.
    #[inline]
    pub(super) fn read(
        &mut self,
        rest: &mut &[u8],
        is_escaped: &mut bool,
    ) -> Result<bool, Problem> {
        loop {
            if matches!(self, Self::Plain) {
                *rest = rest.get(plain_bytes(rest)..).unwrap_or_default();
            }
            let Some((&byte, behind)) = rest.split_first() else {
                return Ok(false);
            };
            if byte == b'"' && matches!(self, Self::Plain) {
                *rest = behind;
                return Ok(true);
            }
            *is_escaped |= byte == b'\\';
            *self = self.after(byte)?;
            *rest = behind;
        }
    }

    /// The state behind a byte that is special.
    fn after(self, byte: u8) -> Result<Self, Problem> {
        match (self, byte) {
            (Self::Plain, b'\\') => Ok(Self::Escape),
            (Self::Plain, _) => Self::after_lead(byte),
            (Self::Escape, b'u') => Ok(Self::Hex(4)),
            (Self::Escape, b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't') => {
                Ok(Self::Plain)
            }
            (Self::Hex(missing), _) if byte.is_ascii_hexdigit() => match missing {
                0 | 1 => Ok(Self::Plain),
                more => Ok(Self::Hex(more - 1)),
            },
            (Self::Escape | Self::Hex(_), _) => Err(Problem::Unexpected),
            (Self::Utf8 { missing, low, high }, _) if (low..=high).contains(&byte) => {
                Ok(match missing {
                    0 | 1 => Self::Plain,
                    more => Self::continued(more - 1, 0x80, 0xbf),
                })
            }
            (Self::Utf8 { .. }, _) => Err(Problem::NotUtf8),
        }
    }

    /// The well-formed byte sequences of Unicode (table 3-7).
    fn after_lead(byte: u8) -> Result<Self, Problem> {
        match byte {
            0xc2..=0xdf => Ok(Self::continued(1, 0x80, 0xbf)),
            0xe0 => Ok(Self::continued(2, 0xa0, 0xbf)),
            0xe1..=0xec | 0xee | 0xef => Ok(Self::continued(2, 0x80, 0xbf)),
            0xed => Ok(Self::continued(2, 0x80, 0x9f)),
            0xf0 => Ok(Self::continued(3, 0x90, 0xbf)),
            0xf1..=0xf3 => Ok(Self::continued(3, 0x80, 0xbf)),
            0xf4 => Ok(Self::continued(3, 0x80, 0x8f)),
            0x80..=0xff => Err(Problem::NotUtf8),
            0..=0x7f => Err(Problem::Unexpected),
        }
    }

    fn continued(missing: u8, low: u8, high: u8) -> Self {
        Self::Utf8 { missing, low, high }
    }
}

const ONES: u64 = 0x0101_0101_0101_0101;
const HIGHS: u64 = 0x8080_8080_8080_8080;

/// How many bytes there are before the first that is a quote, a backslash, a control or not ASCII.
#[inline]
fn plain_bytes(bytes: &[u8]) -> usize {
    let mut rest = bytes;
    while let Some((word, behind)) = rest.split_first_chunk() {
        let special = specials(u64::from_le_bytes(*word));
        if special != 0 {
            let before = usize::try_from(special.trailing_zeros() / 8).unwrap_or_default();
            return bytes.len().wrapping_sub(rest.len()).wrapping_add(before);
        }
        rest = behind;
    }
    let tail = rest.iter().take_while(|&&byte| is_plain(byte)).count();
    bytes.len().wrapping_sub(rest.len()).wrapping_add(tail)
}

fn is_plain(byte: u8) -> bool {
    matches!(byte, b' '..=0x7f) && byte != b'"' && byte != b'\\'
}

/// Marks the high bit of special bytes. The lowest mark is right; a borrow may put wrong ones
/// above it.
#[inline]
fn specials(word: u64) -> u64 {
    let below = |word: u64, limit: u8| word.wrapping_sub(ONES.wrapping_mul(limit.into())) & !word;
    let quotes = below(word ^ ONES.wrapping_mul(b'"'.into()), 1);
    let backslashes = below(word ^ ONES.wrapping_mul(b'\\'.into()), 1);
    (quotes | backslashes | below(word, b' ') | word) & HIGHS
}

#[cfg(test)]
mod tests;
