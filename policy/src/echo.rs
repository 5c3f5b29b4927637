//! The echo guard: finds what a target credential put on a request again in what the target answers.
//!
//! Each secret value is looked for in the forms in which software repeats what it was sent: as it
//! is, escaped in whole or in part as in URLs or JSON, in hexadecimal digits, and in base64 wherever
//! it lies in the bytes that were encoded. A screen says where one may begin, four bytes at a time;
//! only there the forms themselves are compared, byte by byte.

mod forms;
mod screen;
mod values;
mod watch;

use std::{fmt, ops::Range, sync::OnceLock};

use self::{
    forms::{DEPTH, Form, Reading},
    screen::Screen,
};
pub(crate) use self::{
    values::{ANY_PADDING, of_basic, of_header, of_value},
    watch::{InPlace, Looked, Watch},
};
use crate::secret::SecretBytes;

/// Shorter values are found in answers by chance.
const MIN_BYTES: usize = 8;
/// What stands in the place of each byte.
const STAR: u8 = b'*';
/// Comparisons for a text, and for each of its bytes. Only a value that repeats itself, in a text
/// that repeats it as well, takes more.
const STEPS: usize = 4 << 10;
const STEPS_PER_BYTE: usize = 32;

/// The values that one target credential puts on requests.
pub(crate) struct Guard {
    values: Box<[SecretBytes]>,
    /// Bytes of the shortest of them.
    shortest: usize,
    /// Made for the first text that may hold one: most calls have none.
    screen: OnceLock<Screen>,
}

/// The text with stars in the place of these values, in whatever form it repeats them.
#[must_use]
pub fn masked(text: &str, values: Vec<SecretBytes>) -> String {
    let masked = Guard::of(values).and_then(|guard| guard.masked(text.as_bytes()));
    let masked = masked.as_deref().unwrap_or(text.as_bytes());
    String::from_utf8_lossy(masked).into_owned()
}

/// What a search came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Searched {
    /// From here to the end may be the beginning of a value.
    pub(crate) open_from: Option<usize>,
    /// What it took, in steps of [`effort`](crate::effort).
    pub(crate) steps: usize,
}

impl Guard {
    /// For these values. None: nothing of them can be looked for.
    pub(crate) fn of(values: Vec<SecretBytes>) -> Option<Self> {
        let mut kept: Vec<SecretBytes> = Vec::new();
        for value in values {
            if Self::looks_for(&value) && !kept.contains(&value) {
                kept.push(value);
            }
        }
        let shortest = kept.iter().map(|value| value.expose().len()).min()?;
        Some(Self {
            values: kept.into(),
            shortest,
            screen: OnceLock::new(),
        })
    }

    fn screen(&self) -> &Screen {
        let values = || self.values.iter().map(SecretBytes::expose);
        self.screen.get_or_init(|| Screen::of(values()))
    }

    /// What is looked for.
    pub(crate) fn values(&self) -> &[SecretBytes] {
        &self.values
    }

    /// Finds what is in the text from there on. `is_end` when nothing follows the text; else a value
    /// may go on in what does.
    ///
    /// What would take too long counts as found, to the end of the text.
    pub(crate) fn search(
        &self,
        (text, from): (&[u8], usize),
        is_end: bool,
        found: &mut Vec<Range<usize>>,
    ) -> Searched {
        let length = text.len().saturating_sub(from);
        let mut search = Search {
            guard: self,
            text,
            is_end,
            found,
            open_from: None,
            left: length.saturating_mul(STEPS_PER_BYTE).saturating_add(STEPS),
        };
        let all = search.left;
        search.run(from);
        Searched {
            open_from: search.open_from,
            steps: length.saturating_add(all).saturating_sub(search.left),
        }
    }

    /// Whether a value is long enough to be looked for.
    pub(crate) fn looks_for(value: &SecretBytes) -> bool {
        value.expose().len() >= MIN_BYTES
    }

    /// Whether one of its values is in the text.
    pub(crate) fn is_in(&self, text: &[u8]) -> bool {
        !self.found_in(text).is_empty()
    }

    /// Where they are in a whole text.
    fn found_in(&self, text: &[u8]) -> Vec<Range<usize>> {
        let mut found = Vec::new();
        // No form of a value has fewer bytes than the value.
        if text.len() >= self.shortest {
            self.search((text, 0), true, &mut found);
        }
        found
    }

    /// The text with its values masked; none when there are none.
    pub(crate) fn masked(&self, text: &[u8]) -> Option<Vec<u8>> {
        let found = self.found_in(text);
        (!found.is_empty()).then(|| {
            let mut masked = text.to_vec();
            for place in found {
                mask(&mut masked, place);
            }
            masked
        })
    }
}

/// Puts stars in that place.
fn mask(text: &mut [u8], place: Range<usize>) {
    if let Some(bytes) = text.get_mut(place) {
        bytes.fill(STAR);
    }
}

/// One search.
struct Search<'s> {
    guard: &'s Guard,
    text: &'s [u8],
    is_end: bool,
    found: &'s mut Vec<Range<usize>>,
    open_from: Option<usize>,
    /// Comparisons.
    left: usize,
}

impl Search<'_> {
    fn run(&mut self, from: usize) {
        let screen = self.guard.screen();
        let mut seen = screen::Seen::default();
        let text = self.text;
        for (at, byte) in text.iter().enumerate().skip(from) {
            seen = screen.see(seen, *byte);
            let forms = seen.forms(DEPTH);
            if !forms.is_empty() && !self.compare((at + 1).saturating_sub(DEPTH), forms) {
                return;
            }
        }
        if self.is_end {
            return;
        }
        // The earliest first, because the first that is cut is kept.
        for depth in (1..DEPTH).rev() {
            let forms = seen.forms(depth);
            if !forms.is_empty() && !self.compare(text.len().saturating_sub(depth), forms) {
                return;
            }
        }
    }

    /// Looks closer at what begins there. False: there is nothing left to do it with.
    fn compare(&mut self, at: usize, forms: screen::Forms) -> bool {
        let guard = self.guard;
        let Some(rest) = self.text.get(at..) else {
            return true;
        };
        for form in forms.each() {
            for value in &guard.values {
                match form.read(value.expose(), rest, &mut self.left) {
                    Reading::Other => {}
                    Reading::Cut if self.is_end => {}
                    Reading::Cut => {
                        self.open_from.get_or_insert(at);
                    }
                    Reading::Whole(length) => {
                        let before = self.shared_before(at, form, value);
                        self.found.push(at - before..at + length);
                    }
                }
            }
        }
        if self.left > 0 {
            return true;
        }
        self.found.push(at..self.text.len());
        // What counts as found to the end waits for nothing more.
        self.open_from = None;
        false
    }

    /// How many bytes before belong to it as well: of base64 one that it shares with what precedes.
    fn shared_before(&self, at: usize, form: Form, value: &SecretBytes) -> usize {
        let before = at.checked_sub(1).and_then(|at| self.text.get(at));
        usize::from(before.is_some_and(|byte| form.shares(*byte, value.expose())))
    }
}

/// Holds secrets.
impl fmt::Debug for Guard {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[redacted]")
    }
}

#[cfg(test)]
mod tests;
