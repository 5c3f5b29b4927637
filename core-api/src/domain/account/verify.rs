//! Whether an audit log is whole: row by row, with the checkpoints between them.

use std::io::{self, BufRead};

use serde_json::{Map, Value};

use super::chain::{Hash, canonical};
use super::checkpoint::{AuditPublicKey, Checkpoint};

/// What came of it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Verdict {
    /// Rows that were looked at.
    pub rows: u64,
    /// What is wrong; none: the log is whole.
    pub bad: Option<Bad>,
}

/// The first thing that is wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Bad {
    /// `auditId` of the row, or of the last one before what is missing; none: there is no such row.
    pub row: Option<String>,
    /// For people.
    pub problem: String,
}

/// Follows one log.
#[derive(Debug, Default)]
pub struct Verifier {
    keys: Vec<AuditPublicKey>,
    /// Of which log the checkpoints are.
    log: Option<String>,
    /// Rows that were looked at.
    seen: u64,
    /// Number of the last row.
    number: u64,
    /// What the next row has to follow; none: nothing came yet.
    end: Option<Hash>,
    /// The last row.
    last: Option<String>,
    /// The first row that no checkpoint covers.
    uncovered: Option<String>,
    is_ended: bool,
}

impl Verifier {
    /// Of a log whose checkpoints have to be signed with one of `keys`; without any, with those that
    /// they name themselves.
    #[must_use]
    pub fn new(keys: Vec<AuditPublicKey>) -> Self {
        Self {
            keys,
            ..Self::default()
        }
    }

    /// Number of the last row.
    #[must_use]
    pub fn number(&self) -> u64 {
        self.number
    }

    /// The next row, with `previousHash` and `hash`.
    ///
    /// # Errors
    /// It does not belong there.
    pub fn row(&mut self, mut row: Map<String, Value>) -> Result<(), Bad> {
        let mut take = |name: &str| {
            let value = row.remove(name);
            value.and_then(|value| value.as_str()?.parse::<Hash>().ok())
        };
        let (previous, hash) = (take("previousHash"), take("hash"));
        let id = row
            .get("auditId")
            .and_then(Value::as_str)
            .map(str::to_owned);
        let bad = |problem: &str| Bad {
            row: id.clone(),
            problem: problem.to_owned(),
        };
        if self.is_ended {
            return Err(bad("it stands behind the end of the log"));
        }
        let (Some(previous), Some(hash), Some(id)) = (previous, hash, id.clone()) else {
            return Err(bad("it is no row of an audit log"));
        };
        let document = canonical(&Value::Object(row)).map_err(|_| bad("it cannot be hashed"))?;
        if previous.of_next(&document) != hash {
            return Err(bad("it was edited: its hash is another"));
        }
        match self.end {
            None if previous != Hash::NONE => {
                return Err(bad(
                    "rows before it are missing, and no checkpoint covers them",
                ));
            }
            Some(end) if previous != end => {
                let text = "it does not follow the row before it: that one was edited, or rows are \
                            missing or were moved";
                return Err(bad(text));
            }
            None | Some(_) => {}
        }
        self.seen += 1;
        self.number += 1;
        self.end = Some(hash);
        self.uncovered.get_or_insert_with(|| id.clone());
        self.last = Some(id);
        Ok(())
    }

    /// A checkpoint that stands behind the last row.
    ///
    /// # Errors
    /// It does not fit, or is not signed with the key.
    pub fn checkpoint(&mut self, checkpoint: &Checkpoint) -> Result<(), Bad> {
        if !checkpoint.is_signed_by(&self.keys) {
            let text = format!(
                "the checkpoint of {} behind it is not signed with the key",
                checkpoint.at
            );
            return Err(self.uncovered(text));
        }
        let log = self.log.get_or_insert_with(|| checkpoint.log.clone());
        if *log != checkpoint.log {
            return Err(self.uncovered("the checkpoint behind it is of another log".to_owned()));
        }
        self.kept(checkpoint)?;
        self.is_ended |= checkpoint.end;
        Ok(())
    }

    /// The same, of one that is believed whatever it is signed with.
    ///
    /// # Errors
    /// It does not fit.
    pub fn kept(&mut self, checkpoint: &Checkpoint) -> Result<(), Bad> {
        let Checkpoint { rows, hash, at, .. } = checkpoint;
        let Ok(hash) = hash.parse::<Hash>() else {
            return Err(self.uncovered(format!("the checkpoint of {at} is none")));
        };
        let Some(end) = self.end else {
            // What is before it was dropped on purpose.
            self.number = *rows;
            self.end = Some(hash);
            return Ok(());
        };
        if *rows > self.number {
            return Err(self.missing(*rows, at));
        }
        if *rows < self.number || hash != end {
            let text = format!(
                "it or a row behind it was written anew, added or taken out: the checkpoint of \
                 {at} does not fit"
            );
            return Err(self.uncovered(text));
        }
        self.uncovered = None;
        Ok(())
    }

    /// What is wrong when the log ends before `rows`, which somebody vouches for.
    #[must_use]
    pub fn missing(&self, rows: u64, at: &str) -> Bad {
        let number = self.number;
        Bad {
            row: self.last.clone(),
            problem: format!(
                "it is row {number}, and there were {rows} rows at {at}: rows behind it are missing"
            ),
        }
    }

    fn uncovered(&self, problem: String) -> Bad {
        let row = self.uncovered.clone().or_else(|| self.last.clone());
        Bad { row, problem }
    }

    /// The log of an export ends here.
    #[must_use]
    pub fn finish(self, outcome: Result<(), Bad>) -> Verdict {
        let ended = outcome.and_then(|()| {
            if self.is_ended {
                return Ok(());
            }
            let problem = "the export ends behind it without its last checkpoint: rows are missing, \
                           or it is a selection";
            Err(Bad {
                row: self.last.clone(),
                problem: problem.to_owned(),
            })
        });
        Verdict {
            rows: self.seen,
            bad: ended.err(),
        }
    }
}

/// Verifies an export.
///
/// # Errors
/// It cannot be read.
pub fn verify_export(lines: impl BufRead, keys: Vec<AuditPublicKey>) -> io::Result<Verdict> {
    let mut verifier = Verifier::new(keys);
    for (number, line) in (1_u64..).zip(lines.lines()) {
        if let Err(bad) = take_line(&mut verifier, number, &line?) {
            return Ok(verifier.finish(Err(bad)));
        }
    }
    Ok(verifier.finish(Ok(())))
}

fn take_line(verifier: &mut Verifier, number: u64, line: &str) -> Result<(), Bad> {
    let value = serde_json::from_str::<Value>(line);
    match value {
        Ok(Value::Object(row)) if !row.contains_key("checkpoint") => verifier.row(row),
        Ok(value) if Checkpoint::of_line(&value).is_some() => {
            let checkpoint = Checkpoint::of_line(&value);
            checkpoint.map_or(Ok(()), |checkpoint| verifier.checkpoint(&checkpoint))
        }
        Ok(_) | Err(_) => Err(Bad {
            row: verifier.last.clone(),
            problem: format!("line {number}, behind it, is neither a row nor a checkpoint"),
        }),
    }
}

#[cfg(test)]
mod tests;
