//! An incremental tokenizer: strict (RFC 8259), resumable at any byte, in constant memory.
//!
//! It stops where a consumer decides: after a member's name, before a value, after a container.
//! A value is then entered, or skipped as a whole (and still validated).

mod number;
mod string;

use self::{number::NumberState, string::StringState};
use super::{MAX_BLANK_BYTES, MAX_DEPTH, MAX_NAME_BYTES, Problem};

/// What comes before a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Object,
    Array,
    Scalar,
}

/// Where the tokenizer stopped.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Event<'i> {
    /// All input is read.
    More,
    /// Behind a name; without the bytes when the input held only a part of it, see [`Lexer::name`].
    Name(Option<&'i [u8]>),
    /// Before the first byte of a value: to be entered or skipped.
    Value(Kind),
    /// Behind the end of the container entered last.
    Close,
}

/// Whether a value has been skipped to its end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Skipped {
    Whole,
    Part,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Container {
    Object,
    Array,
}

#[derive(Clone, Copy, Debug)]
enum State {
    /// A value must follow.
    Value,
    /// Behind `[`.
    FirstElement,
    /// Behind `{`.
    FirstName,
    /// Behind a comma in an object.
    NextName,
    InName(StringState),
    /// Behind a name.
    Colon,
    InString(StringState),
    InNumber(NumberState),
    /// The bytes that must still follow.
    InLiteral(&'static [u8]),
    AfterValue,
}

/// The state of one text.
#[derive(Debug)]
pub(crate) struct Lexer {
    state: State,
    containers: Vec<Container>,
    /// How deep the value that is being skipped lies.
    skip_depth: usize,
    /// Bytes of the white space or the name that is being read.
    run: usize,
    /// The part of a name that came with earlier input.
    name: Vec<u8>,
    is_name_split: bool,
    is_name_escaped: bool,
}

impl Lexer {
    pub(crate) fn new() -> Self {
        Self {
            state: State::Value,
            containers: Vec::new(),
            skip_depth: 0,
            run: 0,
            name: Vec::new(),
            is_name_split: false,
            is_name_escaped: false,
        }
    }

    /// For another text, in the memory of this one.
    pub(crate) fn reset(&mut self) {
        let (mut containers, mut name) = (
            std::mem::take(&mut self.containers),
            std::mem::take(&mut self.name),
        );
        containers.clear();
        name.clear();
        *self = Self {
            containers,
            name,
            ..Self::new()
        };
    }

    /// Reads on to the next place to stop at.
    ///
    /// After [`Event::Value`] comes [`enter`](Self::enter) or [`skip`](Self::skip).
    #[inline]
    pub(crate) fn next<'i>(&mut self, rest: &mut &'i [u8]) -> Result<Event<'i>, Problem> {
        loop {
            if let State::InName(inside) = self.state {
                return self.name_end(inside, rest);
            }
            let Some(byte) = self.token_start(rest)? else {
                return Ok(Event::More);
            };
            match (self.state, byte) {
                (State::FirstElement, b']')
                | (State::FirstName, b'}')
                | (State::AfterValue, b']' | b'}') => {
                    consume(rest);
                    self.close(byte)?;
                    return Ok(Event::Close);
                }
                (State::Value | State::FirstElement, _) => {
                    self.state = State::Value;
                    return kind(byte).map(Event::Value);
                }
                (State::FirstName | State::NextName, b'"') => {
                    consume(rest);
                    self.is_name_split = false;
                    self.is_name_escaped = false;
                    self.state = State::InName(StringState::Plain);
                }
                (State::Colon, b':') => {
                    consume(rest);
                    self.state = State::Value;
                }
                (State::AfterValue, b',') if !self.containers.is_empty() => {
                    consume(rest);
                    self.state = match self.containers.last() {
                        Some(Container::Object) => State::NextName,
                        Some(Container::Array) | None => State::Value,
                    };
                }
                (State::AfterValue, _) if self.containers.is_empty() => {
                    return Err(Problem::Trailing);
                }
                _ => return Err(Problem::Unexpected),
            }
        }
    }

    /// The name that [`Event::Name`] announced, as sent, when it came in parts.
    pub(crate) fn name(&self) -> &[u8] {
        &self.name
    }

    /// Whether that name has escapes.
    pub(crate) fn is_name_escaped(&self) -> bool {
        self.is_name_escaped
    }

    /// Goes into the container that is next.
    pub(crate) fn enter(&mut self, rest: &mut &[u8]) -> Result<(), Problem> {
        let (container, state) = match rest.first() {
            Some(b'{') => (Container::Object, State::FirstName),
            Some(b'[') => (Container::Array, State::FirstElement),
            Some(_) | None => return Err(Problem::Unexpected),
        };
        if self.containers.len() >= MAX_DEPTH {
            return Err(Problem::TooDeep);
        }
        consume(rest);
        self.containers.push(container);
        self.state = state;
        Ok(())
    }

    /// Reads over the value that is next; after [`Skipped::Part`], [`skip_on`](Self::skip_on).
    #[inline]
    pub(crate) fn skip(&mut self, rest: &mut &[u8]) -> Result<Skipped, Problem> {
        self.skip_depth = self.containers.len();
        self.start(rest)?;
        self.skip_on(rest)
    }

    /// Goes on with a value of which only a part has been skipped.
    #[inline]
    pub(crate) fn skip_on(&mut self, rest: &mut &[u8]) -> Result<Skipped, Problem> {
        loop {
            if !self.scalar_end(rest)? {
                return Ok(Skipped::Part);
            }
            let is_ended = matches!(self.state, State::AfterValue);
            if is_ended && self.containers.len() == self.skip_depth {
                return Ok(Skipped::Whole);
            }
            match self.next(rest)? {
                Event::More => return Ok(Skipped::Part),
                Event::Value(_) => self.start(rest)?,
                Event::Name(_) | Event::Close => {}
            }
        }
    }

    /// The input has ended: the text must have, too.
    pub(crate) fn finish(&mut self) -> Result<(), Problem> {
        // Only the end of the input ends a number at the root.
        if let State::InNumber(inside) = self.state
            && inside.is_complete()
        {
            self.state = State::AfterValue;
        }
        if self.is_complete() {
            Ok(())
        } else {
            Err(Problem::Incomplete)
        }
    }

    /// Whether only white space may follow. A number at the root may still go on.
    pub(crate) fn is_complete(&self) -> bool {
        self.containers.is_empty() && matches!(self.state, State::AfterValue)
    }

    /// The first byte of the next token, behind white space.
    #[inline]
    fn token_start(&mut self, rest: &mut &[u8]) -> Result<Option<u8>, Problem> {
        match rest.first() {
            Some(&byte) if !is_blank(byte) => {
                self.run = 0;
                Ok(Some(byte))
            }
            Some(_) => self.token_behind_blanks(rest),
            None => Ok(None),
        }
    }

    fn token_behind_blanks(&mut self, rest: &mut &[u8]) -> Result<Option<u8>, Problem> {
        let blanks = rest.iter().take_while(|&&byte| is_blank(byte)).count();
        *rest = rest.get(blanks..).unwrap_or_default();
        self.run = self.run.saturating_add(blanks);
        // A rewriter holds what is before a value until it knows whether that stays.
        if self.run > MAX_BLANK_BYTES {
            return Err(Problem::TooMuchBlank);
        }
        let byte = rest.first().copied();
        if byte.is_some() {
            self.run = 0;
        }
        Ok(byte)
    }

    #[inline]
    fn name_end<'i>(
        &mut self,
        mut inside: StringState,
        rest: &mut &'i [u8],
    ) -> Result<Event<'i>, Problem> {
        let start = *rest;
        let is_ended = inside.read(rest, &mut self.is_name_escaped)?;
        let length = start.len().saturating_sub(rest.len());
        self.run = self.run.saturating_add(length);
        // The closing quote is part of the run.
        if self.run > MAX_NAME_BYTES.saturating_add(usize::from(is_ended)) {
            return Err(Problem::NameTooLong);
        }
        let part = start
            .get(..length.saturating_sub(usize::from(is_ended)))
            .unwrap_or_default();
        if !is_ended {
            self.keep_part(part);
            self.state = State::InName(inside);
            return Ok(Event::More);
        }
        self.run = 0;
        self.state = State::Colon;
        if self.is_name_split {
            self.keep_part(part);
            return Ok(Event::Name(None));
        }
        Ok(Event::Name(Some(part)))
    }

    fn keep_part(&mut self, part: &[u8]) {
        if !self.is_name_split {
            self.is_name_split = true;
            self.name.clear();
        }
        self.name.extend_from_slice(part);
    }

    #[inline]
    fn close(&mut self, byte: u8) -> Result<(), Problem> {
        let is_match = match self.containers.pop() {
            Some(Container::Object) => byte == b'}',
            Some(Container::Array) => byte == b']',
            None => return Err(Problem::Trailing),
        };
        self.state = State::AfterValue;
        if is_match {
            Ok(())
        } else {
            Err(Problem::Unexpected)
        }
    }

    /// Takes the first byte of the value that is next.
    #[inline]
    fn start(&mut self, rest: &mut &[u8]) -> Result<(), Problem> {
        let Some((&byte, behind)) = rest.split_first() else {
            return Ok(());
        };
        self.state = match byte {
            b'"' => State::InString(StringState::Plain),
            b'{' | b'[' => return self.enter(rest),
            b't' => State::InLiteral(b"rue"),
            b'f' => State::InLiteral(b"alse"),
            b'n' => State::InLiteral(b"ull"),
            _ => State::InNumber(NumberState::first(byte)?),
        };
        *rest = behind;
        Ok(())
    }

    /// Reads to the end of the scalar that has been started, if one has.
    #[inline]
    fn scalar_end(&mut self, rest: &mut &[u8]) -> Result<bool, Problem> {
        let is_ended = match &mut self.state {
            State::InString(inside) => inside.read(rest, &mut false)?,
            State::InNumber(inside) => inside.read(rest)?,
            State::InLiteral(missing) => read_literal(missing, rest)?,
            State::Value
            | State::FirstElement
            | State::FirstName
            | State::NextName
            | State::InName(_)
            | State::Colon
            | State::AfterValue => return Ok(true),
        };
        if is_ended {
            self.state = State::AfterValue;
        }
        Ok(is_ended)
    }
}

/// Takes one byte.
#[inline]
fn consume(rest: &mut &[u8]) {
    *rest = rest.get(1..).unwrap_or_default();
}

#[inline]
pub(crate) fn is_blank(byte: u8) -> bool {
    matches!(byte, b' ' | b'\n' | b'\r' | b'\t')
}

#[inline]
fn kind(byte: u8) -> Result<Kind, Problem> {
    match byte {
        b'{' => Ok(Kind::Object),
        b'[' => Ok(Kind::Array),
        b'"' | b'-' | b'0'..=b'9' | b't' | b'f' | b'n' => Ok(Kind::Scalar),
        _ => Err(Problem::Unexpected),
    }
}

#[inline]
fn read_literal(missing: &mut &'static [u8], rest: &mut &[u8]) -> Result<bool, Problem> {
    if let Some(behind) = rest.strip_prefix(*missing) {
        *rest = behind;
        return Ok(true);
    }
    // Only a part of it is there, or something else.
    let part = rest.len();
    match missing.split_at_checked(part) {
        Some((there, later)) if there == *rest => {
            *missing = later;
            *rest = &[];
            Ok(false)
        }
        Some(_) | None => {
            // Up to the byte that is wrong, so that chunks make no difference to where that is.
            let right = missing.iter().zip(*rest).take_while(|(a, b)| a == b);
            *rest = rest.get(right.count()..).unwrap_or_default();
            Err(Problem::Unexpected)
        }
    }
}

#[cfg(test)]
mod tests;
