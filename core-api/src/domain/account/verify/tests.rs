use serde_json::json;

use super::*;
use crate::domain::account::checkpoint::AuditKey;
use crate::domain::moment::Moment;

/// An export of five rows: a checkpoint behind the third, and the last one.
struct Export {
    lines: Vec<Value>,
    key: AuditKey,
}

impl Export {
    fn new() -> Self {
        let key = AuditKey::generate().unwrap();
        let mut export = Self {
            lines: Vec::new(),
            key,
        };
        let rows = (1..=5).map(|number| json!({"auditId": number.to_string(), "action": "a.b"}));
        export.write(rows.collect());
        export
    }

    /// Writes the log from these rows, as who has the key would.
    fn write(&mut self, rows: Vec<Value>) {
        self.lines.clear();
        let mut hash = Hash::NONE;
        let last = rows.len();
        for (number, mut row) in (1..).zip(rows) {
            let next = hash.of_next(&canonical(&row).unwrap());
            row["previousHash"] = hash.to_string().into();
            row["hash"] = next.to_string().into();
            hash = next;
            self.lines.push(row);
            if number == 3 || number == last {
                let log = ("operator".to_owned(), number as u64, hash);
                let checkpoint = self
                    .key
                    .sign(log, Moment::of_unix_ms(0).unwrap(), number == last);
                self.lines.push(checkpoint.unwrap().line());
            }
        }
    }

    /// The rows without what chains them.
    fn rows(&self) -> Vec<Value> {
        let rows = self
            .lines
            .iter()
            .filter(|line| line.get("checkpoint").is_none());
        rows.cloned()
            .map(|mut row| {
                let members = row.as_object_mut().unwrap();
                members.remove("hash");
                members.remove("previousHash");
                row
            })
            .collect()
    }

    fn verdict(&self, keys: Vec<AuditPublicKey>) -> Verdict {
        let lines: Vec<String> = self.lines.iter().map(Value::to_string).collect();
        let lines = lines.join("\n");
        verify_export(lines.as_bytes(), keys).unwrap()
    }

    #[track_caller]
    fn is_bad(&self, keys: Vec<AuditPublicKey>, row: &str, problem: &str) {
        let bad = self.verdict(keys).bad.unwrap();
        assert_eq!(bad.row.as_deref(), Some(row), "{bad:?}");
        assert!(bad.problem.contains(problem), "{bad:?}");
    }
}

#[test]
fn a_whole_log_is_whole() {
    let export = Export::new();
    let want = Verdict { rows: 5, bad: None };
    assert_eq!(export.verdict(vec![export.key.public()]), want);
    assert_eq!(export.verdict(Vec::new()), want);
}

#[test]
fn an_edited_row_is_named() {
    let mut export = Export::new();
    export.lines[1]["action"] = "c.d".into();
    export.is_bad(Vec::new(), "2", "was edited");
}

#[test]
fn the_row_behind_a_deleted_one_is_named() {
    let mut export = Export::new();
    export.lines.remove(1);
    export.is_bad(Vec::new(), "3", "does not follow");
    let mut export = Export::new();
    export.lines.remove(0);
    export.is_bad(Vec::new(), "2", "rows before it are missing");
}

#[test]
fn a_row_that_was_moved_is_named() {
    let mut export = Export::new();
    export.lines.swap(1, 2);
    export.is_bad(Vec::new(), "3", "does not follow");
}

#[test]
fn a_log_that_was_cut_shows_where() {
    // Behind a row, behind its checkpoint in the middle, and before the last checkpoint.
    for (left, last) in [(2, "2"), (4, "3"), (6, "5")] {
        let mut export = Export::new();
        export.lines.truncate(left);
        export.is_bad(Vec::new(), last, "ends behind it");
    }
    let mut export = Export::new();
    export.lines.drain(4..6);
    export.is_bad(Vec::new(), "3", "rows behind it are missing");
}

#[test]
fn rows_that_were_chained_anew_do_not_fit_their_checkpoint() {
    let whole = Export::new();
    let mut rows = whole.rows();
    rows[3]["action"] = "c.d".into();
    let mut forged = Export::new();
    forged.write(rows);
    // The checkpoints stay those that were signed.
    forged.lines[3] = whole.lines[3].clone();
    forged.lines[6] = whole.lines[6].clone();
    forged.is_bad(vec![whole.key.public()], "4", "does not fit");
}

#[test]
fn a_log_that_was_signed_anew_is_bad_with_the_key_at_hand() {
    let key = Export::new().key.public();
    let forged = Export::new();
    forged.is_bad(vec![key], "1", "not signed with the key");
}

#[test]
fn a_signature_covers_all_that_a_checkpoint_says() {
    for (member, value) in [
        ("rows", json!(4)),
        ("at", json!("1971-01-01T00:00:00.000Z")),
        ("end", json!(false)),
        ("log", json!("client:x")),
        ("hash", json!("0".repeat(64))),
    ] {
        let mut export = Export::new();
        export.lines[6]["checkpoint"][member] = value;
        export.is_bad(Vec::new(), "4", "not signed with the key");
    }
}

#[test]
fn a_log_whose_beginning_was_dropped_begins_with_a_checkpoint() {
    let mut export = Export::new();
    export.lines.drain(..3);
    let want = Verdict { rows: 2, bad: None };
    assert_eq!(export.verdict(vec![export.key.public()]), want);
    export.lines.remove(0);
    export.is_bad(Vec::new(), "4", "rows before it are missing");
}

#[test]
fn what_is_no_export_is_no_whole_log() {
    for text in ["", "{}", "[]", "nonsense", "{\"checkpoint\": 1}"] {
        let verdict = verify_export(text.as_bytes(), Vec::new()).unwrap();
        assert!(verdict.bad.is_some(), "{text}");
    }
}
