//! Unfinished work, package hosts and paths of one machine have no place in the repository.

use super::finding::Finding;
use super::source::Sources;

/// What must not stand in a file, in two halves so that this file does not find itself.
const FORBIDDEN: &[(&str, &str, &str)] = &[
    ("TO", "DO", "finish it, or file an issue"),
    ("FIX", "ME", "finish it, or file an issue"),
    ("todo", "!(", "finish it"),
    ("unimplemented", "!(", "finish it"),
    ("#[ig", "nore", "a test that does not run proves nothing"),
    ("crates", ".io/api", "a package host has no place here"),
    ("static.crates", ".io", "a package host has no place here"),
    ("pypi", ".org", "a package host has no place here"),
    ("registry.npmjs", ".org", "a package host has no place here"),
    ("deb.debian", ".org", "a package host has no place here"),
    ("/wo", "rk/", "a path of one machine"),
    ("/ro", "ot/", "a path of one machine"),
    ("/home", "/", "a path of one machine"),
];

/// Files in which each of them is expected.
const EXEMPT: &[&str] = &["Cargo.lock"];

/// Every line that holds a forbidden text.
pub(super) fn check(sources: &Sources) -> Vec<Finding> {
    let judged = sources
        .0
        .iter()
        .filter(|source| !EXEMPT.contains(&source.path.as_str()));
    judged
        .flat_map(|source| {
            source
                .text
                .lines()
                .zip(1..)
                .flat_map(move |(line, number)| {
                    problems(line).map(move |problem| Finding {
                        check: "leftovers",
                        subject: source.path.clone(),
                        problem: format!("line {number}: {problem}"),
                    })
                })
        })
        .collect()
}

fn problems(line: &str) -> impl Iterator<Item = String> {
    FORBIDDEN.iter().filter_map(move |(first, second, advice)| {
        let text = format!("{first}{second}");
        line.contains(&text).then(|| format!("`{text}`: {advice}"))
    })
}

#[cfg(test)]
mod tests {
    use super::super::source::Source;
    use super::*;

    #[test]
    fn forbidden_texts_are_found_with_their_line() {
        let text = format!("fine\n// {}: later\n", concat!("TO", "DO"));
        let sources = Sources(vec![Source {
            path: "a.rs".to_owned(),
            text,
        }]);
        let findings = check(&sources);
        assert_eq!(findings.len(), 1);
        assert!(findings[0].problem.starts_with("line 2: "), "{findings:?}");
    }
}
