//! Records as they come: region after region is asked what came behind what is known of it.

use std::collections::{BTreeMap, BTreeSet};

use futures::future::join_all;
use requestrocket_proto::record::v1::Record;
use requestrocket_proto::region::v1::arrivals_query::Behind;
use requestrocket_proto::region::v1::{Arrivals, ArrivalsQuery, RecordsQuery, answer, query};

use super::mark::Mark;
use crate::region::fleet::{Fleets, Unanswered};

/// Somebody who follows a selection.
#[derive(Clone, Debug)]
pub struct Tail {
    selection: RecordsQuery,
    /// Of each region what is known; none: from now on.
    behind: BTreeMap<String, Option<Behind>>,
    mark: Mark,
}

/// What came since the last look.
#[derive(Debug, Default)]
pub struct News {
    /// With the mark behind which somebody goes on.
    pub records: Vec<(Record, Mark)>,
    /// There is more at once.
    pub is_more: bool,
    /// Regions that did not answer; nothing of theirs is lost for that.
    pub unavailable: Vec<String>,
}

impl Tail {
    /// From now on, or behind a mark.
    pub fn new(
        selection: RecordsQuery,
        regions: &BTreeSet<String>,
        from: (Option<Mark>, u64),
    ) -> Self {
        let (mark, now_ms) = from;
        let behind = |region: &String| mark.as_ref().map(|mark| mark.behind(region));
        Self {
            selection,
            behind: regions
                .iter()
                .map(|region| (region.clone(), behind(region).map(Behind::Record)))
                .collect(),
            mark: mark.unwrap_or_else(|| Mark::of(now_ms)),
        }
    }

    /// Looks once.
    pub async fn look(&mut self, fleets: &Fleets) -> News {
        let asked = self.behind.iter().map(async |(region, behind)| {
            let query = ArrivalsQuery {
                selection: Some(self.selection.clone()),
                behind: behind.clone(),
            };
            (region.clone(), ask(fleets, region, query).await)
        });
        let mut news = News::default();
        for (region, answer) in join_all(asked).await {
            match answer {
                Ok(arrivals) => self.take(region, arrivals, &mut news),
                Err(_) => news.unavailable.push(region),
            }
        }
        news
    }

    fn take(&mut self, region: String, arrivals: Arrivals, news: &mut News) {
        let Arrivals {
            records,
            reached,
            is_more,
        } = arrivals;
        for record in records {
            self.mark.pass(&region, &record);
            news.records.push((record, self.mark.clone()));
        }
        news.is_more |= is_more;
        if let Some(reached) = reached {
            self.behind.insert(region, Some(Behind::Arrival(reached)));
        }
    }
}

async fn ask(fleets: &Fleets, region: &str, query: ArrivalsQuery) -> Result<Arrivals, Unanswered> {
    let question = query::Kind::Arrivals(Box::new(query));
    let answer::Kind::Arrivals(arrivals) = fleets.ask(region, question).await? else {
        return Err(Unanswered::Unknown);
    };
    Ok(arrivals)
}
