//! When credentials were last used, as the regions report it.

use std::collections::BTreeMap;
use std::sync::Arc;

use requestrocket_proto::region::v1::{CredentialUse, CredentialUses};
use uuid::Uuid;

use super::{Fleets, RegionState};

/// Credentials of a region that are remembered, some 50 bytes each.
const MAX_CREDENTIALS: usize = 1_000_000;

/// A region tells of more than it may.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("more than {MAX_CREDENTIALS} credentials are told of")]
pub struct TooMany;

/// Unix time in milliseconds, by credential.
pub type Uses = Arc<BTreeMap<Uuid, u64>>;

impl RegionState {
    /// Takes a report. An id that is none is passed over.
    ///
    /// # Errors
    /// With it, there are too many.
    pub fn take_uses(&mut self, report: CredentialUses) -> Result<(), TooMany> {
        let CredentialUses { is_first, uses } = report;
        let known = Arc::make_mut(&mut self.uses);
        if is_first {
            known.clear();
        }
        for CredentialUse {
            credential_id,
            used_at_ms,
        } in uses
        {
            if let Ok(id) = credential_id.parse() {
                known.insert(id, used_at_ms);
            }
        }
        if known.len() > MAX_CREDENTIALS {
            return Err(TooMany);
        }
        Ok(())
    }
}

impl Fleets {
    /// When `region` last saw a credential used, Unix time in milliseconds.
    #[must_use]
    pub fn last_use(&self, region: &str, credential: Uuid) -> Option<u64> {
        self.regions
            .borrow()
            .get(region)?
            .uses
            .get(&credential)
            .copied()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn report(is_first: bool, uses: &[(&str, u64)]) -> CredentialUses {
        let uses = uses.iter().map(|(id, at_ms)| CredentialUse {
            credential_id: (*id).to_owned(),
            used_at_ms: *at_ms,
        });
        CredentialUses {
            is_first,
            uses: uses.collect(),
        }
    }

    #[test]
    fn the_newest_report_counts_and_the_first_of_a_session_alone() {
        let fleets = Fleets::default();
        let ids = [Uuid::from_u128(1), Uuid::from_u128(2)];
        let [one, two] = ids.map(|id| id.to_string());
        let known = |region: &str| ids.map(|id| fleets.last_use(region, id));
        let tell = |report| fleets.update("eu", |state| state.take_uses(report).unwrap());
        tell(report(true, &[(&one, 5), (&two, 6), ("no id", 7)]));
        tell(report(false, &[(&two, 8)]));
        assert_eq!(known("eu"), [Some(5), Some(8)]);
        assert_eq!(known("us"), [None, None]);
        tell(report(true, &[(&one, 9)]));
        assert_eq!(known("eu"), [Some(9), None]);
    }

    #[test]
    fn a_region_tells_of_no_more_than_fits() {
        let mut state = RegionState::default();
        let all = (1..=1_000_000).map(|id| (Uuid::from_u128(id), 1));
        state.uses = Arc::new(all.collect());
        let again = Uuid::from_u128(1).to_string();
        assert_eq!(state.take_uses(report(false, &[(&again, 2)])), Ok(()));
        let other = Uuid::from_u128(0).to_string();
        assert_eq!(state.take_uses(report(false, &[(&other, 2)])), Err(TooMany));
    }
}
