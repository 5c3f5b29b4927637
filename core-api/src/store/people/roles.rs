//! Roles as they are stored: a JSON list.

use sqlx::any::AnyRow;
use sqlx::{Error, Row};

use crate::domain::people::member::Roles;
use crate::domain::people::permission::Role;
use crate::store::row::parsed;

pub(super) fn roles_text(roles: &Roles) -> String {
    let words: Vec<String> = roles.words().map(|word| format!("\"{word}\"")).collect();
    format!("[{}]", words.join(","))
}

/// Those of column `roles`.
pub(in crate::store) fn roles_from_row(row: &AnyRow) -> sqlx::Result<Roles> {
    roles_from(&row.try_get::<String, _>("roles")?)
}

/// The same, where it may be NULL.
pub(super) fn optional_roles_from_row(row: &AnyRow) -> sqlx::Result<Option<Roles>> {
    let json: Option<String> = row.try_get("roles")?;
    json.as_deref().map(roles_from).transpose()
}

fn roles_from(json: &str) -> sqlx::Result<Roles> {
    let words: Vec<String> =
        serde_json::from_str(json).map_err(|error| Error::Decode(Box::new(error)))?;
    let roles: Vec<Role> = words
        .iter()
        .map(|word| parsed(word))
        .collect::<Result<_, _>>()?;
    Roles::new(roles).map_err(|error| Error::Decode(Box::new(error)))
}
