//! The functions of RFC 9535, well-typed (§2.4.3).

use super::{
    Parser,
    expression::{Called, Operand},
    refuse,
};
use crate::json::path::{
    Comparable, Filter, Function, InvalidJsonPath, Literal, Pattern, Query, RegexPattern,
};

/// The function that is called, for what is said of it.
#[derive(Clone, Copy)]
struct Name<'n> {
    name: &'n str,
    at: usize,
}

impl Parser<'_> {
    /// What follows the name, which stands at `at`.
    pub(super) fn call(&mut self, name: &str, at: usize) -> Result<Called, InvalidJsonPath> {
        let name = Name { name, at };
        let call = match name.name {
            "length" => length,
            "count" => count,
            "value" => value,
            "match" => matches,
            "search" => searches,
            _ => return Err(name.refuse("is not a function of RFC 9535")),
        };
        call(name, self.arguments()?)
    }

    /// No function takes a logical expression, so each is an operand.
    fn arguments(&mut self) -> Result<Vec<Operand>, InvalidJsonPath> {
        self.open('(')?;
        let mut arguments = Vec::new();
        if self.cursor.peek_behind_blanks() != Some(')') {
            loop {
                self.cursor.skip_blanks();
                arguments.push(self.operand()?);
                if !self.cursor.take_behind_blanks(",") {
                    break;
                }
            }
        }
        self.cursor.skip_blanks();
        self.close(')')?;
        Ok(arguments)
    }
}

fn length(name: Name<'_>, arguments: Vec<Operand>) -> Result<Called, InvalidJsonPath> {
    let [argument] = name.take(arguments)?;
    Ok(Called::Value(Function::Length(name.value(argument)?)))
}

fn count(name: Name<'_>, arguments: Vec<Operand>) -> Result<Called, InvalidJsonPath> {
    let [argument] = name.take(arguments)?;
    Ok(Called::Value(Function::Count(name.nodes(argument)?)))
}

fn value(name: Name<'_>, arguments: Vec<Operand>) -> Result<Called, InvalidJsonPath> {
    let [argument] = name.take(arguments)?;
    Ok(Called::Value(Function::Value(name.nodes(argument)?)))
}

fn matches(name: Name<'_>, arguments: Vec<Operand>) -> Result<Called, InvalidJsonPath> {
    pattern(name, arguments, true)
}

fn searches(name: Name<'_>, arguments: Vec<Operand>) -> Result<Called, InvalidJsonPath> {
    pattern(name, arguments, false)
}

fn pattern(
    name: Name<'_>,
    arguments: Vec<Operand>,
    is_whole: bool,
) -> Result<Called, InvalidJsonPath> {
    let [subject, pattern] = name.take(arguments)?;
    let (subject, pattern) = (name.value(subject)?, name.value(pattern)?);
    // While somebody is there to be told: one that a document holds just matches nothing.
    let pattern = if let Comparable::Literal(Literal::Text(text)) = &pattern {
        let problem =
            "needs a pattern that is a regular expression and not too large when compiled";
        let compiled = RegexPattern::new(text, is_whole);
        Pattern::Fixed(compiled.ok_or_else(|| name.refuse(problem))?)
    } else {
        Pattern::Computed { is_whole, pattern }
    };
    Ok(Called::Logical(Filter::Matches { subject, pattern }))
}

impl Name<'_> {
    fn take<const N: usize>(
        self,
        arguments: Vec<Operand>,
    ) -> Result<[Operand; N], InvalidJsonPath> {
        let problem = format!(
            "takes {N} {}",
            if N == 1 { "argument" } else { "arguments" }
        );
        arguments.try_into().map_err(|_| self.refuse(&problem))
    }

    /// An argument that must have one value or none.
    fn value(self, argument: Operand) -> Result<Comparable, InvalidJsonPath> {
        match argument {
            Operand::Literal(literal) => Ok(Comparable::Literal(literal)),
            Operand::Query(written) if written.is_singular => {
                Ok(Comparable::Singular(written.query))
            }
            Operand::Query(_) => Err(self.refuse("takes a query for at most one node")),
            Operand::Call(Called::Value(function)) => Ok(Comparable::Function(Box::new(function))),
            Operand::Call(Called::Logical(_)) => Err(self.refuse("takes a value")),
        }
    }

    /// An argument that must be a query.
    fn nodes(self, argument: Operand) -> Result<Query, InvalidJsonPath> {
        match argument {
            Operand::Query(written) => Ok(written.query),
            Operand::Literal(_) | Operand::Call(_) => Err(self.refuse("takes a query")),
        }
    }

    fn refuse(self, problem: &str) -> InvalidJsonPath {
        refuse(self.at, &format!("`{}` {problem}", self.name))
    }
}
