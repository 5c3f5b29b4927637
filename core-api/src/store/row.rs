//! Between rows and domain types. What does not parse was not written by us.

use std::error::Error;
use std::num::NonZeroU64;
use std::str::FromStr;

use sqlx::Row;
use sqlx::any::AnyRow;

/// Parses a text column.
///
/// # Errors
/// A decode error that names no content.
pub fn parsed<T>(text: &str) -> sqlx::Result<T>
where
    T: FromStr,
    T::Err: Error + Send + Sync + 'static,
{
    text.parse()
        .map_err(|error: T::Err| sqlx::Error::Decode(Box::new(error)))
}

/// Parses text column `name` of `row`.
///
/// # Errors
/// The column is missing or does not parse.
pub fn column<T>(row: &AnyRow, name: &str) -> sqlx::Result<T>
where
    T: FromStr,
    T::Err: Error + Send + Sync + 'static,
{
    parsed(row.try_get::<String, _>(name)?.as_str())
}

/// Parses text column `name` of `row`, which may be NULL.
///
/// # Errors
/// The column is missing or does not parse.
pub fn optional_column<T>(row: &AnyRow, name: &str) -> sqlx::Result<Option<T>>
where
    T: FromStr,
    T::Err: Error + Send + Sync + 'static,
{
    row.try_get::<Option<String>, _>(name)?
        .as_deref()
        .map(parsed)
        .transpose()
}

/// A BIGINT column that is never negative.
///
/// # Errors
/// The column is missing or negative.
pub fn unsigned_column(row: &AnyRow, name: &str) -> sqlx::Result<u64> {
    unsigned(row.try_get(name)?)
}

/// A BIGINT column that is at least 1 or NULL.
///
/// # Errors
/// The column is missing or negative.
pub fn limit_column(row: &AnyRow, name: &str) -> sqlx::Result<Option<NonZeroU64>> {
    let value: Option<i64> = row.try_get(name)?;
    Ok(value.map(unsigned).transpose()?.and_then(NonZeroU64::new))
}

/// A flag column.
///
/// # Errors
/// The column is missing.
pub fn flag_column(row: &AnyRow, name: &str) -> sqlx::Result<bool> {
    Ok(row.try_get::<i64, _>(name)? != 0)
}

/// A flag as it is stored: the driver cannot read BOOLEAN columns of SQLite.
pub fn flag(value: bool) -> i64 {
    i64::from(value)
}

/// A number as it is stored.
///
/// # Errors
/// Above the range of BIGINT.
pub fn number(value: u64) -> sqlx::Result<i64> {
    i64::try_from(value).map_err(|error| sqlx::Error::Encode(Box::new(error)))
}

/// A limit as it is stored.
///
/// # Errors
/// Above the range of BIGINT.
pub fn limit(value: Option<NonZeroU64>) -> sqlx::Result<Option<i64>> {
    value.map(|limit| number(limit.get())).transpose()
}

/// A stored number that is never negative.
///
/// # Errors
/// It is negative.
pub fn unsigned(value: i64) -> sqlx::Result<u64> {
    u64::try_from(value).map_err(|error| sqlx::Error::Decode(Box::new(error)))
}
