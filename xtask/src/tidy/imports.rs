//! What a Rust file imports from its own crate, read with `syn`; what stands under `#[cfg(test)]`
//! does not count.

use std::collections::BTreeMap;

use anyhow::Context;
use syn::visit::{self, Visit};
use syn::{Attribute, Item, ItemMod, ItemUse, UseTree, Visibility};

/// A path from the crate's root: `crate::a::b` is `["a", "b"]`.
pub(super) type ModulePath = Vec<String>;

/// One file, seen from the others of its crate.
#[derive(Debug, Default)]
pub(super) struct Imports {
    /// Items and modules that it names, `*` for all of a module.
    pub(super) named: Vec<ModulePath>,
    /// What it hands on under a name of its own.
    pub(super) handed_on: BTreeMap<String, ModulePath>,
}

struct Reader {
    module: ModulePath,
    /// Modules that the file declares.
    children: Vec<String>,
    found: Imports,
}

/// Reads the file that is the module `module`.
pub(super) fn read(text: &str, module: ModulePath) -> anyhow::Result<Imports> {
    let file = syn::parse_file(text).context("no Rust")?;
    let children = file.items.iter().filter_map(|item| match item {
        Item::Mod(child) if child.content.is_none() => Some(child.ident.to_string()),
        _ => None,
    });
    let mut reader = Reader {
        module,
        children: children.collect(),
        found: Imports::default(),
    };
    reader.visit_file(&file);
    Ok(reader.found)
}

impl<'ast> Visit<'ast> for Reader {
    fn visit_item(&mut self, item: &'ast Item) {
        if !attributes(item).iter().any(is_for_tests) {
            visit::visit_item(self, item);
        }
    }

    fn visit_item_mod(&mut self, module: &'ast ItemMod) {
        if module.content.is_some() {
            self.module.push(module.ident.to_string());
            visit::visit_item_mod(self, module);
            self.module.pop();
        }
    }

    fn visit_item_use(&mut self, item: &'ast ItemUse) {
        let is_handed_on = !matches!(item.vis, Visibility::Inherited);
        let mut leaves = Vec::new();
        flatten(&item.tree, &mut Vec::new(), &mut leaves);
        for (path, name) in leaves {
            let Some(path) = self.path_of(&path) else {
                continue;
            };
            // A glob has no name to be handed on under.
            if is_handed_on && name != "*" {
                self.found.handed_on.insert(name, path);
            } else {
                self.found.named.push(path);
            }
        }
    }

    fn visit_path(&mut self, path: &'ast syn::Path) {
        let words: Vec<String> = path
            .segments
            .iter()
            .map(|segment| segment.ident.to_string())
            .collect();
        // One word is a local name, or came by a `use`, which counts already.
        if words.len() > 1
            && let Some(path) = self.path_of(&words)
        {
            self.found.named.push(path);
        }
        visit::visit_path(self, path);
    }
}

impl Reader {
    /// None: it leads out of the crate, or to what a `use` brought.
    fn path_of(&self, words: &[String]) -> Option<ModulePath> {
        let (first, rest) = words.split_first()?;
        let mut path = self.module.clone();
        match first.as_str() {
            "crate" => path.clear(),
            "self" => {}
            "super" => {
                path.pop();
            }
            child if self.children.iter().any(|known| known == child) => {
                path.push(child.to_owned());
            }
            _ => return None,
        }
        for word in rest {
            if word == "super" {
                path.pop();
            } else {
                path.push(word.clone());
            }
        }
        Some(path)
    }
}

/// Each name of a `use`, with the path it stands for and the name it has here.
fn flatten(tree: &UseTree, before: &mut Vec<String>, leaves: &mut Vec<(Vec<String>, String)>) {
    let with = |before: &[String], last: String| [before, &[last]].concat();
    match tree {
        UseTree::Path(path) => {
            before.push(path.ident.to_string());
            flatten(&path.tree, before, leaves);
            before.pop();
        }
        UseTree::Group(group) => {
            for item in &group.items {
                flatten(item, before, leaves);
            }
        }
        UseTree::Name(name) if name.ident == "self" => {
            let own = before.last().cloned().unwrap_or_default();
            leaves.push((before.clone(), own));
        }
        UseTree::Name(name) => {
            let name = name.ident.to_string();
            leaves.push((with(before, name.clone()), name));
        }
        UseTree::Rename(rename) => leaves.push((
            with(before, rename.ident.to_string()),
            rename.rename.to_string(),
        )),
        UseTree::Glob(_) => leaves.push((with(before, "*".to_owned()), "*".to_owned())),
    }
}

fn is_for_tests(attribute: &Attribute) -> bool {
    attribute.path().is_ident("cfg")
        && attribute
            .meta
            .require_list()
            .is_ok_and(|list| list.tokens.to_string() == "test")
}

fn attributes(item: &Item) -> &[Attribute] {
    match item {
        Item::Const(it) => &it.attrs,
        Item::Enum(it) => &it.attrs,
        Item::Fn(it) => &it.attrs,
        Item::Impl(it) => &it.attrs,
        Item::Mod(it) => &it.attrs,
        Item::Static(it) => &it.attrs,
        Item::Struct(it) => &it.attrs,
        Item::Trait(it) => &it.attrs,
        Item::Type(it) => &it.attrs,
        Item::Use(it) => &it.attrs,
        _ => &[],
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(path: &str) -> ModulePath {
        path.split("::").map(str::to_owned).collect()
    }

    fn named(text: &str) -> Vec<String> {
        let found = read(text, words("a::b")).unwrap();
        found.named.iter().map(|path| path.join("::")).collect()
    }

    #[test]
    fn paths_are_told_from_the_root() {
        for (text, want) in [
            (
                "use crate::x::{Y, z::{self, W}};",
                &["x::Y", "x::z", "x::z::W"][..],
            ),
            ("use super::Y; use super::super::Z;", &["a::Y", "Z"]),
            (
                "mod c; use c::*; fn f() { self::c::g() }",
                &["a::b::c::*", "a::b::c::g"],
            ),
            ("fn f() -> crate::x::Y { d::g() }", &["x::Y"]),
            ("use std::fmt; use serde::Serialize;", &[]),
            ("mod inner { use super::Y; }", &["a::b::Y"]),
            (
                "#[cfg(test)] use crate::x::Y; #[cfg(test)] mod t { use crate::Z; }",
                &[],
            ),
        ] {
            assert_eq!(named(text), want, "{text}");
        }
    }

    #[test]
    fn what_is_handed_on_is_not_named() {
        let found = read("mod c; pub use c::X as Y;", words("a")).unwrap();
        assert!(found.named.is_empty());
        assert_eq!(found.handed_on["Y"], words("a::c::X"));
    }
}
