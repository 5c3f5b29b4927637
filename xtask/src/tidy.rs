//! `tidy`: what no lint can check. Every finding is listed; exceptions are dated lines in
//! `xtask/allow.txt`.

mod allow;
mod budget;
mod circles;
mod docs;
mod edges;
mod finding;
mod imports;
mod leftovers;
mod source;

use std::path::Path;

use crate::say;
use allow::Allowed;
use source::Sources;

/// Runs every check on the repository at `root`.
pub(crate) fn run(root: &Path) -> anyhow::Result<()> {
    let sources = Sources::read(root)?;
    let allowed = Allowed::read(&root.join(allow::FILE))?;
    let mut findings = budget::check(&sources);
    findings.extend(edges::check(root)?);
    findings.extend(circles::check(&sources)?);
    findings.extend(docs::check(root, &sources));
    findings.extend(leftovers::check(&sources));
    let tables = [budget::report(&sources), budget::folders(&sources)];
    for line in tables.concat() {
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
