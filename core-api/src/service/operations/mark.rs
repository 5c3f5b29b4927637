//! How far somebody followed records, as the id of an event: the last record of each region, and when
//! they began for regions of which there was none.

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

use requestrocket_proto::record::v1::Record;
use requestrocket_proto::region::v1::RecordPosition;
use uuid::Uuid;

use crate::domain::gateway::region::RegionName;

/// Regions that a mark tells of.
const REGIONS: usize = 64;

/// Such as `1796000000000,eu-1:1796000000123:0d9f6b5e-2222-4333-8444-555566667777`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mark {
    since_ms: u64,
    /// When the last one was over, and its id.
    last: BTreeMap<String, (u64, Uuid)>,
}

/// No mark.
#[derive(Debug, thiserror::Error)]
#[error("must be the id of an event")]
pub struct InvalidMark;

impl Mark {
    /// Of somebody who begins then; Unix time in milliseconds.
    pub fn of(since_ms: u64) -> Self {
        Self {
            since_ms,
            last: BTreeMap::new(),
        }
    }

    /// A record of that region was told.
    pub(super) fn pass(&mut self, region: &str, record: &Record) {
        if let Ok(id) = record.request_id.parse() {
            let last = (record.completed_at_ms, id);
            self.last.insert(region.to_owned(), last);
        }
    }

    /// Behind what a region goes on.
    pub(super) fn behind(&self, region: &str) -> RecordPosition {
        let last = self.last.get(region).copied();
        let (completed_at_ms, id) = last.unwrap_or((self.since_ms, Uuid::nil()));
        RecordPosition {
            completed_at_ms,
            request_id: id.to_string(),
        }
    }
}

impl fmt::Display for Mark {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.since_ms)?;
        for (region, (completed_at_ms, id)) in &self.last {
            write!(f, ",{region}:{completed_at_ms}:{id}")?;
        }
        Ok(())
    }
}

impl FromStr for Mark {
    type Err = InvalidMark;

    fn from_str(text: &str) -> Result<Self, InvalidMark> {
        let mut parts = text.split(',');
        let since_ms = parts.next().and_then(|since| since.parse().ok());
        let mut mark = Self::of(since_ms.ok_or(InvalidMark)?);
        for part in parts {
            let (region, last) = one(part).ok_or(InvalidMark)?;
            if mark.last.insert(region, last).is_some() || mark.last.len() > REGIONS {
                return Err(InvalidMark);
            }
        }
        Ok(mark)
    }
}

fn one(part: &str) -> Option<(String, (u64, Uuid))> {
    let (region, last) = part.split_once(':')?;
    let (completed_at_ms, id) = last.split_once(':')?;
    let region: RegionName = region.parse().ok()?;
    let last = (completed_at_ms.parse().ok()?, id.parse().ok()?);
    Some((region.as_str().to_owned(), last))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mark_is_read_as_it_was_written_and_nothing_else_is_one() {
        let id = Uuid::from_u128(7);
        let mut mark = Mark::of(5);
        assert_eq!(mark.to_string(), "5");
        let record = Record {
            request_id: id.to_string(),
            completed_at_ms: 9,
            ..Record::default()
        };
        mark.pass("eu-1", &record);
        let text = format!("5,eu-1:9:{id}");
        assert_eq!(mark.to_string(), text);
        assert_eq!(text.parse::<Mark>().unwrap(), mark);
        assert_eq!(mark.behind("eu-1").completed_at_ms, 9);
        let other = mark.behind("us-1");
        assert_eq!(
            (other.completed_at_ms, other.request_id),
            (5, Uuid::nil().to_string())
        );
        let many: Vec<_> = (0..65).map(|n| format!("r{n}:1:{id}")).collect();
        for wrong in [
            "",
            "x",
            "-1",
            "5,",
            "5,eu-1",
            "5,eu-1:9",
            "5,EU:9:x",
            "5,eu-1:9:x",
            &format!("{text},eu-1:9:{id}"),
            &format!("5,{}", many.join(",")),
        ] {
            assert!(wrong.parse::<Mark>().is_err(), "{wrong}");
        }
    }
}
