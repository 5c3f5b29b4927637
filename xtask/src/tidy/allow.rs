//! Exceptions: `date check subject reason`, one a line. One that is no longer needed is a finding.

use std::path::Path;

use anyhow::Context;

use super::finding::Finding;

pub(super) const FILE: &str = "xtask/allow.txt";

/// The exceptions in force.
#[derive(Debug, Default)]
pub(super) struct Allowed(Vec<Entry>);

#[derive(Debug)]
struct Entry {
    check: String,
    subject: String,
}

impl Allowed {
    pub(super) fn read(path: &Path) -> anyhow::Result<Self> {
        let text = std::fs::read_to_string(path).with_context(|| path.display().to_string())?;
        Self::parse(&text)
    }

    fn parse(text: &str) -> anyhow::Result<Self> {
        let lines = text.lines().map(str::trim);
        let entries = lines.filter(|line| !line.is_empty() && !line.starts_with('#'));
        Ok(Self(
            entries.map(parse_entry).collect::<anyhow::Result<_>>()?,
        ))
    }

    /// What is left of `findings`, plus one for each exception that nothing needs.
    pub(super) fn take_out(&self, findings: Vec<Finding>) -> Vec<Finding> {
        let covers = |entry: &Entry, finding: &Finding| {
            entry.check == finding.check && entry.subject == finding.subject
        };
        let stale = self
            .0
            .iter()
            .filter(|entry| !findings.iter().any(|f| covers(entry, f)));
        let mut open: Vec<Finding> = stale
            .map(|entry| Finding {
                check: "allow",
                subject: FILE.to_owned(),
                problem: format!("`{} {}` is no longer needed", entry.check, entry.subject),
            })
            .collect();
        open.extend(
            findings
                .into_iter()
                .filter(|f| !self.0.iter().any(|entry| covers(entry, f))),
        );
        open
    }
}

fn parse_entry(line: &str) -> anyhow::Result<Entry> {
    let mut words = line.splitn(4, ' ');
    let (date, check, subject, reason) = (words.next(), words.next(), words.next(), words.next());
    let (Some(date), Some(check), Some(subject), Some(_)) = (date, check, subject, reason) else {
        anyhow::bail!("`{line}`: write `date check subject reason`");
    };
    let dated = date.len() == 10 && date.bytes().all(|b| b.is_ascii_digit() || b == b'-');
    anyhow::ensure!(dated, "`{line}`: the date is written as 2026-01-31");
    Ok(Entry {
        check: check.to_owned(),
        subject: subject.to_owned(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn finding(subject: &str) -> Finding {
        Finding {
            check: "lines",
            subject: subject.to_owned(),
            problem: "long".to_owned(),
        }
    }

    #[test]
    fn an_exception_covers_its_subject_alone_and_must_be_needed() {
        let allowed =
            Allowed::parse("# why\n2026-01-31 lines a.rs generated\n2026-01-31 lines c.rs old")
                .unwrap();
        let open = allowed.take_out(vec![finding("a.rs"), finding("b.rs")]);
        let texts: Vec<String> = open.iter().map(ToString::to_string).collect();
        assert_eq!(
            texts,
            [
                "allow: xtask/allow.txt: `lines c.rs` is no longer needed",
                "lines: b.rs: long"
            ]
        );
    }

    #[test]
    fn an_exception_needs_a_date_and_a_reason() {
        for line in [
            "lines a.rs generated",
            "2026-01-31 lines a.rs",
            "soon lines a.rs why",
        ] {
            assert!(Allowed::parse(line).is_err(), "{line}");
        }
    }
}
