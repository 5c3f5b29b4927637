//! Records of calls: each region is asked for what it has, and a page is made of the answers.

use std::collections::BTreeSet;

use futures::future::join_all;
use requestrocket_proto::record::v1::Record;
use requestrocket_proto::region::v1::{RecordPosition, Records, RecordsQuery, answer, query};

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
pub async fn search(fleets: &Fleets, regions: &BTreeSet<String>, query: &RecordsQuery) -> Found {
    let asked = regions.iter().map(async |region| {
        let answer = ask(fleets, region, query.clone()).await;
        (region, answer)
    });
    let mut found = Found::default();
    let mut pages = Vec::new();
    for (region, answer) in join_all(asked).await {
        match answer {
            Ok(page) => {
                found.recorded = found.recorded.saturating_add(page.recorded);
                found.lost = found.lost.saturating_add(page.lost);
                pages.push(page);
            }
            Err(_) => found.unavailable.push(region.clone()),
        }
    }
    (found.records, found.next) = merged(pages, query);
    found
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
    match fleets
        .ask(region, query::Kind::Records(Box::new(query)))
        .await?
    {
        answer::Kind::Records(records) => Ok(records),
        answer::Kind::MeterUsage(_) | answer::Kind::Telemetry(_) => Err(Unanswered::Unknown),
    }
}

/// One page of several. A region that has more may have something before what another one has
/// behind its last record, so the page ends with the first such record.
fn merged(pages: Vec<Records>, query: &RecordsQuery) -> (Vec<Record>, Option<RecordPosition>) {
    let limit = usize::try_from(query.limit).unwrap_or(usize::MAX);
    let is_before = |one: &Record, other: &Record| {
        let order = key(one).cmp(&key(other));
        if query.is_ascending {
            order.is_lt()
        } else {
            order.is_gt()
        }
    };
    let ends = pages.iter().filter(|page| page.is_more);
    let ends = ends.filter_map(|page| page.records.last());
    let end = ends
        .reduce(|one, other| if is_before(other, one) { other } else { one })
        .cloned();
    let is_more = pages.iter().any(|page| page.is_more);
    let mut records: Vec<Record> = pages.into_iter().flat_map(|page| page.records).collect();
    records.sort_by(|one, other| key(one).cmp(&key(other)));
    if !query.is_ascending {
        records.reverse();
    }
    let all = records.len();
    if let Some(end) = end {
        records.retain(|record| !is_before(&end, record));
    }
    records.truncate(limit);
    let has_more = is_more || records.len() < all;
    let last = records.last().filter(|_| has_more);
    let next = last.map(|record| RecordPosition {
        completed_at_ms: record.completed_at_ms,
        request_id: record.request_id.clone(),
    });
    (records, next)
}

fn key(record: &Record) -> (u64, &str) {
    (record.completed_at_ms, &record.request_id)
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
    }
}
