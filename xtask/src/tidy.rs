//! `tidy`: what no lint can check. Every finding is listed; exceptions are dated lines in
//! `xtask/allow.txt`.

mod allow;
mod budget;
mod docs;
mod edges;
mod leftovers;
mod source;

use std::fmt;
use std::path::Path;

use crate::say;
use allow::Allowed;
use source::Sources;

/// One thing that is not as it should be.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Finding {
    /// Name of the check, as in `allow.txt`.
    check: &'static str,
    /// What it is about: a path, or an edge.
    subject: String,
    problem: String,
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}: {}", self.check, self.subject, self.problem)
    }
}

/// Runs every check on the repository at `root`.
pub(crate) fn run(root: &Path) -> anyhow::Result<()> {
    let sources = Sources::read(root)?;
    let allowed = Allowed::read(&root.join(allow::FILE))?;
    let mut findings = budget::check(&sources);
    findings.extend(edges::check(root)?);
    findings.extend(docs::check(root, &sources));
    findings.extend(leftovers::check(&sources));
    for line in budget::report(&sources) {
        say(&line);
    }
    let mut open = allowed.take_out(findings);
    open.sort();
    for finding in &open {
        say(&finding.to_string());
    }
    anyhow::ensure!(open.is_empty(), "tidy found {} problem(s)", open.len());
    say("tidy: nothing found");
    Ok(())
}
