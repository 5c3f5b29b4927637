//! Meters.

use sqlx::Row;
use sqlx::any::AnyRow;

use super::attachment::{StoredForm, Value, from_json, json, json_column};
use crate::domain::guard::meter::{Counted, MeterForm, MeterLimits};
use crate::store::row::{column, flag, flag_column, limit, limit_column};

impl StoredForm for MeterForm {
    const TABLE: &'static str = "meter";
    const ID: &'static str = "meter_id";

    fn values(&self) -> sqlx::Result<Vec<(&'static str, Value)>> {
        let Self {
            name,
            counted,
            is_active,
            conditions,
            limits,
        } = self;
        let MeterLimits {
            minute,
            hour,
            day,
            month,
        } = *limits;
        let extraction = counted.extraction().map(json).transpose()?;
        Ok(vec![
            ("meter_name", Value::Text(Some(name.to_string()))),
            (
                "meter_type",
                Value::Text(Some(counted.kind().as_str().to_owned())),
            ),
            ("is_active", Value::Number(Some(flag(*is_active)))),
            ("extraction", extraction.unwrap_or(Value::Text(None))),
            ("conditions", json(conditions)?),
            ("limit_minute", Value::Number(limit(minute)?)),
            ("limit_hour", Value::Number(limit(hour)?)),
            ("limit_day", Value::Number(limit(day)?)),
            ("limit_month", Value::Number(limit(month)?)),
        ])
    }

    fn name_key(&self) -> String {
        self.name.key()
    }

    fn read(row: &AnyRow) -> sqlx::Result<Self> {
        let extraction: Option<String> = row.try_get("extraction")?;
        let counted = match extraction {
            Some(text) => Counted::Value(from_json(&text)?),
            None => Counted::Requests,
        };
        Ok(Self {
            name: column(row, "meter_name")?,
            counted,
            is_active: flag_column(row, "is_active")?,
            conditions: json_column(row, "conditions")?,
            limits: MeterLimits {
                minute: limit_column(row, "limit_minute")?,
                hour: limit_column(row, "limit_hour")?,
                day: limit_column(row, "limit_day")?,
                month: limit_column(row, "limit_month")?,
            },
        })
    }
}
