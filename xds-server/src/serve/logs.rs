//! What is kept of calls, beside the store: the log, and what judged them.

use anyhow::Context;
use requestrocket_process::clock::Clock;
use requestrocket_process::file::create_private_dir;
use requestrocket_process::tasks::TaskSet;

use crate::access_log::{CallLog, Inlet, Place};
use crate::config::Config;
use crate::terms::KnownTerms;
use crate::xds::publisher::Publisher;

/// Files beside the store, or in it where that is PostgreSQL.
pub(super) async fn call_log(
    config: &Config,
    clock: &Clock,
    tasks: &TaskSet,
) -> anyhow::Result<(CallLog, Inlet)> {
    let place = Place::of(&config.data_dir, config.database_url.expose())?;
    let retention = config.request_log;
    CallLog::open(place, retention, clock.clone(), tasks)
        .await
        .context("the log of calls, in `data_dir` or PostgreSQL")
}

/// In a file whatever the store is, and as long as the log of calls.
pub(super) async fn known_terms(
    config: &Config,
    publisher: &Publisher,
    (clock, tasks): (&Clock, &TaskSet),
) -> anyhow::Result<KnownTerms> {
    let folder = config.data_dir.join("calls");
    create_private_dir(&folder).context("`data_dir`: the folder of what judged calls")?;
    let (days, snapshots) = (config.request_log.days, publisher.subscribe());
    KnownTerms::open(&folder, days, snapshots, (clock.clone(), tasks))
        .await
        .context("`data_dir`: what judged calls")
}
