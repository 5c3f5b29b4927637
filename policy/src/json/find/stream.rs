//! Scalars found while a document streams by.

use crate::{
    effort::{Effort, VALUE},
    json::{
        InvalidJson, Problem,
        lexer::{Event, Kind, Lexer, Skipped},
        path::JsonPath,
        select::{Groups, Select, Selection},
        text::unescape_into,
    },
};

/// Bytes of a scalar that is reported.
pub const MAX_FOUND_BYTES: usize = 1024;

/// What a path selected.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Found<'f> {
    /// A scalar as it stands in the document.
    Scalar(&'f str),
    /// A container, or a scalar of more than [`MAX_FOUND_BYTES`].
    Unusable,
}

/// Reports what paths select in a document as it comes, in memory that does not grow with it.
#[derive(Debug)]
pub struct Finder {
    lexer: Lexer,
    selection: Selection,
    phase: Phase,
    /// The open containers: the next index of an array.
    open: Vec<Option<u64>>,
    /// What is known of the member whose name was read.
    is_alive: bool,
    /// The paths that select the scalar that is being read.
    paths: Vec<usize>,
    /// Its bytes so far.
    scalar: Vec<u8>,
    decoded: Vec<u8>,
    offset: u64,
    /// What was reported, of which nobody was told, in steps.
    work: usize,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Phase {
    Between,
    /// In a value nothing in which is wanted.
    Skipping,
    /// In a scalar that is wanted.
    Reading,
    Failed,
}

/// Who is told: the path's place in the list, and what it selected.
type OnFound<'a> = &'a mut dyn FnMut(usize, Found<'_>);

impl Finder {
    /// A path that a stream cannot decide finds nothing: see [`find`](super::find).
    pub fn new(paths: &[JsonPath]) -> Self {
        let mut selection = Selection::default();
        for path in paths {
            selection.add(path, Groups::FIRST);
        }
        Self {
            lexer: Lexer::new(),
            selection,
            phase: Phase::Between,
            open: Vec::new(),
            is_alive: false,
            paths: Vec::new(),
            scalar: Vec::new(),
            decoded: Vec::new(),
            offset: 0,
            work: 0,
        }
    }

    /// For another document: what was learnt of the paths stays.
    pub(crate) fn reset(&mut self) {
        self.lexer.reset();
        self.selection.reset();
        self.phase = Phase::Between;
        self.open.clear();
        self.offset = 0;
    }

    /// Reads on.
    pub fn push(&mut self, input: &[u8], on_found: OnFound<'_>) -> Result<(), InvalidJson> {
        self.push_within(input, on_found, &mut Effort::unbounded())
    }

    /// Reads on, as far as the effort goes.
    pub fn push_within(
        &mut self,
        input: &[u8],
        on_found: OnFound<'_>,
        effort: &mut Effort,
    ) -> Result<(), InvalidJson> {
        let mut rest = input;
        let paid = effort.spend(input.len()).map_err(Problem::from);
        let result = paid.and_then(|()| self.read(&mut rest, on_found, effort));
        let read = input.len().saturating_sub(rest.len());
        let read = u64::try_from(read).unwrap_or(u64::MAX);
        self.offset = self.offset.saturating_add(read);
        result.map_err(|problem| self.fail(problem))
    }

    /// The document has ended.
    pub fn finish(&mut self, on_found: OnFound<'_>) -> Result<(), InvalidJson> {
        if self.phase == Phase::Failed {
            return Err(self.fail(Problem::Failed));
        }
        if let Err(problem) = self.lexer.finish() {
            return Err(self.fail(problem));
        }
        if self.phase == Phase::Reading {
            self.phase = Phase::Between;
            self.report(on_found);
        }
        Ok(())
    }

    fn fail(&mut self, problem: Problem) -> InvalidJson {
        self.phase = Phase::Failed;
        InvalidJson {
            offset: self.offset,
            problem,
        }
    }

    fn read(
        &mut self,
        rest: &mut &[u8],
        on_found: OnFound<'_>,
        effort: &mut Effort,
    ) -> Result<(), Problem> {
        match self.phase {
            Phase::Failed => return Err(Problem::Failed),
            Phase::Between => {}
            Phase::Skipping | Phase::Reading => {
                let start = *rest;
                let skipped = self.lexer.skip_on(rest)?;
                self.skipped(skipped, start, rest, on_found);
            }
        }
        while self.phase == Phase::Between {
            match self.lexer.next(rest)? {
                Event::More => return Ok(()),
                Event::Name(name) => self.member(name),
                Event::Value(kind) => {
                    self.value(kind, rest, on_found)?;
                    let reported = std::mem::take(&mut self.work);
                    let work = self.selection.take_work().saturating_add(reported);
                    effort.spend(VALUE.saturating_add(work))?;
                }
                Event::Close => {
                    self.open.pop();
                    self.selection.leave();
                }
            }
        }
        Ok(())
    }

    fn member(&mut self, name: Option<&[u8]>) {
        let raw = name.unwrap_or_else(|| self.lexer.name());
        let answer = if self.lexer.is_name_escaped() {
            self.decoded.clear();
            unescape_into(raw, &mut self.decoded);
            self.selection.member(&self.decoded)
        } else {
            self.selection.member(raw)
        };
        self.is_alive = !answer.alive.is_empty();
    }

    fn value(
        &mut self,
        kind: Kind,
        rest: &mut &[u8],
        on_found: OnFound<'_>,
    ) -> Result<(), Problem> {
        match self.open.last_mut() {
            Some(Some(index)) => {
                let here = *index;
                *index = here.saturating_add(1);
                self.is_alive = !self.selection.element(here).alive.is_empty();
            }
            Some(None) => {}
            None => self.is_alive = !self.selection.root().alive.is_empty(),
        }
        self.phase = Phase::Skipping;
        if !self.selection.selected().is_empty() {
            self.selected(kind, on_found);
        }
        if kind != Kind::Scalar && self.is_alive {
            self.phase = Phase::Between;
            self.lexer.enter(rest)?;
            self.selection.enter();
            self.open.push((kind == Kind::Array).then_some(0));
            return Ok(());
        }
        let start = *rest;
        let skipped = self.lexer.skip(rest)?;
        self.skipped(skipped, start, rest, on_found);
        Ok(())
    }

    fn selected(&mut self, kind: Kind, on_found: OnFound<'_>) {
        self.paths.clear();
        self.paths.extend_from_slice(self.selection.selected());
        // A path may lead there in two ways, and is told of once.
        self.paths.sort_unstable();
        self.paths.dedup();
        if kind == Kind::Scalar {
            self.scalar.clear();
            self.phase = Phase::Reading;
        } else {
            self.work = self.work.saturating_add(self.paths.len());
            for path in &self.paths {
                on_found(*path, Found::Unusable);
            }
        }
    }

    /// A value, or a part of it, was read from `start` to `rest`.
    fn skipped(&mut self, skipped: Skipped, start: &[u8], rest: &[u8], on_found: OnFound<'_>) {
        if self.phase == Phase::Reading {
            let length = start.len().saturating_sub(rest.len());
            let part = start.get(..length).unwrap_or_default();
            // One byte too many is enough to know that it is too long.
            let room = MAX_FOUND_BYTES
                .saturating_add(1)
                .saturating_sub(self.scalar.len());
            self.scalar.extend(part.iter().take(room));
        }
        if skipped == Skipped::Whole {
            if self.phase == Phase::Reading {
                self.report(on_found);
            }
            self.phase = Phase::Between;
        }
    }

    fn report(&mut self, on_found: OnFound<'_>) {
        let text = std::str::from_utf8(&self.scalar);
        let found = match text {
            Ok(text) if text.len() <= MAX_FOUND_BYTES => Found::Scalar(text),
            Ok(_) | Err(_) => Found::Unusable,
        };
        let each = self.scalar.len().saturating_add(VALUE);
        let all = self.paths.len().saturating_mul(each);
        self.work = self.work.saturating_add(all);
        for path in &self.paths {
            on_found(*path, found);
        }
    }
}
