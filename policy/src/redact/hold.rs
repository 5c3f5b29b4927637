//! Bodies that are held because a stage has a path that no stream can decide.

use super::{
    Mode, Redactor,
    rewrite::{PART_BYTES, Rewriter},
    stage::Stage,
    stream::exhausted,
    trie::{PlaceSelection, Places},
};
use crate::{
    effort::{Effort, RECORD, go_through},
    json::{InvalidJson, Problem, doc::Doc},
};

/// Redacts whole bodies, one after another. What is learnt of the paths serves all of them.
#[derive(Debug, Default)]
pub struct Documents {
    passes: Vec<Pass>,
}

/// What is done over a body at once.
#[derive(Debug)]
enum Pass {
    /// Stages that need no more than a stream.
    Stream(Redactor),
    /// One that needs all of its input, and how many top-most nodes it removed so far.
    Hold(Stage, u64),
}

impl Documents {
    /// For these stages. A body is validated even without any.
    pub fn new(stages: &[Stage]) -> Self {
        let passes = match Mode::of(stages) {
            Mode::Stream => vec![Pass::Stream(Redactor::new(stages))],
            Mode::Hold => Pass::each(stages),
        };
        Self { passes }
    }

    /// How many top-most nodes each stage with filters removed so far, in order.
    pub fn removed(&self) -> Vec<u64> {
        let passes = self.passes.iter();
        let of_each = passes.map(|pass| match pass {
            Pass::Stream(redactor) => redactor.removed().collect(),
            Pass::Hold(_, removed) => vec![*removed],
        });
        of_each.flat_map(|removed: Vec<u64>| removed).collect()
    }

    /// Appends what is left of a body, as far as the effort goes.
    pub fn redact(
        &mut self,
        body: &[u8],
        out: &mut Vec<u8>,
        effort: &mut Effort,
    ) -> Result<(), InvalidJson> {
        go_through(self.redact_in_turns(body, out, effort))
    }

    /// As [`Documents::redact`], for an effort in turns.
    ///
    /// With repeated names, a filter expression is tried on each way to read the document: what any
    /// of them destroys goes, and what not all of them retain goes.
    pub(crate) async fn redact_in_turns(
        &mut self,
        body: &[u8],
        out: &mut Vec<u8>,
        effort: &mut Effort,
    ) -> Result<(), InvalidJson> {
        let Some((last, earlier)) = self.passes.split_last_mut() else {
            return Ok(());
        };
        let mut held: Option<Vec<u8>> = None;
        for pass in earlier {
            let mut made = Vec::new();
            let body = held.as_deref().unwrap_or(body);
            pass.run(body, &mut made, effort).await?;
            held = Some(made);
        }
        last.run(held.as_deref().unwrap_or(body), out, effort).await
    }
}

impl Pass {
    /// One for each stage that does something, and at least one.
    fn each(stages: &[Stage]) -> Vec<Self> {
        let mut passes: Vec<Self> = stages
            .iter()
            .filter(|stage| !stage.is_empty())
            .map(Self::new)
            .collect();
        if passes.is_empty() {
            passes.push(Self::Stream(Redactor::new(&[])));
        }
        passes
    }

    fn new(stage: &Stage) -> Self {
        if stage.is_streamable() {
            Self::Stream(Redactor::new(std::slice::from_ref(stage)))
        } else {
            Self::Hold(stage.clone(), 0)
        }
    }

    async fn run(
        &mut self,
        body: &[u8],
        out: &mut Vec<u8>,
        effort: &mut Effort,
    ) -> Result<(), InvalidJson> {
        // Nothing that is left of a body is longer than it was.
        if out.try_reserve(body.len()).is_err() {
            return Err(whole_document(Problem::NoMemory));
        }
        match self {
            Self::Stream(redactor) => redactor.redact(body, out, effort).await,
            Self::Hold(stage, removed) => {
                let paths = stage.paths().count().saturating_add(1);
                effort
                    .spend(paths.saturating_mul(RECORD))
                    .map_err(exhausted)?;
                let doc = Doc::parse_in_turns(body, effort).await?;
                let places = places(stage, &doc, effort).await?;
                let gone = redact_at((&places, stage), body, out, effort).await?;
                *removed = removed.saturating_add(gone);
                Ok(())
            }
        }
    }
}

/// Redacts a whole body, whatever that costs.
pub fn redact_held(stages: &[Stage], body: &[u8]) -> Result<Vec<u8>, InvalidJson> {
    let passes = Pass::each(stages);
    let mut out = Vec::new();
    Documents { passes }.redact(body, &mut out, &mut Effort::unbounded())?;
    Ok(out)
}

pub(super) async fn places(
    stage: &Stage,
    doc: &Doc<'_>,
    effort: &mut Effort,
) -> Result<Places, InvalidJson> {
    let places = Places::of(stage, doc, effort).await;
    places.map_err(whole_document)
}

/// Says how many top-most nodes went.
pub(super) async fn redact_at(
    (places, stage): (&Places, &Stage),
    body: &[u8],
    out: &mut Vec<u8>,
    effort: &mut Effort,
) -> Result<u64, InvalidJson> {
    let mut rewriter = Rewriter::new(PlaceSelection::new(places), !stage.has_retain());
    for part in body.chunks(PART_BYTES) {
        rewriter.push(part, out, effort)?;
        effort.rest().await;
    }
    rewriter.finish()?;
    Ok(rewriter.removed())
}

/// The fault is not at one place.
pub(super) fn whole_document(problem: Problem) -> InvalidJson {
    InvalidJson { offset: 0, problem }
}
