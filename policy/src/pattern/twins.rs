//! Patterns of header names: `-` and `_` are the same character in them, however they are written.
//!
//! So whatever spelling of a name a caller sends, a rule means all of them, and a class that holds one
//! of the two holds both. What `\b` and `\B` see depends on the spelling all the same.

use regex_syntax::hir::{
    Capture, Class, ClassBytes, ClassBytesRange, ClassUnicode, ClassUnicodeRange, Hir, HirKind,
};

/// The pattern that matches what `hir` matches, in every spelling.
pub(super) fn closed(hir: &Hir) -> Hir {
    match hir.kind() {
        HirKind::Empty => Hir::empty(),
        HirKind::Look(look) => Hir::look(*look),
        HirKind::Literal(literal) => Hir::concat(literal_pieces(&literal.0)),
        HirKind::Class(class) => Hir::class(closed_class(class.clone())),
        HirKind::Repetition(repetition) => {
            Hir::repetition(repetition.with(closed(&repetition.sub)))
        }
        HirKind::Capture(capture) => Hir::capture(Capture {
            index: capture.index,
            name: capture.name.clone(),
            sub: closed(&capture.sub).into(),
        }),
        HirKind::Concat(parts) => Hir::concat(parts.iter().map(closed).collect()),
        HirKind::Alternation(parts) => Hir::alternation(parts.iter().map(closed).collect()),
    }
}

fn is_either(byte: u8) -> bool {
    matches!(byte, b'-' | b'_')
}

fn literal_pieces(text: &[u8]) -> Vec<Hir> {
    let pieces = text.chunk_by(|left, right| !is_either(*left) && !is_either(*right));
    let piece = |piece: &[u8]| match piece {
        [one] if is_either(*one) => Hir::class(Class::Unicode(both())),
        _ => Hir::literal(piece),
    };
    pieces.map(piece).collect()
}

fn both() -> ClassUnicode {
    ClassUnicode::new(['-', '_'].map(|char| ClassUnicodeRange::new(char, char)))
}

fn closed_class(class: Class) -> Class {
    match class {
        Class::Unicode(mut class) => {
            let holds = |char| {
                let mut ranges = class.ranges().iter();
                ranges.any(|range| (range.start()..=range.end()).contains(&char))
            };
            if holds('-') || holds('_') {
                class.union(&both());
            }
            Class::Unicode(class)
        }
        Class::Bytes(mut class) => {
            let holds = |byte| {
                let mut ranges = class.ranges().iter();
                ranges.any(|range| (range.start()..=range.end()).contains(&byte))
            };
            if holds(b'-') || holds(b'_') {
                let both = [b'-', b'_'].map(|byte| ClassBytesRange::new(byte, byte));
                class.union(&ClassBytes::new(both));
            }
            Class::Bytes(class)
        }
    }
}

#[cfg(test)]
mod tests;
