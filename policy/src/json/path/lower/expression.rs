//! Filter expressions.

use jsonpath_rust::parser::model::{self, FilterAtom, FnArg, SingularQuerySegment, Test};

use super::Lowering;
use crate::json::path::{
    Comparable, Comparison, Filter, Function, InvalidJsonPath, Literal, Number, Operator, Pattern,
    Query, RegexPattern, Segment, Selector,
};

impl Lowering<'_> {
    pub(super) fn filter(&mut self, filter: &model::Filter) -> Result<Filter, InvalidJsonPath> {
        match filter {
            model::Filter::Or(parts) => Ok(Filter::Or(self.filters(parts)?)),
            model::Filter::And(parts) => Ok(Filter::And(self.filters(parts)?)),
            model::Filter::Atom(atom) => self.atom(atom),
        }
    }

    fn filters(&mut self, parts: &[model::Filter]) -> Result<Box<[Filter]>, InvalidJsonPath> {
        parts.iter().map(|part| self.filter(part)).collect()
    }

    fn atom(&mut self, atom: &FilterAtom) -> Result<Filter, InvalidJsonPath> {
        let (inner, not) = match atom {
            FilterAtom::Filter { expr, not } => (self.filter(expr)?, not),
            FilterAtom::Test { expr, not } => (self.test(expr)?, not),
            FilterAtom::Comparison(comparison) => {
                return self.comparison(comparison).map(Filter::Compare);
            }
        };
        Ok(if *not {
            Filter::Not(Box::new(inner))
        } else {
            inner
        })
    }

    fn test(&mut self, test: &Test) -> Result<Filter, InvalidJsonPath> {
        match test {
            Test::RelQuery(_) | Test::AbsQuery(_) => self.query(test).map(Filter::Exists),
            Test::Function(function) => match function.as_ref() {
                model::TestFunction::Match(subject, pattern) => {
                    self.matches("match", subject, pattern)
                }
                model::TestFunction::Search(subject, pattern) => {
                    self.matches("search", subject, pattern)
                }
                model::TestFunction::Length(_) => {
                    Err(self.refuse_function("length", "must be compared"))
                }
                model::TestFunction::Count(_) => {
                    Err(self.refuse_function("count", "must be compared"))
                }
                model::TestFunction::Value(_) => {
                    Err(self.refuse_function("value", "must be compared"))
                }
                model::TestFunction::Custom(name, _) => {
                    Err(self.refuse_function(name, "is not a function of RFC 9535"))
                }
            },
        }
    }

    fn matches(
        &mut self,
        name: &str,
        subject: &FnArg,
        pattern: &FnArg,
    ) -> Result<Filter, InvalidJsonPath> {
        let is_whole = name == "match";
        let subject = self.value(name, subject)?;
        let pattern = self.value(name, pattern)?;
        let pattern = if let Comparable::Literal(Literal::Text(text)) = &pattern {
            let problem =
                "needs a pattern that is a regular expression and not too large when compiled";
            let compiled = RegexPattern::new(text, is_whole);
            Pattern::Fixed(compiled.ok_or_else(|| self.refuse_function(name, problem))?)
        } else {
            Pattern::Computed { is_whole, pattern }
        };
        Ok(Filter::Matches { subject, pattern })
    }

    fn comparison(
        &mut self,
        comparison: &model::Comparison,
    ) -> Result<Comparison, InvalidJsonPath> {
        let operator = match comparison {
            model::Comparison::Eq(..) => Operator::Equal,
            model::Comparison::Ne(..) => Operator::NotEqual,
            model::Comparison::Gt(..) => Operator::Greater,
            model::Comparison::Gte(..) => Operator::GreaterOrEqual,
            model::Comparison::Lt(..) => Operator::Less,
            model::Comparison::Lte(..) => Operator::LessOrEqual,
        };
        let (left, right) = comparison.vals();
        Ok(Comparison {
            left: self.comparable(left)?,
            operator,
            right: self.comparable(right)?,
        })
    }

    fn comparable(&mut self, value: &model::Comparable) -> Result<Comparable, InvalidJsonPath> {
        match value {
            model::Comparable::Literal(literal) => Ok(Comparable::Literal(lowered(literal))),
            model::Comparable::SingularQuery(query) => {
                let (is_absolute, list) = match query {
                    model::SingularQuery::Root(list) => (true, list),
                    model::SingularQuery::Current(list) => (false, list),
                };
                let segments: Vec<_> = list.iter().map(singular).collect();
                Ok(Comparable::Singular(Query {
                    is_absolute,
                    segments: self.shared(&segments)?,
                }))
            }
            model::Comparable::Function(function) => self.function(function),
        }
    }

    fn function(&mut self, function: &model::TestFunction) -> Result<Comparable, InvalidJsonPath> {
        let function = match function {
            model::TestFunction::Length(value) => Function::Length(self.value("length", value)?),
            model::TestFunction::Count(nodes) => Function::Count(self.nodes("count", nodes)?),
            model::TestFunction::Value(nodes) => Function::Value(self.nodes("value", nodes)?),
            model::TestFunction::Match(..) => {
                return Err(self.refuse_function("match", "has no value to compare"));
            }
            model::TestFunction::Search(..) => {
                return Err(self.refuse_function("search", "has no value to compare"));
            }
            model::TestFunction::Custom(name, _) => {
                return Err(self.refuse_function(name, "is not a function of RFC 9535"));
            }
        };
        Ok(Comparable::Function(Box::new(function)))
    }

    /// An argument that must have one value or none.
    fn value(&mut self, name: &str, argument: &FnArg) -> Result<Comparable, InvalidJsonPath> {
        let test = match argument {
            FnArg::Literal(literal) => return Ok(Comparable::Literal(lowered(literal))),
            FnArg::Test(test) => test.as_ref(),
            FnArg::Filter(_) => {
                return Err(self.refuse_function(name, "takes no logical expression"));
            }
        };
        if let Test::Function(function) = test {
            return self.function(function);
        }
        let query = self.query(test)?;
        let is_singular = |segment: &Segment| {
            let one = matches!(*segment.selectors, [Selector::Name(_) | Selector::Index(_)]);
            one && !segment.is_descendant
        };
        if query.segments.iter().all(|segment| is_singular(segment)) {
            Ok(Comparable::Singular(query))
        } else {
            Err(self.refuse_function(name, "takes a query for at most one node"))
        }
    }

    /// An argument that must be a query.
    fn nodes(&mut self, name: &str, argument: &FnArg) -> Result<Query, InvalidJsonPath> {
        match argument {
            FnArg::Test(test) if !matches!(test.as_ref(), Test::Function(_)) => self.query(test),
            FnArg::Test(_) | FnArg::Literal(_) | FnArg::Filter(_) => {
                Err(self.refuse_function(name, "takes a query"))
            }
        }
    }

    fn query(&mut self, test: &Test) -> Result<Query, InvalidJsonPath> {
        let (is_absolute, list) = match test {
            Test::RelQuery(list) => (false, list),
            Test::AbsQuery(query) => (true, &query.segments),
            Test::Function(_) => return Err(self.refuse("a query is missing")),
        };
        Ok(Query {
            is_absolute,
            segments: self.shared(list)?,
        })
    }
}

fn singular(segment: &SingularQuerySegment) -> model::Segment {
    model::Segment::Selector(match segment {
        SingularQuerySegment::Index(index) => model::Selector::Index(*index),
        SingularQuerySegment::Name(name) => model::Selector::Name(name.clone()),
    })
}

fn lowered(literal: &model::Literal) -> Literal {
    match literal {
        model::Literal::Int(integer) => Literal::Number(Number::parse(&integer.to_string())),
        model::Literal::Float(number) => Literal::Number(Number::of_float(*number)),
        model::Literal::String(text) => Literal::Text(text.as_str().into()),
        model::Literal::Bool(value) => Literal::Bool(*value),
        model::Literal::Null => Literal::Null,
    }
}
