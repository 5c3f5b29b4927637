//! Which version of a record a change was meant for.

/// The versions that a record may have for a change to hold.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Expected {
    /// Any.
    Any,
    /// One of these.
    OneOf(Vec<u64>),
}

impl Expected {
    /// Whether a record of this version may be changed.
    #[must_use]
    pub fn holds(&self, version: u64) -> bool {
        match self {
            Self::Any => true,
            Self::OneOf(versions) => versions.contains(&version),
        }
    }
}
