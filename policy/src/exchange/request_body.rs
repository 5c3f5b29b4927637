//! A request's body, which does not print.

/// A request's body, as far as it is known.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum RequestBody<'a> {
    /// It is on its way.
    Unread,
    /// All of it; empty when there is none.
    Whole(&'a [u8]),
}

/// It may hold anything.
impl std::fmt::Debug for RequestBody<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Unread => "Unread",
            Self::Whole(_) => "Whole",
        })
    }
}
