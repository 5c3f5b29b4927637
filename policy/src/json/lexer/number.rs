//! Numbers: only their grammar, never their value.

use crate::json::Problem;

/// How far a number is read.
#[derive(Clone, Copy, Debug)]
pub(super) enum NumberState {
    Minus,
    Zero,
    Integer,
    Point,
    Fraction,
    E,
    Sign,
    Exponent,
}

impl NumberState {
    /// Behind the first byte.
    pub(super) fn first(byte: u8) -> Result<Self, Problem> {
        match byte {
            b'-' => Ok(Self::Minus),
            b'0' => Ok(Self::Zero),
            b'1'..=b'9' => Ok(Self::Integer),
            _ => Err(Problem::Unexpected),
        }
    }

    /// Whether the number may end here.
    pub(super) fn is_complete(self) -> bool {
        matches!(
            self,
            Self::Zero | Self::Integer | Self::Fraction | Self::Exponent
        )
    }

    /// Reads to the number's end, which is the byte behind it: true when that is there.
    #[inline]
    pub(super) fn read(&mut self, rest: &mut &[u8]) -> Result<bool, Problem> {
        while let Some((&byte, behind)) = rest.split_first() {
            *self = match (*self, byte) {
                (Self::Integer, b'0'..=b'9') | (Self::Minus, b'1'..=b'9') => Self::Integer,
                (Self::Point | Self::Fraction, b'0'..=b'9') => Self::Fraction,
                (Self::Zero | Self::Integer, b'.') => Self::Point,
                (Self::E | Self::Sign | Self::Exponent, b'0'..=b'9') => Self::Exponent,
                (Self::Zero | Self::Integer | Self::Fraction, b'e' | b'E') => Self::E,
                (Self::Minus, b'0') => Self::Zero,
                (Self::E, b'+' | b'-') => Self::Sign,
                (state, _) if state.is_complete() => return Ok(true),
                _ => return Err(Problem::Unexpected),
            };
            *rest = behind;
        }
        Ok(false)
    }
}
