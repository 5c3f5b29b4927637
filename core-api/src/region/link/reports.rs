//! What a region says that it cannot use, put together from its messages.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use prost::Message as _;
use requestrocket_proto::region::v1::{Unusable, UnusableProxy};

/// By proxy id.
type ByProxy = BTreeMap<String, UnusableProxy>;

/// What one report may come to, in bytes as it was sent: some 500,000 proxies. A region that sends
/// more, or never a last message, is not one of ours.
const MAX_BYTES: usize = 64 << 20;

/// What came since the last message that was the last of its kind.
#[derive(Debug, Default)]
pub(super) struct Reports(Mutex<Parts>);

#[derive(Debug, Default)]
struct Parts {
    by_proxy: ByProxy,
    bytes: usize,
}

/// A report is longer than any that has to be taken.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("report of what cannot be used is longer than {MAX_BYTES} bytes")]
pub(super) struct TooLong;

impl Reports {
    /// Takes a message; gives all of what cannot be used when it was the last.
    pub(super) fn take(&self, message: Unusable) -> Result<Option<ByProxy>, TooLong> {
        let bytes = message.encoded_len();
        let Unusable { proxies, is_last } = message;
        // Nothing that holds the lock can leave it half-changed.
        let mut parts = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        parts.bytes = parts.bytes.saturating_add(bytes);
        if parts.bytes > MAX_BYTES {
            return Err(TooLong);
        }
        let named = proxies.into_iter().map(|one| (one.proxy_id.clone(), one));
        parts.by_proxy.extend(named);
        Ok(is_last.then(|| std::mem::take(&mut *parts).by_proxy))
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
            let report = reports.take(message).unwrap()?;
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

    #[test]
    fn a_report_without_an_end_is_refused_before_it_takes_much() {
        let reports = Reports::default();
        let message = Unusable {
            proxies: vec![UnusableProxy {
                proxy_id: "p".to_owned(),
                detail: "d".repeat(1 << 20),
                ..UnusableProxy::default()
            }],
            is_last: false,
        };
        // Also one that says the same again and again.
        let taken = (0..1_000).take_while(|_| reports.take(message.clone()) == Ok(None));
        assert_eq!(taken.count(), 63);
        assert_eq!(reports.take(message), Err(TooLong));
    }
}
