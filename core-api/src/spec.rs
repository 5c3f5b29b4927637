//! From conditions, rules, redactions and meters to the policy spec that the engine compiles
//! (`policy.v1`): regions are told it, and evaluate and preview compile it right here.

use requestrocket_proto::policy::v1 as wire;

use crate::domain::condition::{
    Conditions, NamedCondition, NodeCondition, PathCondition, Pattern, Presence,
};
use crate::domain::effect::Effect;
use crate::domain::meter::Extraction;
use crate::domain::redaction::Operation;
use crate::store::attached_state::{MeterState, RedactionState, RuleState};

/// A row of the store that means nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidRow {
    /// No effect of that name.
    #[error("effect is unknown")]
    Effect,
    /// No operation of that name.
    #[error("operation is unknown")]
    Operation,
    /// A JSON column holds something else.
    #[error("conditions, paths or extraction cannot be read")]
    Json,
    /// A number is negative or too large.
    #[error("number is out of range")]
    Number,
}

/// What is attached to one record, beside its default effect.
///
/// # Errors
/// A row means nothing.
pub fn layer(
    default_effect: &str,
    rules: &[RuleState],
    redactions: &[RedactionState],
) -> Result<wire::Layer, InvalidRow> {
    Ok(wire::Layer {
        default_effect: effect(default_effect)?.into(),
        rules: rules.iter().map(rule).collect::<Result<_, _>>()?,
        redactions: redactions.iter().map(redaction).collect::<Result<_, _>>()?,
    })
}

/// A meter.
///
/// # Errors
/// The row means nothing.
pub fn meter(row: &MeterState) -> Result<wire::Meter, InvalidRow> {
    let MeterState {
        attached_id: _,
        meter_id,
        extraction,
        conditions: conditions_json,
        limit_minute,
        limit_hour,
        limit_day,
        limit_month,
    } = row;
    let extraction = extraction.as_deref().map(json).transpose()?;
    Ok(wire::Meter {
        meter_id: meter_id.clone(),
        extraction: extraction.map(|extraction| match extraction {
            Extraction::Body { path } => wire::meter::Extraction::BodyPath(path.as_str().into()),
            Extraction::Header { name } => wire::meter::Extraction::HeaderName(name),
        }),
        conditions: Some(conditions(json(conditions_json)?)),
        limits: Some(wire::Limits {
            minute: limit(*limit_minute)?,
            hour: limit(*limit_hour)?,
            day: limit(*limit_day)?,
            month: limit(*limit_month)?,
        }),
    })
}

/// A ceiling.
///
/// # Errors
/// It is negative.
pub fn limit(stored: Option<i64>) -> Result<Option<u64>, InvalidRow> {
    stored
        .map(|limit| limit.try_into().map_err(|_| InvalidRow::Number))
        .transpose()
}

fn rule(row: &RuleState) -> Result<wire::Rule, InvalidRow> {
    let RuleState {
        attached_id: _,
        rule_id,
        effect: effect_word,
        priority,
        conditions: conditions_json,
    } = row;
    Ok(wire::Rule {
        rule_id: rule_id.clone(),
        effect: effect(effect_word)?.into(),
        priority: (*priority).try_into().map_err(|_| InvalidRow::Number)?,
        conditions: Some(conditions(json(conditions_json)?)),
    })
}

fn redaction(row: &RedactionState) -> Result<wire::Redaction, InvalidRow> {
    let RedactionState {
        attached_id: _,
        filter_id,
        operation,
        paths,
        conditions: conditions_json,
    } = row;
    let operation = match operation.parse().map_err(|_| InvalidRow::Operation)? {
        Operation::Retain => wire::Operation::Retain,
        Operation::Destroy => wire::Operation::Destroy,
    };
    Ok(wire::Redaction {
        filter_id: filter_id.clone(),
        operation: operation.into(),
        paths: json(paths)?,
        conditions: Some(conditions(json(conditions_json)?)),
    })
}

fn effect(word: &str) -> Result<wire::Effect, InvalidRow> {
    match word.parse().map_err(|_| InvalidRow::Effect)? {
        Effect::Allow => Ok(wire::Effect::Allow),
        Effect::Deny => Ok(wire::Effect::Deny),
    }
}

fn conditions(conditions: Conditions) -> wire::Conditions {
    let Conditions {
        methods,
        path,
        headers,
        query,
        body,
        claims,
    } = conditions;
    wire::Conditions {
        methods,
        path: path.map(
            |PathCondition {
                 pattern: p,
                 presence: there,
             }| wire::PathCondition {
                pattern: Some(pattern(&p)),
                presence: presence(there).into(),
            },
        ),
        headers: headers.iter().map(named).collect(),
        query: query.iter().map(named).collect(),
        body: body.iter().map(node).collect(),
        claims: claims.iter().map(node).collect(),
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

fn json<T: serde::de::DeserializeOwned>(text: &str) -> Result<T, InvalidRow> {
    serde_json::from_str(text).map_err(|_| InvalidRow::Json)
}

#[cfg(test)]
mod tests;
