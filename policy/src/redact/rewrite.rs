//! One stage over one document: copies runs of bytes, leaves out what goes, repairs commas.

use super::stage::{Fate, fate};
use crate::{
    effort::{Effort, VALUE},
    json::{
        InvalidJson, Problem,
        lexer::{Event, Kind, Lexer, Skipped},
        select::{Answer, Select},
        text::unescape_into,
    },
};

/// What is rewritten in one go.
pub(super) const PART_BYTES: usize = 16 << 10;

/// What the rewriter is in the middle of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Phase {
    /// Between values of an open container, or around the root.
    Between,
    /// In a value that stays.
    Copying,
    /// In a value that goes.
    Dropping,
    /// The text was refused.
    Failed,
}

/// An open container.
#[derive(Debug)]
struct Frame {
    /// Of an array's next element.
    index: Option<u64>,
    is_retained: bool,
    comma: Comma,
}

/// Whether the next child has a comma before it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Comma {
    /// It is the first.
    Absent,
    /// It has one, but all children before it went.
    Surplus,
    /// It has one, and needs it.
    Needed,
}

/// The state of one document in one stage.
#[derive(Debug)]
pub(super) struct Rewriter<S> {
    lexer: Lexer,
    select: S,
    phase: Phase,
    frames: Vec<Frame>,
    /// Whether the root stays unless destroyed.
    is_retained: bool,
    /// What is known of the member whose name was read.
    answer: Answer,
    /// The start of a lead that came with earlier input. A lead is what stands between a value and
    /// the one before it: white space, a comma, a name, a colon.
    stash: Vec<u8>,
    decoded: Vec<u8>,
    /// Bytes given in earlier calls.
    offset: u64,
    /// Top-most nodes that went, of all documents.
    removed: u64,
}

/// The input of one call, and what of it is to be copied: `run..lead`.
struct Cursor<'i> {
    input: &'i [u8],
    rest: &'i [u8],
    run: usize,
    /// Where the lead starts (or the part of it that is not in the stash).
    lead: usize,
}

impl Cursor<'_> {
    #[inline]
    fn position(&self) -> usize {
        self.input.len().saturating_sub(self.rest.len())
    }

    fn copy_run(&mut self, end: usize, out: &mut Vec<u8>) {
        out.extend_from_slice(self.input.get(self.run..end).unwrap_or_default());
        self.run = end;
    }

    /// What was read last is kept or gone up to here.
    #[inline]
    fn set_lead(&mut self) {
        self.lead = self.position();
    }
}

impl<S: Select> Rewriter<S> {
    pub(super) fn new(select: S, is_retained: bool) -> Self {
        Self {
            lexer: Lexer::new(),
            select,
            phase: Phase::Between,
            frames: Vec::new(),
            is_retained,
            answer: Answer::default(),
            stash: Vec::new(),
            decoded: Vec::new(),
            offset: 0,
            removed: 0,
        }
    }

    /// How many top-most nodes went so far, of this document and those before.
    pub(super) fn removed(&self) -> u64 {
        self.removed
    }

    /// For another document.
    pub(super) fn reset(&mut self) {
        self.lexer.reset();
        self.select.reset();
        self.frames.clear();
        self.stash.clear();
        self.phase = Phase::Between;
        self.offset = 0;
    }

    /// Appends what stays of the input, as far as that is known.
    pub(super) fn push(
        &mut self,
        input: &[u8],
        out: &mut Vec<u8>,
        effort: &mut Effort,
    ) -> Result<(), InvalidJson> {
        let mut cursor = Cursor {
            input,
            rest: input,
            run: 0,
            lead: 0,
        };
        let paid = effort.spend(input.len()).map_err(Problem::from);
        let result = paid.and_then(|()| self.rewrite(&mut cursor, out, effort));
        let read = u64::try_from(cursor.position()).unwrap_or(u64::MAX);
        let offset = self.offset.saturating_add(read);
        result.map_err(|problem| self.fail(problem, offset))?;
        self.offset = offset;
        Ok(())
    }

    /// The input has ended: the text must be complete. All that stays of it was appended before.
    pub(super) fn finish(&mut self) -> Result<(), InvalidJson> {
        if self.phase == Phase::Failed {
            return Err(self.fail(Problem::Failed, self.offset));
        }
        let end = self.lexer.finish();
        end.map_err(|problem| self.fail(problem, self.offset))
    }

    fn fail(&mut self, problem: Problem, offset: u64) -> InvalidJson {
        self.phase = Phase::Failed;
        InvalidJson { offset, problem }
    }

    fn rewrite(
        &mut self,
        cursor: &mut Cursor<'_>,
        out: &mut Vec<u8>,
        effort: &mut Effort,
    ) -> Result<(), Problem> {
        let is_ended = match self.phase {
            Phase::Failed => return Err(Problem::Failed),
            Phase::Between => true,
            Phase::Copying | Phase::Dropping => {
                self.lexer.skip_on(&mut cursor.rest)? == Skipped::Whole
            }
        };
        if !is_ended {
            self.pause(cursor, out);
            return Ok(());
        }
        self.value_end(cursor);
        loop {
            match self.lexer.next(&mut cursor.rest)? {
                Event::More => break,
                Event::Name(name) => self.answer = self.member(name),
                Event::Value(kind) => {
                    self.value(kind, cursor, out)?;
                    effort.spend(VALUE.saturating_add(self.select.take_work()))?;
                }
                Event::Close => self.close(cursor, out),
            }
            if self.phase != Phase::Between {
                break;
            }
        }
        self.pause(cursor, out);
        Ok(())
    }

    /// The input is used up.
    fn pause(&mut self, cursor: &mut Cursor<'_>, out: &mut Vec<u8>) {
        match self.phase {
            // Blanks behind the document go at once: at trailers nothing can be written any more.
            Phase::Between if self.lexer.is_complete() => cursor.copy_run(cursor.input.len(), out),
            Phase::Between => {
                cursor.copy_run(cursor.lead, out);
                // Whether it stays says the value behind it, which has not come.
                let lead = cursor.input.get(cursor.lead..).unwrap_or_default();
                self.stash.extend_from_slice(lead);
            }
            Phase::Copying => cursor.copy_run(cursor.input.len(), out),
            Phase::Dropping | Phase::Failed => {}
        }
    }

    #[inline]
    fn member(&mut self, name: Option<&[u8]>) -> Answer {
        let raw = name.unwrap_or_else(|| self.lexer.name());
        if !self.lexer.is_name_escaped() {
            return self.select.member(raw);
        }
        self.decoded.clear();
        unescape_into(raw, &mut self.decoded);
        self.select.member(&self.decoded)
    }

    #[inline]
    fn value(
        &mut self,
        kind: Kind,
        cursor: &mut Cursor<'_>,
        out: &mut Vec<u8>,
    ) -> Result<(), Problem> {
        let is_container = kind != Kind::Scalar;
        let (answer, is_retained) = match self.frames.last_mut() {
            Some(frame) => {
                let answer = match &mut frame.index {
                    Some(index) => {
                        let here = *index;
                        *index = here.saturating_add(1);
                        self.select.element(here)
                    }
                    None => self.answer,
                };
                (answer, frame.is_retained)
            }
            None => return self.root(kind, cursor, out),
        };
        match fate(answer, is_retained, is_container) {
            Fate::Stays => {
                self.keep_lead(cursor, out);
                self.phase = Phase::Copying;
                self.skip(cursor)
            }
            Fate::Goes => {
                self.removed = self.removed.saturating_add(1);
                self.drop_lead(cursor, out);
                self.phase = Phase::Dropping;
                self.skip(cursor)
            }
            Fate::Opens { is_retained } => {
                self.keep_lead(cursor, out);
                self.open(kind, is_retained, cursor)
            }
        }
    }

    /// The root container always stays, unless it is destroyed: then there is `null` in its place.
    fn root(
        &mut self,
        kind: Kind,
        cursor: &mut Cursor<'_>,
        out: &mut Vec<u8>,
    ) -> Result<(), Problem> {
        self.copy_lead(cursor, out);
        let answer = self.select.root();
        match fate(answer, self.is_retained, kind != Kind::Scalar) {
            Fate::Stays => {
                self.phase = Phase::Copying;
                self.skip(cursor)
            }
            Fate::Goes => {
                self.removed = self.removed.saturating_add(1);
                cursor.copy_run(cursor.position(), out);
                out.extend_from_slice(b"null");
                self.phase = Phase::Dropping;
                self.skip(cursor)
            }
            Fate::Opens { is_retained } => self.open(kind, is_retained, cursor),
        }
    }

    #[inline]
    fn skip(&mut self, cursor: &mut Cursor<'_>) -> Result<(), Problem> {
        if self.lexer.skip(&mut cursor.rest)? == Skipped::Whole {
            self.value_end(cursor);
        }
        Ok(())
    }

    #[inline]
    fn value_end(&mut self, cursor: &mut Cursor<'_>) {
        match self.phase {
            Phase::Copying => cursor.set_lead(),
            Phase::Dropping => {
                cursor.set_lead();
                cursor.run = cursor.lead;
            }
            Phase::Between | Phase::Failed => {}
        }
        self.phase = Phase::Between;
    }

    fn open(
        &mut self,
        kind: Kind,
        is_retained: bool,
        cursor: &mut Cursor<'_>,
    ) -> Result<(), Problem> {
        self.lexer.enter(&mut cursor.rest)?;
        self.select.enter();
        self.frames.push(Frame {
            index: (kind == Kind::Array).then_some(0),
            is_retained,
            comma: Comma::Absent,
        });
        cursor.set_lead();
        Ok(())
    }

    fn close(&mut self, cursor: &mut Cursor<'_>, out: &mut Vec<u8>) {
        self.frames.pop();
        self.select.leave();
        self.copy_lead(cursor, out);
        cursor.set_lead();
    }

    /// The value that is next stays, with its lead; the first one that stays has no comma.
    #[inline]
    fn keep_lead(&mut self, cursor: &mut Cursor<'_>, out: &mut Vec<u8>) {
        let comma = match self.frames.last_mut() {
            Some(frame) => std::mem::replace(&mut frame.comma, Comma::Needed),
            None => Comma::Absent,
        };
        match comma {
            Comma::Absent | Comma::Needed => self.copy_lead(cursor, out),
            Comma::Surplus => self.copy_lead_behind_comma(cursor, out),
        }
    }

    /// Copies the lead's earlier part; the rest of it joins the run.
    #[inline]
    fn copy_lead(&mut self, cursor: &mut Cursor<'_>, out: &mut Vec<u8>) {
        if !self.stash.is_empty() {
            cursor.copy_run(cursor.lead, out);
            out.append(&mut self.stash);
        }
    }

    fn copy_lead_behind_comma(&mut self, cursor: &mut Cursor<'_>, out: &mut Vec<u8>) {
        cursor.copy_run(cursor.lead, out);
        // Only white space stands before the comma.
        let comma = |bytes: &[u8]| bytes.iter().position(|&byte| byte == b',');
        if let Some(at) = comma(&self.stash) {
            out.extend_from_slice(self.stash.get(at.saturating_add(1)..).unwrap_or_default());
        } else {
            let lead = cursor.input.get(cursor.lead..).unwrap_or_default();
            let behind = comma(lead).unwrap_or_default().saturating_add(1);
            cursor.run = cursor.lead.saturating_add(behind);
        }
        self.stash.clear();
    }

    /// The value that is next goes, with its lead.
    #[inline]
    fn drop_lead(&mut self, cursor: &mut Cursor<'_>, out: &mut Vec<u8>) {
        if let Some(frame) = self.frames.last_mut()
            && frame.comma == Comma::Absent
        {
            frame.comma = Comma::Surplus;
        }
        cursor.copy_run(cursor.lead, out);
        self.stash.clear();
    }
}

#[cfg(test)]
mod tests;
