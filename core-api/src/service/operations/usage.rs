//! What was let through: each region is asked for its sums.

use std::collections::{BTreeMap, BTreeSet};

use futures::future::join_all;
use requestrocket_proto::region::v1::{Usage, UsageGrouping, UsageQuery, UsageSum, answer, query};

use crate::region::fleet::{Fleets, Unanswered};

/// Of which interval, and of what.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct UsageKey {
    /// Unix time in milliseconds.
    pub start_ms: u64,
    /// The proxy, credential, meter or region; empty: everything.
    pub id: String,
}

/// A sum.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Used {
    /// Calls that were let through.
    pub admitted: u64,
    /// Calls of known callers that rules or limits refused.
    pub refused: u64,
    /// What meters counted, in millionths.
    pub value_micros: u64,
    /// An Envoy ended in that time: what it let through last may be missing.
    pub is_uncertain: bool,
}

/// What the regions have of a selection.
#[derive(Debug, Default, PartialEq)]
pub struct Found {
    /// In order.
    pub sums: BTreeMap<UsageKey, Used>,
    /// Regions that have more than one answer takes.
    pub too_much: bool,
    /// Regions that did not answer.
    pub unavailable: Vec<String>,
}

/// Asks these regions, and tells what they say apart by region if it is to be.
pub async fn usage(
    fleets: &Fleets,
    regions: &BTreeSet<String>,
    query: &UsageQuery,
    is_by_region: bool,
) -> Found {
    let asked = regions.iter().map(async |region| {
        let answer = ask(fleets, region, query.clone()).await;
        (region, answer)
    });
    let is_whole = query.grouping() == UsageGrouping::Unspecified;
    let mut found = Found::default();
    for (region, answer) in join_all(asked).await {
        match answer {
            Ok(usage) => found.add(region, usage, (is_whole, is_by_region)),
            Err(_) => found.unavailable.push(region.clone()),
        }
    }
    found
}

async fn ask(fleets: &Fleets, region: &str, query: UsageQuery) -> Result<Usage, Unanswered> {
    let question = query::Kind::Usage(query);
    let answer::Kind::Usage(usage) = fleets.ask(region, question).await? else {
        return Err(Unanswered::Unknown);
    };
    Ok(usage)
}

impl Found {
    fn add(&mut self, region: &str, usage: Usage, (is_whole, is_by_region): (bool, bool)) {
        let Usage {
            sums,
            uncertain_ms,
            is_too_much,
        } = usage;
        self.too_much |= is_too_much;
        let uncertain: BTreeSet<u64> = uncertain_ms.into_iter().collect();
        for sum in sums {
            let UsageSum {
                start_ms,
                id,
                admitted,
                refused,
                value_micros,
            } = sum;
            let id = if is_by_region { region.to_owned() } else { id };
            let used = Used {
                admitted,
                refused,
                value_micros,
                is_uncertain: uncertain.contains(&start_ms),
            };
            let sum = self.sums.entry(UsageKey { start_ms, id }).or_default();
            sum.add(used);
        }
        if is_whole {
            // Also where nothing else is known of that time.
            for start_ms in uncertain {
                let id = if is_by_region { region } else { "" }.to_owned();
                let sum = self.sums.entry(UsageKey { start_ms, id }).or_default();
                sum.is_uncertain = true;
            }
        }
    }
}

impl Used {
    /// More of it.
    pub fn add(&mut self, other: Self) {
        self.admitted = self.admitted.saturating_add(other.admitted);
        self.refused = self.refused.saturating_add(other.refused);
        self.value_micros = self.value_micros.saturating_add(other.value_micros);
        self.is_uncertain |= other.is_uncertain;
    }
}
