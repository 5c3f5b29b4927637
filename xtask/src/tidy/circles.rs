//! Files of one crate that import each other in a circle: none of them can be read, tested or moved
//! without the others.
//!
//! A file imports the file in which an item stands that it names. Handing an item on (`pub use`) is
//! a sign on the door and no import, and neither is declaring a module.
//!
//! A module and its own parts (`a.rs` and what is below `a/`) are read together: a part may use what
//! its module has. A circle of parts, or one that leads out of the module, is one all the same.

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
        let circles = circles_of(&graph);
        let open = circles.flat_map(|circle| between_modules(&graph, circle));
        open.filter_map(finding).collect()
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

fn circles_of<'s>(graph: &DiGraphMap<&'s str, ()>) -> impl Iterator<Item = Vec<&'s str>> + use<'s> {
    let circles = tarjan_scc(graph).into_iter();
    circles.filter(|circle| circle.len() > 1)
}

/// What is left of a circle without the way of parts back to their module; all of it where it is
/// not of one module and its parts.
fn between_modules<'s>(graph: &DiGraphMap<&'s str, ()>, circle: Vec<&'s str>) -> Vec<Vec<&'s str>> {
    let has_all = |module: &&str| {
        let mut others = circle.iter().filter(|file| *file != module);
        others.all(|file| is_part(file, module))
    };
    if !circle.iter().any(has_all) {
        return vec![circle];
    }
    let is_inside = |file: &str| circle.contains(&file);
    let edges = graph.all_edges().map(|(from, to, ())| (from, to));
    let inside = edges.filter(|(from, to)| is_inside(from) && is_inside(to));
    let downwards = inside.filter(|(from, to)| !is_part(from, to));
    circles_of(&DiGraphMap::from_edges(downwards)).collect()
}

/// The file stands somewhere below the file of the module; a crate's root is nobody's module here.
fn is_part(file: &str, module: &str) -> bool {
    let below = module.strip_suffix(".rs");
    let below = below.and_then(|module| file.strip_prefix(module));
    below.is_some_and(|rest| rest.starts_with('/'))
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
    fn a_part_may_use_what_its_module_has() {
        let module = ("c/src/a.rs", "mod b; mod d; pub struct A(b::B);");
        let part = ("c/src/a/b.rs", "pub struct B; fn f(_: super::A) {}");
        let deeper = (
            "c/src/a/b/e.rs",
            "pub struct E; fn f(_: crate::a::A, _: crate::a::b::B) {}",
        );
        assert!(found(&[module, part]).is_empty());
        let user = ("c/src/a/b.rs", "mod e; pub struct B(e::E);");
        assert!(found(&[module, user, deeper]).is_empty());
    }

    #[test]
    fn parts_among_themselves_and_with_others_make_circles() {
        let module = ("c/src/a.rs", "mod b; mod d; pub struct A(b::B);");
        let parts = [
            module,
            ("c/src/a/b.rs", "pub struct B(super::d::D);"),
            (
                "c/src/a/d.rs",
                "pub struct D; fn f(_: super::A, _: super::b::B) {}",
            ),
        ];
        let want = "circle: c/src/a/b.rs: imports itself through c/src/a/d.rs";
        assert_eq!(found(&parts), [want]);
        let other = [
            module,
            ("c/src/a/b.rs", "pub struct B(crate::x::X);"),
            ("c/src/x.rs", "pub struct X; fn f(_: crate::a::A) {}"),
        ];
        let want = "circle: c/src/a.rs: imports itself through c/src/a/b.rs, c/src/x.rs";
        assert_eq!(found(&other), [want]);
        let root = [
            ("c/src/lib.rs", "mod b; pub struct A(b::B);"),
            ("c/src/b.rs", "pub struct B; fn f(_: crate::A) {}"),
        ];
        assert_eq!(found(&root).len(), 1);
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
