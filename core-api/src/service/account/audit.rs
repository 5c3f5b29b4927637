//! Reading audit logs, which leaves a row itself.

use serde_json::{Map, Value};

use crate::domain::account::audit::{Author, Entry, Log, Named};
use crate::error::ApiResult;
use crate::state::AppState;
use crate::store::account::audit::{AuditRow, AuditSelection, Reading, audit_count, audit_list};

/// What reading is called in the log that is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Look {
    /// A page of it.
    Read,
    /// All of it, to be kept elsewhere.
    Export,
    /// Whether it is whole.
    Verify,
}

/// Rows of a page, the newest first.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AuditPage {
    /// At most as many as were asked for.
    pub rows: Vec<AuditRow>,
    /// Before which number the next page begins; none: there is nothing more.
    pub next: Option<u64>,
}

/// A page of the log, of rows before number `before`; without it the newest.
///
/// # Errors
/// The database does not answer; so everywhere below.
pub async fn page(
    state: &AppState,
    log: Log,
    selection: &AuditSelection,
    (before, limit): (Option<u64>, u64),
) -> ApiResult<AuditPage> {
    let mut conn = state.connect().await?;
    let asked = (Reading::NewestBefore(before), limit.saturating_add(1));
    let mut rows = audit_list(&mut conn, log, selection, asked).await?;
    let wanted = usize::try_from(limit).unwrap_or(usize::MAX);
    let has_more = rows.len() > wanted;
    rows.truncate(wanted);
    let next = rows.last().filter(|_| has_more).map(|row| row.number);
    Ok(AuditPage { rows, next })
}

/// Notes that somebody reads the log, before they get to see it, and gives the number of its rows with
/// that one.
pub async fn note(
    state: &AppState,
    log: Log,
    author: &Author,
    (look, asked): (Look, Map<String, Value>),
) -> ApiResult<u64> {
    let mut write = state.begin().await?;
    let (kind, name) = ("audit", String::new());
    let id = log.to_string();
    let verb = match look {
        Look::Read => "read",
        Look::Export => "export",
        Look::Verify => "verify",
    };
    let entry = Entry::of(log, Named { kind, id, name }, verb).with_after(asked);
    // What is added behind it does not belong to what is read.
    let rows = audit_count(write.conn(), log).await?.saturating_add(1);
    write.commit(&state.fleets, author, entry).await?;
    Ok(rows)
}
