//! Integers, numbers and strings.

use super::{cursor::Cursor, refuse};
use crate::json::path::{InvalidJsonPath, Number};

/// Integers beyond these are not interoperable (RFC 9535 §2.1).
const MAX_INTEGER: i64 = 9_007_199_254_740_991;

impl Cursor<'_> {
    /// An index, or a part of a slice: without a zero in front, and never `-0`.
    pub(super) fn integer_if_any(&mut self) -> Result<Option<i64>, InvalidJsonPath> {
        let at = self.at();
        let is_negative = self.take("-");
        let digits = match self.peek() {
            Some('0') if !is_negative => {
                self.expect('0')?;
                "0"
            }
            Some('1'..='9') => self.take_while(is_digit),
            Some(_) | None if is_negative => return Err(self.unexpected()),
            Some(_) | None => return Ok(None),
        };
        let integer = digits
            .parse::<i64>()
            .ok()
            .filter(|integer| *integer <= MAX_INTEGER)
            .ok_or_else(|| refuse(at, "integer is out of range"))?;
        Ok(Some(if is_negative { -integer } else { integer }))
    }

    /// A number of an expression, as JSON writes them.
    pub(super) fn number(&mut self) -> Result<Number, InvalidJsonPath> {
        let mut json = String::new();
        if self.take("-") {
            json.push('-');
        }
        if self.take("0") {
            json.push('0');
        } else {
            json.push_str(self.digits()?);
        }
        if self.take(".") {
            json.push('.');
            json.push_str(self.digits()?);
        }
        if self.take("e") || self.take("E") {
            json.push('e');
            if self.take("-") {
                json.push('-');
            } else {
                self.take("+");
            }
            json.push_str(self.digits()?);
        }
        Ok(Number::parse(&json))
    }

    /// One at least.
    fn digits(&mut self) -> Result<&str, InvalidJsonPath> {
        match self.peek() {
            Some('0'..='9') => Ok(self.take_while(is_digit)),
            Some(_) | None => Err(self.unexpected()),
        }
    }

    /// A string in quotes of either kind, decoded.
    pub(super) fn string(&mut self) -> Result<String, InvalidJsonPath> {
        let quote = self.next()?;
        let mut text = String::new();
        loop {
            match self.peek() {
                Some('\0'..='\u{1f}') | None => return Err(self.unexpected()),
                Some('\\') => text.push(self.escaped(quote)?),
                Some(one) => {
                    self.expect(one)?;
                    if one == quote {
                        return Ok(text);
                    }
                    text.push(one);
                }
            }
        }
    }

    fn escaped(&mut self, quote: char) -> Result<char, InvalidJsonPath> {
        self.expect('\\')?;
        let decoded = match self.peek() {
            Some('b') => '\u{8}',
            Some('f') => '\u{c}',
            Some('n') => '\n',
            Some('r') => '\r',
            Some('t') => '\t',
            Some('u') => return self.code_point(),
            Some(one) if one == quote || one == '/' || one == '\\' => one,
            Some(_) | None => return Err(self.unexpected()),
        };
        self.next()?;
        Ok(decoded)
    }

    /// `uXXXX`, or two of them for what needs surrogates.
    fn code_point(&mut self) -> Result<char, InvalidJsonPath> {
        let at = self.at();
        let lone = || refuse(at, "surrogate without its other half");
        self.expect('u')?;
        let first = self.hex()?;
        if !(0xd800..0xdc00).contains(&first) {
            return char::from_u32(first).ok_or_else(lone);
        }
        if !self.take("\\u") {
            return Err(lone());
        }
        let second = self.hex()?;
        if !(0xdc00..0xe000).contains(&second) {
            return Err(lone());
        }
        let high = (first & 0x3ff) << 10;
        char::from_u32(0x1_0000 + (high | (second & 0x3ff))).ok_or_else(lone)
    }

    fn hex(&mut self) -> Result<u32, InvalidJsonPath> {
        let mut value = 0;
        for _ in 0..4 {
            let digit = self.peek().and_then(|one| one.to_digit(16));
            value = value * 16 + digit.ok_or_else(|| self.unexpected())?;
            self.next()?;
        }
        Ok(value)
    }
}

fn is_digit(one: char) -> bool {
    one.is_ascii_digit()
}
