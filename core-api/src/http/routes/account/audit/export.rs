//! All of an audit log, the oldest row first, a row a line: read as fast as the lines are taken.

use super::AuditEvent;
use super::selection::Selection;
use crate::domain::account::audit::Log;
use crate::error::{ApiError, ApiResult};
use crate::http::call::Read;
use crate::http::lines::LINES;
use crate::http::stream::{Ended, Pieces, Reader, streamed};
use crate::service::account::audit::{Look, note};
use crate::state::AppState;
use crate::store::account::audit::{AuditRow, AuditSelection, Reading, audit_list};

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
    let mut behind = 0;
    loop {
        let rows = {
            let mut conn = state.connect().await?;
            let asked = (Reading::OldestWithin(behind, last), TOGETHER);
            audit_list(&mut conn, log, selection, asked).await?
        };
        let Some(end) = rows.last() else {
            return Ok(());
        };
        behind = end.number;
        pieces.send(lines(&rows)?).await?;
        if let Some(reader) = &mut reader {
            reader.check().await?;
        }
    }
}

fn lines(rows: &[AuditRow]) -> ApiResult<Vec<u8>> {
    let mut lines = Vec::new();
    for row in rows {
        let event = AuditEvent::new(row).map_err(ApiError::internal)?;
        serde_json::to_writer(&mut lines, &event).map_err(ApiError::internal)?;
        lines.push(b'\n');
    }
    Ok(lines)
}
