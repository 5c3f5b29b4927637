//! Numbers as SQLite has them.

use super::call::LogFailed;

/// What is counted together.
pub(super) const HOUR_MS: u64 = 3_600_000;
/// Rows of one statement: SQLite takes 32,766 values.
pub(super) const ROWS: usize = 512;

pub(super) fn to_sql(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

pub(super) fn from_sql(number: i64) -> Result<u64, LogFailed> {
    u64::try_from(number).map_err(|_| LogFailed::Damaged)
}
