//! Whether an audit log of the store is whole, also by what regions keep of it.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use super::audit::{Look, note};
use super::checkpoints::held;
use crate::domain::account::audit::{Author, Log};
use crate::domain::account::checkpoint::{AuditPublicKey, Checkpoint};
use crate::domain::account::verify::{Bad, Verifier};
use crate::error::ApiResult;
use crate::state::AppState;
use crate::store::account::audit::{AuditRow, AuditSelection, Reading, audit_list};
use crate::store::account::checkpoint::checkpoint_list;

/// Rows that are in memory at a time.
const TOGETHER: u64 = 500;

/// What came of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verified {
    /// Rows that were looked at.
    pub rows: u64,
    /// What is wrong; none: the log is whole.
    pub bad: Option<Bad>,
    /// Regions that could not say what they keep.
    pub unavailable: Vec<String>,
}

/// A checkpoint, and whether its signature counts: what regions keep is believed without.
type Vouched = (Checkpoint, bool);

/// Follows the log from its first row to the row that this leaves.
///
/// # Errors
/// The store does not answer.
pub async fn verify(state: &AppState, log: Log, author: &Author) -> ApiResult<Verified> {
    // First what vouches for the log, then its end: what is added meanwhile has no checkpoint here.
    let (kept, unavailable) = held(state, log).await;
    let mut vouched: BTreeMap<u64, Vec<Vouched>> = BTreeMap::new();
    let own = {
        let mut conn = state.connect().await?;
        checkpoint_list(&mut conn, &log.to_string(), (0, u64::MAX)).await?
    };
    let last = note(state, log, author, (Look::Verify, Map::new())).await?;
    let own = own.into_iter().map(|checkpoint| (checkpoint, true));
    let kept = kept.into_iter().map(|checkpoint| (checkpoint, false));
    for (checkpoint, is_own) in own.chain(kept) {
        let of_rows = vouched.entry(checkpoint.rows).or_default();
        of_rows.push((checkpoint, is_own));
    }
    let keys: Vec<AuditPublicKey> = state.audit_key.iter().map(|key| key.public()).collect();
    let mut follow = Follow {
        verifier: Verifier::new(keys),
        vouched,
        rows: 0,
        last,
    };
    let outcome = follow.all(state, log).await?;
    Ok(Verified {
        rows: follow.rows,
        bad: outcome.err(),
        unavailable,
    })
}

struct Follow {
    verifier: Verifier,
    /// By how many rows there were.
    vouched: BTreeMap<u64, Vec<Vouched>>,
    rows: u64,
    /// Number of the last row.
    last: u64,
}

impl Follow {
    async fn all(&mut self, state: &AppState, log: Log) -> ApiResult<Result<(), Bad>> {
        let mut behind = 0;
        loop {
            let rows = {
                let mut conn = state.connect().await?;
                let asked = (Reading::OldestWithin(behind, self.last), TOGETHER);
                audit_list(&mut conn, log, &AuditSelection::default(), asked).await?
            };
            let Some(end) = rows.last() else {
                return Ok(self.finish());
            };
            behind = end.number;
            for row in &rows {
                if let Err(bad) = self.row(row) {
                    return Ok(Err(bad));
                }
            }
        }
    }

    fn row(&mut self, row: &AuditRow) -> Result<(), Bad> {
        let AuditRow {
            number,
            document,
            previous_hash,
            hash,
        } = row;
        // Its first rows were dropped: the checkpoint that covers them is where it begins.
        if self.rows == 0
            && let Some(begin) = number.checked_sub(1).filter(|rows| *rows > 0)
        {
            self.check(begin)?;
        }
        let Ok(Value::Object(mut members)) = serde_json::from_str(document) else {
            return Err(Bad {
                row: None,
                problem: format!("row {number} is no row of an audit log"),
            });
        };
        members.insert("previousHash".to_owned(), previous_hash.to_string().into());
        members.insert("hash".to_owned(), hash.to_string().into());
        self.rows += 1;
        self.verifier.row(members)?;
        if self.verifier.number() != *number {
            return Err(self.verifier.missing(*number, "the present"));
        }
        self.check(*number)
    }

    /// What stands for the log as it was with so many rows.
    fn check(&mut self, rows: u64) -> Result<(), Bad> {
        // Else a checkpoint between two rows that was passed over would be looked at again.
        for (checkpoint, is_own) in self.vouched.remove(&rows).unwrap_or_default() {
            if is_own {
                self.verifier.checkpoint(&checkpoint)?;
            } else {
                self.verifier.kept(&checkpoint)?;
            }
        }
        Ok(())
    }

    /// Nothing is missing at the end.
    fn finish(&self) -> Result<(), Bad> {
        let number = self.verifier.number();
        let beyond = self.vouched.range(number.saturating_add(1)..).next();
        if let Some((checkpoint, _)) = beyond.and_then(|(_, vouched)| vouched.first()) {
            return Err(self.verifier.missing(checkpoint.rows, &checkpoint.at));
        }
        if number == self.last {
            return Ok(());
        }
        Err(self.verifier.missing(self.last, "the present"))
    }
}
