//! Redactions, the filters of the API.

use sqlx::Row;
use sqlx::any::AnyRow;

use super::attachment::{StoredForm, Value, json, json_column};
use crate::domain::guard::redaction::RedactionForm;
use crate::store::row::{column, flag, flag_column};

impl StoredForm for RedactionForm {
    const TABLE: &'static str = "redaction";
    const ID: &'static str = "filter_id";

    fn values(&self) -> sqlx::Result<Vec<(&'static str, Value)>> {
        let Self {
            operation,
            paths,
            is_active,
            conditions,
            notes,
        } = self;
        Ok(vec![
            (
                "operation",
                Value::Text(Some(operation.as_str().to_owned())),
            ),
            ("paths", json(paths)?),
            ("is_active", Value::Number(Some(flag(*is_active)))),
            ("conditions", json(conditions)?),
            ("notes", Value::Text(notes.clone())),
        ])
    }

    fn name_key(&self) -> String {
        self.notes.as_deref().unwrap_or_default().to_lowercase()
    }

    fn read(row: &AnyRow) -> sqlx::Result<Self> {
        Ok(Self {
            operation: column(row, "operation")?,
            paths: json_column(row, "paths")?,
            is_active: flag_column(row, "is_active")?,
            conditions: json_column(row, "conditions")?,
            notes: row.try_get("notes")?,
        })
    }
}
