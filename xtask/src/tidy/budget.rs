//! Lines per file and tests per line of code are bounded. (Lines and parameters of
//! functions are clippy's.)

use std::cmp::Reverse;
use std::collections::BTreeMap;

use super::finding::Finding;
use super::source::{Lines, Sources};

const WALL: usize = 400;
/// So many folders are shown.
const FOLDERS: usize = 12;

/// Files over the wall.
pub(super) fn check(sources: &Sources) -> Vec<Finding> {
    sources
        .with_extension("rs")
        .map(|source| (source, source.lines().production))
        .filter(|(_, production)| *production > WALL)
        .map(|(source, production)| Finding {
            check: "lines",
            subject: source.path.clone(),
            problem: format!("{production} production lines, at most {WALL} are wanted"),
        })
        .collect()
}

/// A table: median file and tests per line of code, crate by crate.
pub(super) fn report(sources: &Sources) -> Vec<String> {
    let mut crates: BTreeMap<&str, Vec<Lines>> = BTreeMap::new();
    for source in sources.with_extension("rs") {
        crates
            .entry(source.folder())
            .or_default()
            .push(source.lines());
    }
    let mut table = vec![row([
        "crate",
        "code",
        "tests",
        "tests/code",
        "median",
        "longest",
    ])];
    for (name, files) in crates {
        table.push(crate_row(name, &files));
    }
    table
}

/// A table: the fullest folders by their Rust files, which a reader has to look through to find one.
pub(super) fn folders(sources: &Sources) -> Vec<String> {
    let mut folders: BTreeMap<&str, usize> = BTreeMap::new();
    for source in sources.with_extension("rs") {
        let folder = source
            .path
            .rsplit_once('/')
            .map_or("", |(folder, _)| folder);
        *folders.entry(folder).or_default() += 1;
    }
    let mut fullest: Vec<(&str, usize)> = folders.into_iter().collect();
    fullest.sort_by_key(|(folder, files)| (Reverse(*files), *folder));
    let rows = fullest.into_iter().take(FOLDERS);
    let rows = rows.map(|(folder, files)| format!("{folder:<50}{files:>8}"));
    std::iter::once(format!("{:<50}{:>8}", "folder", "files"))
        .chain(rows)
        .collect()
}

fn crate_row(name: &str, files: &[Lines]) -> String {
    let mut sizes: Vec<usize> = files
        .iter()
        .map(|lines| lines.production)
        .filter(|size| *size > 0)
        .collect();
    sizes.sort_unstable();
    let code: usize = sizes.iter().sum();
    let tests: usize = files.iter().map(|lines| lines.test).sum();
    let ratio = match (tests * 100).checked_div(code) {
        Some(percent) => format!("{}.{:02}", percent / 100, percent % 100),
        None => "-".to_owned(),
    };
    let number = |size: Option<&usize>| size.copied().unwrap_or(0).to_string();
    let (median, longest) = (number(sizes.get(sizes.len() / 2)), number(sizes.last()));
    row([
        name,
        &code.to_string(),
        &tests.to_string(),
        &ratio,
        &median,
        &longest,
    ])
}

fn row([name, code, tests, ratio, median, longest]: [&str; 6]) -> String {
    format!("{name:<20}{code:>8}{tests:>8}{ratio:>12}{median:>8}{longest:>9}")
}

#[cfg(test)]
mod tests {
    use super::super::source::Source;
    use super::*;

    fn rust_file(path: &str, lines: usize) -> Source {
        Source {
            path: path.to_owned(),
            text: "x\n".repeat(lines),
        }
    }

    #[test]
    fn only_files_over_the_wall_are_found() {
        let sources = Sources(vec![
            rust_file("policy/src/a.rs", WALL),
            rust_file("policy/src/b.rs", WALL + 1),
            rust_file("policy/src/tests.rs", 2 * WALL),
        ]);
        let found: Vec<String> = check(&sources).into_iter().map(|f| f.subject).collect();
        assert_eq!(found, ["policy/src/b.rs"]);
    }

    #[test]
    fn the_fullest_folder_comes_first() {
        let files = ["a/src/x.rs", "b/src/x.rs", "b/src/y.rs", "b/src/z/x.rs"];
        let sources = Sources(files.map(|path| rust_file(path, 1)).into());
        let table = folders(&sources);
        let rows: Vec<Vec<&str>> = table
            .iter()
            .map(|row| row.split_whitespace().collect())
            .collect();
        assert_eq!(rows[1..3], [["b/src", "2"], ["a/src", "1"]]);
    }

    #[test]
    fn the_table_has_the_ratio_and_the_median() {
        let sources = Sources(vec![
            rust_file("policy/src/a.rs", 10),
            rust_file("policy/src/b.rs", 30),
            rust_file("policy/src/tests.rs", 50),
        ]);
        let table = report(&sources);
        let words: Vec<&str> = table[1].split_whitespace().collect();
        assert_eq!(words, ["policy", "40", "50", "1.25", "30", "30"]);
    }
}
