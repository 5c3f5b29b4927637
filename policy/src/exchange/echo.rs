//! What a response says of what was put on its request: it is masked in the head, in the body as far
//! as that can be read, and in trailers.
//!
//! A body that is redacted is searched where it is made. Any other passes as it comes, at most held
//! back where a value may have begun.

use std::{collections::BTreeMap, sync::Arc};

use super::{
    ECHO_WARNING, Exchange, Phase, ResponseEdit, body::BodyPipe, grant::Grant, response,
    values::Counting,
};
use crate::{
    coding::Coding,
    denial::Denial,
    echo::{Guard, Looked, Watch},
    effort::Turn,
    http::{HeaderLine, ResponseHead},
    media::MediaKind,
    policy::Policy,
};

/// They say how the message is framed, and nothing else.
const FRAMING: [&[u8]; 3] = [b":status", b"content-length", b"transfer-encoding"];

/// How much of the response is to be held until a part of the body was searched.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BodySearch {
    /// No body is searched; trailers may be.
    None,
    /// A part that ends where a value may have begun.
    Parts,
    /// And the head, until the first part may pass: its body comes at once as a rule, and so it can
    /// say what was found there.
    HeadAndParts,
}

/// What is to be done with the part of a body that was searched, and all that was held back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PartSearched {
    /// It passes as it is.
    Clean,
    /// It passes as it was made, and the head, if it is still held, with these edits.
    Masked(Vec<ResponseEdit>),
    /// It is held back, and comes again with the next part.
    Held,
    /// The response ends here.
    Cut,
}

/// A response whose request carried values.
#[derive(Debug)]
pub(super) struct Echoed {
    /// Of the head.
    pub(super) status: Option<u16>,
    /// None: its body is not searched here.
    watch: Option<Watch>,
    is_head_held: bool,
    /// What the head warns of.
    warnings: Vec<String>,
}

/// A head that was searched.
struct Head {
    status: Option<u16>,
    edits: Vec<ResponseEdit>,
    /// Its body can be searched.
    is_readable: bool,
    comes_at_once: bool,
}

/// The edits of a head, what happens to its body, and its search.
type Judged = (Vec<ResponseEdit>, Option<BodyPipe>, Option<Box<Echoed>>);

/// Judges a head, and searches it.
pub(super) fn judge(
    policy: &Policy,
    grant: &Grant,
    (head, is_end): (&dyn ResponseHead, bool),
    counting: Counting<'_>,
) -> Result<Judged, Denial> {
    let (edits, mut pipe) = response::judge(policy, grant, (head, is_end), counting)?;
    let Some(guard) = &grant.guard else {
        return Ok((edits, pipe, None));
    };
    let searched = search_head(guard, head)?;
    let (mut all, echoed) = searched.with(grant, &mut pipe, is_end);
    // Later edits of a header have the last word: what is to be removed stays removed.
    all.extend(edits);
    all.extend(echoed.warning());
    let pipe = pipe.map(|pipe| pipe.guarded_by(guard));
    Ok((all, pipe, Some(Box::new(echoed))))
}

/// Searches a head.
fn search_head(guard: &Guard, head: &dyn ResponseHead) -> Result<Head, Denial> {
    // This stays if the host gives no lines: what was not searched does not pass.
    let mut searched = Err(Denial::GatewayFault);
    head.lines(&mut |lines| {
        searched = masking(guard, lines).map(|edits| Head {
            status: status(lines),
            edits,
            is_readable: is_readable(lines) && !is_switch(lines),
            comes_at_once: comes_at_once(lines),
        });
    });
    searched
}

impl Head {
    /// What becomes of the response; edits that are to be made before the others.
    fn with(
        self,
        grant: &Grant,
        pipe: &mut Option<BodyPipe>,
        is_end: bool,
    ) -> (Vec<ResponseEdit>, Echoed) {
        let warned = pipe.as_ref().map(BodyPipe::warnings);
        let mut warnings = warned.unwrap_or(&grant.warnings).to_vec();
        let is_found = !self.edits.is_empty();
        if is_found {
            warnings.push(ECHO_WARNING.to_owned());
        }
        let is_made = pipe.as_ref().is_some_and(BodyPipe::rewrites);
        let has_body = !(is_end || grant.is_head);
        // What is made is searched by the pipe that makes it.
        let watch = (has_body && self.is_readable && !is_made).then(Watch::default);
        let echoed = Echoed {
            status: self.status,
            is_head_held: watch.is_some() && self.comes_at_once,
            watch,
            warnings,
        };
        // A warning that the body brings later replaces the header, so it has to repeat this.
        if let Some(pipe) = pipe.as_mut().filter(|_| is_found) {
            pipe.warn(ECHO_WARNING);
        }
        (self.edits, echoed)
    }
}

impl Echoed {
    /// What the head has to say, of what was found in itself.
    fn warning(&self) -> Option<ResponseEdit> {
        let is_told = self.warnings.iter().any(|warning| warning == ECHO_WARNING);
        is_told.then(|| ResponseEdit::warning(&self.warnings))
    }

    /// Says in the head what was found in the body, if that can still be said and is not.
    fn warn(&mut self) -> Vec<ResponseEdit> {
        let is_told = self.warnings.iter().any(|warning| warning == ECHO_WARNING);
        if !self.is_head_held || is_told {
            return Vec::new();
        }
        self.warnings.push(ECHO_WARNING.to_owned());
        vec![ResponseEdit::warning(&self.warnings)]
    }
}

impl Exchange {
    fn guard(&self) -> Option<&Arc<Guard>> {
        match &self.phase {
            Phase::Forwarded(grant) | Phase::Answered(grant, _) => grant.guard.as_ref(),
            Phase::Undecided(_) | Phase::Refused(_) => None,
        }
    }

    /// What is searched of the response whose head was passed; none when there is nothing to find.
    pub fn body_search(&self) -> Option<BodySearch> {
        let (Phase::Answered(..), Some(_)) = (&self.phase, self.guard()) else {
            return None;
        };
        Some(match self.echoed.as_deref() {
            None | Some(Echoed { watch: None, .. }) => BodySearch::None,
            Some(Echoed {
                is_head_held: true, ..
            }) => BodySearch::HeadAndParts,
            Some(Echoed { .. }) => BodySearch::Parts,
        })
    }

    /// Whether parts of the body that are to come are searched.
    pub fn searches_body(&self) -> bool {
        self.watch().is_some()
    }

    /// How much of the body was held back to be searched again.
    pub fn searched_and_held(&self) -> usize {
        self.watch().map_or(0, Watch::held_bytes)
    }

    fn watch(&self) -> Option<&Watch> {
        self.echoed.as_deref()?.watch.as_ref()
    }

    /// Searches all that is at hand of a body that passes as it is otherwise.
    pub fn search_part(
        &mut self,
        (at_hand, is_end): (&mut [u8], bool),
        turn: &mut Turn,
    ) -> PartSearched {
        let guard = self.guard().map(Arc::clone);
        let (Some(guard), Some(echoed)) = (guard, &mut self.echoed) else {
            return PartSearched::Clean;
        };
        let Some(watch) = &mut echoed.watch else {
            return PartSearched::Clean;
        };
        let looked = watch.look(&guard, (at_hand, is_end), turn);
        if watch.is_over() {
            echoed.watch = None;
        }
        let searched = match looked {
            // The head stays held as well.
            Looked::Open => return PartSearched::Held,
            Looked::TooMuch => PartSearched::Cut,
            Looked::Clean => PartSearched::Clean,
            Looked::Masked => PartSearched::Masked(echoed.warn()),
        };
        echoed.is_head_held = false;
        searched
    }

    /// Searches trailers.
    pub fn search_trailers(&self, lines: &[HeaderLine<'_>]) -> Result<Vec<ResponseEdit>, Denial> {
        let masked = self.guard().map(|guard| masking(guard, lines));
        masked.unwrap_or_else(|| Ok(Vec::new()))
    }
}

/// The edits that mask what is found.
fn masking(guard: &Guard, lines: &[HeaderLine<'_>]) -> Result<Vec<ResponseEdit>, Denial> {
    let mut masked: BTreeMap<&[u8], Vec<Vec<u8>>> = BTreeMap::new();
    // Which names first, then all of their lines: a host can name none of several.
    for (name, value) in searched(lines) {
        if guard.masked(name).is_some() || guard.masked(value).is_some() {
            masked.insert(name, Vec::new());
        }
    }
    if masked.is_empty() {
        return Ok(Vec::new());
    }
    for (name, value) in searched(lines) {
        // Under a name that says it, nothing passes.
        if let Some(kept) = masked.get_mut(name)
            && guard.masked(name).is_none()
        {
            kept.push(guard.masked(value).unwrap_or_else(|| value.to_vec()));
        }
    }
    let edits = masked.into_iter().map(|(name, lines)| {
        let name = std::str::from_utf8(name).map_err(|_| Denial::GatewayFault)?;
        Ok(ResponseEdit::PutLines(name.to_owned(), lines))
    });
    edits.collect()
}

fn searched<'l, 'a>(
    lines: &'l [HeaderLine<'a>],
) -> impl Iterator<Item = (&'a [u8], &'a [u8])> + 'l {
    let lines = lines.iter().copied();
    lines.filter(|(name, _)| !FRAMING.contains(name))
}

/// Whether the body may be read as it is: it is sent in none of the codings that we know.
fn is_readable(lines: &[HeaderLine<'_>]) -> bool {
    let codings = lines
        .iter()
        .filter(|(name, _)| *name == b"content-encoding");
    codings
        .map(|(_, value)| Coding::parse(value))
        .all(|coding| coding.map_or(true, |coding| coding.is_identity()))
}

fn status(lines: &[HeaderLine<'_>]) -> Option<u16> {
    let line = lines.iter().find(|(name, _)| *name == b":status");
    std::str::from_utf8(line?.1).ok()?.parse().ok()
}

/// What follows is no body, and its ends may wait for each other.
fn is_switch(lines: &[HeaderLine<'_>]) -> bool {
    lines.contains(&(b":status", b"101"))
}

/// Whether the target sends its body with the head, as a rule.
fn comes_at_once(lines: &[HeaderLine<'_>]) -> bool {
    let first = |wanted: &[u8]| {
        let line = lines.iter().find(|(name, _)| *name == wanted);
        line.map(|(_, value)| *value)
    };
    first(b"content-length").is_some()
        || MediaKind::parse(first(b"content-type")) == MediaKind::Json
}
