//! Sums in SQL, beside the log: written by one connection and read by others.

mod postgres;
pub(super) mod sqlite;

use std::collections::BTreeMap;

use prost::Message as _;
use requestrocket_proto::telemetry::v1 as wire;
use requestrocket_summary::Summary;
use sqlx::SqliteConnection;
use time::Date;

use self::postgres::InPostgres;
use super::super::call::LogFailed;
use super::super::place::Place;
use super::span::Span;

/// The connection that writes sums.
#[derive(Debug)]
pub(super) enum Sums {
    Sqlite(Box<SqliteConnection>),
    Postgres(Box<InPostgres>),
}

impl Sums {
    /// Those of the log in `place`, whose writer is there.
    pub(super) async fn open(place: &Place) -> Result<Self, LogFailed> {
        match place {
            Place::Files(folder) => Ok(Self::Sqlite(sqlite::open(folder).await?.into())),
            Place::Postgres(postgres) => {
                let sums = InPostgres::new(postgres.clone());
                Ok(Self::Postgres(sums.into()))
            }
        }
    }

    /// Up to where that day is counted.
    pub(super) async fn position_fetch(&mut self, day: Date) -> Result<i64, LogFailed> {
        match self {
            Self::Sqlite(conn) => sqlite::position_fetch(conn, day).await,
            Self::Postgres(sums) => sums.position_fetch(day).await,
        }
    }

    /// Adds sums, and says with them up to where the day is counted, in one transaction. Gives back
    /// how many calls were left out of a share's sum.
    pub(super) async fn summaries_add(
        &mut self,
        sums: &BTreeMap<Key, Summary>,
        counted: (Date, i64),
    ) -> Result<u64, LogFailed> {
        match self {
            Self::Sqlite(conn) => sqlite::summaries_add(conn, sums, counted).await,
            Self::Postgres(own) => own.summaries_add(sums, counted).await,
        }
    }

    /// Forgets sums that are too old, and positions in days that are gone.
    pub(super) async fn summaries_forget(
        &mut self,
        now_ms: u64,
        oldest: Date,
    ) -> Result<(), LogFailed> {
        match self {
            Self::Sqlite(conn) => sqlite::summaries_forget(conn, now_ms, oldest).await,
            Self::Postgres(sums) => sums.summaries_forget(now_ms, oldest).await,
        }
    }
}

/// Whose calls are summed up.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Key {
    pub(super) span: Span,
    pub(super) start_ms: u64,
    pub(super) organisation_id: String,
    pub(super) share: Share,
}

/// All calls of an organisation, or a part of them. Parts come before the whole, so that the whole
/// can say which of them have no place.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Share {
    Proxy(String),
    Credential(String),
    All,
}

impl Share {
    /// Its kind, and its id.
    pub(super) fn columns(&self) -> (i64, &str) {
        match self {
            Self::All => (0, ""),
            Self::Proxy(id) => (1, id),
            Self::Credential(id) => (2, id),
        }
    }
}

/// An organisation's interval, whose shares have only so much room.
pub(super) type Interval<'a> = (Span, u64, &'a str);

impl Key {
    fn place(&self) -> Interval<'_> {
        (self.span, self.start_ms, &self.organisation_id)
    }
}

/// What sums come to with those that are added, and how many calls are left out of a share's sum.
/// `totals` are those that are there, `taken` says how many shares an interval has of which some are
/// not.
fn merged<'a>(
    sums: &'a BTreeMap<Key, Summary>,
    mut totals: BTreeMap<&'a Key, Summary>,
    mut taken: BTreeMap<Interval<'a>, u64>,
) -> (Vec<(&'a Key, Summary)>, u64) {
    let (mut merged, mut left_out) = (Vec::with_capacity(sums.len()), 0);
    let mut unplaced: BTreeMap<Interval<'_>, u64> = BTreeMap::new();
    for (key, sum) in sums {
        let mut sum = sum.clone();
        let total = totals.remove(key);
        if key.share == Share::All {
            sum.unplaced = unplaced.remove(&key.place()).unwrap_or(0);
        } else if total.is_none() {
            let taken = taken.entry(key.place()).or_default();
            if *taken >= key.span.most_shares() {
                *unplaced.entry(key.place()).or_default() += sum.requests;
                left_out += sum.requests;
                continue;
            }
            *taken += 1;
        }
        let mut total = total.unwrap_or_default();
        total.merge(&sum);
        merged.push((key, total));
    }
    (merged, left_out)
}

/// A sum as it is stored.
pub(super) fn decoded(bytes: &[u8]) -> Result<Summary, LogFailed> {
    let wire = wire::Summary::decode(bytes).map_err(|_| LogFailed::Damaged)?;
    Summary::from_wire(wire).ok_or(LogFailed::Damaged)
}
