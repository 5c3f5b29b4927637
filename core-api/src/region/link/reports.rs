//! What a region says that it cannot use, put together from its messages.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use requestrocket_proto::region::v1::{Unusable, UnusableProxy};

/// By proxy id.
type ByProxy = BTreeMap<String, UnusableProxy>;

/// What came since the last message that was the last of its kind.
#[derive(Debug, Default)]
pub(super) struct Reports(Mutex<ByProxy>);

impl Reports {
    /// Takes a message; gives all of what cannot be used when it was the last.
    pub(super) fn take(&self, message: Unusable) -> Option<ByProxy> {
        let Unusable { proxies, is_last } = message;
        // Nothing that holds the lock can leave it half-changed.
        let mut parts = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let named = proxies.into_iter().map(|one| (one.proxy_id.clone(), one));
        parts.extend(named);
        is_last.then(|| std::mem::take(&mut *parts))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_report_is_whole_with_its_last_message() {
        let message = |ids: &[&str], is_last| Unusable {
            proxies: ids
                .iter()
                .map(|id| UnusableProxy {
                    proxy_id: (*id).to_owned(),
                    ..UnusableProxy::default()
                })
                .collect(),
            is_last,
        };
        let reports = Reports::default();
        let taken = |message| {
            let report = reports.take(message)?;
            Some(report.into_keys().collect::<Vec<_>>())
        };
        assert_eq!(taken(message(&["b"], false)), None);
        assert_eq!(
            taken(message(&["a"], true)),
            Some(vec!["a".to_owned(), "b".to_owned()])
        );
        assert_eq!(taken(message(&["c"], true)), Some(vec!["c".to_owned()]));
        assert_eq!(taken(message(&[], true)), Some(vec![]));
    }
}
