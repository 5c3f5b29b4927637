//! Query parameters: known, UTF-8, each once but those that are lists.

use std::collections::BTreeMap;
use std::str::FromStr;

use percent_encoding::percent_decode;

use requestrocket_policy::form::problem::{Fault, Problems};

/// JSON numbers are exact up to here everywhere.
pub const LARGEST: u64 = (1 << 53) - 1;

/// The parameters that nothing has read yet.
#[derive(Debug)]
pub struct Query<'a> {
    parameters: BTreeMap<String, Vec<String>>,
    problems: &'a mut Problems,
}

impl<'a> Query<'a> {
    /// Decodes `raw` (without its `?`).
    pub fn new(raw: Option<&str>, problems: &'a mut Problems) -> Self {
        let mut parameters: BTreeMap<String, Vec<String>> = BTreeMap::new();
        for pair in raw
            .unwrap_or_default()
            .split('&')
            .filter(|pair| !pair.is_empty())
        {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            match (decode(name), decode(value)) {
                (Some(name), Some(value)) => parameters.entry(name).or_default().push(value),
                _ => problems.add(Fault::ValidationFailed, "query", "must be UTF-8"),
            }
        }
        Self {
            parameters,
            problems,
        }
    }

    /// The text of a parameter.
    pub fn take(&mut self, name: &str) -> Option<String> {
        let mut values = self.parameters.remove(name)?;
        if values.len() > 1 {
            self.problem(name, "must not be repeated");
        }
        values.pop()
    }

    /// A parameter that may be repeated, up to `most` times, each of which `T` parses.
    pub fn list<T>(&mut self, name: &str, most: usize) -> Vec<T>
    where
        T: FromStr,
        T::Err: std::fmt::Display,
    {
        let values = self.parameters.remove(name).unwrap_or_default();
        if values.len() > most {
            self.problem(name, format!("must be repeated at most {most} times"));
            return Vec::new();
        }
        let mut list = Vec::with_capacity(values.len());
        for value in values {
            match value.parse::<T>() {
                Ok(value) => list.push(value),
                Err(error) => self.problem(name, error.to_string()),
            }
        }
        list
    }

    /// A parameter that `T` parses.
    pub fn parsed<T>(&mut self, name: &str) -> Option<T>
    where
        T: FromStr,
        T::Err: std::fmt::Display,
    {
        match self.take(name)?.parse() {
            Ok(value) => Some(value),
            Err(error) => {
                self.problem(name, error.to_string());
                None
            }
        }
    }

    /// One of these words, by what it means.
    pub fn word<T: Copy>(&mut self, name: &str, words: &[(&str, T)]) -> Option<T> {
        let raw = self.take(name)?;
        let found = words
            .iter()
            .find(|(word, _)| *word == raw)
            .map(|(_, meaning)| *meaning);
        if found.is_none() {
            let known: Vec<_> = words.iter().map(|(word, _)| format!("`{word}`")).collect();
            self.problem(name, format!("must be one of {}", known.join(", ")));
        }
        found
    }

    /// `true` or `false`.
    pub fn boolean(&mut self, name: &str) -> Option<bool> {
        match self.take(name)?.as_str() {
            "true" => Some(true),
            "false" => Some(false),
            _ => {
                self.problem(name, "must be true or false");
                None
            }
        }
    }

    /// A whole number from `least` to `most`.
    pub fn integer(&mut self, name: &str, least: u64, most: u64) -> Option<u64> {
        let raw = self.take(name)?;
        // `u64::from_str` also takes a plus sign.
        let is_plain = raw.bytes().all(|b| b.is_ascii_digit());
        let number = raw
            .parse()
            .ok()
            .filter(|number| (least..=most).contains(number));
        if number.is_none() || !is_plain {
            self.problem(name, format!("must be an integer from {least} to {most}"));
        }
        number
    }

    /// Notes a problem with parameter `name`.
    pub fn problem(&mut self, name: &str, text: impl Into<String>) {
        self.problems.add(Fault::ValidationFailed, name, text);
    }

    /// Notes every parameter that nothing has read.
    pub fn finish(self) {
        for name in self.parameters.into_keys() {
            self.problems
                .add(Fault::ValidationFailed, name, "is not a known parameter");
        }
    }
}

fn decode(raw: &str) -> Option<String> {
    // `+` is a blank where queries are written as forms are (URL Standard §5.1).
    let spaced = raw.replace('+', " ");
    let text = percent_decode(spaced.as_bytes()).decode_utf8().ok()?;
    // PostgreSQL text cannot hold NUL; no parameter has a use for it.
    (!text.contains('\0')).then(|| text.into_owned())
}
