//! Normalized paths (RFC 9535 §2.7).

use std::fmt::Write as _;

use super::{
    doc::{Doc, Key, NodeId, ROOT},
    text::lossy,
};

/// Where a node is, as `$['a'][0]`. A lone surrogate in a name shows as U+FFFD.
pub(crate) fn normalized(doc: &Doc<'_>, node: NodeId) -> String {
    let mut nodes = Vec::new();
    let mut here = node;
    while here != ROOT {
        nodes.push(here);
        here = doc.parent(here);
    }
    let mut path = "$".to_owned();
    for node in nodes.into_iter().rev() {
        match doc.key(node) {
            Key::Name(name) => push_name(&name, &mut path),
            Key::Index(index) => {
                // Writing to a string does not fail.
                let _ = write!(path, "[{index}]");
            }
        }
    }
    path
}

fn push_name(name: &[u8], path: &mut String) {
    path.push_str("['");
    for char in lossy(name).chars() {
        match char {
            '\u{8}' => path.push_str("\\b"),
            '\t' => path.push_str("\\t"),
            '\n' => path.push_str("\\n"),
            '\u{c}' => path.push_str("\\f"),
            '\r' => path.push_str("\\r"),
            '\'' => path.push_str("\\'"),
            '\\' => path.push_str("\\\\"),
            '\0'..='\u{1f}' => {
                let _ = write!(path, "\\u{:04x}", u32::from(char));
            }
            other => path.push(other),
        }
    }
    path.push_str("']");
}

#[cfg(test)]
mod tests;
