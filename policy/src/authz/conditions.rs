//! The conditions of rules, redactions and meters, tried on a call.
//!
//! One pass over them serves both the decision (which stops at the first that does not hold) and
//! the explanation (which wants them all).

#[cfg(any(test, feature = "explain"))]
use super::outcome::Failure;
use super::{
    call::Call,
    nodes::{Nodes, Probe},
    outcome::{Field, Outcome, Part, Presence, Problem, Section},
};
use crate::{
    http::ALLOWED_METHODS,
    pattern::{Pattern, text_of},
};

/// How many occurrences of a repeated name must match (details 41).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// One: deny rules, redactions, meters.
    Any,
    /// At least one, and all of them: allow rules.
    All,
}

/// Whether conditions hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Hold {
    /// All hold.
    Yes,
    /// One does not.
    No,
    /// All others hold; those of the body decide.
    NeedsBody,
    /// Nobody can tell: all others hold and the body cannot be read, or the patterns take too long
    /// on this call.
    Unreadable,
}

/// All must hold; what is absent holds.
#[derive(Debug)]
pub struct Conditions {
    /// None for any method.
    pub(crate) methods: Option<Methods>,
    pub(crate) path: Option<PathCondition>,
    pub(crate) headers: Box<[NamedCondition]>,
    pub(crate) query: Box<[NamedCondition]>,
    pub(crate) claims: Box<[NodeCondition]>,
    pub(crate) body: Box<[NodeCondition]>,
}

/// Some of the seven methods, a bit each.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Methods(u8);

#[derive(Debug)]
pub(crate) struct PathCondition {
    pub(crate) pattern: Pattern,
    pub(crate) presence: Presence,
}

/// Of headers and query parameters.
#[derive(Debug)]
pub(crate) struct NamedCondition {
    pub(crate) name: Pattern,
    /// None: the name alone decides.
    pub(crate) value: Option<Pattern>,
    pub(crate) presence: Presence,
}

/// Of JSON.
#[derive(Debug)]
pub(crate) struct NodeCondition {
    /// Place of the path in the layer's [`super::Paths`].
    pub(crate) path: usize,
    /// None: the node's existence decides.
    pub(crate) value: Option<Pattern>,
    pub(crate) presence: Presence,
}

impl Methods {
    /// Adds a method; None when it is none of the seven.
    pub(crate) fn with(self, method: &str) -> Option<Self> {
        let bits = match method {
            "GET" => Self::bit(b"GET")? | Self::bit(b"HEAD")?,
            other => Self::bit(other.as_bytes())?,
        };
        Some(Self(self.0 | bits))
    }

    fn bit(method: &[u8]) -> Option<u8> {
        let mut bits = ALLOWED_METHODS.iter().zip(0..);
        bits.find_map(|(allowed, at)| (allowed.as_bytes() == method).then_some(1 << at))
    }

    fn contain(self, method: &[u8]) -> bool {
        Self::bit(method).is_some_and(|bit| self.0 & bit != 0)
    }
}

impl Conditions {
    /// Whether all hold. Those of the body are tried last, so that it is asked for only when they
    /// decide.
    pub fn hold(&self, probe: &Probe<'_, '_>, mode: Mode) -> Hold {
        let decided = self.outcomes(probe, mode).find_map(|(_, outcome)| {
            if probe.call().effort().is_exhausted() {
                return Some(Hold::Unreadable);
            }
            match outcome {
                Outcome::Holds => None,
                Outcome::Fails(..) => Some(Hold::No),
                Outcome::NeedsBody => Some(Hold::NeedsBody),
                Outcome::Unreadable => Some(Hold::Unreadable),
            }
        });
        decided.unwrap_or(Hold::Yes)
    }

    /// All that do not hold, each with its reason.
    #[cfg(any(test, feature = "explain"))]
    pub(crate) fn failures(&self, probe: &Probe<'_, '_>, mode: Mode) -> Vec<Failure> {
        self.outcomes(probe, mode)
            .filter_map(|(field, outcome)| match outcome {
                _ if probe.call().effort().is_exhausted() => Some((field, Problem::TooMuchWork)),
                Outcome::Holds => None,
                Outcome::Fails(part, problem) => Some((field.with(part), problem)),
                Outcome::NeedsBody => Some((field, Problem::NoBodyYet)),
                Outcome::Unreadable => Some((field, Problem::Unreadable)),
            })
            .collect()
    }

    pub(crate) fn names_methods(&self) -> bool {
        self.methods.is_some()
    }

    fn outcomes(
        &self,
        probe: &Probe<'_, '_>,
        mode: Mode,
    ) -> impl Iterator<Item = (Field, Outcome)> {
        let call = probe.call();
        let methods = self.methods.iter().map(move |methods| {
            let is_named = methods.contain(call.method());
            (Field::Methods, or_fail(is_named, Problem::OtherMethod))
        });
        let path = self
            .path
            .iter()
            .map(move |path| (Field::Path(Part::Whole), path.outcome(call)));
        let headers = numbered(Section::Headers, &self.headers)
            .map(move |(field, condition)| (field, condition.of_headers(call, mode)));
        let query = numbered(Section::Query, &self.query)
            .map(move |(field, condition)| (field, condition.of_query(call, mode)));
        let claims = numbered(Section::Claims, &self.claims)
            .map(move |(field, condition)| (field, condition.of_claims(probe, mode)));
        let body = numbered(Section::Body, &self.body)
            .map(move |(field, condition)| (field, condition.of_body(probe, mode)));
        methods
            .chain(path)
            .chain(headers)
            .chain(query)
            .chain(claims)
            .chain(body)
    }
}

impl PathCondition {
    fn outcome(&self, call: &Call<'_>) -> Outcome {
        match (
            self.presence,
            self.pattern.is_match(call.path(), call.effort()),
        ) {
            (Presence::Present, true) | (Presence::Absent, false) => Outcome::Holds,
            (Presence::Present, false) => Outcome::Fails(Part::Whole, Problem::PathDiffers),
            (Presence::Absent, true) => Outcome::Fails(Part::Presence, Problem::PathMatches),
        }
    }
}

impl NamedCondition {
    fn of_headers(&self, call: &Call<'_>, mode: Mode) -> Outcome {
        let is_match = |name: &str| self.name.is_match(name, call.effort());
        let headers = call.headers().iter();
        let named = headers.filter(|header| header.names().any(is_match));
        let value = self.value.as_ref();
        let matches = named.map(|header| matches(value, || text_of(header.value), call));
        judge(matches, self.presence, mode).at(Part::Name)
    }

    fn of_query(&self, call: &Call<'_>, mode: Mode) -> Outcome {
        let parameters = call.query().iter();
        let named = parameters.filter(|(name, _)| self.name.is_match(name, call.effort()));
        let matches = named.map(|(_, value)| matches(self.value.as_ref(), || value, call));
        judge(matches, self.presence, mode).at(Part::Name)
    }
}

impl NodeCondition {
    fn of_body(&self, probe: &Probe<'_, '_>, mode: Mode) -> Outcome {
        match probe.body() {
            None => Outcome::NeedsBody,
            Some(nodes) => self.of_nodes(nodes, probe.call(), mode),
        }
    }

    fn of_claims(&self, probe: &Probe<'_, '_>, mode: Mode) -> Outcome {
        self.of_nodes(probe.claims(), probe.call(), mode)
    }

    fn of_nodes(&self, nodes: &Nodes<'_>, call: &Call<'_>, mode: Mode) -> Outcome {
        let Some(nodes) = nodes.at(self.path) else {
            return Outcome::Unreadable;
        };
        let matches = nodes.map(|node| matches(self.value.as_ref(), || node.text(), call));
        judge(matches, self.presence, mode).at(Part::Path)
    }
}

fn matches<T: AsRef<str>>(
    pattern: Option<&Pattern>,
    value: impl FnOnce() -> T,
    call: &Call<'_>,
) -> bool {
    pattern.is_none_or(|pattern| pattern.is_match(value().as_ref(), call.effort()))
}

fn numbered<T>(section: Section, conditions: &[T]) -> impl Iterator<Item = (Field, &T)> {
    let numbered = conditions.iter().enumerate();
    numbered.map(move |(position, one)| (Field::Item(section, position, Part::Whole), one))
}

fn or_fail(holds: bool, problem: Problem) -> Outcome {
    if holds {
        Outcome::Holds
    } else {
        Outcome::Fails(Part::Whole, problem)
    }
}

/// Details 41. `occurrences` says of each occurrence of a matching name whether its value matches.
fn judge(mut occurrences: impl Iterator<Item = bool>, presence: Presence, mode: Mode) -> Judgement {
    match (presence, mode) {
        (Presence::Absent, _) => {
            if occurrences.any(|matches| matches) {
                Judgement::Fails(Problem::Present)
            } else {
                Judgement::Holds
            }
        }
        (Presence::Present, Mode::Any) => match occurrences.next() {
            None => Judgement::Fails(Problem::Missing),
            Some(first) if first || occurrences.any(|matches| matches) => Judgement::Holds,
            Some(_) => Judgement::Fails(Problem::NoValueMatches),
        },
        (Presence::Present, Mode::All) => match occurrences.next() {
            None => Judgement::Fails(Problem::Missing),
            Some(first) if first && occurrences.all(|matches| matches) => Judgement::Holds,
            Some(_) => Judgement::Fails(Problem::SomeValueDiffers),
        },
    }
}

enum Judgement {
    Holds,
    Fails(Problem),
}

impl Judgement {
    /// `key` is the part that finds occurrences.
    fn at(self, key: Part) -> Outcome {
        match self {
            Self::Holds => Outcome::Holds,
            Self::Fails(problem @ Problem::Missing) => Outcome::Fails(key, problem),
            Self::Fails(problem @ Problem::Present) => Outcome::Fails(Part::Presence, problem),
            Self::Fails(problem) => Outcome::Fails(Part::Value, problem),
        }
    }
}
