//! Labels as they are stored, and how a list finds records by them.
//!
//! Invariant: a column holds one JSON object of texts without a blank between them, so a pair's own
//! JSON occurs in it where the pair does and nowhere else: inside of a text every quote has a
//! backslash before it, and a quote that ends one is followed by a colon only if that was a key.

use std::collections::BTreeMap;

use sqlx::Row;
use sqlx::any::AnyRow;

use crate::domain::label::{LabelFilter, Labels};
use crate::store::row::parsed;

/// The column of every table whose records have labels.
pub const COLUMN: &str = "labels";

/// Labels as their column holds them.
///
/// # Errors
/// They cannot be written.
pub fn labels_text(labels: &Labels) -> sqlx::Result<String> {
    text(&labels.texts())
}

/// The labels of a row.
///
/// # Errors
/// The column is missing or does not hold labels.
pub fn labels_column(row: &AnyRow) -> sqlx::Result<Labels> {
    let stored: String = row.try_get(COLUMN)?;
    let texts: BTreeMap<String, String> =
        serde_json::from_str(&stored).map_err(|error| sqlx::Error::Decode(Box::new(error)))?;
    let pair = |(key, value): (&String, &String)| Ok((parsed(key)?, parsed(value)?));
    let pairs = texts.iter().map(pair).collect::<sqlx::Result<_>>()?;
    Labels::new(pairs).map_err(|error| sqlx::Error::Decode(Box::new(error)))
}

/// What the column of a record that passes the filter holds somewhere.
///
/// # Errors
/// It cannot be written.
pub fn needle(filter: &LabelFilter) -> sqlx::Result<String> {
    let mut needle = text(filter.key.as_str())? + ":";
    if let Some(value) = &filter.value {
        needle += &text(value.as_str())?;
    }
    Ok(needle)
}

fn text<T: serde::Serialize + ?Sized>(value: &T) -> sqlx::Result<String> {
    serde_json::to_string(value).map_err(|error| sqlx::Error::Encode(Box::new(error)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stored(pairs: &[(&str, &str)]) -> String {
        let pair = |(key, value): &(&str, &str)| (key.parse().unwrap(), value.parse().unwrap());
        labels_text(&Labels::new(pairs.iter().map(pair).collect()).unwrap()).unwrap()
    }

    #[test]
    fn a_pair_is_found_where_it_is_and_nowhere_else() {
        let text = stored(&[
            ("a", r#"x","env":"prod"#),
            ("b", "env"),
            ("c", "\\"),
            ("d", "ü, {\"env\":"),
            ("tier", "gold"),
        ]);
        for (filter, is_there) in [
            ("tier", true),
            ("tier=gold", true),
            ("tier=Gold", false),
            ("tier=gol", false),
            ("tier=", false),
            ("ier", false),
            ("env", false),
            ("env=prod", false),
            ("b=env", true),
            ("c=\\", true),
            ("d=ü, {\"env\":", true),
            (r#"a=x","env":"prod"#, true),
            ("gold", false),
        ] {
            let needle = needle(&filter.parse().unwrap()).unwrap();
            assert_eq!(text.contains(&needle), is_there, "{filter}");
        }
        assert_eq!(stored(&[]), "{}", "as the column's default is");
    }
}
