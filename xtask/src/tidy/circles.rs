//! Files of one crate that import each other in a circle: none of them can be read, tested or moved
//! without the others.
//!
//! A file imports the file in which an item stands that it names. Handing an item on (`pub use`) is
//! a sign on the door and no import, and neither is declaring a module.

use std::collections::BTreeMap;

use anyhow::Context;
use petgraph::algo::tarjan_scc;
use petgraph::graphmap::DiGraphMap;

use super::finding::Finding;
use super::imports::{self, Imports, ModulePath};
use super::source::{Source, Sources};

/// A chain of signs on doors is not longer than this.
const MAX_SIGNS: usize = 8;

/// The files of a crate by the modules they are.
#[derive(Default)]
struct Crate<'s> {
    files: BTreeMap<ModulePath, (&'s str, Imports)>,
}

pub(super) fn check(sources: &Sources) -> anyhow::Result<Vec<Finding>> {
    let mut crates: BTreeMap<&str, Crate<'_>> = BTreeMap::new();
    for source in sources.with_extension("rs") {
        let Some(module) = module_of(source) else {
            continue;
        };
        let imports =
            imports::read(&source.text, module.clone()).with_context(|| source.path.clone())?;
        let of_crate = crates.entry(source.folder()).or_default();
        of_crate.files.insert(module, (&source.path, imports));
    }
    Ok(crates.values().flat_map(Crate::circles).collect())
}

/// None: it ships nothing, or is a program of its own beside the crate.
fn module_of(source: &Source) -> Option<ModulePath> {
    let (_, path) = source.path.split_once("/src/")?;
    let path = path.strip_suffix(".rs")?;
    if source.is_test_file() || path == "main" || path.starts_with("bin/") {
        return None;
    }
    let path = path.strip_suffix("/mod").unwrap_or(path);
    Some(match path {
        "lib" => Vec::new(),
        path => path.split('/').map(str::to_owned).collect(),
    })
}

impl Crate<'_> {
    fn circles(&self) -> Vec<Finding> {
        let mut graph = DiGraphMap::<&str, ()>::new();
        for (path, imports) in self.files.values() {
            for named in &imports.named {
                if let Some(other) = self.file_of(named)
                    && other != *path
                {
                    graph.add_edge(path, other, ());
                }
            }
        }
        let circles = tarjan_scc(&graph).into_iter();
        let circles = circles.filter(|circle| circle.len() > 1);
        circles.filter_map(finding).collect()
    }

    /// The file in which that stands.
    fn file_of(&self, named: &[String]) -> Option<&str> {
        let mut named = named.to_vec();
        for _ in 0..MAX_SIGNS {
            let (length, (path, imports)) = self.innermost(&named)?;
            let sign = named
                .get(length)
                .and_then(|name| imports.handed_on.get(name));
            match sign {
                Some(to) => named = [to.as_slice(), named.get(length + 1..)?].concat(),
                None => return Some(path),
            }
        }
        None
    }

    fn innermost(&self, named: &[String]) -> Option<(usize, &(&str, Imports))> {
        (0..=named.len())
            .rev()
            .find_map(|length| Some((length, self.files.get(named.get(..length)?)?)))
    }
}

fn finding(mut circle: Vec<&str>) -> Option<Finding> {
    circle.sort_unstable();
    Some(Finding {
        check: "circle",
        subject: (*circle.first()?).to_owned(),
        problem: format!("imports itself through {}", circle.get(1..)?.join(", ")),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(files: &[(&str, &str)]) -> Vec<String> {
        let files = files.iter().map(|(path, text)| Source {
            path: (*path).to_owned(),
            text: (*text).to_owned(),
        });
        let findings = check(&Sources(files.collect())).unwrap();
        findings.iter().map(ToString::to_string).collect()
    }

    #[test]
    fn files_that_import_each_other_are_found() {
        let circle = [
            ("c/src/lib.rs", "mod a; mod b; mod d;"),
            ("c/src/a.rs", "use crate::b::B; pub struct A(B);"),
            ("c/src/b.rs", "pub struct B; fn f(_: crate::d::D) {}"),
            ("c/src/d.rs", "pub struct D(super::a::A);"),
        ];
        let want = "circle: c/src/a.rs: imports itself through c/src/b.rs, c/src/d.rs";
        assert_eq!(found(&circle), [want]);
        assert!(found(&circle[..3]).is_empty());
    }

    #[test]
    fn a_sign_on_the_door_is_no_import() {
        let parent = "mod b; pub use b::B; pub struct A;";
        let child = "use super::A; pub struct B(A);";
        let files = [("c/src/a.rs", parent), ("c/src/a/b.rs", child)];
        assert!(found(&files).is_empty());
        // Who reads the sign imports what is behind it.
        let files = [
            ("c/src/a.rs", "mod b; pub use b::B;"),
            ("c/src/a/b.rs", "pub struct B(crate::e::E);"),
            ("c/src/e.rs", "pub struct E; fn f(_: crate::a::B) {}"),
        ];
        assert_eq!(found(&files).len(), 1);
    }

    #[test]
    fn tests_and_programs_do_not_count() {
        let files = [
            (
                "c/src/a.rs",
                "pub struct A; #[cfg(test)] mod t { use crate::b::B; }",
            ),
            ("c/src/b.rs", "pub struct B(crate::a::A);"),
            ("c/src/a/tests.rs", "use crate::b::B;"),
            ("c/src/main.rs", "mod b;"),
        ];
        assert!(found(&files).is_empty());
    }
}
