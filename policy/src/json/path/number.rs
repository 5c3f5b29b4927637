//! Numbers in filter expressions: whole ones are compared exactly, others as floats.

use std::cmp::Ordering;

/// A number's value.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Number {
    whole: Option<i128>,
    float: f64,
}

impl Number {
    /// From a JSON number; one out of range is infinite.
    pub(crate) fn parse(json: &str) -> Self {
        Self {
            whole: json.parse().ok(),
            float: json.parse().unwrap_or(f64::NAN),
        }
    }

    pub(crate) fn of_count(count: usize) -> Self {
        // A document has fewer values and characters than 32 bits can count.
        let count = u32::try_from(count).unwrap_or(u32::MAX);
        Self {
            whole: Some(count.into()),
            float: count.into(),
        }
    }

    pub(crate) fn order(&self, other: &Self) -> Option<Ordering> {
        match (self.whole, other.whole) {
            (Some(left), Some(right)) => Some(left.cmp(&right)),
            _ => self.float.partial_cmp(&other.float),
        }
    }
}

#[cfg(test)]
mod tests;
