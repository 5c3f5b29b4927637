//! From conditions, rules, redactions and meters to the policy spec that the engine compiles
//! (`policy.v1`): regions are told it, and evaluate and preview compile it right here.

use std::num::NonZeroU64;

use requestrocket_proto::policy::v1 as wire;

use crate::domain::guard::attachment::Attachment;
use crate::domain::guard::condition::{
    Conditions, NamedCondition, NodeCondition, Path, PathCondition, Pattern, Presence,
};
use crate::domain::guard::effect::Effect;
use crate::domain::guard::meter::{Extraction, MeterForm, MeterLimits};
use crate::domain::guard::redaction::{Operation, RedactionForm};
use crate::domain::guard::rule::RuleForm;
use crate::domain::id::{FilterId, RuleId};

/// What is attached to one record, beside its default effect.
#[must_use]
pub fn layer(
    default_effect: Effect,
    rules: &[Attachment<RuleForm>],
    redactions: &[Attachment<RedactionForm>],
) -> wire::Layer {
    let rules = rules.iter().map(|it| rule(it.id, &it.form));
    let redactions = redactions.iter().map(|it| redaction(it.id, &it.form));
    wire::Layer {
        default_effect: effect(default_effect).into(),
        rules: rules.collect(),
        redactions: redactions.collect(),
    }
}

/// A rule.
#[must_use]
pub fn rule(id: RuleId, form: &RuleForm) -> wire::Rule {
    wire::Rule {
        rule_id: id.to_string(),
        effect: effect(form.effect).into(),
        // A form's priority is at most 1000.
        priority: form.priority.try_into().unwrap_or(u32::MAX),
        conditions: Some(conditions(&form.conditions)),
    }
}

/// A redaction.
#[must_use]
pub fn redaction(id: FilterId, form: &RedactionForm) -> wire::Redaction {
    wire::Redaction {
        filter_id: id.to_string(),
        operation: operation(form.operation).into(),
        paths: texts(&form.paths),
        conditions: Some(conditions(&form.conditions)),
    }
}

/// A proxy's meters.
#[must_use]
pub fn meters(meters: &[Attachment<MeterForm>]) -> Vec<wire::Meter> {
    let meter = |meter: &Attachment<MeterForm>| {
        let MeterLimits {
            minute,
            hour,
            day,
            month,
        } = meter.form.limits;
        wire::Meter {
            meter_id: meter.id.to_string(),
            extraction: meter.form.counted.extraction().cloned().map(extraction),
            conditions: Some(conditions(&meter.form.conditions)),
            limits: Some(wire::Limits {
                minute: minute.map(NonZeroU64::get),
                hour: hour.map(NonZeroU64::get),
                day: day.map(NonZeroU64::get),
                month: month.map(NonZeroU64::get),
            }),
        }
    };
    meters.iter().map(meter).collect()
}

fn extraction(extraction: Extraction) -> wire::meter::Extraction {
    match extraction {
        Extraction::Body { path } => wire::meter::Extraction::BodyPath(path.as_str().into()),
        Extraction::Header { name } => wire::meter::Extraction::HeaderName(name),
    }
}

fn effect(effect: Effect) -> wire::Effect {
    match effect {
        Effect::Allow => wire::Effect::Allow,
        Effect::Deny => wire::Effect::Deny,
    }
}

fn operation(operation: Operation) -> wire::Operation {
    match operation {
        Operation::Retain => wire::Operation::Retain,
        Operation::Destroy => wire::Operation::Destroy,
    }
}

fn texts(paths: &[Path]) -> Vec<String> {
    paths.iter().map(|path| path.as_str().to_owned()).collect()
}

fn conditions(conditions: &Conditions) -> wire::Conditions {
    let Conditions {
        methods,
        path,
        headers,
        query,
        body,
        claims,
    } = conditions;
    wire::Conditions {
        methods: methods.clone(),
        path: path.as_ref().map(path_condition),
        headers: headers.iter().map(named).collect(),
        query: query.iter().map(named).collect(),
        body: body.iter().map(node).collect(),
        claims: claims.iter().map(node).collect(),
    }
}

fn path_condition(condition: &PathCondition) -> wire::PathCondition {
    let PathCondition {
        pattern: own,
        presence: there,
    } = condition;
    wire::PathCondition {
        pattern: Some(pattern(own)),
        presence: presence(*there).into(),
    }
}

fn named(condition: &NamedCondition) -> wire::NamedCondition {
    let NamedCondition {
        name,
        value,
        presence: there,
    } = condition;
    wire::NamedCondition {
        name: Some(pattern(name)),
        value: value.as_ref().map(pattern),
        presence: presence(*there).into(),
    }
}

fn node(condition: &NodeCondition) -> wire::NodeCondition {
    let NodeCondition {
        path,
        value,
        presence: there,
    } = condition;
    wire::NodeCondition {
        path: path.as_str().to_owned(),
        value: value.as_ref().map(pattern),
        presence: presence(*there).into(),
    }
}

fn pattern(pattern: &Pattern) -> wire::Pattern {
    wire::Pattern {
        pattern: pattern.pattern().to_owned(),
        flags: pattern.flags().to_owned(),
    }
}

fn presence(presence: Presence) -> wire::Presence {
    match presence {
        Presence::Present => wire::Presence::Present,
        Presence::Absent => wire::Presence::Absent,
    }
}

#[cfg(test)]
mod tests;
