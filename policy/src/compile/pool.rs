//! The costly parts of a policy: patterns and paths. They are compiled one by one before the policy
//! is, which then finds them here.

use std::collections::{BTreeMap, BTreeSet};

use requestrocket_proto::policy::v1::{self as wire, meter::Extraction};

use super::weight::{TooHeavy, Weight};
use crate::{
    json::path::{InvalidJsonPath, JsonPath},
    pattern::{Pool as Patterns, Spelling},
};

/// What is compiled already.
#[derive(Debug, Default)]
pub(crate) struct Pool {
    pub(crate) patterns: Patterns,
    paths: BTreeMap<String, JsonPath>,
}

/// Something that takes time to compile.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Part {
    Pattern {
        pattern: String,
        flags: String,
        is_of_names: bool,
    },
    Path(String),
}

/// What compiling a byte of a part costs beside one of a compiled pattern.
const TEXT_BYTE: usize = 64;

impl Pool {
    /// Compiles a part, unless it is wrong, and says what that cost.
    pub(super) fn add(&mut self, part: Part, weight: &mut Weight) -> Result<usize, TooHeavy> {
        let (text, made) = match part {
            Part::Pattern {
                pattern,
                flags,
                is_of_names,
            } => {
                let made = self.patterns.add(Spelling {
                    pattern: &pattern,
                    flags: &flags,
                    is_of_names,
                });
                (pattern.len(), made)
            }
            Part::Path(path) => {
                let text = path.len();
                // Whoever needs a wrong one finds that out, with the place where it stands.
                if let Ok(parsed) = JsonPath::parse(&path) {
                    self.paths.insert(path, parsed);
                }
                (text, 0)
            }
        };
        weight.add(made)?;
        Ok(made.saturating_add(text.saturating_mul(TEXT_BYTE)))
    }

    pub(super) fn path(&self, text: &str) -> Result<JsonPath, InvalidJsonPath> {
        match self.paths.get(text) {
            Some(path) => Ok(path.clone()),
            None => JsonPath::parse(text),
        }
    }
}

/// All parts of a policy, each once.
pub(super) fn parts(policy: &wire::ProxyPolicy) -> BTreeSet<Part> {
    let mut parts = BTreeSet::new();
    for layer in super::layers(policy) {
        let of_redactions = layer.redactions.iter();
        let conditions = layer.rules.iter().map(|rule| &rule.conditions);
        let conditions = conditions.chain(of_redactions.clone().map(|it| &it.conditions));
        parts.extend(conditions.flatten().flat_map(parts_of));
        let paths = of_redactions.flat_map(|redaction| &redaction.paths);
        parts.extend(paths.cloned().map(Part::Path));
    }
    for meter in &policy.meters {
        parts.extend(meter.conditions.iter().flat_map(parts_of));
        if let Some(Extraction::BodyPath(path)) = &meter.extraction {
            parts.insert(Part::Path(path.clone()));
        }
    }
    parts
}

fn parts_of(conditions: &wire::Conditions) -> Vec<Part> {
    // No `..`: what is new may be costly.
    let wire::Conditions {
        methods: _,
        path,
        headers,
        query,
        body,
        claims,
    } = conditions;
    let path = path.iter().filter_map(|path| path.pattern.as_ref());
    let names = headers.iter().filter_map(|header| header.name.as_ref());
    let values = headers.iter().chain(query);
    let values = values.filter_map(|condition| condition.value.as_ref());
    let query = query.iter().filter_map(|query| query.name.as_ref());
    let nodes = || body.iter().chain(claims);
    let matched = nodes().filter_map(|node| node.value.as_ref());
    let with_case = path.chain(values).chain(query).chain(matched);
    names
        .map(|name| pattern(name, true))
        .chain(with_case.map(|one| pattern(one, false)))
        .chain(nodes().map(|node| Part::Path(node.path.clone())))
        .collect()
}

fn pattern(one: &wire::Pattern, is_of_names: bool) -> Part {
    Part::Pattern {
        pattern: one.pattern.clone(),
        flags: one.flags.clone(),
        is_of_names,
    }
}
