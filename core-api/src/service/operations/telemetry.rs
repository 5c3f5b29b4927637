//! What calls come to: each region is asked for its sums, which are added up.

use std::collections::{BTreeMap, BTreeSet};

use futures::future::join_all;
use requestrocket_proto::region::v1::{
    Telemetry, TelemetryPoint, TelemetryQuery, TelemetryShare, answer, query,
};
use requestrocket_summary::Summary;

use crate::region::fleet::{Fleets, Unanswered};

/// Proxies or credentials that are named.
const TOP: usize = 10;

/// What the regions have of a selection.
#[derive(Debug, Default, PartialEq)]
pub struct Told {
    /// By the beginning of their interval, Unix time in milliseconds; those without calls are absent.
    pub points: BTreeMap<u64, Summary>,
    /// The proxies with most calls.
    pub proxies: Vec<TelemetryShare>,
    /// The credentials with most calls.
    pub credentials: Vec<TelemetryShare>,
    /// Calls of these regions in that time that may be missing.
    pub lost: u64,
    /// Regions that did not answer.
    pub unavailable: Vec<String>,
}

/// Asks these regions.
pub async fn telemetry(
    fleets: &Fleets,
    regions: &BTreeSet<String>,
    query: &TelemetryQuery,
) -> Told {
    let asked = regions.iter().map(async |region| {
        let answer = ask(fleets, region, query.clone()).await;
        (
            region,
            answer.and_then(|told| summed(told).ok_or(Unanswered::Unknown)),
        )
    });
    let mut all = Told::default();
    for (region, answer) in join_all(asked).await {
        match answer {
            Ok(told) => all.add(told),
            Err(_) => all.unavailable.push(region.clone()),
        }
    }
    all.proxies = most(all.proxies);
    all.credentials = most(all.credentials);
    all
}

async fn ask(
    fleets: &Fleets,
    region: &str,
    query: TelemetryQuery,
) -> Result<Telemetry, Unanswered> {
    let question = query::Kind::Telemetry(query);
    let answer::Kind::Telemetry(told) = fleets.ask(region, question).await? else {
        return Err(Unanswered::Unknown);
    };
    Ok(told)
}

/// None for what no region of ours says.
fn summed(telemetry: Telemetry) -> Option<Told> {
    let Telemetry {
        points,
        proxies,
        credentials,
        lost,
    } = telemetry;
    let points = points.into_iter().map(|point| {
        let TelemetryPoint { start_ms, summary } = point;
        Some((start_ms, Summary::from_wire(summary?)?))
    });
    Some(Told {
        points: points.collect::<Option<_>>()?,
        proxies,
        credentials,
        lost,
        unavailable: Vec::new(),
    })
}

impl Told {
    /// What all calls come to.
    #[must_use]
    pub fn whole(&self) -> Summary {
        let mut whole = Summary::default();
        for summary in self.points.values() {
            whole.merge(summary);
        }
        whole
    }

    fn add(&mut self, other: Self) {
        for (start_ms, summary) in other.points {
            self.points.entry(start_ms).or_default().merge(&summary);
        }
        self.proxies.extend(other.proxies);
        self.credentials.extend(other.credentials);
        self.lost = self.lost.saturating_add(other.lost);
    }
}

/// A proxy or credential is in one region only, so those with most calls are among those of each.
fn most(mut shares: Vec<TelemetryShare>) -> Vec<TelemetryShare> {
    shares.sort_by(|one, other| (other.requests, &one.id).cmp(&(one.requests, &other.id)));
    shares.truncate(TOP);
    shares
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn those_with_most_calls_come_first() {
        let share = |n: u64| TelemetryShare {
            id: format!("{n:02}"),
            requests: n / 2,
            ..TelemetryShare::default()
        };
        let most = most((0..30).map(share).collect());
        let ids: Vec<_> = most.iter().map(|share| share.id.as_str()).collect();
        let want = ["28", "29", "26", "27", "24", "25", "22", "23", "20", "21"];
        assert_eq!(ids, want);
    }
}
