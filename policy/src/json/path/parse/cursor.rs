//! A place in the text.

use super::refuse;
use crate::json::path::InvalidJsonPath;

/// What was not read yet, and where that begins.
pub(super) struct Cursor<'t> {
    rest: &'t str,
    at: usize,
}

impl<'t> Cursor<'t> {
    pub(super) fn new(text: &'t str) -> Self {
        Self { rest: text, at: 0 }
    }

    pub(super) fn at(&self) -> usize {
        self.at
    }

    pub(super) fn peek(&self) -> Option<char> {
        self.rest.chars().next()
    }

    pub(super) fn peek_behind_blanks(&self) -> Option<char> {
        self.rest.trim_start_matches(is_blank).chars().next()
    }

    /// Says whether there were any.
    pub(super) fn skip_blanks(&mut self) -> bool {
        !self.take_while(is_blank).is_empty()
    }

    pub(super) fn take_while(&mut self, is_wanted: impl Fn(char) -> bool) -> &'t str {
        let rest = self.rest.trim_start_matches(is_wanted);
        let taken = self.rest.strip_suffix(rest).unwrap_or_default();
        self.at = self.at.saturating_add(taken.len());
        self.rest = rest;
        taken
    }

    pub(super) fn take(&mut self, wanted: &str) -> bool {
        let Some(rest) = self.rest.strip_prefix(wanted) else {
            return false;
        };
        self.at = self.at.saturating_add(wanted.len());
        self.rest = rest;
        true
    }

    /// Also with blanks before it; if it is not there, the blanks stay.
    pub(super) fn take_behind_blanks(&mut self, wanted: &str) -> bool {
        let is_there = self.rest.trim_start_matches(is_blank).starts_with(wanted);
        if is_there {
            self.skip_blanks();
        }
        is_there && self.take(wanted)
    }

    pub(super) fn expect(&mut self, wanted: char) -> Result<(), InvalidJsonPath> {
        if self.peek() == Some(wanted) {
            self.next()?;
            Ok(())
        } else {
            Err(self.unexpected())
        }
    }

    /// The next character, whatever it is.
    pub(super) fn next(&mut self) -> Result<char, InvalidJsonPath> {
        let mut chars = self.rest.chars();
        let one = chars.next().ok_or_else(|| self.unexpected())?;
        self.rest = chars.as_str();
        self.at = self.at.saturating_add(one.len_utf8());
        Ok(one)
    }

    pub(super) fn end(&self) -> Result<(), InvalidJsonPath> {
        if self.rest.is_empty() {
            Ok(())
        } else {
            Err(self.unexpected())
        }
    }

    /// What is next does not belong there.
    pub(super) fn unexpected(&self) -> InvalidJsonPath {
        match self.peek() {
            Some(found) => self.refuse(&format!("unexpected `{}`", found.escape_debug())),
            None => self.refuse("path is incomplete"),
        }
    }

    pub(super) fn refuse(&self, problem: &str) -> InvalidJsonPath {
        refuse(self.at, problem)
    }
}

fn is_blank(one: char) -> bool {
    matches!(one, ' ' | '\t' | '\n' | '\r')
}
