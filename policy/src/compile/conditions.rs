//! Conditions of rules, redactions and meters.

use requestrocket_proto::policy::v1 as wire;

use super::pool::Pool;
use crate::{
    authz::{
        Conditions, Field, Methods, NamedCondition, NodeCondition, Part, PathCondition, Paths,
        Presence, Section,
    },
    json::path::{InvalidJsonPath, JsonPath},
    pattern::{Interner, InvalidPattern, Pattern},
};

/// Conditions of one rule, redaction or meter.
pub const MAX_CONDITIONS: usize = 50;
/// Different JSONPaths into bodies, and as many into claims, of one layer.
pub const MAX_NODE_PATHS: usize = 100;

/// Not conditions.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidConditions {
    /// More than [`MAX_CONDITIONS`].
    #[error("more than {MAX_CONDITIONS} conditions")]
    TooMany,
    /// None of the methods that pass, in upper case.
    #[error("{0}: no method that passes")]
    Method(Field),
    /// Neither present nor absent.
    #[error("{0}: unknown")]
    Presence(Field),
    /// A condition without the pattern that it is about.
    #[error("{0}: missing")]
    Missing(Field),
    /// A pattern does not compile.
    #[error("{field}: {source}")]
    Pattern {
        /// Which.
        field: Field,
        /// Why.
        source: InvalidPattern,
    },
    /// A JSONPath does not compile.
    #[error("{field}: {source}")]
    NodePath {
        /// Which.
        field: Field,
        /// Why.
        source: InvalidJsonPath,
    },
    /// More than [`MAX_NODE_PATHS`] in a layer.
    #[error("{0}: more than {MAX_NODE_PATHS} different paths in a layer")]
    TooManyNodePaths(Field),
}

/// Compiles the conditions of one layer, or of a list of meters: equal patterns and equal paths
/// are kept once.
#[derive(Debug)]
pub(crate) struct ConditionsCompiler<'p> {
    pool: &'p Pool,
    patterns: Interner<'p>,
    body: Vec<JsonPath>,
    claims: Vec<JsonPath>,
}

impl<'p> ConditionsCompiler<'p> {
    pub(crate) fn new(pool: &'p Pool) -> Self {
        Self {
            pool,
            patterns: Interner::new(&pool.patterns),
            body: Vec::new(),
            claims: Vec::new(),
        }
    }

    pub(super) fn pool(&self) -> &'p Pool {
        self.pool
    }

    /// Absent conditions hold.
    pub(crate) fn compile(
        &mut self,
        conditions: Option<wire::Conditions>,
    ) -> Result<Conditions, InvalidConditions> {
        let wire::Conditions {
            methods,
            path,
            headers,
            query,
            body,
            claims,
        } = conditions.unwrap_or_default();
        let lists = [
            methods.len(),
            headers.len(),
            query.len(),
            body.len(),
            claims.len(),
        ];
        let count = lists.into_iter().sum::<usize>() + usize::from(path.is_some());
        if count > MAX_CONDITIONS {
            return Err(InvalidConditions::TooMany);
        }
        Ok(Conditions {
            methods: compile_methods(&methods)?,
            path: path.map(|path| self.path(path)).transpose()?,
            headers: self.named(Section::Headers, headers)?,
            query: self.named(Section::Query, query)?,
            claims: self.nodes(Section::Claims, claims)?,
            body: self.nodes(Section::Body, body)?,
        })
    }

    /// What the compiled patterns take.
    pub(super) fn pattern_bytes(&self) -> usize {
        self.patterns.memory_bytes()
    }

    /// The paths that the compiled conditions look up.
    pub(crate) fn finish(self) -> Paths {
        Paths {
            body: self.body.into(),
            claims: self.claims.into(),
        }
    }

    fn path(&mut self, path: wire::PathCondition) -> Result<PathCondition, InvalidConditions> {
        let wire::PathCondition { pattern, presence } = path;
        let field = Field::Path(Part::Whole);
        Ok(PathCondition {
            pattern: self.required(pattern, field)?,
            presence: compile_presence(presence, field)?,
        })
    }

    fn named(
        &mut self,
        section: Section,
        conditions: Vec<wire::NamedCondition>,
    ) -> Result<Box<[NamedCondition]>, InvalidConditions> {
        let numbered = conditions.into_iter().enumerate();
        numbered
            .map(|(position, condition)| {
                let wire::NamedCondition {
                    name,
                    value,
                    presence,
                } = condition;
                let field = |part| Field::Item(section, position, part);
                let name = match section {
                    Section::Headers => self.header_name(name, field(Part::Name)),
                    Section::Query | Section::Body | Section::Claims => {
                        self.required(name, field(Part::Name))
                    }
                };
                Ok(NamedCondition {
                    name: name?,
                    value: self.optional(value, field(Part::Value))?,
                    presence: compile_presence(presence, field(Part::Whole))?,
                })
            })
            .collect()
    }

    fn nodes(
        &mut self,
        section: Section,
        conditions: Vec<wire::NodeCondition>,
    ) -> Result<Box<[NodeCondition]>, InvalidConditions> {
        let numbered = conditions.into_iter().enumerate();
        numbered
            .map(|(position, condition)| {
                let wire::NodeCondition {
                    path,
                    value,
                    presence,
                } = condition;
                let field = |part| Field::Item(section, position, part);
                let known = match section {
                    Section::Claims => &mut self.claims,
                    Section::Body | Section::Headers | Section::Query => &mut self.body,
                };
                Ok(NodeCondition {
                    path: intern((known, self.pool), &path, field(Part::Path))?,
                    value: self.optional(value, field(Part::Value))?,
                    presence: compile_presence(presence, field(Part::Whole))?,
                })
            })
            .collect()
    }

    /// Header names match whatever their case, and whether they are written with `-` or `_`.
    fn header_name(
        &mut self,
        pattern: Option<wire::Pattern>,
        field: Field,
    ) -> Result<Pattern, InvalidConditions> {
        let wire::Pattern { pattern, flags } = pattern.ok_or(InvalidConditions::Missing(field))?;
        let compiled = self.patterns.parse_header_name(&pattern, &flags);
        compiled.map_err(|source| InvalidConditions::Pattern { field, source })
    }

    fn required(
        &mut self,
        pattern: Option<wire::Pattern>,
        field: Field,
    ) -> Result<Pattern, InvalidConditions> {
        self.optional(pattern, field)?
            .ok_or(InvalidConditions::Missing(field))
    }

    fn optional(
        &mut self,
        pattern: Option<wire::Pattern>,
        field: Field,
    ) -> Result<Option<Pattern>, InvalidConditions> {
        let Some(wire::Pattern { pattern, flags }) = pattern else {
            return Ok(None);
        };
        let compiled = self.patterns.parse(&pattern, &flags);
        compiled
            .map(Some)
            .map_err(|source| InvalidConditions::Pattern { field, source })
    }
}

fn compile_methods(methods: &[String]) -> Result<Option<Methods>, InvalidConditions> {
    if methods.is_empty() {
        return Ok(None);
    }
    let mut numbered = methods.iter().enumerate();
    numbered
        .try_fold(Methods::default(), |all, (position, method)| {
            let unknown = InvalidConditions::Method(Field::Method(position));
            all.with(method).ok_or(unknown)
        })
        .map(Some)
}

fn compile_presence(presence: i32, field: Field) -> Result<Presence, InvalidConditions> {
    match wire::Presence::try_from(presence) {
        Ok(wire::Presence::Present) => Ok(Presence::Present),
        Ok(wire::Presence::Absent) => Ok(Presence::Absent),
        Err(_) => Err(InvalidConditions::Presence(field.with(Part::Presence))),
    }
}

/// Place of the path among the known ones.
fn intern(
    (known, pool): (&mut Vec<JsonPath>, &Pool),
    path: &str,
    field: Field,
) -> Result<usize, InvalidConditions> {
    if let Some(place) = known.iter().position(|other| other.as_str() == path) {
        return Ok(place);
    }
    if known.len() >= MAX_NODE_PATHS {
        return Err(InvalidConditions::TooManyNodePaths(field));
    }
    let parsed = pool.path(path);
    known.push(parsed.map_err(|source| InvalidConditions::NodePath { field, source })?);
    Ok(known.len() - 1)
}

#[cfg(test)]
mod tests;
