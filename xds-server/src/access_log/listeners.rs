//! Who hears of every call that is over, beside the log.

use std::sync::Arc;

use requestrocket_process::clock::Clock;
use requestrocket_process::tasks::TaskSet;
use requestrocket_proto::record::v1::Record;

use crate::last_use::UseRegister;
use crate::notices::NoticeRegister;
use crate::region::RegionWriter;
use crate::slots::{self, SlotWatch};
use crate::store::{Store, StoreFailed};

/// They are told at once, before the call is in the log.
#[derive(Clone, Debug)]
pub struct Listeners {
    /// When credentials were last used.
    pub uses: UseRegister,
    /// What targets answer to second secrets.
    pub slots: SlotWatch,
    /// What people are to be told of.
    pub notices: NoticeRegister,
}

impl Listeners {
    /// Of the region that `writer` writes.
    ///
    /// # Errors
    /// The store does not answer.
    pub async fn start(
        store: &Store,
        writer: &Arc<RegionWriter>,
        clock: &Clock,
        tasks: &TaskSet,
    ) -> Result<Self, StoreFailed> {
        Ok(Self {
            uses: UseRegister::open(store.clone(), tasks).await?,
            slots: slots::start(writer, clock, tasks),
            notices: NoticeRegister::new(clock.clone()),
        })
    }

    /// A call is over whose target was to be given that credential.
    pub(super) fn call(&self, record: &Record, given: &str) {
        self.uses.call(record, given);
        self.slots.call(record, given);
        self.notices.call(record, given);
    }
}
