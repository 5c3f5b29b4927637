//! How many large classes of characters a pattern names: each costs a walk through Unicode's tables,
//! whatever is left of it in the end.

use std::convert::Infallible;

use regex_syntax::ast::{self, Ast, ClassSetItem, Visitor};

/// Large classes in one pattern.
pub(super) const MAX_CLASSES: usize = 128;
/// What a large class weighs, beside the bytes that it compiles to.
pub(super) const CLASS_BYTES: usize = 1 << 10;

/// Without case each character of a range is looked up: so many cost as much as a class, and half of
/// all there are as much as a pattern may cost (some 40 ms).
const CHARACTERS: u32 = 0x11_0000 / 256;

pub(super) fn large_classes(ast: &Ast, ignores_case: bool) -> usize {
    let none = Classes {
        named: 0,
        in_ranges: 0,
        ignores_case,
    };
    ast::visit(ast, none).unwrap_or_else(|never: Infallible| match never {})
}

struct Classes {
    named: usize,
    in_ranges: usize,
    /// Anywhere in the pattern.
    ignores_case: bool,
}

impl Classes {
    fn flags(&mut self, flags: &ast::Flags) {
        self.ignores_case |= flags.flag_state(ast::Flag::CaseInsensitive) == Some(true);
    }
}

impl Visitor for Classes {
    type Output = usize;
    type Err = Infallible;

    fn finish(self) -> Result<usize, Infallible> {
        let in_ranges = if self.ignores_case { self.in_ranges } else { 0 };
        Ok(self.named + in_ranges)
    }

    #[expect(
        clippy::wildcard_enum_match_arm,
        reason = "the parser's enum may grow; these are its classes"
    )]
    fn visit_pre(&mut self, ast: &Ast) -> Result<(), Infallible> {
        match ast {
            Ast::ClassUnicode(_) | Ast::ClassPerl(_) => self.named += 1,
            // `[^a]` has nearly all characters.
            Ast::ClassBracketed(class) => self.named += usize::from(class.negated),
            Ast::Flags(set) => self.flags(&set.flags),
            Ast::Group(group) => group.flags().into_iter().for_each(|it| self.flags(it)),
            _ => {}
        }
        Ok(())
    }

    fn visit_class_set_item_pre(&mut self, item: &ClassSetItem) -> Result<(), Infallible> {
        match item {
            ClassSetItem::Unicode(_) | ClassSetItem::Perl(_) => self.named += 1,
            ClassSetItem::Bracketed(class) => self.named += usize::from(class.negated),
            ClassSetItem::Range(range) => {
                let (start, end) = (u32::from(range.start.c), u32::from(range.end.c));
                let classes = end.saturating_sub(start) / CHARACTERS;
                self.in_ranges += usize::try_from(classes).unwrap_or(MAX_CLASSES);
            }
            ClassSetItem::Empty(_)
            | ClassSetItem::Literal(_)
            | ClassSetItem::Ascii(_)
            | ClassSetItem::Union(_) => {}
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn large_classes_are_counted_wherever_they_stand() {
        for (pattern, want) in [
            ("abc.*[a-z][0-9]{1,9}", 0),
            (r"\w\d\s\W", 4),
            (r"\pL(?i:\p{Greek})", 2),
            (r"[\pL&&[^\pN]&&a]", 3),
            ("[^a][[^b]c]", 2),
            (r"[\x{0}-\x{10ffff}]", 0),
            (r"(?i)[\x{0}-\x{10ffff}]", 255),
            (r"[\x{0}-\x{10ffff}](?s-i:a)", 0),
            (r"(?i:a)|[\x{0}-\x{7ffff}]", 120),
        ] {
            let ast = ast::parse::Parser::new().parse(pattern).unwrap();
            assert_eq!(large_classes(&ast, false), want, "{pattern}");
        }
    }
}
