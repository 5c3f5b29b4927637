//! Records of calls: each region is asked for what it has, and a page is made of the answers.

use std::collections::BTreeSet;

use futures::future::join_all;
use requestrocket_proto::record::v1::Record;
use requestrocket_proto::region::v1::{RecordPosition, Records, RecordsQuery, answer, query};

use crate::error::{ApiError, ApiResult, Code};
use crate::region::fleet::{Fleets, Unanswered};

/// What the regions have of a selection.
#[derive(Debug, Default, PartialEq)]
pub struct Found {
    /// In order.
    pub records: Vec<Record>,
    /// Behind this there is more.
    pub next: Option<RecordPosition>,
    /// Of the whole selection.
    pub recorded: u64,
    /// Calls of these regions in that time whose records never came, whoever's they were.
    pub lost: u64,
    /// Regions that did not answer.
    pub unavailable: Vec<String>,
}

/// Asks these regions.
///
/// # Errors
/// `SELECTION_TOO_LARGE` when one would have to look at too much.
pub async fn search(
    fleets: &Fleets,
    regions: &BTreeSet<String>,
    query: &RecordsQuery,
) -> ApiResult<Found> {
    let asked = regions.iter().map(async |region| {
        let answer = ask(fleets, region, query.clone()).await;
        (region, answer)
    });
    let mut found = Found::default();
    let mut pages = Vec::new();
    for (region, answer) in join_all(asked).await {
        match answer {
            Ok(page) if page.is_too_much => return Err(too_large()),
            Ok(page) => {
                found.recorded = found.recorded.saturating_add(page.recorded);
                found.lost = found.lost.saturating_add(page.lost);
                pages.push(page);
            }
            Err(_) => found.unavailable.push(region.clone()),
        }
    }
    (found.records, found.next) = merged(pages, query);
    Ok(found)
}

fn too_large() -> ApiError {
    let text = "too many records would have to be looked at: narrow the selection by \
                `processedAfter` and `processedBefore`";
    ApiError::new(Code::SelectionTooLarge, text)
}

/// Asks one region.
///
/// # Errors
/// Says why there is no answer.
pub async fn ask(
    fleets: &Fleets,
    region: &str,
    query: RecordsQuery,
) -> Result<Records, Unanswered> {
    let question = query::Kind::Records(Box::new(query));
    let answer::Kind::Records(records) = fleets.ask(region, question).await? else {
        return Err(Unanswered::Unknown);
    };
    Ok(records)
}

/// One page of several. A region that has more may have something before what another one has
/// behind the end of its page, so the page ends with the first such end.
fn merged(pages: Vec<Records>, query: &RecordsQuery) -> (Vec<Record>, Option<RecordPosition>) {
    let limit = usize::try_from(query.limit).unwrap_or(usize::MAX);
    let is_before = |one: &RecordPosition, other: &RecordPosition| {
        let order = key(one).cmp(&key(other));
        if query.is_ascending {
            order.is_lt()
        } else {
            order.is_gt()
        }
    };
    let end = pages.iter().filter(|page| page.is_more);
    let end = end.filter_map(end_of_page);
    let end = end.reduce(|one, other| if is_before(&other, &one) { other } else { one });
    let records = pages.into_iter().flat_map(|page| page.records);
    let mut records: Vec<(RecordPosition, Record)> = records
        .map(|record| (position(&record), record))
        .filter(|(at, _)| end.as_ref().is_none_or(|end| !is_before(end, at)))
        .collect();
    records.sort_by(|(one, _), (other, _)| key(one).cmp(&key(other)));
    if !query.is_ascending {
        records.reverse();
    }
    let is_cut = records.len() > limit;
    records.truncate(limit);
    // A cut comes before `end`, for nothing behind that was kept.
    let last = records.last().filter(|_| is_cut);
    let next = last.map(|(at, _)| at.clone()).or(end);
    let records = records.into_iter().map(|(_, record)| record);
    (records.collect(), next)
}

fn end_of_page(page: &Records) -> Option<RecordPosition> {
    let last = || page.records.last().map(position);
    page.reached.clone().or_else(last)
}

fn position(record: &Record) -> RecordPosition {
    RecordPosition {
        completed_at_ms: record.completed_at_ms,
        request_id: record.request_id.clone(),
    }
}

fn key(position: &RecordPosition) -> (u64, &str) {
    (position.completed_at_ms, &position.request_id)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn page(moments: &[u64], is_more: bool) -> Records {
        let record = |&completed_at_ms: &u64| Record {
            completed_at_ms,
            request_id: format!("id-{completed_at_ms}"),
            ..Record::default()
        };
        Records {
            records: moments.iter().map(record).collect(),
            is_more,
            ..Records::default()
        }
    }

    fn check(pages: Vec<Records>, (limit, is_ascending): (u32, bool), want: (&[u64], Option<u64>)) {
        let query = RecordsQuery {
            limit,
            is_ascending,
            ..RecordsQuery::default()
        };
        let (records, next) = merged(pages, &query);
        let moments: Vec<u64> = records.iter().map(|it| it.completed_at_ms).collect();
        let next = next.map(|next| next.completed_at_ms);
        assert_eq!((&moments[..], next), want);
    }

    #[test]
    fn pages_of_regions_are_one_page_without_a_gap() {
        let newest = (10, false);
        check(vec![], newest, (&[], None));
        check(vec![page(&[5, 3], false)], newest, (&[5, 3], None));
        check(
            vec![page(&[5, 3], false), page(&[4], false)],
            newest,
            (&[5, 4, 3], None),
        );
        // The first region has more below 3, which may lie above 1.
        check(
            vec![page(&[5, 3], true), page(&[4, 1], false)],
            newest,
            (&[5, 4, 3], Some(3)),
        );
        check(
            vec![page(&[1, 3], true), page(&[2, 9], false)],
            (10, true),
            (&[1, 2, 3], Some(3)),
        );
        check(
            vec![page(&[6, 4, 2], false), page(&[5, 3], false)],
            (2, false),
            (&[6, 5], Some(5)),
        );
        // The first found nothing as far as it looked.
        let looked = |reached| Records {
            reached: Some(RecordPosition {
                completed_at_ms: reached,
                request_id: String::new(),
            }),
            ..page(&[], true)
        };
        check(
            vec![looked(4), page(&[6, 5, 3], false)],
            newest,
            (&[6, 5], Some(4)),
        );
        check(vec![looked(4)], newest, (&[], Some(4)));
    }
}
