//! What is found of calls: day by day, in the order that is asked for, up to a page.

mod arrivals;
mod count;
mod effort;
mod page;
mod select;

use std::time::Duration;

use requestrocket_proto::region::v1::{Records, RecordsQuery};
use time::Date;

pub(super) use self::arrivals::arrivals;
use self::count::count;
use self::effort::Effort;
use self::page::Page;
use super::call::LogFailed;
use super::day::day_of;
use super::place::Place;

/// A page that costs more ends where it is; a selection that costs more is not counted. Each in
/// thousands of SQLite's steps, and in time.
const MOST: u32 = 50_000;
const LONGEST: Duration = Duration::from_secs(1);

/// Reads a page, and counts its selection if that is asked for.
pub(super) async fn search(place: &Place, query: &RecordsQuery) -> Result<Records, LogFailed> {
    search_within(place, query, MOST).await
}

async fn search_within(
    place: &Place,
    query: &RecordsQuery,
    most: u32,
) -> Result<Records, LogFailed> {
    let days = days_of(place, query).await?;
    let effort = Effort::of(most, LONGEST);
    let mut page = Page::new(query, &effort);
    for day in &days {
        let Some(mut reader) = effort.open_for((place, *day), query).await? else {
            continue;
        };
        page.read(&mut reader, *day).await?;
        if page.is_full() {
            break;
        }
    }
    let mut found = page.finish();
    if !query.is_uncounted {
        let effort = Effort::of(most, LONGEST);
        for day in &days {
            if let Some(mut reader) = effort.open_for((place, *day), query).await? {
                found.recorded += count(&mut reader, query, &effort).await?;
            }
        }
    }
    Ok(found)
}

/// In the order that is asked for.
async fn days_of(place: &Place, query: &RecordsQuery) -> Result<Vec<Date>, LogFailed> {
    let (mut first, mut last) = (query.from_ms.map(day_of), query.to_ms.map(day_of));
    // Only a page begins there: what is counted is all of the selection.
    if query.is_uncounted
        && let Some(after) = &query.after
    {
        let after = Some(day_of(after.completed_at_ms));
        if query.is_ascending {
            first = first.max(after);
        } else {
            last = last.or(after).min(after);
        }
    }
    let mut days = place.days().await?;
    days.retain(|day| {
        first.is_none_or(|first| *day >= first) && last.is_none_or(|last| *day <= last)
    });
    if !query.is_ascending {
        days.reverse();
    }
    Ok(days)
}

#[cfg(test)]
mod tests;
