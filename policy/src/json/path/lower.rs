//! From the crate's tree to ours, within the bounds and well-typed.

mod expression;

use std::sync::Arc;

use jsonpath_rust::parser::{
    errors::JsonPathError,
    model::{self, JpQuery},
    parse_json_path,
};

use super::{InvalidJsonPath, MAX_NESTING, MAX_PATH_BYTES, MAX_SEGMENTS, MAX_SELECTORS};
use super::{Segment, Selector};

/// Integers beyond these are not interoperable (RFC 9535 §2.1).
const MAX_INTEGER: i64 = 9_007_199_254_740_991;

/// What is left of the bounds of one path.
struct Lowering<'t> {
    text: &'t str,
    segments: usize,
    selectors: usize,
}

pub(super) fn parse(text: &str) -> Result<Vec<Segment>, InvalidJsonPath> {
    refuse_oversize(text)?;
    let JpQuery { segments } = parse_json_path(text).map_err(|error| invalid(text, &error))?;
    let mut lowering = Lowering {
        text,
        segments: MAX_SEGMENTS,
        selectors: MAX_SELECTORS,
    };
    lowering.segments(&segments)
}

impl Lowering<'_> {
    fn segments(&mut self, segments: &[model::Segment]) -> Result<Vec<Segment>, InvalidJsonPath> {
        let lowered = segments.iter().map(|segment| self.segment(segment));
        lowered.collect()
    }

    fn shared(&mut self, list: &[model::Segment]) -> Result<Box<[Arc<Segment>]>, InvalidJsonPath> {
        let segments = self.segments(list)?;
        Ok(segments.into_iter().map(Arc::new).collect())
    }

    fn segment(&mut self, segment: &model::Segment) -> Result<Segment, InvalidJsonPath> {
        self.segments = match self.segments.checked_sub(1) {
            Some(left) => left,
            None => return Err(self.refuse("path has too many segments")),
        };
        let (is_descendant, inner) = match segment {
            model::Segment::Descendant(inner) => (true, inner.as_ref()),
            model::Segment::Selector(_) | model::Segment::Selectors(_) => (false, segment),
        };
        let selectors = match inner {
            model::Segment::Selector(selector) => vec![self.selector(selector)?],
            model::Segment::Selectors(selectors) => {
                let lowered = selectors.iter().map(|selector| self.selector(selector));
                lowered.collect::<Result<_, _>>()?
            }
            model::Segment::Descendant(_) => return Err(self.refuse("path is malformed")),
        };
        Ok(Segment {
            is_descendant,
            selectors: selectors.into(),
        })
    }

    fn selector(&mut self, selector: &model::Selector) -> Result<Selector, InvalidJsonPath> {
        self.selectors = match self.selectors.checked_sub(1) {
            Some(left) => left,
            None => return Err(self.refuse("path has too many selectors")),
        };
        Ok(match selector {
            model::Selector::Name(name) => Selector::Name(name.as_str().into()),
            model::Selector::Wildcard => Selector::Any,
            model::Selector::Index(index) => Selector::Index(self.integer(*index)?),
            model::Selector::Slice(start, end, step) => Selector::Slice {
                start: start.map(|start| self.integer(start)).transpose()?,
                end: end.map(|end| self.integer(end)).transpose()?,
                step: self.integer(step.unwrap_or(1))?,
            },
            model::Selector::Filter(filter) => Selector::Filter(self.filter(filter)?),
        })
    }

    fn integer(&self, integer: i64) -> Result<i64, InvalidJsonPath> {
        if (-MAX_INTEGER..=MAX_INTEGER).contains(&integer) {
            Ok(integer)
        } else {
            Err(self.refuse("integer is out of range"))
        }
    }

    fn refuse(&self, problem: &str) -> InvalidJsonPath {
        refuse(0, problem).within(self.text)
    }

    fn refuse_function(&self, name: &str, problem: &str) -> InvalidJsonPath {
        refuse_function(self.text, name, problem)
    }
}

impl InvalidJsonPath {
    fn within(mut self, text: &str) -> Self {
        self.position = self.position.min(text.len());
        self
    }
}

fn refuse(position: usize, problem: &str) -> InvalidJsonPath {
    InvalidJsonPath {
        position,
        problem: problem.into(),
    }
}

/// The crate's parser is recursive and tries alternatives, so its input is bounded first.
fn refuse_oversize(text: &str) -> Result<(), InvalidJsonPath> {
    if text.len() > MAX_PATH_BYTES {
        return Err(refuse(MAX_PATH_BYTES, "path is longer than 1024 bytes"));
    }
    let mut depth = 0_usize;
    let mut quote = None;
    let mut is_escaped = false;
    for (at, byte) in text.bytes().enumerate() {
        match (quote, byte) {
            (Some(_), _) if is_escaped => is_escaped = false,
            (Some(_), b'\\') => is_escaped = true,
            (Some(open), _) if byte == open => quote = None,
            (None, b'\'' | b'"') => quote = Some(byte),
            (None, b'(' | b'[') => {
                depth = depth.saturating_add(1);
                if depth > MAX_NESTING {
                    return Err(refuse(at, "path is nested too deeply"));
                }
            }
            (None, b')' | b']') => depth = depth.saturating_sub(1),
            (Some(_) | None, _) => {}
        }
    }
    Ok(())
}

const FUNCTIONS: [&str; 5] = ["length", "count", "value", "match", "search"];

/// What the crate finds behind the grammar has no position: the function it names is looked for.
fn malformed(text: &str, message: &str) -> InvalidJsonPath {
    let called =
        |name: &&'static str| message.contains(*name) && text.contains(&format!("{name}("));
    match FUNCTIONS.into_iter().find(called) {
        Some(name) => refuse_function(text, name, "is used wrongly"),
        None => refuse(0, "path is not well-formed"),
    }
}

/// The crate's tree has no positions: a function is looked for by its name.
fn refuse_function(text: &str, name: &str, problem: &str) -> InvalidJsonPath {
    let position = text.find(&format!("{name}(")).unwrap_or_default();
    refuse(position, &format!("`{name}` {problem}"))
}

fn invalid(text: &str, error: &JsonPathError) -> InvalidJsonPath {
    let JsonPathError::PestError(syntax) = error else {
        return malformed(text, &error.to_string());
    };
    let position = match syntax.location {
        pest::error::InputLocation::Pos(at) | pest::error::InputLocation::Span((at, _)) => at,
    };
    let problem = match text.get(position..).and_then(|rest| rest.chars().next()) {
        Some(found) => format!("unexpected `{}`", found.escape_debug()),
        None => "path is incomplete".to_owned(),
    };
    refuse(position, &problem).within(text)
}
