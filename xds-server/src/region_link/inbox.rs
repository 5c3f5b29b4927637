//! Batches into what can be applied as one. Does no I/O.

use requestrocket_proto::region::v1::{Change, ConfigBatch};

/// Something to apply in one transaction.
#[derive(Debug, PartialEq)]
pub(super) enum Ready {
    /// Changes.
    Delta { revision: u64, changes: Vec<Change> },
    /// All there is.
    Full { revision: u64, changes: Vec<Change> },
}

/// A batch that the contract does not allow here.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ProtocolViolation {
    /// A full sync was not brought to its end.
    #[error("control plane sent a delta within a full sync")]
    DeltaWithinFull,
    /// Would undo what is stored.
    #[error("control plane sent a delta of revision {sent}, but {stored} is stored")]
    Backwards {
        /// Of the batch.
        sent: u64,
        /// Of the store.
        stored: u64,
    },
    /// Not a batch.
    #[error("control plane sent a message of unknown kind")]
    UnknownMessage,
}

/// Collects the batches of a full sync.
#[derive(Debug)]
pub(super) struct Inbox {
    stored: u64,
    /// Changes of a full sync that has not ended.
    full: Option<Vec<Change>>,
}

impl Inbox {
    /// For a session that begins at `stored`.
    pub(super) fn new(stored: u64) -> Self {
        Self { stored, full: None }
    }

    /// Takes a batch; None while a full sync is on its way.
    pub(super) fn take(&mut self, batch: ConfigBatch) -> Result<Option<Ready>, ProtocolViolation> {
        let ConfigBatch {
            revision,
            is_full,
            is_last,
            changes,
        } = batch;
        if !is_full {
            return self.take_delta(revision, changes).map(Some);
        }
        let mut collected = self.full.take().unwrap_or_default();
        collected.extend(changes);
        if !is_last {
            self.full = Some(collected);
            return Ok(None);
        }
        if revision < self.stored {
            // Its store was set back, as by a restore: what it says now counts.
            let stored = self.stored;
            tracing::error!(
                revision,
                stored,
                "control plane went back to an older state"
            );
        }
        self.stored = revision;
        Ok(Some(Ready::Full {
            revision,
            changes: collected,
        }))
    }

    fn take_delta(
        &mut self,
        revision: u64,
        changes: Vec<Change>,
    ) -> Result<Ready, ProtocolViolation> {
        if self.full.is_some() {
            return Err(ProtocolViolation::DeltaWithinFull);
        }
        if revision < self.stored {
            let stored = self.stored;
            return Err(ProtocolViolation::Backwards {
                sent: revision,
                stored,
            });
        }
        self.stored = revision;
        Ok(Ready::Delta { revision, changes })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixtures::{id, target};

    fn batch(revision: u64, (is_full, is_last): (bool, bool), number: u32) -> ConfigBatch {
        let changes = vec![target(&id(number), "https://a")];
        ConfigBatch {
            revision,
            is_full,
            is_last,
            changes,
        }
    }

    const DELTA: (bool, bool) = (false, false);
    const PART: (bool, bool) = (true, false);
    const LAST: (bool, bool) = (true, true);

    #[test]
    fn a_delta_stands_for_itself() {
        let mut inbox = Inbox::new(5);
        for revision in [5, 6, 9] {
            let changes = batch(revision, DELTA, 1).changes;
            let got = inbox.take(batch(revision, DELTA, 1));
            assert_eq!(got, Ok(Some(Ready::Delta { revision, changes })));
        }
        let backwards = ProtocolViolation::Backwards { sent: 8, stored: 9 };
        assert_eq!(inbox.take(batch(8, DELTA, 1)), Err(backwards));
    }

    #[test]
    fn a_full_sync_is_the_sum_of_its_batches() {
        let mut inbox = Inbox::new(50);
        assert_eq!(inbox.take(batch(3, PART, 1)), Ok(None));
        assert_eq!(inbox.take(batch(3, PART, 2)), Ok(None));
        let sum = [1, 2, 3]
            .map(|number| target(&id(number), "https://a"))
            .to_vec();
        let want = Ready::Full {
            revision: 4,
            changes: sum,
        };
        assert_eq!(inbox.take(batch(4, LAST, 3)), Ok(Some(want)));
        assert!(inbox.take(batch(5, DELTA, 4)).is_ok());
    }

    #[test]
    fn a_full_sync_is_not_interrupted() {
        let mut inbox = Inbox::new(0);
        assert_eq!(inbox.take(batch(3, PART, 1)), Ok(None));
        assert_eq!(
            inbox.take(batch(4, DELTA, 2)),
            Err(ProtocolViolation::DeltaWithinFull)
        );
    }
}
