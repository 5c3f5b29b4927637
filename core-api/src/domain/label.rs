//! Labels: pairs by which people sort and find their records. No region ever hears of them.

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

/// A record has at most so many.
pub const MAX_LABELS: usize = 32;
const LONGEST_KEY: usize = 63;
const LONGEST_VALUE: usize = 128;

/// The name of a label.
///
/// Invariant: 1 to 63 of `a-z 0-9 . _ / -`, a letter or digit at both ends.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct LabelKey(String);

/// What a label says.
///
/// Invariant: at most 128 characters, none of them a control character.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LabelValue(String);

/// Why a label is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidLabel {
    /// Its key.
    #[error(
        "must be named with 1 to 63 lower-case letters, digits, `.`, `_`, `/` or `-`, \
         a letter or digit at both ends"
    )]
    Key,
    /// Its value.
    #[error("must be at most 128 characters without control characters")]
    Value,
}

/// More labels than a record may have.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("must be at most {MAX_LABELS} labels")]
pub struct TooManyLabels;

/// The labels of a record.
///
/// Invariant: at most [`MAX_LABELS`].
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Labels(BTreeMap<LabelKey, LabelValue>);

/// What a list is asked for: a label of this key, whatever it says or saying just this.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LabelFilter {
    /// What the label is called.
    pub key: LabelKey,
    /// What it says; none for anything.
    pub value: Option<LabelValue>,
}

/// What somebody decides about a record, with its labels.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Labelled<F> {
    /// What was decided.
    pub form: F,
    /// All that it is to have.
    pub labels: Labels,
}

impl LabelKey {
    /// The text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl LabelValue {
    /// The text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl Labels {
    /// These.
    ///
    /// # Errors
    /// They are too many.
    pub fn new(pairs: BTreeMap<LabelKey, LabelValue>) -> Result<Self, TooManyLabels> {
        if pairs.len() > MAX_LABELS {
            return Err(TooManyLabels);
        }
        Ok(Self(pairs))
    }

    /// The pairs by key.
    #[must_use]
    pub fn pairs(&self) -> &BTreeMap<LabelKey, LabelValue> {
        &self.0
    }

    /// As texts, for what is shown and stored.
    #[must_use]
    pub fn texts(&self) -> BTreeMap<&str, &str> {
        let pairs = self.0.iter();
        pairs
            .map(|(key, value)| (key.as_str(), value.as_str()))
            .collect()
    }
}

impl<F: PartialEq> Labelled<F> {
    /// Whether regions hear of a record that had this form and these labels when it becomes this
    /// one: of everything but a change of labels alone.
    #[must_use]
    pub fn concerns_regions(&self, form: &F, labels: &Labels) -> bool {
        self.form != *form || self.labels == *labels
    }
}

impl FromStr for LabelKey {
    type Err = InvalidLabel;

    fn from_str(raw: &str) -> Result<Self, InvalidLabel> {
        let is_plain = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit();
        let ends_plain = |b: Option<&u8>| b.copied().is_some_and(is_plain);
        let bytes = raw.as_bytes();
        let is_legal = bytes.len() <= LONGEST_KEY
            && ends_plain(bytes.first())
            && ends_plain(bytes.last())
            && bytes.iter().all(|b| is_plain(*b) || b"._/-".contains(b));
        if is_legal {
            Ok(Self(raw.to_owned()))
        } else {
            Err(InvalidLabel::Key)
        }
    }
}

impl FromStr for LabelValue {
    type Err = InvalidLabel;

    fn from_str(raw: &str) -> Result<Self, InvalidLabel> {
        let length = raw.chars().take(LONGEST_VALUE + 1).count();
        if length <= LONGEST_VALUE && !raw.chars().any(char::is_control) {
            Ok(Self(raw.to_owned()))
        } else {
            Err(InvalidLabel::Value)
        }
    }
}

impl FromStr for LabelFilter {
    type Err = InvalidLabel;

    fn from_str(raw: &str) -> Result<Self, InvalidLabel> {
        let (key, value) = match raw.split_once('=') {
            Some((key, value)) => (key, Some(value)),
            None => (raw, None),
        };
        Ok(Self {
            key: key.parse()?,
            value: value.map(str::parse).transpose()?,
        })
    }
}

impl fmt::Display for LabelKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_key_may_be() {
        let (longest, longer) = ("a".repeat(63), "a".repeat(64));
        for raw in ["a", "0", "env", "a.b/c_d-e", "team/x", "1--2", &longest] {
            assert!(raw.parse::<LabelKey>().is_ok(), "{raw}");
        }
        for raw in ["", "-", "a-", ".a", "A", "a b", "a=b", "ä", "a\n", &longer] {
            assert_eq!(raw.parse::<LabelKey>(), Err(InvalidLabel::Key), "{raw}");
        }
    }

    #[test]
    fn what_a_value_may_be() {
        let (longest, longer) = ("ä".repeat(128), "a".repeat(129));
        for raw in ["", " ", "=", "Ä \"x\"", &longest] {
            assert!(raw.parse::<LabelValue>().is_ok(), "{raw}");
        }
        for raw in ["a\nb", "\0", "\u{85}", &longer] {
            assert_eq!(raw.parse::<LabelValue>(), Err(InvalidLabel::Value), "{raw}");
        }
    }

    #[test]
    fn a_filter_names_a_key_and_perhaps_a_value() {
        let filter = |raw: &str| {
            let LabelFilter { key, value } = raw.parse().ok()?;
            Some((key.0, value.map(|value| value.0)))
        };
        let some = |text: &str| Some(text.to_owned());
        for (raw, want) in [
            ("env", Some(("env".to_owned(), None))),
            ("env=", Some(("env".to_owned(), some("")))),
            ("env=a=b", Some(("env".to_owned(), some("a=b")))),
            ("=a", None),
            ("", None),
            ("Env=a", None),
        ] {
            assert_eq!(filter(raw), want, "{raw}");
        }
    }

    #[test]
    fn there_are_at_most_thirty_two() {
        let pairs = |count: usize| {
            let pair = |n| (LabelKey(format!("k{n}")), LabelValue(String::new()));
            (0..count).map(pair).collect()
        };
        assert!(Labels::new(pairs(32)).is_ok());
        assert_eq!(Labels::new(pairs(33)), Err(TooManyLabels));
    }
}
