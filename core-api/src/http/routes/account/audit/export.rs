//! All of an audit log, the oldest row first, a row a line: read as fast as the lines are taken.

use serde_json::Value;

use super::AuditEvent;
use super::selection::Selection;
use crate::domain::account::audit::Log;
use crate::domain::account::chain::Hash;
use crate::domain::account::checkpoint::Checkpoint;
use crate::error::{ApiError, ApiResult};
use crate::http::call::Read;
use crate::http::lines::LINES;
use crate::http::stream::{Ended, Pieces, Reader, streamed};
use crate::service::account::audit::{Look, note};
use crate::state::AppState;
use crate::store::account::audit::{AuditRow, AuditSelection, Reading, audit_list};
use crate::store::account::checkpoint::checkpoint_list;

/// Rows that are in memory at a time.
const TOGETHER: u64 = 200;

/// The answer. What is wrong before its first line is an error like others, later it is cut.
pub(super) async fn export(
    call: &Read,
    log: Log,
    selection: Selection,
    reader: Option<Reader>,
) -> ApiResult {
    let state = call.state.clone();
    let place = state.readers.hold(&log.to_string()).await?;
    let author = call.caller.author(&call.origin);
    let look = (Look::Export, selection.shown());
    let last = note(&state, log, &author, look).await?;
    let make = async move |pieces| {
        let _until_done = place;
        send_all(&pieces, (&state, reader), (log, &selection.rows), last).await?;
        Ok(pieces)
    };
    Ok(streamed(&call.state.tasks, LINES, make))
}

async fn send_all(
    pieces: &Pieces,
    (state, mut reader): (&AppState, Option<Reader>),
    (log, selection): (Log, &AuditSelection),
    last: u64,
) -> Result<(), Ended> {
    let (mut behind, mut last_hash) = (0, Hash::NONE);
    loop {
        let rows = {
            let mut conn = state.connect().await?;
            let asked = (Reading::OldestWithin(behind, last), TOGETHER);
            audit_list(&mut conn, log, selection, asked).await?
        };
        let Some(end) = rows.last() else {
            // A selection has no end that could be vouched for.
            if let Some(key) = state.audit_key.as_ref().filter(|_| is_all(selection)) {
                let end = key.sign((log.to_string(), behind, last_hash), state.now(), true);
                let end = end.map_err(ApiError::internal)?;
                pieces.send(format!("{}\n", end.line())).await?;
            }
            return Ok(());
        };
        let mut lines = Vec::new();
        for line in lines_of(state, (log, selection), (behind == 0, &rows)).await? {
            serde_json::to_writer(&mut lines, &line).map_err(ApiError::internal)?;
            lines.push(b'\n');
        }
        (behind, last_hash) = (end.number, end.hash);
        pieces.send(lines).await?;
        if let Some(reader) = &mut reader {
            reader.check().await?;
        }
    }
}

fn is_all(selection: &AuditSelection) -> bool {
    *selection == AuditSelection::default()
}

/// Rows with the checkpoints that stand behind them; before the first row of a log whose beginning was
/// dropped, the one that covers that.
async fn lines_of(
    state: &AppState,
    (log, selection): (Log, &AuditSelection),
    (is_begin, rows): (bool, &[AuditRow]),
) -> ApiResult<Vec<Value>> {
    let mut lines = Vec::new();
    let (first, last) = match rows {
        [first, .., last] => (first.number, last.number),
        [only] => (only.number, only.number),
        [] => return Ok(lines),
    };
    let mut checkpoints = if is_all(selection) {
        let mut conn = state.connect().await?;
        // Later that of the row before the first came with that row.
        let behind = first.saturating_sub(if is_begin { 2 } else { 1 });
        checkpoint_list(&mut conn, &log.to_string(), (behind, last)).await?
    } else {
        Vec::new()
    };
    for row in rows {
        let before = checkpoints.iter().position(|it| it.rows >= row.number);
        for checkpoint in checkpoints.drain(..before.unwrap_or(checkpoints.len())) {
            lines.push(checkpoint.line());
        }
        let event = AuditEvent::new(row).map_err(ApiError::internal)?;
        lines.push(serde_json::to_value(event).map_err(ApiError::internal)?);
    }
    lines.extend(
        checkpoints
            .iter()
            .filter(|it| it.rows == last)
            .map(Checkpoint::line),
    );
    Ok(lines)
}
