//! One layer on a recorded call, and what becomes of that by what the record says of the outcome.

use std::sync::Arc;

use super::{Judged, known_of, names};
use crate::{
    authz::{Call, DecidedBy, Effect, Held, Known, Layer, LayerName, Mode},
    evaluate::FailedCondition,
    id::RuleId,
    redact::Operation,
};

/// What one layer made of the call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LayerRecall {
    /// Which.
    pub layer: LayerName,
    /// None: nobody can tell.
    pub effect: Option<Effect>,
    /// A rule's id, `default` or `unreadable-body`; none: nobody can tell.
    pub decided_by: Option<String>,
    /// All its rules, in the order in which they are tried.
    pub rules: Vec<RuleRecall>,
    /// What may have decided it, in that order.
    possible: Vec<(Effect, DecidedBy)>,
}

/// What one rule made of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RuleRecall {
    /// Which.
    pub rule_id: RuleId,
    /// None: nobody can tell.
    pub is_matched: Option<bool>,
    /// Conditions that did not hold for certain.
    pub failed: Vec<FailedCondition>,
    /// Conditions of which nobody can tell, as in `headers[0]`.
    pub unknown: Vec<String>,
}

/// Whether one filter applied.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FilterRecall {
    /// Its layer.
    pub stage: LayerName,
    /// Which.
    pub filter_id: Arc<str>,
    /// What it does.
    pub operation: Operation,
    /// None: nobody can tell.
    pub is_applied: Option<bool>,
    /// Conditions of which nobody can tell, as in `headers[0]`.
    pub unknown: Vec<String>,
}

/// Tries the rules of a layer in their order.
pub(super) fn recall(
    name: LayerName,
    layer: &Layer,
    (call, known): (&Call<'_>, Known),
) -> LayerRecall {
    let probe = layer.probe(call);
    let (mut rules, mut possible) = (Vec::new(), Vec::new());
    let mut is_decided = false;
    for rule in layer.rules() {
        call.effort().renew();
        let recalled = rule.conditions.recall(&probe, rule.effect.mode(), known);
        if !is_decided && recalled.is_in_doubt {
            possible.push((Effect::Deny, DecidedBy::UnreadableBody));
        }
        if !is_decided && recalled.held != Held::No {
            possible.push((rule.effect, DecidedBy::Rule(rule.id)));
            is_decided = recalled.held == Held::Yes;
        }
        let failed = recalled.failed.into_iter();
        rules.push(RuleRecall {
            rule_id: rule.id,
            is_matched: known_of(recalled.held),
            failed: failed
                .map(|(field, problem)| FailedCondition {
                    condition: field.to_string(),
                    problem: problem.to_string(),
                })
                .collect(),
            unknown: names(&recalled.unknown),
        });
    }
    if !is_decided {
        possible.push((layer.default_effect(), DecidedBy::Default));
    }
    let mut recalled = LayerRecall {
        layer: name,
        effect: None,
        decided_by: None,
        rules,
        possible,
    };
    recalled.conclude();
    recalled
}

/// The filters of a layer.
pub(super) fn filters(
    name: LayerName,
    layer: &Layer,
    (call, known): (&Call<'_>, Known),
) -> Vec<FilterRecall> {
    let probe = layer.probe(call);
    let filters = layer.redactions().iter().map(|redaction| {
        call.effort().renew();
        let recalled = redaction.conditions.recall(&probe, Mode::Any, known);
        // What nobody could read applies.
        let is_open = recalled.held == Held::No && recalled.is_in_doubt;
        let held = if is_open {
            Held::Unknown
        } else {
            recalled.held
        };
        FilterRecall {
            stage: name,
            filter_id: Arc::clone(&redaction.filter.id),
            operation: redaction.filter.operation,
            is_applied: known_of(held),
            unknown: names(&recalled.unknown),
        }
    });
    filters.collect()
}

/// What became of the call settles what conditions leave open.
pub(super) fn by_what_became(mut layers: Vec<LayerRecall>, judged: &Judged) -> Vec<LayerRecall> {
    let denying = match judged {
        Judged::Unknown => return layers,
        Judged::Allowed => None,
        Judged::Denied { layer, by } => Some((*layer, by)),
    };
    for recalled in &mut layers {
        match denying {
            Some((layer, by)) if layer == recalled.layer => {
                recalled.was_denied(by);
                // Those behind it were not asked.
                break;
            }
            Some(_) | None => recalled.was_allowed(),
        }
    }
    layers
}

impl LayerRecall {
    /// What is certain of what may have decided it.
    fn conclude(&mut self) {
        let [(effect, by), others @ ..] = &self.possible[..] else {
            return;
        };
        let is_one = others.iter().all(|(other, _)| other == effect);
        self.effect = is_one.then_some(*effect);
        self.decided_by = others.is_empty().then(|| by.to_string());
        if others.is_empty() {
            let by = *by;
            self.was_decided_by(by);
        }
    }

    fn was_allowed(&mut self) {
        self.possible.retain(|(effect, _)| *effect == Effect::Allow);
        self.effect = Some(Effect::Allow);
        if let Some((_, first)) = self.possible.first() {
            let first = *first;
            self.decided_from(first);
        }
        self.conclude();
    }

    fn was_denied(&mut self, by: &str) {
        self.effect = Some(Effect::Deny);
        self.decided_by = Some(by.to_owned());
        let decided = self.possible.iter().map(|(_, decided)| *decided);
        let decided = decided
            .into_iter()
            .find(|decided| decided.to_string() == by);
        if let Some(decided) = decided {
            self.was_decided_by(decided);
        }
    }

    /// It matched, and no rule before it.
    fn was_decided_by(&mut self, by: DecidedBy) {
        self.decided_from(by);
        let is_it = |rule: &&mut RuleRecall| by == DecidedBy::Rule(rule.rule_id);
        if let Some(rule) = self.rules.iter_mut().find(is_it) {
            rule.is_matched = Some(true);
        }
    }

    /// No rule before that one matched.
    fn decided_from(&mut self, first: DecidedBy) {
        // Which rule looked into the body nobody knows.
        if first == DecidedBy::UnreadableBody {
            return;
        }
        let rules = self.rules.iter_mut();
        for rule in rules.take_while(|rule| first != DecidedBy::Rule(rule.rule_id)) {
            rule.is_matched = Some(false);
        }
    }
}
