//! Paths that a document names must exist: stale prose misleads. Prose fits into 100 columns.

use std::path::Path;

use super::finding::Finding;
use super::source::{Source, Sources};

const COLUMNS: usize = 100;

/// Every relative link target, and every path in backticks that begins with a folder of ours.
pub(super) fn check(root: &Path, sources: &Sources) -> Vec<Finding> {
    let mut folders: Vec<&str> = sources
        .0
        .iter()
        .filter(|source| source.path.contains('/'))
        .map(Source::folder)
        .filter(|folder| !folder.starts_with('.'))
        .collect();
    folders.sort_unstable();
    folders.dedup();
    let mut findings = Vec::new();
    for source in sources.with_extension("md") {
        // What was released stays as it was written.
        if source.path != "CHANGELOG.md" {
            findings.extend(long_lines(&source.text).map(|number| Finding {
                check: "docs",
                subject: source.path.clone(),
                problem: format!("line {number} has more than {COLUMNS} columns"),
            }));
        }
        let here = Path::new(&source.path).parent().unwrap_or(Path::new(""));
        let links = links(&source.text).map(|link| (link, here.join(link)));
        let paths = paths(&source.text, &folders).map(|path| (path, Path::new(path).to_path_buf()));
        for (named, path) in links.chain(paths) {
            if !root.join(path).exists() {
                findings.push(Finding {
                    check: "docs",
                    subject: source.path.clone(),
                    problem: format!("names `{named}`, which does not exist"),
                });
            }
        }
    }
    findings
}

/// Numbers of lines that are too long. Tables and what is pasted are as long as they are.
fn long_lines(text: &str) -> impl Iterator<Item = usize> {
    let mut is_pasted = false;
    let numbered = (1..).zip(text.lines());
    numbered.filter_map(move |(number, line)| {
        is_pasted ^= line.trim_start().starts_with("```");
        let is_prose = !(is_pasted || line.starts_with('|') || line.starts_with("    "));
        (is_prose && line.chars().count() > COLUMNS).then_some(number)
    })
}

/// Targets of `[text](target)` in this repository, without their anchors.
fn links(text: &str) -> impl Iterator<Item = &str> {
    text.split("](").skip(1).filter_map(|rest| {
        let target = rest.split(')').next()?.split('#').next()?;
        let elsewhere = target.contains("://") || target.starts_with("mailto:");
        (!target.is_empty() && !elsewhere).then_some(target)
    })
}

/// Texts in backticks on one line that look like a path below one of `folders`.
fn paths<'t>(text: &'t str, folders: &'t [&str]) -> impl Iterator<Item = &'t str> {
    let in_backticks = text
        .lines()
        .flat_map(|line| line.split('`').skip(1).step_by(2));
    in_backticks.filter(|word| {
        let plain = word
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || b"/._-".contains(&b));
        let first = word.split('/').next().unwrap_or_default();
        plain && word.contains('/') && folders.contains(&first)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn prose_fits_into_the_columns_and_nothing_else_has_to() {
        let (fits, long) = ("é".repeat(COLUMNS), "a".repeat(COLUMNS + 1));
        let text = format!("{fits}\n{long}\n| {long} |\n    {long}\n```\n{long}\n```\n- {fits}\n");
        assert_eq!(long_lines(&text).collect::<Vec<_>>(), [2, 8]);
    }

    #[test]
    fn links_and_paths_are_checked_and_other_text_is_not() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::create_dir(folder.path().join("docs")).unwrap();
        std::fs::write(folder.path().join("docs/tls.md"), "").unwrap();
        let text = "See [TLS](tls.md#keys), [gone](gone.md), [site](https://example.com/x).\n\
            `docs/tls.md` and `docs/lost.md`; `docs/*.md`, `application/json`, `a b/c`.\n";
        let source = |path: &str, text: &str| Source {
            path: path.to_owned(),
            text: text.to_owned(),
        };
        let sources = Sources(vec![source("docs/a.md", text), source("docs/tls.md", "")]);
        let found: Vec<String> = check(folder.path(), &sources)
            .into_iter()
            .map(|finding| finding.problem)
            .collect();
        assert_eq!(
            found,
            [
                "names `gone.md`, which does not exist",
                "names `docs/lost.md`, which does not exist"
            ]
        );
    }
}
