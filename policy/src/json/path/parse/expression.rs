//! Filter expressions.

use super::{Parser, WrittenQuery, refuse};
use crate::json::path::{
    Comparable, Comparison, Filter, Function, InvalidJsonPath, Literal, Operator,
};

/// What can be compared, tested, or given to a function.
pub(super) enum Operand {
    Literal(Literal),
    Query(WrittenQuery),
    Call(Called),
}

/// A function with its arguments, by the type of its result.
pub(super) enum Called {
    Value(Function),
    Logical(Filter),
}

const OPERATORS: [(&str, Operator); 6] = [
    ("==", Operator::Equal),
    ("!=", Operator::NotEqual),
    // Before those that they begin with.
    ("<=", Operator::LessOrEqual),
    (">=", Operator::GreaterOrEqual),
    ("<", Operator::Less),
    (">", Operator::Greater),
];

impl Parser<'_> {
    pub(super) fn expression(&mut self) -> Result<Filter, InvalidJsonPath> {
        let mut parts = vec![self.conjunction()?];
        while self.cursor.take_behind_blanks("||") {
            self.cursor.skip_blanks();
            parts.push(self.conjunction()?);
        }
        Ok(joined(parts, Filter::Or))
    }

    fn conjunction(&mut self) -> Result<Filter, InvalidJsonPath> {
        let mut parts = vec![self.term()?];
        while self.cursor.take_behind_blanks("&&") {
            self.cursor.skip_blanks();
            parts.push(self.term()?);
        }
        Ok(joined(parts, Filter::And))
    }

    fn term(&mut self) -> Result<Filter, InvalidJsonPath> {
        if self.cursor.take("!") {
            self.cursor.skip_blanks();
            let negated = if self.cursor.peek() == Some('(') {
                self.group()?
            } else {
                let at = self.cursor.at();
                test(self.operand()?, at)?
            };
            return Ok(Filter::Not(Box::new(negated)));
        }
        if self.cursor.peek() == Some('(') {
            self.group()
        } else {
            self.comparison_or_test()
        }
    }

    fn group(&mut self) -> Result<Filter, InvalidJsonPath> {
        self.open('(')?;
        self.cursor.skip_blanks();
        let inner = self.expression()?;
        self.cursor.skip_blanks();
        self.close(')')?;
        Ok(inner)
    }

    fn comparison_or_test(&mut self) -> Result<Filter, InvalidJsonPath> {
        let at = self.cursor.at();
        let left = self.operand()?;
        let mut operators = OPERATORS.into_iter();
        let operator = operators.find(|(sign, _)| self.cursor.take_behind_blanks(sign));
        let Some((_, operator)) = operator else {
            return test(left, at);
        };
        let left = comparable(left, at)?;
        self.cursor.skip_blanks();
        let at = self.cursor.at();
        let right = comparable(self.operand()?, at)?;
        Ok(Filter::Compare(Comparison {
            left,
            operator,
            right,
        }))
    }

    pub(super) fn operand(&mut self) -> Result<Operand, InvalidJsonPath> {
        match self.cursor.peek() {
            Some('$' | '@') => Ok(Operand::Query(self.query()?)),
            Some('\'' | '"') => {
                let text = self.cursor.string()?.into();
                Ok(Operand::Literal(Literal::Text(text)))
            }
            Some('-' | '0'..='9') => {
                let number = self.cursor.number()?;
                Ok(Operand::Literal(Literal::Number(number)))
            }
            Some('a'..='z') => self.word(),
            Some(_) | None => Err(self.cursor.unexpected()),
        }
    }

    /// A function, or the name of a value.
    fn word(&mut self) -> Result<Operand, InvalidJsonPath> {
        let at = self.cursor.at();
        let is_of_name = |one: char| matches!(one, 'a'..='z' | '0'..='9' | '_');
        let word = self.cursor.take_while(is_of_name).to_owned();
        if self.cursor.peek() == Some('(') {
            return Ok(Operand::Call(self.call(&word, at)?));
        }
        let literal = match word.as_str() {
            "true" => Literal::Bool(true),
            "false" => Literal::Bool(false),
            "null" => Literal::Null,
            _ => return Err(refuse(at, &format!("unexpected `{word}`"))),
        };
        Ok(Operand::Literal(literal))
    }
}

/// What is true or false by itself.
fn test(operand: Operand, at: usize) -> Result<Filter, InvalidJsonPath> {
    match operand {
        Operand::Query(written) => Ok(Filter::Exists(written.query)),
        Operand::Call(Called::Logical(filter)) => Ok(filter),
        Operand::Call(Called::Value(function)) => {
            let problem = format!("`{}` must be compared", function.name());
            Err(refuse(at, &problem))
        }
        Operand::Literal(_) => Err(refuse(at, "a literal must be compared")),
    }
}

fn comparable(operand: Operand, at: usize) -> Result<Comparable, InvalidJsonPath> {
    match operand {
        Operand::Literal(literal) => Ok(Comparable::Literal(literal)),
        Operand::Call(Called::Value(function)) => Ok(Comparable::Function(Box::new(function))),
        Operand::Query(written) if written.is_singular => Ok(Comparable::Singular(written.query)),
        Operand::Query(_) => Err(refuse(
            at,
            "only a query for at most one node can be compared",
        )),
        Operand::Call(Called::Logical(_)) => {
            Err(refuse(at, "`match` and `search` have no value to compare"))
        }
    }
}

fn joined(mut parts: Vec<Filter>, join: fn(Box<[Filter]>) -> Filter) -> Filter {
    match (parts.pop(), parts.is_empty()) {
        (Some(only), true) => only,
        (last, _) => {
            parts.extend(last);
            join(parts.into())
        }
    }
}
