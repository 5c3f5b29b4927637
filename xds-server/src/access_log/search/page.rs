//! A page of records. Calls that have to be looked at one by one are looked at in slices, so that a
//! page that took enough can say how far it came.

use prost::Message as _;
use requestrocket_proto::record::v1::Record;
use requestrocket_proto::region::v1::{RecordPosition, Records, RecordsQuery};
use time::Date;
use uuid::Uuid;

use super::effort::Effort;
use super::select::{has_filters, push_filters, push_order, push_owner_and_time, push_position};
use crate::access_log::call::LogFailed;
use crate::access_log::day::DAY_MS;
use crate::access_log::reader::{Reader, Select};
use crate::access_log::sql::{from_sql, to_sql};

/// Records of a page, and their bytes: it is one message of the link.
pub(super) const MAX_LIMIT: u32 = 1_000;
pub(super) const MAX_BYTES: usize = 1 << 20;
/// Calls that are looked at between two looks at what is left.
pub(super) const SLICE: u64 = 500;

/// A page that is being read.
pub(super) struct Page<'a> {
    query: &'a RecordsQuery,
    effort: &'a Effort,
    records: Vec<Record>,
    /// Records that it may still take, and their bytes.
    room: usize,
    bytes: usize,
    /// Everything up to there was looked at.
    reached: Option<RecordPosition>,
    is_more: bool,
}

impl<'a> Page<'a> {
    pub(super) fn new(query: &'a RecordsQuery, effort: &'a Effort) -> Self {
        let limit = query.limit.clamp(1, MAX_LIMIT);
        Self {
            query,
            effort,
            records: Vec::new(),
            room: usize::try_from(limit).unwrap_or(1),
            bytes: MAX_BYTES,
            reached: query.after.clone(),
            is_more: false,
        }
    }

    /// Whether what follows belongs to another page.
    pub(super) fn is_full(&self) -> bool {
        self.is_more
    }

    pub(super) fn finish(self) -> Records {
        Records {
            records: self.records,
            is_more: self.is_more,
            reached: self.reached.filter(|_| self.is_more),
            ..Records::default()
        }
    }

    /// Takes what belongs to it from a day.
    pub(super) async fn read(&mut self, day: &mut Reader, date: Date) -> Result<(), LogFailed> {
        match self.read_on(day, date).await {
            // It is taken up again behind what was looked at.
            Err(LogFailed::TooMuch) if self.reached != self.query.after => {
                self.is_more = true;
                Ok(())
            }
            done => done,
        }
    }

    async fn read_on(&mut self, day: &mut Reader, date: Date) -> Result<(), LogFailed> {
        let is_sliced = has_filters(self.query);
        loop {
            if self.effort.is_spent() && self.reached != self.query.after {
                return Err(LogFailed::TooMuch);
            }
            let end = if is_sliced {
                self.slice_end(day).await?
            } else {
                None
            };
            self.read_slice(day, end.as_ref()).await?;
            if is_sliced {
                self.effort.add(day, SLICE);
            }
            if self.is_more {
                return Ok(());
            }
            let is_last = end.is_none();
            if is_sliced {
                self.reached = Some(end.unwrap_or_else(|| self.end_of(date)));
            }
            if is_last {
                return Ok(());
            }
        }
    }

    /// Behind all calls of a day.
    fn end_of(&self, date: Date) -> RecordPosition {
        let begin = date.midnight().assume_utc().unix_timestamp();
        let begin_ms = u64::try_from(begin).unwrap_or(0).saturating_mul(1_000);
        RecordPosition {
            completed_at_ms: if self.query.is_ascending {
                begin_ms.saturating_add(DAY_MS)
            } else {
                begin_ms
            },
            request_id: Uuid::nil().to_string(),
        }
    }

    /// The last call of the next slice; none: the rest of the day is less.
    async fn slice_end(&self, day: &mut Reader) -> Result<Option<RecordPosition>, LogFailed> {
        let mut select = self.select(day, "SELECT completed_at_ms, request_id");
        push_order(&mut select, self.query.is_ascending, 1);
        select.push(" OFFSET ").number(to_sql(SLICE - 1));
        let rows = day.conn.fetch(select).await;
        let rows: Vec<(i64, String)> = rows.map_err(|error| self.effort.failed(error))?;
        let position = |(completed_at_ms, request_id)| {
            Ok(RecordPosition {
                completed_at_ms: from_sql(completed_at_ms)?,
                request_id,
            })
        };
        rows.into_iter().next().map(position).transpose()
    }

    async fn read_slice(
        &mut self,
        day: &mut Reader,
        end: Option<&RecordPosition>,
    ) -> Result<(), LogFailed> {
        let mut select = self.select(day, "SELECT record");
        push_filters(&mut select, self.query);
        if let Some(end) = end {
            push_position(&mut select, self.comparison(["<=", ">="]), end);
        }
        // One more says whether there is more.
        let limit = u64::try_from(self.room).unwrap_or(u64::MAX) + 1;
        push_order(&mut select, self.query.is_ascending, limit);
        let rows = day.conn.fetch(select).await;
        let rows: Vec<(Vec<u8>,)> = rows.map_err(|error| self.effort.failed(error))?;
        for (encoded,) in rows {
            if self.room == 0 || self.bytes < encoded.len() {
                self.is_more = true;
                return Ok(());
            }
            self.room -= 1;
            self.bytes -= encoded.len();
            let record = Record::decode(&encoded[..]).map_err(|_| LogFailed::Damaged)?;
            self.reached = Some(RecordPosition {
                completed_at_ms: record.completed_at_ms,
                request_id: record.request_id.clone(),
            });
            self.records.push(record);
        }
        Ok(())
    }

    /// From calls behind what was looked at.
    fn select(&self, day: &Reader, columns: &str) -> Select {
        let mut select = day.calls(columns);
        push_owner_and_time(&mut select, self.query);
        if let Some(reached) = &self.reached {
            push_position(&mut select, self.comparison([">", "<"]), reached);
        }
        select
    }

    fn comparison(&self, [ascending, descending]: [&'static str; 2]) -> &'static str {
        if self.query.is_ascending {
            ascending
        } else {
            descending
        }
    }
}
