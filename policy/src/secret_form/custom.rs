//! `custom`: headers and parameters of one's own.

use std::collections::BTreeMap;

use super::value::{bare, header_name, query_name};
use crate::{
    form::{
        fields::Fields,
        problem::{Fault, Invalid},
    },
    secret::SecretText,
};

/// Room for values that a request may be given by one credential.
const MAX_VALUES: usize = 64;

/// Values by name.
pub type Values = BTreeMap<String, SecretText>;

/// All of them are put on a request; there is at least one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Custom {
    /// Headers; no two names differ by case alone.
    pub headers: Values,
    /// Parameters.
    pub query: Values,
}

/// `{headers?, query?}`
pub(super) fn read(fields: &mut Fields<'_>) -> Option<Custom> {
    let has_any = fields.has("headers") || fields.has("query");
    let headers = fields.object("headers", |members| values(members, header_name));
    let query = fields.object("query", |members| values(members, query_name));
    if !has_any {
        fields.problem(Fault::ValidationFailed, "headers", "or `query` is required");
        return None;
    }
    // An inner None was noted member by member.
    let (headers, query) = (
        headers.unwrap_or_else(|| Some(Values::new()))?,
        query.unwrap_or_else(|| Some(Values::new()))?,
    );
    let mut names: Vec<_> = headers
        .keys()
        .map(|name| name.to_ascii_lowercase())
        .collect();
    names.sort_unstable();
    names.dedup();
    if names.len() < headers.len() {
        fields.problem(Fault::InvalidSecret, "headers", "names a header twice");
    }
    if headers.is_empty() && query.is_empty() {
        fields.problem(Fault::InvalidSecret, "headers", "and `query` are empty");
    }
    if headers.len() + query.len() > MAX_VALUES {
        let text = format!("and `query` have more than {MAX_VALUES} values");
        fields.problem(Fault::InvalidSecret, "headers", text);
    }
    Some(Custom { headers, query })
}

/// None when a member is refused.
pub(super) fn values(
    mut members: Fields<'_>,
    check_name: impl Fn(&str) -> Result<String, Invalid>,
) -> Option<Values> {
    let mut values = Some(Values::new());
    for name in members.names() {
        let checked = members.checked(&name, check_name(&name));
        let value = members.required(&name, bare);
        values = values.and_then(|mut values| {
            values.insert(checked?, value?);
            Some(values)
        });
    }
    members.finish();
    values
}
