//! What goes on a request for another try, in the place of what a target refused.

use std::fmt;

use super::{Edit, HeaderInjection, QueryInjection};
use crate::http::query::{is_named, rewrite_into};

/// The edits of a request that was edited before: callers' own lines and parameters of these names
/// are gone already.
pub struct Renewed {
    headers: Vec<HeaderInjection>,
    /// Another `:path`.
    path: Option<Vec<u8>>,
}

/// Values are secrets.
impl fmt::Debug for Renewed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Renewed({} headers)", self.headers.len())
    }
}

impl Renewed {
    /// For a request with this `:path`.
    pub(crate) fn new(
        path: &[u8],
        headers: Vec<HeaderInjection>,
        query: &[QueryInjection],
    ) -> Self {
        let path = (!query.is_empty()).then(|| target(path, query));
        Self { headers, path }
    }

    /// In order.
    pub fn edits(&self) -> Vec<Edit<'_>> {
        let path = self.path.iter().cloned().map(Edit::SetPath);
        let headers = self.headers.iter();
        path.chain(headers.map(|one| Edit::SetHeader(&one.name, one.value.expose())))
            .collect()
    }
}

fn target(path: &[u8], query: &[QueryInjection]) -> Vec<u8> {
    let mut parts = path.splitn(2, |byte| *byte == b'?');
    let mut target = parts.next().unwrap_or_default().to_vec();
    let is_dropped = |parameter: &[u8]| query.iter().any(|one| is_named(parameter, &one.name));
    let appended = query.iter().map(|one| one.parameter.expose());
    rewrite_into(parts.next(), &is_dropped, appended, &mut target);
    target
}
