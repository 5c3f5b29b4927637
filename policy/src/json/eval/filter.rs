//! Filter expressions.

use super::{Evaluator, Repeats, value::Value};
use crate::json::{
    Problem,
    doc::NodeId,
    lexer::Kind,
    path::{Comparable, Comparison, Filter, Function, Operator, Pattern, Query, RegexPattern},
};

/// What compiling a pattern from the document costs, and each of its bytes.
const COMPILE_STEPS: usize = 4096;
const COMPILE_STEPS_PER_BYTE: usize = 256;
/// Bytes of text that are as much work as looking at a value.
pub(super) const BYTES_PER_STEP: usize = 32;
/// What each byte of a text costs when it is matched: the worst patterns take many times the usual.
const MATCH_STEPS_PER_BYTE: usize = 4;

impl<'d> Evaluator<'d, '_, '_> {
    pub(super) fn is_true(&mut self, filter: &Filter, current: NodeId) -> Result<bool, Problem> {
        self.budget.spend(1)?;
        match filter {
            Filter::Or(parts) => self.any(parts, current, true),
            Filter::And(parts) => self.any(parts, current, false).map(|is_false| !is_false),
            Filter::Not(inner) => self.is_true(inner, current).map(|is_true| !is_true),
            Filter::Compare(comparison) => self.compare(comparison, current),
            Filter::Exists(query) => {
                let nodes = self.query(query, current, Repeats::Merged)?;
                Ok(!nodes.is_empty())
            }
            Filter::Matches { subject, pattern } => {
                let subject = self.value(subject, current)?;
                self.matches(&subject, pattern, current)
            }
        }
    }

    /// Whether any part is `wanted`.
    fn any(&mut self, parts: &[Filter], current: NodeId, wanted: bool) -> Result<bool, Problem> {
        for part in parts {
            if self.is_true(part, current)? == wanted {
                return Ok(true);
            }
        }
        Ok(false)
    }

    fn matches(
        &mut self,
        subject: &Value<'_>,
        pattern: &Pattern,
        current: NodeId,
    ) -> Result<bool, Problem> {
        let Some(subject) = subject.text() else {
            return Ok(false);
        };
        self.budget
            .spend(subject.len().saturating_mul(MATCH_STEPS_PER_BYTE))?;
        let (is_whole, pattern) = match pattern {
            Pattern::Fixed(pattern) => return Ok(pattern.is_match(&subject)),
            Pattern::Computed { is_whole, pattern } => (*is_whole, pattern),
        };
        let pattern = self.value(pattern, current)?;
        let Some(pattern) = pattern.text() else {
            return Ok(false);
        };
        let bytes = pattern.len().saturating_mul(COMPILE_STEPS_PER_BYTE);
        self.budget.spend(bytes.saturating_add(COMPILE_STEPS))?;
        let compiled = RegexPattern::new(&pattern, is_whole);
        // What is no I-Regexp matches nothing (RFC 9535 §2.4.6).
        Ok(compiled.is_some_and(|one| one.is_match(&subject)))
    }

    fn compare(&mut self, comparison: &Comparison, current: NodeId) -> Result<bool, Problem> {
        let left = self.value(&comparison.left, current)?;
        let right = self.value(&comparison.right, current)?;
        match comparison.operator {
            Operator::Equal => self.is_equal(&left, &right),
            Operator::NotEqual => self.is_equal(&left, &right).map(|is_equal| !is_equal),
            Operator::Less => Ok(left.is_less(&right)),
            Operator::Greater => Ok(right.is_less(&left)),
            Operator::LessOrEqual => Ok(left.is_less(&right) || self.is_equal(&left, &right)?),
            Operator::GreaterOrEqual => Ok(right.is_less(&left) || self.is_equal(&left, &right)?),
        }
    }

    fn value<'v>(
        &mut self,
        comparable: &'v Comparable,
        current: NodeId,
    ) -> Result<Value<'v>, Problem>
    where
        'd: 'v,
    {
        match comparable {
            Comparable::Literal(literal) => Ok(Value::of_literal(literal)),
            Comparable::Singular(query) => match self.singular(query, current)? {
                Some(node) => self.value_of(node),
                None => Ok(Value::Nothing),
            },
            Comparable::Function(function) => self.call(function, current),
        }
    }

    fn value_of<'v>(&mut self, node: NodeId) -> Result<Value<'v>, Problem>
    where
        'd: 'v,
    {
        let doc = self.doc();
        if doc.kind(node) == Kind::Scalar {
            let json = doc.json(node);
            self.budget.spend(json.len() / BYTES_PER_STEP)?;
            return Ok(Value::of_scalar(json));
        }
        Ok(Value::Container(node))
    }

    fn call<'v>(&mut self, function: &'v Function, current: NodeId) -> Result<Value<'v>, Problem>
    where
        'd: 'v,
    {
        match function {
            Function::Length(value) => {
                let value = self.value(value, current)?;
                if let Value::Container(node) = value {
                    return Ok(Value::of_count(self.elements(node)?.len()));
                }
                Ok(value.length())
            }
            Function::Count(query) => {
                let nodes = self.query(query, current, Repeats::Kept)?;
                Ok(Value::of_count(nodes.len()))
            }
            Function::Value(query) => match self.query(query, current, Repeats::Kept)?.as_slice() {
                [node] => self.value_of(*node),
                _ => Ok(Value::Nothing),
            },
        }
    }

    /// The node of a query that has at most one.
    fn singular(&mut self, query: &Query, current: NodeId) -> Result<Option<NodeId>, Problem> {
        Ok(self
            .query(query, current, Repeats::Merged)?
            .first()
            .copied())
    }

    /// Containers are equal when they have equal children; members in any order.
    fn is_equal(&mut self, left: &Value<'_>, right: &Value<'_>) -> Result<bool, Problem> {
        self.budget.spend(1)?;
        let (Value::Container(left), Value::Container(right)) = (left, right) else {
            return Ok(left.is_equal(right));
        };
        let (left, right) = (*left, *right);
        match (self.doc().kind(left), self.doc().kind(right)) {
            (Kind::Array, Kind::Array) => self.are_arrays_equal(left, right),
            (Kind::Object, Kind::Object) => self.are_objects_equal(left, right),
            _ => Ok(false),
        }
    }

    fn are_arrays_equal(&mut self, left: NodeId, right: NodeId) -> Result<bool, Problem> {
        let (left, right) = (self.elements(left)?, self.elements(right)?);
        if left.len() != right.len() {
            return Ok(false);
        }
        for (left, right) in left.into_iter().zip(right) {
            if !self.are_nodes_equal(left, right)? {
                return Ok(false);
            }
        }
        Ok(true)
    }

    fn are_objects_equal(&mut self, left: NodeId, right: NodeId) -> Result<bool, Problem> {
        let sorted = |this: &mut Self, object| {
            let members = this.elements(object)?;
            let bytes = members.iter().map(|member| this.doc().name_bytes(*member));
            // Each name is decoded, and then compared about as often as there are halvings.
            let rounds = members.len().checked_ilog2().unwrap_or_default();
            let looks = usize::try_from(rounds)
                .unwrap_or(usize::MAX)
                .saturating_add(1);
            let bytes = bytes.sum::<usize>().saturating_mul(looks);
            this.budget.spend(bytes / BYTES_PER_STEP)?;
            let keys = members
                .into_iter()
                .map(|member| (this.doc().key(member), member));
            let mut keys: Vec<_> = keys.collect();
            keys.sort_unstable();
            Ok::<_, Problem>(keys)
        };
        let (left, right) = (sorted(self, left)?, sorted(self, right)?);
        let is_same = |((left, _), (right, _)): (&(_, NodeId), &(_, NodeId))| left == right;
        if left.len() != right.len() || !left.iter().zip(&right).all(is_same) {
            return Ok(false);
        }
        for ((_, left), (_, right)) in left.into_iter().zip(right) {
            if !self.are_nodes_equal(left, right)? {
                return Ok(false);
            }
        }
        Ok(true)
    }

    fn are_nodes_equal(&mut self, left: NodeId, right: NodeId) -> Result<bool, Problem> {
        let (left, right) = (self.value_of(left)?, self.value_of(right)?);
        self.is_equal(&left, &right)
    }
}
