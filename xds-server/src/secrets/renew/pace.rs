//! How much refreshes of one organisation may change of what Envoys have.
//!
//! Every proxy that uses a credential is sent again with its new token or keys, and changes of all
//! organisations wait for that. So what was published is paid for, on average, before each next one.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

/// Bytes of routes that one organisation's refreshes may publish in a millisecond, on average.
const BYTES_PER_MS: u64 = 500;

/// When what each organisation published is paid for (Unix time in milliseconds); only those that
/// owe something. Clones know the same.
#[derive(Clone, Debug, Default)]
pub struct Pace(Arc<Mutex<BTreeMap<String, u64>>>);

impl Pace {
    /// What is stored of a refresh of the organisation now has its next one not before then.
    pub(crate) fn free_at_ms(&self, organisation_id: &str) -> u64 {
        let owing = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        owing.get(organisation_id).copied().unwrap_or(0)
    }

    /// A refresh of the organisation published so much.
    pub(super) fn published(&self, organisation_id: &str, bytes: u64, now_ms: u64) {
        let mut owing = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        owing.retain(|_, free_at_ms| *free_at_ms > now_ms);
        let free_at_ms = owing.entry(organisation_id.to_owned()).or_insert(now_ms);
        *free_at_ms = free_at_ms.saturating_add(bytes / BYTES_PER_MS);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_published_is_paid_for_by_its_organisation_alone() {
        let pace = Pace::default();
        assert_eq!(pace.free_at_ms("a"), 0);
        pace.published("a", 5_000_000, 1_000);
        pace.published("a", 1_000_000, 2_000);
        assert_eq!((pace.free_at_ms("a"), pace.free_at_ms("b")), (13_000, 0));
        pace.published("b", 499, 20_000);
        assert_eq!(pace.free_at_ms("a"), 0, "it owes nothing any more");
        pace.published("a", u64::MAX, 20_000);
        pace.published("a", u64::MAX, 20_000);
        assert!(pace.free_at_ms("a") > u64::MAX / 1_000);
    }
}
