//! What the checks say.

use std::fmt;

/// One thing that is not as it should be.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Finding {
    /// Name of the check, as in `allow.txt`.
    pub(super) check: &'static str,
    /// What it is about: a path, or an edge.
    pub(super) subject: String,
    pub(super) problem: String,
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}: {}", self.check, self.subject, self.problem)
    }
}
