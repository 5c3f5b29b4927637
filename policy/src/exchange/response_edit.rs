//! Changes of what a target answered.

use crate::denial::PROXY_WARNING_HEADER;

/// Between warnings in one header.
pub(super) const SEPARATOR: &str = ", ";

/// One change of a response's head, or of its trailers. Names are lower case.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ResponseEdit {
    /// Put the header in place of its lines.
    SetHeader(&'static str, String),
    /// Remove all lines of the header.
    RemoveHeader(&'static str),
    /// Put these lines in place of the header's lines.
    PutLines(String, Vec<Vec<u8>>),
}

impl ResponseEdit {
    pub(super) fn warning(warnings: &[String]) -> Self {
        Self::SetHeader(PROXY_WARNING_HEADER, warnings.join(SEPARATOR))
    }
}
