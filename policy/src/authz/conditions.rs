//! The conditions of rules, redactions and meters, tried on a call.
//!
//! One pass over them serves both the decision (which stops at the first that does not hold) and
//! the explanation (which wants them all).

#[cfg(any(test, feature = "explain"))]
mod recall;

#[cfg(any(test, feature = "explain"))]
pub(crate) use self::recall::{Held, Known};
#[cfg(any(test, feature = "explain"))]
use super::outcome::Failure;
use super::{
    call::Call,
    nodes::{Nodes, Probe},
    outcome::{Field, Outcome, Part, Presence, Problem, Section},
};
#[cfg(any(test, feature = "explain"))]
use crate::effort::go_through;
use crate::{
    http::ALLOWED_METHODS,
    pattern::{Pattern, text_of},
};

/// How many occurrences of a repeated name must match.
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
            // HEAD is answered as GET is, less the body (RFC 9110 §9.3.2): a rule must mean both.
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
    /// Whether all hold.
    pub(crate) async fn hold(&self, probe: &Probe<'_, '_>, mode: Mode) -> Hold {
        for (_, condition) in self.all() {
            let outcome = condition.outcome(probe, mode).await;
            // A search that was not made says that there is no match, by which an absence holds.
            if probe.call().effort().is_exhausted() {
                return Hold::Unreadable;
            }
            match outcome {
                Outcome::Holds => {}
                Outcome::Fails(..) => return Hold::No,
                Outcome::NeedsBody => return Hold::NeedsBody,
                Outcome::Unreadable => return Hold::Unreadable,
            }
        }
        Hold::Yes
    }

    /// All that do not hold, each with its reason.
    #[cfg(any(test, feature = "explain"))]
    pub(crate) fn failures(&self, probe: &Probe<'_, '_>, mode: Mode) -> Vec<Failure> {
        let outcomes = self
            .all()
            .map(|(field, condition)| (field, go_through(condition.outcome(probe, mode))));
        outcomes
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

    fn all(&self) -> impl Iterator<Item = (Field, Condition<'_>)> {
        let methods = self.methods.iter();
        let methods = methods.map(|methods| (Field::Methods, Condition::Methods(*methods)));
        let path = self.path.iter();
        let path = path.map(|path| (Field::Path(Part::Whole), Condition::Path(path)));
        methods
            .chain(path)
            .chain(numbered(
                Section::Headers,
                &self.headers,
                Condition::Headers,
            ))
            .chain(numbered(Section::Query, &self.query, Condition::Query))
            .chain(numbered(Section::Claims, &self.claims, Condition::Claims))
            // Last, so that a body is asked for only when it decides.
            .chain(numbered(Section::Body, &self.body, Condition::Body))
    }
}

/// One of them.
#[derive(Clone, Copy)]
enum Condition<'p> {
    Methods(Methods),
    Path(&'p PathCondition),
    Headers(&'p NamedCondition),
    Query(&'p NamedCondition),
    Claims(&'p NodeCondition),
    Body(&'p NodeCondition),
}

impl Condition<'_> {
    async fn outcome(self, probe: &Probe<'_, '_>, mode: Mode) -> Outcome {
        let call = probe.call();
        call.rest().await;
        match self {
            Self::Methods(methods) if methods.contain(call.method()) => Outcome::Holds,
            Self::Methods(_) => Outcome::Fails(Part::Whole, Problem::OtherMethod),
            Self::Path(path) => path.outcome(call),
            Self::Headers(condition) => condition.of_headers(call, mode).await,
            Self::Query(condition) => condition.of_query(call, mode).await,
            Self::Claims(condition) => condition.of_nodes(probe.claims(), call, mode).await,
            Self::Body(condition) => match probe.body().await {
                None => Outcome::NeedsBody,
                Some(nodes) => condition.of_nodes(nodes, call, mode).await,
            },
        }
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
    async fn of_headers(&self, call: &Call<'_>, mode: Mode) -> Outcome {
        let is_match = |name: &str| self.name.is_match(name, call.effort());
        let mut judging = Judging::new(self.presence, mode);
        for header in call.headers() {
            call.rest().await;
            if header.names().any(is_match)
                && judging.is_over(matches(self.value.as_ref(), || text_of(header.value), call))
            {
                break;
            }
        }
        judging.end().at(Part::Name)
    }

    async fn of_query(&self, call: &Call<'_>, mode: Mode) -> Outcome {
        let mut judging = Judging::new(self.presence, mode);
        for (name, value) in call.query() {
            call.rest().await;
            if self.name.is_match(name, call.effort())
                && judging.is_over(matches(self.value.as_ref(), || value, call))
            {
                break;
            }
        }
        judging.end().at(Part::Name)
    }
}

impl NodeCondition {
    async fn of_nodes(&self, nodes: &Nodes<'_>, call: &Call<'_>, mode: Mode) -> Outcome {
        let Some(nodes) = nodes.at(self.path) else {
            return Outcome::Unreadable;
        };
        let mut judging = Judging::new(self.presence, mode);
        for node in nodes {
            call.rest().await;
            if judging.is_over(matches(self.value.as_ref(), || node.text(), call)) {
                break;
            }
        }
        judging.end().at(Part::Path)
    }
}

fn matches<T: AsRef<str>>(
    pattern: Option<&Pattern>,
    value: impl FnOnce() -> T,
    call: &Call<'_>,
) -> bool {
    pattern.is_none_or(|pattern| pattern.is_match(value().as_ref(), call.effort()))
}

fn numbered<'p, T>(
    section: Section,
    conditions: &'p [T],
    condition: impl Fn(&'p T) -> Condition<'p>,
) -> impl Iterator<Item = (Field, Condition<'p>)> {
    let numbered = conditions.iter().enumerate();
    numbered.map(move |(position, one)| {
        let field = Field::Item(section, position, Part::Whole);
        (field, condition(one))
    })
}

/// How a condition is judged by the occurrences of a matching name, one after the other.
struct Judging {
    presence: Presence,
    mode: Mode,
    /// None: there was none yet.
    so_far: Option<bool>,
}

impl Judging {
    fn new(presence: Presence, mode: Mode) -> Self {
        Self {
            presence,
            mode,
            so_far: None,
        }
    }

    /// There is an occurrence, whose value matches or not. Says whether others change nothing.
    fn is_over(&mut self, matches: bool) -> bool {
        self.so_far = Some(matches);
        match (self.presence, self.mode) {
            (Presence::Absent, _) | (Presence::Present, Mode::Any) => matches,
            (Presence::Present, Mode::All) => !matches,
        }
    }

    fn end(&self) -> Judgement {
        match (self.presence, self.so_far) {
            (Presence::Absent, Some(true)) => Judgement::Fails(Problem::Present),
            (Presence::Absent, _) | (Presence::Present, Some(true)) => Judgement::Holds,
            (Presence::Present, None) => Judgement::Fails(Problem::Missing),
            (Presence::Present, Some(false)) => Judgement::Fails(match self.mode {
                Mode::Any => Problem::NoValueMatches,
                Mode::All => Problem::SomeValueDiffers,
            }),
        }
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
