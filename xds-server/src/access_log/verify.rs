//! Whether the records of every day are as they were written.

use std::io::{self, Write};
use std::path::Path;

use futures::TryStreamExt as _;
use prost::Message as _;
use requestrocket_proto::record::v1::Record;
use sqlx::sqlite::SqliteRow;
use sqlx::{Row as _, SqliteConnection};
use time::Date;

use super::call::LogFailed;
use super::chain::{Chain, Hash, begin};
use super::day::{LINKED, open_to_read};
use super::retention::{DayFile, days};
use super::sql::{from_sql, to_sql};

/// What was found of a day's records.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Verified {
    /// UTC.
    day: Date,
    /// Records that are as they were written.
    records: u64,
    /// The end of the chain, as hexadecimal digits: the same for the same records.
    end: String,
    /// The first thing that is not as it was written; none: all is.
    problem: Option<Problem>,
}

/// What is not as it was written. Rows are counted from 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
enum Problem {
    /// The file was begun by a version that had none.
    #[error("record {0} and those before have no hash")]
    Unlinked(u64),
    /// It was taken out.
    #[error("record {0} is missing")]
    Missing(u64),
    /// It was put in, or its hash was taken out.
    #[error("record {0} does not belong to the chain")]
    Foreign(u64),
    /// What is selected by is not what it says.
    #[error("record {0} is found by what it does not say")]
    Mislabelled(u64),
    /// One of them, or the hash.
    #[error("of records {0} to {1} one was changed")]
    Changed(u64, u64),
}

/// Rows that were written together.
struct Link {
    first: u64,
    last: u64,
    hash: Hash,
}

impl Verified {
    fn write(&self, out: &mut impl Write) -> io::Result<()> {
        let Self {
            day,
            records,
            end,
            problem,
        } = self;
        match problem {
            None => writeln!(out, "{day} ok: {records} records, end {end}"),
            Some(problem) => writeln!(out, "{day} CHANGED: {problem}; {records} before are whole"),
        }
    }
}

/// Says of every day of a log, the oldest first, whether its records are as they were written; whether
/// all are.
///
/// # Errors
/// A file cannot be read.
pub async fn verify(folder: &Path, out: &mut impl Write) -> Result<bool, LogFailed> {
    let verified = all(folder).await?;
    for day in &verified {
        day.write(out)?;
    }
    Ok(verified.iter().all(|day| day.problem.is_none()))
}

async fn all(folder: &Path) -> Result<Vec<Verified>, LogFailed> {
    let mut verified = Vec::new();
    for DayFile { day, path } in days(folder)? {
        if let Some(mut reader) = open_to_read(&path).await? {
            verified.push(verify_day(&mut reader.conn, day, reader.version).await?);
        }
    }
    Ok(verified)
}

async fn verify_day(
    conn: &mut SqliteConnection,
    day: Date,
    version: i64,
) -> Result<Verified, LogFailed> {
    // One state of the file, whatever is written meanwhile.
    sqlx::raw_sql("BEGIN").execute(&mut *conn).await?;
    let links = if version >= LINKED {
        links_fetch(conn).await?
    } else {
        Vec::new()
    };
    let mut check = Check {
        links: links.into_iter(),
        open: None,
        end: begin(day),
        next: 1,
        records: 0,
    };
    let mut rows = sqlx::query("SELECT rowid, * FROM call ORDER BY rowid").fetch(conn);
    let mut problem = None;
    while let Some(row) = rows.try_next().await? {
        if let Err(found) = check.take(&row)? {
            problem = Some(found);
            break;
        }
    }
    drop(rows);
    let problem = problem.or_else(|| check.finish());
    let digits = check.end.iter().map(|byte| format!("{byte:02x}"));
    let digits: Vec<String> = digits.collect();
    Ok(Verified {
        day,
        records: check.records,
        end: digits.concat(),
        problem,
    })
}

async fn links_fetch(conn: &mut SqliteConnection) -> Result<Vec<Link>, LogFailed> {
    let rows: Vec<(i64, i64, Vec<u8>)> =
        sqlx::query_as("SELECT first_row, last_row, hash FROM link ORDER BY first_row")
            .fetch_all(conn)
            .await?;
    let link = |(first, last, hash): (i64, i64, Vec<u8>)| {
        Ok(Link {
            first: from_sql(first)?,
            last: from_sql(last)?,
            hash: hash[..].try_into().map_err(|_| LogFailed::Damaged)?,
        })
    };
    rows.into_iter().map(link).collect()
}

/// A chain that is followed.
struct Check {
    links: std::vec::IntoIter<Link>,
    /// The link that is under way, and what it comes to so far.
    open: Option<(Link, Chain)>,
    /// Of the links before.
    end: Hash,
    /// The row that comes next.
    next: u64,
    records: u64,
}

impl Check {
    fn take(&mut self, row: &SqliteRow) -> Result<Result<(), Problem>, LogFailed> {
        let number = from_sql(row.try_get("rowid")?)?;
        let encoded: Vec<u8> = row.try_get("record")?;
        if self.open.is_none() {
            let Some(link) = self.links.next() else {
                return Ok(Err(Problem::Foreign(number)));
            };
            if number < link.first && self.next == 1 {
                return Ok(Err(Problem::Unlinked(link.first - 1)));
            }
            if number < link.first {
                return Ok(Err(Problem::Foreign(number)));
            }
            self.next = link.first.max(self.next);
            self.open = Some((link, Chain::behind(self.end)));
        }
        if number != self.next {
            return Ok(Err(Problem::Missing(self.next)));
        }
        // Searches go by the columns, and the chain is only over the record.
        if !is_labelled(row, &encoded)? {
            return Ok(Err(Problem::Mislabelled(number)));
        }
        self.next += 1;
        let Some((link, mut chain)) = self.open.take() else {
            return Ok(Err(Problem::Foreign(number)));
        };
        chain.add(&encoded);
        if number < link.last {
            self.open = Some((link, chain));
            return Ok(Ok(()));
        }
        self.end = chain.end();
        if self.end != link.hash {
            return Ok(Err(Problem::Changed(link.first, link.last)));
        }
        self.records += link.last - link.first + 1;
        Ok(Ok(()))
    }

    fn finish(&mut self) -> Option<Problem> {
        let is_over = self.open.is_none() && self.links.next().is_none();
        (!is_over).then_some(Problem::Missing(self.next))
    }
}

/// Whether the columns are those of the record.
fn is_labelled(row: &SqliteRow, encoded: &[u8]) -> Result<bool, LogFailed> {
    let Ok(record) = Record::decode(encoded) else {
        return Ok(false);
    };
    let texts = [
        ("request_id", &record.request_id),
        ("organisation_id", &record.organisation_id),
        ("proxy_id", &record.proxy_id),
        ("code", &record.code),
        ("proxy_code", &record.proxy_code),
        ("method", &record.method),
        ("credential_id", &record.credential_id),
        ("subject", &record.subject),
        ("path", &record.path),
    ];
    for (column, text) in texts {
        if row.try_get::<String, _>(column)? != *text {
            return Ok(false);
        }
    }
    let numbers = [
        ("completed_at_ms", to_sql(record.completed_at_ms)),
        ("status", i64::from(record.status)),
        ("duration_us", to_sql(record.duration_us)),
    ];
    for (column, number) in numbers {
        if row.try_get::<i64, _>(column)? != number {
            return Ok(false);
        }
    }
    Ok(true)
}

#[cfg(test)]
mod tests;
