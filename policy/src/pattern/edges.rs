//! What a text must begin or end with so that an anchored pattern can match: most patterns of rules
//! do not match most calls, and this tells so without a search.

use regex_syntax::hir::{
    Hir, Look, LookSet,
    literal::{ExtractKind, Extractor, Literal},
};

/// Texts of which one must be at the start, and one at the end; none: anything may be there.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Edges {
    starts: Box<[Box<[u8]>]>,
    ends: Box<[Box<[u8]>]>,
}

/// Both cases of a letter, also of one that has three; digits are not written out.
const CLASS_CHARACTERS: usize = 3;
/// More alternatives cost as much as a search.
const ALTERNATIVES: usize = 16;

impl Edges {
    pub(super) fn of(hir: &Hir) -> Self {
        let properties = hir.properties();
        let at = |anchors: LookSet, anchor, kind| {
            if anchors.contains(anchor) {
                literals(hir, kind)
            } else {
                Box::default()
            }
        };
        Self {
            starts: at(
                properties.look_set_prefix(),
                Look::Start,
                ExtractKind::Prefix,
            ),
            ends: at(properties.look_set_suffix(), Look::End, ExtractKind::Suffix),
        }
    }

    /// False: the pattern does not match the text.
    pub(super) fn allow(&self, text: &str) -> bool {
        let text = text.as_bytes();
        let is_allowed = |edges: &[Box<[u8]>], is_there: fn(&[u8], &[u8]) -> bool| {
            edges.is_empty() || edges.iter().any(|edge| is_there(text, edge))
        };
        is_allowed(&self.starts, <[u8]>::starts_with) && is_allowed(&self.ends, <[u8]>::ends_with)
    }

    pub(super) fn memory_bytes(&self) -> usize {
        let all = self.starts.iter().chain(&self.ends);
        all.map(|edge| size_of::<Box<[u8]>>() + edge.len()).sum()
    }
}

/// What every match begins or ends with; nothing when that is unknown, empty or of many kinds.
fn literals(hir: &Hir, kind: ExtractKind) -> Box<[Box<[u8]>]> {
    let found = Extractor::new()
        .kind(kind)
        .limit_class(CLASS_CHARACTERS)
        .limit_total(ALTERNATIVES)
        .extract(hir);
    let found = found.literals().unwrap_or_default();
    if found.iter().any(Literal::is_empty) {
        return Box::default();
    }
    found.iter().map(|one| one.as_bytes().into()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn edges(pattern: &str) -> (Vec<String>, Vec<String>) {
        let Edges { starts, ends } = Edges::of(&regex_syntax::parse(pattern).unwrap());
        let texts = |edges: Box<[Box<[u8]>]>| {
            let texts = edges.iter().map(|edge| String::from_utf8(edge.to_vec()));
            texts.collect::<Result<Vec<_>, _>>().unwrap()
        };
        (texts(starts), texts(ends))
    }

    #[test]
    fn only_anchored_ends_are_known() {
        for (pattern, starts, ends) in [
            ("^/v1/exports/[0-9]+$", &["/v1/exports/"][..], &[][..]),
            (r"\.(bak|old)$", &[], &[".bak", ".old"]),
            (
                "^/v1/(ledgers|payouts)/[0-9]+/raw$",
                &["/v1/ledgers/", "/v1/payouts/"],
                &["/raw"],
            ),
            ("^(token|key)$", &["token", "key"], &["token", "key"]),
            ("(?i)^/a[0-9]", &["/A", "/a"], &[]),
            ("/v[0-9]+/admin", &[], &[]),
            ("^/a|b", &[], &[]),
            ("(?m)^a$", &[], &[]),
            ("^a*b?$", &[], &[]),
            ("^[0-9]x$", &[], &["x"]),
            (
                "^(a|b|c|d|e|f|g|h|i|j|k|l|m|n|o|p|q)(1|2)$",
                &[],
                &["1", "2"],
            ),
        ] {
            let (found_starts, found_ends) = edges(pattern);
            assert_eq!(found_starts, starts, "start of {pattern}");
            assert_eq!(found_ends, ends, "end of {pattern}");
        }
    }

    #[test]
    fn another_edge_is_no_match() {
        let edges = Edges::of(&regex_syntax::parse("^/a/[0-9]+/(b|c)$").unwrap());
        for (text, want) in [
            ("/a/1/b", true),
            ("/a/1/c", true),
            // The rest is the search's business.
            ("/a/x/c", true),
            ("/b/1/c", false),
            ("/a/1/d", false),
            ("/a", false),
            ("", false),
        ] {
            assert_eq!(edges.allow(text), want, "{text}");
        }
    }
}
