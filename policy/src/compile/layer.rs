//! Layers: what is attached to a credential, a target or a proxy.

use std::sync::Arc;

use requestrocket_proto::policy::v1 as wire;

use super::{
    Supply,
    conditions::{ConditionsCompiler, InvalidConditions},
    pool::Pool,
    weight::TooHeavy,
};
use crate::{
    authz::{Effect, Field, Layer, Part, Redaction, Rule, Section},
    id::{FilterId, InvalidId},
    json::path::{InvalidJsonPath, JsonPath},
    redact::{Filter, Operation},
};

/// Rules of one layer.
pub const MAX_RULES: usize = 200;
/// Redactions of one layer.
pub const MAX_REDACTIONS: usize = 200;
/// Paths of one redaction.
pub const MAX_REDACTION_PATHS: usize = 100;
/// Highest priority of a rule.
pub const MAX_PRIORITY: u32 = 1_000;

/// Not a layer.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidLayer {
    /// Not there. Without a default effect nobody can tell what should pass.
    #[error("rules are missing")]
    Missing,
    /// `default_effect`.
    #[error("default effect is neither allow nor deny")]
    DefaultEffect,
    /// More than [`MAX_RULES`].
    #[error("more than {MAX_RULES} rules")]
    TooManyRules,
    /// One of `rules`.
    #[error("rule {position}: {source}")]
    Rule {
        /// Place in the list, from 0.
        position: usize,
        /// What is wrong with it.
        source: InvalidRule,
    },
    /// More than [`MAX_REDACTIONS`].
    #[error("more than {MAX_REDACTIONS} redactions")]
    TooManyRedactions,
    /// One of `redactions`.
    #[error("redaction {position}: {source}")]
    Redaction {
        /// Place in the list, from 0.
        position: usize,
        /// What is wrong with it.
        source: InvalidRedaction,
    },
    /// With what was compiled before.
    #[error(transparent)]
    TooHeavy(#[from] TooHeavy),
}

/// Not a rule.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidRule {
    /// `rule_id`.
    #[error(transparent)]
    Id(#[from] InvalidId),
    /// `effect`.
    #[error("effect is neither allow nor deny")]
    Effect,
    /// `priority`.
    #[error("priority is more than {MAX_PRIORITY}")]
    Priority,
    /// `conditions`.
    #[error(transparent)]
    Conditions(#[from] InvalidConditions),
}

/// Not a redaction.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidRedaction {
    /// `filter_id`.
    #[error(transparent)]
    Id(#[from] InvalidId),
    /// `operation`.
    #[error("operation is neither retain nor destroy")]
    Operation,
    /// `paths` is empty.
    #[error("paths are missing")]
    NoPaths,
    /// More than [`MAX_REDACTION_PATHS`].
    #[error("more than {MAX_REDACTION_PATHS} paths")]
    TooManyPaths,
    /// One of `paths`.
    #[error("path {position}: {source}")]
    Path {
        /// Place in the list, from 0.
        position: usize,
        /// What is wrong with it.
        source: InvalidJsonPath,
    },
    /// `conditions`.
    #[error(transparent)]
    Conditions(#[from] InvalidConditions),
    /// `conditions` look into the request's body.
    #[error("{0}: a redaction cannot depend on the request's body")]
    BodyCondition(Field),
}

/// What a layer weighs if it compiles, for whoever accepts one from a person: all layers and meters
/// of a policy may weigh [`MAX_WEIGHT`](super::MAX_WEIGHT) together.
pub fn check_layer(layer: wire::Layer) -> Result<usize, InvalidLayer> {
    let mut supply = Supply::default();
    compile(Some(layer), &mut supply)?;
    Ok(supply.weight.get())
}

/// Compiles a layer by itself.
#[cfg(any(feature = "explain", feature = "fixtures", test))]
pub(crate) fn compile_alone(layer: wire::Layer) -> Result<Layer, InvalidLayer> {
    compile(Some(layer), &mut Supply::default())
}

pub(super) fn compile(
    layer: Option<wire::Layer>,
    supply: &mut Supply,
) -> Result<Layer, InvalidLayer> {
    let layer = layer.ok_or(InvalidLayer::Missing)?;
    // Before it is compiled, which is what takes the time.
    supply.weight.add_messages(std::slice::from_ref(&layer))?;
    let wire::Layer {
        default_effect,
        rules,
        redactions,
    } = layer;
    let default_effect = effect(default_effect).ok_or(InvalidLayer::DefaultEffect)?;
    if rules.len() > MAX_RULES {
        return Err(InvalidLayer::TooManyRules);
    }
    if redactions.len() > MAX_REDACTIONS {
        return Err(InvalidLayer::TooManyRedactions);
    }
    let mut compiler = ConditionsCompiler::new(&supply.pool);
    let rules = rules
        .into_iter()
        .enumerate()
        .map(|(position, one)| {
            rule(one, &mut compiler).map_err(|source| InvalidLayer::Rule { position, source })
        })
        .collect::<Result<_, _>>()?;
    let redactions = redactions
        .into_iter()
        .enumerate()
        .map(|(position, one)| {
            redaction(one, &mut compiler)
                .map_err(|source| InvalidLayer::Redaction { position, source })
        })
        .collect::<Result<_, _>>()?;
    supply.weight.add(compiler.pattern_bytes())?;
    Ok(Layer::new(
        default_effect,
        rules,
        redactions,
        compiler.finish(),
    ))
}

fn rule(rule: wire::Rule, compiler: &mut ConditionsCompiler<'_>) -> Result<Rule, InvalidRule> {
    let wire::Rule {
        rule_id,
        effect: rule_effect,
        priority,
        conditions,
    } = rule;
    if priority > MAX_PRIORITY {
        return Err(InvalidRule::Priority);
    }
    Ok(Rule {
        id: rule_id.parse()?,
        effect: effect(rule_effect).ok_or(InvalidRule::Effect)?,
        priority,
        conditions: compiler.compile(conditions)?,
    })
}

fn redaction(
    redaction: wire::Redaction,
    compiler: &mut ConditionsCompiler<'_>,
) -> Result<Redaction, InvalidRedaction> {
    let wire::Redaction {
        filter_id,
        operation,
        paths,
        conditions,
    } = redaction;
    let operation = match wire::Operation::try_from(operation) {
        Ok(wire::Operation::Retain) => Operation::Retain,
        Ok(wire::Operation::Destroy) => Operation::Destroy,
        Ok(wire::Operation::Unspecified) | Err(_) => return Err(InvalidRedaction::Operation),
    };
    let conditions = compiler.compile(conditions)?;
    if !conditions.body.is_empty() {
        let field = Field::Item(Section::Body, 0, Part::Whole);
        return Err(InvalidRedaction::BodyCondition(field));
    }
    let _: FilterId = filter_id.parse()?;
    let filter = Filter {
        id: filter_id.into(),
        operation,
        paths: redacted_paths(&paths, compiler.pool())?,
    };
    Ok(Redaction {
        filter: Arc::new(filter),
        conditions,
    })
}

fn redacted_paths(paths: &[String], pool: &Pool) -> Result<Vec<JsonPath>, InvalidRedaction> {
    match paths.len() {
        0 => return Err(InvalidRedaction::NoPaths),
        1..=MAX_REDACTION_PATHS => {}
        _ => return Err(InvalidRedaction::TooManyPaths),
    }
    let numbered = paths.iter().enumerate();
    numbered
        .map(|(position, path)| {
            pool.path(path)
                .map_err(|source| InvalidRedaction::Path { position, source })
        })
        .collect()
}

fn effect(effect: i32) -> Option<Effect> {
    match wire::Effect::try_from(effect) {
        Ok(wire::Effect::Allow) => Some(Effect::Allow),
        Ok(wire::Effect::Deny) => Some(Effect::Deny),
        Ok(wire::Effect::Unspecified) | Err(_) => None,
    }
}

#[cfg(test)]
mod tests;
