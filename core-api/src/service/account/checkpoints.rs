//! Making checkpoints of audit logs, giving them to regions, and dropping what is too old.

use std::time::Duration;

use requestrocket_proto::region::v1::{
    AuditCheckpoint, AuditCheckpoints, AuditQuery, answer, query,
};
use serde_json::json;

use crate::domain::account::audit::{Actor, Entry, Log, Named, members};
use crate::domain::account::checkpoint::{AuditKey, Checkpoint};
use crate::error::{ApiError, ApiResult};
use crate::state::AppState;
use crate::store::account::checkpoint::{
    DueLog, audit_drop, checkpoint_delivered, checkpoint_due, checkpoint_insert,
    checkpoint_outdated, checkpoint_undelivered,
};

/// A log that got so many rows is due at once, any other after an hour.
const ROWS: u64 = 1_000;
const SPAN: Duration = Duration::from_hours(1);
/// Logs of one transaction, and checkpoints of one message.
const TOGETHER: u16 = 200;

/// Signs how every log ended that is due, and says how many.
///
/// # Errors
/// The store does not answer; so everywhere below.
pub async fn make_due(state: &AppState, key: &AuditKey) -> ApiResult<usize> {
    let mut made = 0;
    loop {
        let due = {
            let mut conn = state.connect().await?;
            let since = (ROWS, state.now().minus(SPAN));
            checkpoint_due(&mut conn, since, TOGETHER).await?
        };
        if due.is_empty() {
            return Ok(made);
        }
        made += due.len();
        let mut tx = state.db.begin().await?;
        for DueLog { log, rows, hash } in due {
            let checkpoint = key.sign((log, rows, hash), state.now(), false);
            checkpoint_insert(&mut tx, &checkpoint.map_err(ApiError::internal)?).await?;
        }
        tx.commit().await?;
    }
}

/// Gives connected regions the checkpoints that they do not have.
pub async fn deliver(state: &AppState) -> ApiResult<()> {
    for region in state.fleets.connected() {
        while deliver_some(state, &region).await? {}
    }
    Ok(())
}

/// False: there is nothing more to give, or nobody takes it now.
async fn deliver_some(state: &AppState, region: &str) -> ApiResult<bool> {
    let checkpoints = {
        let mut conn = state.connect().await?;
        checkpoint_undelivered(&mut conn, region, TOGETHER).await?
    };
    if checkpoints.is_empty() {
        return Ok(false);
    }
    let keep = checkpoints.iter().map(told).collect();
    let log = String::new();
    let query = query::Kind::Audit(AuditQuery { keep, log });
    if state.fleets.ask(region, query).await.is_err() {
        return Ok(false);
    }
    let mut tx = state.db.begin().await?;
    for checkpoint in &checkpoints {
        checkpoint_delivered(&mut tx, region, checkpoint).await?;
    }
    tx.commit().await?;
    Ok(true)
}

/// What the regions keep of a log, and which of them could not be asked.
pub async fn held(state: &AppState, log: Log) -> (Vec<Checkpoint>, Vec<String>) {
    let (mut checkpoints, mut unavailable) = (Vec::new(), Vec::new());
    for region in state.fleets.connected() {
        let query = AuditQuery {
            keep: Vec::new(),
            log: log.to_string(),
        };
        match state.fleets.ask(&region, query::Kind::Audit(query)).await {
            Ok(answer::Kind::Audit(AuditCheckpoints { checkpoints: kept })) => {
                checkpoints.extend(kept.into_iter().map(heard));
            }
            Ok(_) | Err(_) => unavailable.push(region),
        }
    }
    (checkpoints, unavailable)
}

/// Drops the rows of logs that are older than that, as far as a checkpoint covers them. Each log
/// says so in a row.
pub async fn drop_outdated(state: &AppState, age: Duration) -> ApiResult<usize> {
    let outdated = {
        let mut conn = state.connect().await?;
        checkpoint_outdated(&mut conn, state.now().minus(age), TOGETHER).await?
    };
    let dropped = outdated.len();
    for (name, rows) in outdated {
        // Passed over, it would be outdated for ever.
        let log = name.parse::<Log>().map_err(ApiError::internal)?;
        let mut write = state.begin().await?;
        audit_drop(write.conn(), &name, rows).await?;
        let kind = "audit";
        let resource = Named {
            kind,
            id: name,
            name: String::new(),
        };
        let entry = Entry::of(log, resource, "drop").with_after(members(json!({"rows": rows})));
        write
            .commit(&state.fleets, &Actor::System.into(), entry)
            .await?;
    }
    Ok(dropped)
}

fn told(checkpoint: &Checkpoint) -> AuditCheckpoint {
    let Checkpoint {
        log,
        rows,
        hash,
        at,
        // Those are for files only.
        end: _,
        key,
        signature,
    } = checkpoint.clone();
    AuditCheckpoint {
        log,
        rows,
        hash,
        at,
        key,
        signature,
    }
}

fn heard(checkpoint: AuditCheckpoint) -> Checkpoint {
    let AuditCheckpoint {
        log,
        rows,
        hash,
        at,
        key,
        signature,
    } = checkpoint;
    Checkpoint {
        log,
        rows,
        hash,
        at,
        end: false,
        key,
        signature,
    }
}
