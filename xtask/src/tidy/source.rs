//! The text files of the repository, and which of their lines are tests.

use std::path::Path;
use std::process::Command;

use anyhow::Context;

/// Every text file that git tracks or would track.
#[derive(Debug)]
pub(super) struct Sources(pub(super) Vec<Source>);

/// One file.
#[derive(Debug)]
pub(super) struct Source {
    /// Relative to the repository, with forward slashes.
    pub(super) path: String,
    pub(super) text: String,
}

/// Lines of a Rust file.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Lines {
    pub(super) production: usize,
    pub(super) test: usize,
}

impl Sources {
    pub(super) fn read(root: &Path) -> anyhow::Result<Self> {
        let listing = Command::new("git")
            .args([
                "ls-files",
                "--cached",
                "--others",
                "--exclude-standard",
                "-z",
            ])
            .current_dir(root)
            .output()
            .context("git is needed to list the files")?;
        anyhow::ensure!(listing.status.success(), "git ls-files failed");
        let names = String::from_utf8(listing.stdout).context("a file name is no UTF-8")?;
        let mut sources = Vec::new();
        for path in names.split('\0').filter(|name| !name.is_empty()) {
            // A deleted file is still listed; a binary one is no text.
            if let Ok(text) = std::fs::read_to_string(root.join(path)) {
                sources.push(Source {
                    path: path.to_owned(),
                    text,
                });
            }
        }
        Ok(Self(sources))
    }

    pub(super) fn with_extension(&self, extension: &str) -> impl Iterator<Item = &Source> {
        let ending = format!(".{extension}");
        self.0
            .iter()
            .filter(move |source| source.path.ends_with(&ending))
    }
}

impl Source {
    /// The first folder of the path: the crate, for Rust files.
    pub(super) fn folder(&self) -> &str {
        self.path.split('/').next().unwrap_or_default()
    }

    pub(super) fn lines(&self) -> Lines {
        let total = self.text.lines().count();
        if self.is_test_file() {
            return Lines {
                production: 0,
                test: total,
            };
        }
        let test = inline_test_lines(&self.text);
        Lines {
            production: total - test,
            test,
        }
    }

    /// Nothing of it ships.
    pub(super) fn is_test_file(&self) -> bool {
        let name = self.path.rsplit('/').next().unwrap_or_default();
        let in_folder = |folder: &str| self.path.split('/').any(|part| part == folder);
        matches!(name, "tests.rs" | "fake_host.rs" | "test_db.rs")
            || in_folder("tests")
            || in_folder("benches")
            || in_folder("fuzz")
            || self.folder() == "integration-tests"
    }
}

/// Lines from a `#[cfg(test)]` in the first column to the end of the item it marks.
fn inline_test_lines(text: &str) -> usize {
    let (mut count, mut inside) = (0, false);
    for line in text.lines() {
        inside |= line.starts_with("#[cfg(test)]");
        if inside {
            count += 1;
            // Formatted code ends such an item in the first column, too.
            let ends = line == "}" || (line.ends_with(';') && !line.starts_with(' '));
            inside = !ends;
        }
    }
    count
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(path: &str, text: &str) -> (usize, usize) {
        let source = Source {
            path: path.to_owned(),
            text: text.to_owned(),
        };
        let Lines { production, test } = source.lines();
        (production, test)
    }

    #[test]
    fn test_lines_are_told_from_production_lines() {
        let inline = "fn a() {}\n\n#[cfg(test)]\nmod tests {\n    fn b() {}\n}\n";
        let outside = "#[cfg(test)]\nmod tests;\n\nfn a() {}\n";
        for (path, text, want) in [
            ("policy/src/a.rs", inline, (2, 4)),
            ("policy/src/a.rs", outside, (2, 2)),
            ("policy/src/a/tests.rs", "fn a() {}\n", (0, 1)),
            ("xds-server/tests/it/main.rs", "fn a() {}\n", (0, 1)),
            ("integration-tests/src/lib.rs", "fn a() {}\n", (0, 1)),
        ] {
            assert_eq!(lines(path, text), want, "{path} {text}");
        }
    }
}
