//! Whether the records of every day are as they were written.

use std::io::{self, Write};

use prost::Message as _;
use requestrocket_proto::record::v1::Record;
use sqlx::FromRow;
use time::Date;

use super::call::LogFailed;
use super::chain::{Chain, Hash, begin};
use super::place::Place;
use super::postgres;
use super::reader::{Conn, Reader};
use super::sql::{from_sql, to_sql};

/// Rows that are read at once.
const TOGETHER: i64 = 1_000;

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
pub async fn verify(place: &Place, out: &mut impl Write) -> Result<bool, LogFailed> {
    let verified = all(place).await?;
    for day in &verified {
        day.write(out)?;
    }
    Ok(verified.iter().all(|day| day.problem.is_none()))
}

async fn all(place: &Place) -> Result<Vec<Verified>, LogFailed> {
    let mut verified = Vec::new();
    for day in place.days().await? {
        if let Some(mut reader) = place.open_to_read(day).await? {
            verified.push(verify_day(&mut reader, day).await?);
        }
    }
    Ok(verified)
}

async fn verify_day(reader: &mut Reader, day: Date) -> Result<Verified, LogFailed> {
    // One state of the day, whatever is written meanwhile.
    reader.conn.begin().await?;
    let links = if reader.has_links() {
        links_fetch(reader).await?
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
    let problem = check.follow(reader).await?;
    reader.conn.end().await?;
    let digits = check.end.iter().map(|byte| format!("{byte:02x}"));
    let digits: Vec<String> = digits.collect();
    Ok(Verified {
        day,
        records: check.records,
        end: digits.concat(),
        problem,
    })
}

async fn links_fetch(reader: &mut Reader) -> Result<Vec<Link>, LogFailed> {
    let mut select = reader.beside("SELECT first_row, last_row, hash", "link");
    select.push(" ORDER BY first_row");
    let rows: Vec<(i64, i64, Vec<u8>)> = reader.conn.fetch(select).await?;
    let link = |(first, last, hash): (i64, i64, Vec<u8>)| {
        Ok(Link {
            first: from_sql(first)?,
            last: from_sql(last)?,
            hash: hash[..].try_into().map_err(|_| LogFailed::Damaged)?,
        })
    };
    rows.into_iter().map(link).collect()
}

/// A call as it is stored: what it says, and what it is selected by.
#[derive(Debug, FromRow)]
struct Row {
    number: i64,
    record: Vec<u8>,
    request_id: String,
    organisation_id: String,
    proxy_id: String,
    code: String,
    proxy_code: String,
    method: String,
    credential_id: String,
    subject: String,
    path: String,
    trace_id: String,
    completed_at_ms: i64,
    status: i64,
    duration_us: i64,
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
    /// Follows it over all rows, up to the first problem.
    async fn follow(&mut self, reader: &mut Reader) -> Result<Option<Problem>, LogFailed> {
        let row = reader.row();
        let trace_id = if reader.has_traces() {
            "trace_id"
        } else {
            "''"
        };
        let columns = format!(
            "SELECT {row} AS number, record, request_id, organisation_id, proxy_id, code, \
             proxy_code, method, credential_id, subject, path, {trace_id} AS trace_id, \
             completed_at_ms, status, duration_us"
        );
        // Below the first: a row that is put in may have any number.
        let mut behind = i64::MIN;
        loop {
            let mut select = reader.calls(&columns);
            select.push(&format!("{row} > ")).number(behind);
            select.push(&format!(" ORDER BY {row} LIMIT "));
            select.number(TOGETHER);
            let rows: Vec<Row> = reader.conn.fetch(select).await?;
            let Some(last) = rows.last() else {
                return Ok(self.finish());
            };
            behind = last.number;
            let is_postgres = matches!(reader.conn, Conn::Postgres(_));
            for row in &rows {
                if let Err(problem) = self.take(row, is_postgres)? {
                    return Ok(Some(problem));
                }
            }
        }
    }

    fn take(&mut self, row: &Row, is_postgres: bool) -> Result<Result<(), Problem>, LogFailed> {
        let number = from_sql(row.number)?;
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
        if !row.is_labelled(is_postgres) {
            return Ok(Err(Problem::Mislabelled(number)));
        }
        self.next += 1;
        let Some((link, mut chain)) = self.open.take() else {
            return Ok(Err(Problem::Foreign(number)));
        };
        chain.add(&row.record);
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

impl Row {
    /// Whether the columns are those of the record.
    fn is_labelled(&self, is_postgres: bool) -> bool {
        let Ok(record) = Record::decode(&self.record[..]) else {
            return false;
        };
        let texts = [
            (&self.request_id, &record.request_id),
            (&self.organisation_id, &record.organisation_id),
            (&self.proxy_id, &record.proxy_id),
            (&self.code, &record.code),
            (&self.proxy_code, &record.proxy_code),
            (&self.method, &record.method),
            (&self.credential_id, &record.credential_id),
            (&self.subject, &record.subject),
            (&self.path, &record.path),
            // Rows from before there was the column have none.
            (
                &self.trace_id,
                if self.trace_id.is_empty() {
                    &self.trace_id
                } else {
                    &record.trace_id
                },
            ),
        ];
        let is_same = |(column, text): (&String, &String)| {
            column == text || is_postgres && *column == postgres::text(text)
        };
        let numbers = [
            (self.completed_at_ms, to_sql(record.completed_at_ms)),
            (self.status, i64::from(record.status)),
            (self.duration_us, to_sql(record.duration_us)),
        ];
        texts.into_iter().all(is_same) && numbers.iter().all(|(column, said)| column == said)
    }
}

#[cfg(test)]
mod tests;
