//! Rules.

use sqlx::Row;
use sqlx::any::AnyRow;

use super::attachment::{StoredForm, Value, json, json_column};
use crate::domain::guard::rule::RuleForm;
use crate::store::row::{column, flag, flag_column, number, unsigned_column};

impl StoredForm for RuleForm {
    const TABLE: &'static str = "rule";
    const ID: &'static str = "rule_id";

    fn values(&self) -> sqlx::Result<Vec<(&'static str, Value)>> {
        let Self {
            effect,
            priority,
            is_active,
            conditions,
            notes,
        } = self;
        Ok(vec![
            ("effect", Value::Text(Some(effect.as_str().to_owned()))),
            ("priority", Value::Number(Some(number(*priority)?))),
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
            effect: column(row, "effect")?,
            priority: unsigned_column(row, "priority")?,
            is_active: flag_column(row, "is_active")?,
            conditions: json_column(row, "conditions")?,
            notes: row.try_get("notes")?,
        })
    }
}
