//! The stages of a call, chained over a stream.

use super::{
    rewrite::{PART_BYTES, Rewriter},
    stage::Stage,
};
use crate::{
    effort::{Effort, Exhausted, RECORD},
    json::{InvalidJson, Problem, select::Selection},
};

/// How a body must be given.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// As it comes, to a [`Redactor`].
    Stream,
    /// Whole, to [`redact_held`](super::redact_held): a stage has a path that needs that.
    Hold,
}

impl Mode {
    /// What the stages need.
    pub fn of(stages: &[Stage]) -> Self {
        if stages.iter().all(Stage::is_streamable) {
            Self::Stream
        } else {
            Self::Hold
        }
    }
}

/// Redacts one body as it comes, in memory that does not grow with it.
#[derive(Debug)]
pub struct Redactor {
    links: Vec<Link>,
    mode: Mode,
}

/// A stage and what it made of the latest input.
#[derive(Debug)]
struct Link {
    rewriter: Rewriter<Selection>,
    out: Vec<u8>,
}

impl Redactor {
    /// Stages without filters cost nothing, but a body is validated even without any stage.
    ///
    /// With [`Mode::Hold`] it refuses every body.
    pub fn new(stages: &[Stage]) -> Self {
        let mut links: Vec<_> = stages
            .iter()
            .filter(|stage| !stage.is_empty())
            .map(Link::new)
            .collect();
        if links.is_empty() {
            links.push(Link::new(&Stage::default()));
        }
        Self {
            links,
            mode: Mode::of(stages),
        }
    }

    /// How the body must be given.
    pub fn mode(&self) -> Mode {
        self.mode
    }

    /// How many top-most nodes each stage with filters removed so far, in order.
    pub fn removed(&self) -> impl Iterator<Item = u64> + '_ {
        self.links.iter().map(|link| link.rewriter.removed())
    }

    /// Appends what is left of the input, as far as that is known.
    ///
    /// After an error nothing more is appended, now or later.
    pub fn push(&mut self, input: &[u8], out: &mut Vec<u8>) -> Result<(), InvalidJson> {
        self.push_within(input, out, &mut Effort::unbounded())
    }

    /// As [`Redactor::push`], as far as the effort goes.
    pub fn push_within(
        &mut self,
        input: &[u8],
        out: &mut Vec<u8>,
        effort: &mut Effort,
    ) -> Result<(), InvalidJson> {
        self.refuse_hold()?;
        run(&mut self.links, input, out, effort)
    }

    /// Redacts a whole body, whatever came before it: what was learnt of the paths stays.
    pub(super) async fn redact(
        &mut self,
        body: &[u8],
        out: &mut Vec<u8>,
        effort: &mut Effort,
    ) -> Result<(), InvalidJson> {
        effort
            .spend(self.links.len().saturating_mul(RECORD))
            .map_err(exhausted)?;
        for link in &mut self.links {
            link.rewriter.reset();
        }
        for part in body.chunks(PART_BYTES) {
            self.push_within(part, out, effort)?;
            effort.rest().await;
        }
        self.finish()
    }

    /// The body has ended: it must be one JSON text. What is left of it was appended before.
    pub fn finish(&mut self) -> Result<(), InvalidJson> {
        self.refuse_hold()?;
        let mut links = self.links.iter_mut();
        links.try_for_each(|link| link.rewriter.finish())
    }

    fn refuse_hold(&self) -> Result<(), InvalidJson> {
        match self.mode {
            Mode::Stream => Ok(()),
            Mode::Hold => Err(InvalidJson {
                offset: 0,
                problem: Problem::Failed,
            }),
        }
    }
}

impl Link {
    fn new(stage: &Stage) -> Self {
        Self {
            rewriter: Rewriter::new(stage.selection(), !stage.has_retain()),
            out: Vec::new(),
        }
    }
}

/// Each link's output is the next one's input; the last one's is the caller's.
fn run(
    links: &mut [Link],
    input: &[u8],
    out: &mut Vec<u8>,
    effort: &mut Effort,
) -> Result<(), InvalidJson> {
    let Some((last, earlier)) = links.split_last_mut() else {
        return Ok(());
    };
    let mut input = input;
    for link in earlier {
        let mut made = std::mem::take(&mut link.out);
        made.clear();
        let result = link.rewriter.push(input, &mut made, effort);
        link.out = made;
        result?;
        input = &link.out;
    }
    last.rewriter.push(input, out, effort)
}

/// The fault is not at one place.
pub(super) fn exhausted(exhausted: Exhausted) -> InvalidJson {
    InvalidJson {
        offset: 0,
        problem: exhausted.into(),
    }
}
