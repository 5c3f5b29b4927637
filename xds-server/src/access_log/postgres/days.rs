//! Days that there are, and which of them go.

use sqlx::{AssertSqlSafe, Connection as _, PgConnection};
use time::Date;

use super::Postgres;
use crate::access_log::call::LogFailed;
use crate::access_log::retention::{Retention, is_dropped};
use crate::access_log::sql::from_sql;

/// As a Julian day.
const UNIX_EPOCH_DAY: i32 = 2_440_588;

/// Days since 1970-01-01; none of the log is before that.
pub(in super::super) fn day_number(day: Date) -> u32 {
    u32::try_from(day.to_julian_day() - UNIX_EPOCH_DAY).unwrap_or(0)
}

/// The day of that number.
fn day_of(number: i64) -> Result<Date, LogFailed> {
    let number = i32::try_from(number).map_err(|_| LogFailed::Damaged)?;
    let julian = number.saturating_add(UNIX_EPOCH_DAY);
    Date::from_julian_day(julian).map_err(|_| LogFailed::Damaged)
}

/// The table of a day's calls.
pub(in super::super) fn partition(day: Date) -> String {
    let (year, month, date) = (day.year(), u8::from(day.month()), day.day());
    format!("call_log_{year:04}_{month:02}_{date:02}")
}

impl Postgres {
    /// The days that there are, the oldest first.
    pub(in super::super) async fn days(&self) -> Result<Vec<Date>, LogFailed> {
        let mut conn = self.read().await?;
        // Before the first start of a region server there is no table.
        let (there,): (bool,) = sqlx::query_as("SELECT to_regclass('call_log_day') IS NOT NULL")
            .fetch_one(&mut *conn)
            .await?;
        if !there {
            return Ok(Vec::new());
        }
        let rows: Vec<(i64,)> = sqlx::query_as("SELECT day FROM call_log_day ORDER BY day")
            .fetch_all(&mut *conn)
            .await?;
        rows.into_iter().map(|(day,)| day_of(day)).collect()
    }

    /// Drops what is not to be kept. Today's stays. Says how many bytes are left.
    pub(in super::super) async fn drop_old(
        &self,
        retention: Retention,
        today: Date,
    ) -> Result<u64, LogFailed> {
        let days = self.days().await?;
        let mut conn = self.connect().await?;
        let (mut bytes, mut kept): (u64, u64) = (0, 0);
        // From the newest on, so that what is too much is the oldest.
        for day in days.into_iter().rev() {
            let size = size(&mut conn, day).await?;
            bytes = bytes.saturating_add(size);
            if is_dropped(retention, (day, today), bytes) {
                tracing::info!(%day, "a day of the log of calls is dropped");
                drop_day(&mut conn, day).await?;
            } else {
                kept = kept.saturating_add(size);
            }
        }
        conn.close().await?;
        Ok(kept)
    }
}

/// With indexes, and what lies beside long records.
async fn size(conn: &mut PgConnection, day: Date) -> Result<u64, LogFailed> {
    let sql = "SELECT COALESCE(pg_total_relation_size(to_regclass($1)), 0)";
    let (bytes,): (i64,) = sqlx::query_as(sql)
        .bind(partition(day))
        .fetch_one(conn)
        .await?;
    from_sql(bytes)
}

async fn drop_day(conn: &mut PgConnection, day: Date) -> Result<(), LogFailed> {
    let mut tx = conn.begin().await?;
    // Who reads that day goes on; it is dropped the next time.
    sqlx::query("SET LOCAL lock_timeout = '2s'")
        .execute(&mut *tx)
        .await?;
    let drop = format!("DROP TABLE IF EXISTS {}", partition(day));
    sqlx::query(AssertSqlSafe(drop)).execute(&mut *tx).await?;
    for table in ["call_log_day", "call_log_link", "call_log_tally"] {
        sqlx::query(AssertSqlSafe(format!("DELETE FROM {table} WHERE day = $1")))
            .bind(i64::from(day_number(day)))
            .execute(&mut *tx)
            .await?;
    }
    tx.commit().await?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use time::macros::date;

    use super::*;

    #[test]
    fn a_day_is_its_number_and_its_table() {
        for (day, number, table) in [
            (date!(1970 - 01 - 01), 0, "call_log_1970_01_01"),
            (date!(2026 - 11 - 30), 20_787, "call_log_2026_11_30"),
        ] {
            assert_eq!(day_number(day), number);
            assert_eq!(day_of(i64::from(number)).unwrap(), day);
            assert_eq!(partition(day), table);
        }
    }
}
