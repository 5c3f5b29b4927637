//! Conditions on a call that is over, of which a record tells less than the call was.
//!
//! A condition is judged as it was then, by the same patterns and the same [`Judging`], with each
//! thing that is not known taken for all that it may have been: what comes of it is known when all
//! of that comes to the same.

use super::{
    super::{call::Header, outcome::Failure},
    Condition, Conditions, Field, Judgement, Judging, Mode, NamedCondition, NodeCondition, Outcome,
    Part, Probe, go_through, matches, text_of,
};
use crate::{authz::Call, note::MASKED};

/// What is known of a call besides what is in it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Known {
    /// Its headers and parameters are all there, as far as names go.
    pub(crate) has_all_names: bool,
    /// It had no body, or none is known.
    pub(crate) has_no_body: bool,
    /// Its caller had no claims, or none are known.
    pub(crate) has_no_claims: bool,
}

/// Whether something held.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Held {
    Yes,
    No,
    Unknown,
}

/// What became of conditions.
#[derive(Debug)]
pub(crate) struct Recalled {
    pub(crate) held: Held,
    /// Those that did not hold for certain.
    pub(crate) failed: Vec<Failure>,
    /// Those of which nobody can tell.
    pub(crate) unknown: Vec<Field>,
    /// What was looked into may have been of no use to anybody, by which no condition is judged.
    pub(crate) is_in_doubt: bool,
}

/// An occurrence of a name as it may have been.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Occurrence {
    Matches,
    Differs,
    /// Its name matches, its value is not known.
    MayMatch,
    /// Its name is not known.
    MayBe,
}

impl Conditions {
    pub(crate) fn recall(&self, probe: &Probe<'_, '_>, mode: Mode, known: Known) -> Recalled {
        let (mut failed, mut unknown) = (Vec::new(), Vec::new());
        let mut is_in_doubt = false;
        for (field, condition) in self.all() {
            let is_reached = failed.is_empty();
            let is_document = matches!(condition, Condition::Claims(_) | Condition::Body(_));
            match condition.recall(probe, mode, known) {
                // What took too long was judged otherwise then.
                _ if probe.call().effort().is_exhausted() => unknown.push(field),
                Some(Outcome::Holds) => {}
                Some(Outcome::Fails(part, problem)) => failed.push((field.with(part), problem)),
                Some(Outcome::NeedsBody | Outcome::Unreadable) | None => {
                    is_in_doubt |= is_reached && is_document;
                    unknown.push(field);
                }
            }
        }
        let held = match (failed.is_empty(), unknown.is_empty()) {
            (false, _) => Held::No,
            (true, false) => Held::Unknown,
            (true, true) => Held::Yes,
        };
        Recalled {
            held,
            failed,
            unknown,
            is_in_doubt,
        }
    }
}

impl Condition<'_> {
    /// None: nobody can tell.
    fn recall(self, probe: &Probe<'_, '_>, mode: Mode, known: Known) -> Option<Outcome> {
        let call = probe.call();
        match self {
            Self::Methods(_) => Some(go_through(self.outcome(probe, mode))),
            Self::Path(path) => (!call.path().contains(MASKED)).then(|| path.outcome(call)),
            Self::Headers(condition) => {
                let all = call.headers().iter();
                let all = all.filter_map(|header| condition.of_header(header, call));
                condition.recalled(all.collect(), mode, known)
            }
            Self::Query(condition) => {
                let all = call.query().iter();
                let all = all.filter_map(|(name, value)| {
                    let is_named = || condition.name.is_match(name, call.effort());
                    condition.occurs((name, is_named), value, call)
                });
                condition.recalled(all.collect(), mode, known)
            }
            Self::Claims(condition) => known.has_no_claims.then(|| condition.of_none(mode)),
            Self::Body(condition) => known.has_no_body.then(|| condition.of_none(mode)),
        }
    }
}

impl NamedCondition {
    fn of_header(&self, header: &Header<'_>, call: &Call<'_>) -> Option<Occurrence> {
        let value = text_of(header.value);
        let mut names = header.names();
        let first = header.names().next().unwrap_or_default();
        let is_named = || names.any(|name| self.name.is_match(name, call.effort()));
        self.occurs((first, is_named), &value, call)
    }

    /// None: it is no occurrence.
    fn occurs(
        &self,
        (name, is_named): (&str, impl FnOnce() -> bool),
        value: &str,
        call: &Call<'_>,
    ) -> Option<Occurrence> {
        if name == MASKED {
            return Some(Occurrence::MayBe);
        }
        let occurrence = match &self.value {
            Some(_) if value == MASKED => Occurrence::MayMatch,
            pattern => of(matches(pattern.as_ref(), || value, call)),
        };
        is_named().then_some(occurrence)
    }

    fn recalled(
        &self,
        mut all: Vec<Occurrence>,
        mode: Mode,
        Known { has_all_names, .. }: Known,
    ) -> Option<Outcome> {
        if !has_all_names {
            all.push(Occurrence::MayBe);
        }
        // What is not known of each occurrence pulls the same way, so the ends say all.
        let outcomes = [Some(true), Some(false), None].map(|unnamed| {
            [true, false].map(|unknown| {
                let mut judging = Judging::new(self.presence, mode);
                let seen = all.iter().filter_map(|one| match one {
                    Occurrence::Matches => Some(true),
                    Occurrence::Differs => Some(false),
                    Occurrence::MayMatch => Some(unknown),
                    Occurrence::MayBe => unnamed,
                });
                for matches in seen {
                    if judging.is_over(matches) {
                        break;
                    }
                }
                judging.end()
            })
        });
        // The last is of what is known.
        let [.., [_, last]] = &outcomes;
        let is_held = last.is_held();
        let is_known = outcomes.iter().flatten().all(|it| it.is_held() == is_held);
        let [.., [_, last]] = outcomes;
        is_known.then(|| last.at(Part::Name))
    }
}

fn of(matches: bool) -> Occurrence {
    if matches {
        Occurrence::Matches
    } else {
        Occurrence::Differs
    }
}

impl NodeCondition {
    /// On what has no nodes.
    fn of_none(&self, mode: Mode) -> Outcome {
        Judging::new(self.presence, mode).end().at(Part::Path)
    }
}

impl Judgement {
    fn is_held(&self) -> bool {
        match self {
            Self::Holds => true,
            Self::Fails(_) => false,
        }
    }
}
