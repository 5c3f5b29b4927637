//! Counts in millionths, so that values with decimals add up exactly.

use std::fmt;

const ONE: u64 = 1_000_000;
const DECIMALS: i64 = 6;
/// Of the largest amount.
const MAX_DIGITS: i64 = 20;

/// An amount in millionths. Arithmetic ends at the largest amount instead of starting anew.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Micros(u64);

impl Micros {
    /// Nothing.
    pub const ZERO: Self = Self(0);
    /// The smallest amount.
    pub const LEAST: Self = Self(1);
    /// The largest amount.
    pub const MOST: Self = Self(u64::MAX);
    /// One request.
    pub const ONE: Self = Self(ONE);

    /// From millionths.
    pub const fn new(millionths: u64) -> Self {
        Self(millionths)
    }

    /// From whole units.
    pub const fn units(units: u64) -> Self {
        Self(units.saturating_mul(ONE))
    }

    /// In millionths.
    pub const fn get(self) -> u64 {
        self.0
    }

    /// The sum.
    #[must_use]
    pub const fn plus(self, other: Self) -> Self {
        Self(self.0.saturating_add(other.0))
    }

    /// The difference; nothing when `other` is more.
    #[must_use]
    pub const fn minus(self, other: Self) -> Self {
        Self(self.0.saturating_sub(other.0))
    }

    /// So many times this.
    #[must_use]
    pub const fn times(self, factor: u64) -> Self {
        Self(self.0.saturating_mul(factor))
    }

    /// Rounded down; all of it for a share of 0.
    #[must_use]
    pub const fn divided_by(self, parts: u64) -> Self {
        match self.0.checked_div(parts) {
            Some(share) => Self(share),
            None => self,
        }
    }

    /// Whether this is at least so many per cent of `whole`.
    pub fn reaches_percent(self, percent: u32, whole: Self) -> bool {
        u128::from(self.0) * 100 >= u128::from(whole.0) * u128::from(percent)
    }

    /// Reads a JSON number that is not negative, or a JSON string that holds one. None for what
    /// is no number.
    ///
    /// Never less than what stands there: more than six decimals are rounded up, and what is too
    /// large is the largest amount.
    pub fn parse(text: &str) -> Option<Self> {
        let text = text
            .strip_prefix('"')
            .and_then(|text| text.strip_suffix('"'))
            .unwrap_or(text);
        let number = Number::parse(text.as_bytes())?;
        if number.is_negative && number.digits().next().is_some() {
            return None;
        }
        Some(number.micros())
    }
}

impl fmt::Display for Micros {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (units, rest) = (self.0 / ONE, self.0 % ONE);
        if rest == 0 {
            return write!(f, "{units}");
        }
        let decimals = format!("{rest:06}");
        write!(f, "{units}.{}", decimals.trim_end_matches('0'))
    }
}

/// A JSON number (RFC 8259 §6), taken apart.
struct Number<'a> {
    is_negative: bool,
    integer: &'a [u8],
    fraction: &'a [u8],
    exponent: i64,
}

impl<'a> Number<'a> {
    fn parse(text: &'a [u8]) -> Option<Self> {
        let (is_negative, text) = match text.strip_prefix(b"-") {
            Some(text) => (true, text),
            None => (false, text),
        };
        let (integer, text) = leading_digits(text);
        let is_plain = integer == b"0" || !matches!(integer, [] | [b'0', ..]);
        let (fraction, text) = match text.strip_prefix(b".") {
            None => (&b""[..], text),
            Some(text) => match leading_digits(text) {
                ([], _) => return None,
                parts => parts,
            },
        };
        let exponent = match text {
            [] => 0,
            [b'e' | b'E', exponent @ ..] => parse_exponent(exponent)?,
            _ => return None,
        };
        is_plain.then_some(Self {
            is_negative,
            integer,
            fraction,
            exponent,
        })
    }

    /// All but the zeros in front.
    fn digits(&self) -> impl Iterator<Item = u8> {
        self.integer
            .iter()
            .chain(self.fraction)
            .map(|digit| digit - b'0')
            .skip_while(|digit| *digit == 0)
    }

    /// Rounded up, and at most the largest amount.
    fn micros(&self) -> Micros {
        let mut digits = self.digits().peekable();
        if digits.peek().is_none() {
            return Micros::ZERO;
        }
        // How many of the digits stand before the point, when millionths are counted.
        let zeros = self.len().saturating_sub(self.digits().count());
        let whole = count(self.integer.len())
            .saturating_sub(count(zeros))
            .saturating_add(DECIMALS)
            .saturating_add(self.exponent);
        // The exponent is the target's: without this it could have the loop below run for ever.
        if whole > MAX_DIGITS {
            return Micros::MOST;
        }
        let mut amount = Some(0_u64);
        for _ in 0..whole {
            let digit = digits.next().unwrap_or_default();
            amount = amount
                .and_then(|amount| amount.checked_mul(10))
                .and_then(|amount| amount.checked_add(u64::from(digit)));
        }
        let rest = u64::from(digits.any(|digit| digit > 0));
        amount
            .and_then(|amount| amount.checked_add(rest))
            .map_or(Micros::MOST, Micros)
    }

    fn len(&self) -> usize {
        self.integer.len().saturating_add(self.fraction.len())
    }
}

fn count(length: usize) -> i64 {
    i64::try_from(length).unwrap_or(i64::MAX)
}

fn leading_digits(text: &[u8]) -> (&[u8], &[u8]) {
    let end = text
        .iter()
        .position(|byte| !byte.is_ascii_digit())
        .unwrap_or(text.len());
    text.split_at_checked(end).unwrap_or((text, b""))
}

fn parse_exponent(text: &[u8]) -> Option<i64> {
    let (sign, digits) = match text {
        [b'-', digits @ ..] => (-1, digits),
        [b'+', digits @ ..] | digits => (1, digits),
    };
    let (digits, rest) = leading_digits(digits);
    if digits.is_empty() || !rest.is_empty() {
        return None;
    }
    let exponent = digits.iter().fold(0_i64, |sum, digit| {
        sum.saturating_mul(10)
            .saturating_add(i64::from(digit - b'0'))
    });
    Some(sign * exponent)
}

#[cfg(test)]
mod tests;
