//! What rules and filters of a proxy would have made of calls that are recorded.
//!
//! Only the proxy's own layer is tried: what the others said of a call does not change, and what came
//! of that is in its record.

use std::collections::BTreeSet;

use requestrocket_policy::evaluate::{Effect, InvalidSample, LayerName, SampleLayers};
use requestrocket_policy::recall::{FilterRecall, Judged, Judges, Rehearsed};
use requestrocket_proto::policy::v1 as wire;
use requestrocket_proto::record::v1::Record;

use super::explain::{Recorded, open};
use crate::error::{ApiError, ApiResult, Code};

/// Calls that are named.
const EXAMPLES: usize = 10;
/// Steps of all calls together: some five seconds.
const STEPS: usize = 1_600_000_000;

/// What the proxy's layer is and would be.
#[derive(Debug)]
pub struct Proposal {
    /// As it is.
    pub present: wire::Layer,
    /// In the place of its rules; none: they stay.
    pub rules: Option<Vec<wire::Rule>>,
    /// In the place of its filters; none: they stay.
    pub filters: Option<Vec<wire::Redaction>>,
}

/// A rehearsal under way.
#[derive(Debug)]
pub struct Rehearsal {
    /// None: rules stay, so what became of calls does.
    rules: Option<Judges>,
    /// Filters that are in one of the two only.
    filters: Option<(Side, Side)>,
    steps: usize,
    /// What was found so far.
    pub found: Found,
}

/// What the differing filters of one side do.
#[derive(Debug)]
struct Side {
    judges: Judges,
    /// By id: what the filter does to which nodes.
    does: Vec<(String, (i32, BTreeSet<String>))>,
}

/// What came of a rehearsal.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Found {
    /// Calls that were tried.
    pub calls: u64,
    /// Of these: what would be otherwise.
    pub changed: u64,
    /// Of these: nobody can tell.
    pub unknown: u64,
    /// The first of those that would be otherwise.
    pub examples: Vec<String>,
}

/// Whether something would be otherwise.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Change {
    No,
    Unknown,
    Yes,
}

impl Rehearsal {
    /// Compiles what is proposed.
    ///
    /// # Errors
    /// `LIMIT_REACHED` when it is more than a policy may be.
    pub fn new(proposal: Proposal) -> ApiResult<Self> {
        let Proposal {
            present,
            rules,
            filters,
        } = proposal;
        let with = |rules: Vec<wire::Rule>, redactions: Vec<wire::Redaction>| {
            judges(wire::Layer {
                default_effect: present.default_effect,
                rules,
                redactions,
            })
        };
        let filters = filters.map(|proposed| {
            let (now, then) = differing(present.redactions.clone(), proposed);
            let side = |redactions: Vec<wire::Redaction>| {
                let does = redactions.iter().map(|it| {
                    let paths = it.paths.iter().cloned().collect();
                    (it.filter_id.clone(), (it.operation, paths))
                });
                Ok::<_, ApiError>(Side {
                    does: does.collect(),
                    judges: with(Vec::new(), redactions)?,
                })
            };
            Ok::<_, ApiError>((side(now)?, side(then)?))
        });
        Ok(Self {
            rules: rules.map(|rules| with(rules, Vec::new())).transpose()?,
            filters: filters.transpose()?,
            steps: 0,
            found: Found::default(),
        })
    }

    /// Tries calls. Costly.
    ///
    /// # Errors
    /// `SELECTION_TOO_LARGE` when it takes too much work.
    pub fn try_all(&mut self, records: Vec<Record>) -> ApiResult<()> {
        for record in records {
            let recorded = Recorded::new(record);
            let change = self.try_one(&recorded);
            if self.steps > STEPS {
                return Err(too_much());
            }
            let found = &mut self.found;
            found.calls += 1;
            match change {
                Change::No => {}
                Change::Unknown => found.unknown += 1,
                Change::Yes => {
                    found.changed += 1;
                    if found.examples.len() < EXAMPLES {
                        found.examples.push(recorded.record().request_id.clone());
                    }
                }
            }
        }
        Ok(())
    }

    fn try_one(&mut self, recorded: &Recorded) -> Change {
        if !recorded.was_asked() {
            return Change::No;
        }
        let judged = recorded.judged();
        let (was_allowed, of_rules) = match &judged {
            // Nothing that the proxy's layer says lets it pass, or has another one named.
            Judged::Denied { layer, .. } if *layer != LayerName::Proxy => return Change::No,
            Judged::Denied { by, .. } if by == "unreadable-body" => (false, self.unknown_rules()),
            Judged::Denied { .. } => (false, self.of_rules(recorded, Effect::Deny)),
            Judged::Allowed => (true, self.of_rules(recorded, Effect::Allow)),
            Judged::Unknown => (false, self.unknown_rules()),
        };
        // Filters apply to answers of success.
        let is_success = |status: u32| (200..300).contains(&status);
        let status = recorded.record().target_status;
        if was_allowed && status.is_some_and(is_success) {
            return of_rules.max(self.of_filters(recorded));
        }
        of_rules
    }

    fn unknown_rules(&self) -> Change {
        match self.rules {
            Some(_) => Change::Unknown,
            None => Change::No,
        }
    }

    fn of_rules(&mut self, recorded: &Recorded, was: Effect) -> Change {
        let Some(judges) = &self.rules else {
            return Change::No;
        };
        let Rehearsed { effect, steps, .. } = judges.rehearse(&recorded.call());
        self.steps = self.steps.saturating_add(steps);
        match effect {
            None => Change::Unknown,
            Some(effect) if effect == was => Change::No,
            Some(_) => Change::Yes,
        }
    }

    fn of_filters(&mut self, recorded: &Recorded) -> Change {
        let Some((now, then)) = &self.filters else {
            return Change::No;
        };
        let [now, then] = [now, then].map(|side| {
            let rehearsed = side.judges.rehearse(&recorded.call());
            self.steps = self.steps.saturating_add(rehearsed.steps);
            side.applied(&rehearsed.filters)
        });
        match (now, then) {
            (Some(now), Some(then)) if now == then => Change::No,
            (Some(_), Some(_)) => Change::Yes,
            (None, _) | (_, None) => Change::Unknown,
        }
    }
}

impl Side {
    /// What the filters that apply do; none: nobody can tell.
    fn applied(&self, filters: &[FilterRecall]) -> Option<BTreeSet<&(i32, BTreeSet<String>)>> {
        let mut applied = BTreeSet::new();
        for filter in filters {
            if filter.is_applied? {
                let mut does = self.does.iter();
                let found = does.find(|(id, _)| **id == *filter.filter_id);
                applied.extend(found.map(|(_, does)| does));
            }
        }
        Some(applied)
    }
}

/// Those of either side that the other does not have, whatever they are called.
fn differing(
    mut now: Vec<wire::Redaction>,
    mut then: Vec<wire::Redaction>,
) -> (Vec<wire::Redaction>, Vec<wire::Redaction>) {
    now.retain(|one| {
        let is_same = |other: &wire::Redaction| {
            (&one.operation, &one.paths, &one.conditions)
                == (&other.operation, &other.paths, &other.conditions)
        };
        match then.iter().position(is_same) {
            Some(place) => {
                then.remove(place);
                false
            }
            None => true,
        }
    });
    (now, then)
}

fn judges(proxy: wire::Layer) -> ApiResult<Judges> {
    let layers = SampleLayers {
        proxy_credential: open(),
        target_credential: open(),
        target: open(),
        proxy,
    };
    // What is in them was read before; together they may be too much.
    Judges::compile(layers).map_err(|invalid: InvalidSample| {
        let text = format!("too much is proposed: {invalid}");
        ApiError::new(Code::LimitReached, text)
    })
}

/// There are more calls, or they take more work, than a rehearsal may.
#[must_use]
pub fn too_much() -> ApiError {
    let text = "too many calls would have to be tried: narrow them by `from` and `to`";
    ApiError::new(Code::SelectionTooLarge, text)
}

#[cfg(test)]
mod tests;
