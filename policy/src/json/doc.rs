//! A held document: the spans of its values in document order. Nothing is decoded before it is
//! asked for, and repeated names are all there.

use std::{borrow::Cow, sync::Arc};

use crate::effort::{Effort, VALUE, go_through};

use super::{
    InvalidJson, Problem,
    lexer::{Event, Kind, Lexer, Skipped},
    text::unescape_into,
};

/// Values of a held document.
pub const MAX_VALUES: usize = 1 << 20;

/// A value's number: its place in document order. What is inside it comes directly after it.
pub(crate) type NodeId = usize;

/// The root.
pub(crate) const ROOT: NodeId = 0;

/// A complete JSON text.
#[derive(Debug)]
pub(crate) struct Doc<'t> {
    text: &'t str,
    nodes: Outline,
}

/// What is known of a document without its text.
#[derive(Clone, Debug)]
pub(crate) struct Outline(Arc<Vec<Node>>);

/// All numbers are 32 bits wide, so that a node is small.
#[derive(Debug)]
struct Node {
    kind: Kind,
    parent: u32,
    /// The number of the first value behind this one that is not inside it.
    past: u32,
    start: u32,
    end: u32,
    key: RawKey,
}

#[derive(Clone, Copy, Debug)]
enum RawKey {
    /// The span of a name as sent, without its quotes.
    Name(u32, u32),
    Index(u32),
}

/// How a value is found in its container.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Key<'t> {
    /// Decoded, as `text::unescape_into` does.
    Name(Cow<'t, [u8]>),
    Index(u64),
}

impl Outline {
    /// Reads a text, of which somebody else says whether it is UTF-8.
    pub(crate) async fn of(text: &[u8], effort: &mut Effort) -> Result<Self, InvalidJson> {
        let mut builder = Builder::default();
        let mut rest = text;
        match builder.build(text, &mut rest, effort).await {
            Ok(()) => Ok(Self(Arc::new(builder.nodes))),
            Err(problem) => Err(invalid(text.len().saturating_sub(rest.len()), problem)),
        }
    }
}

fn invalid(offset: usize, problem: Problem) -> InvalidJson {
    InvalidJson {
        offset: u64::try_from(offset).unwrap_or(u64::MAX),
        problem,
    }
}

impl<'t> Doc<'t> {
    #[cfg(test)]
    pub(crate) fn parse(text: &'t [u8]) -> Result<Self, InvalidJson> {
        Self::parse_within(text, &mut Effort::unbounded())
    }

    /// As far as the effort goes, which pays also for the first look at each value.
    pub(crate) fn parse_within(text: &'t [u8], effort: &mut Effort) -> Result<Self, InvalidJson> {
        go_through(Self::parse_in_turns(text, effort))
    }

    /// As [`Doc::parse_within`], for an effort in turns.
    pub(crate) async fn parse_in_turns(
        text: &'t [u8],
        effort: &mut Effort,
    ) -> Result<Self, InvalidJson> {
        let nodes = Outline::of(text, effort).await?;
        match std::str::from_utf8(text) {
            Ok(text) => Ok(Self { text, nodes }),
            Err(error) => Err(invalid(error.valid_up_to(), Problem::NotUtf8)),
        }
    }

    /// The document of which that is known.
    pub(crate) fn known(text: &'t str, outline: &Outline) -> Self {
        Self {
            text,
            nodes: outline.clone(),
        }
    }

    pub(crate) fn len(&self) -> usize {
        self.nodes.0.len()
    }

    fn node(&self, node: NodeId) -> Option<&Node> {
        self.nodes.0.get(node)
    }

    pub(crate) fn kind(&self, node: NodeId) -> Kind {
        self.node(node).map_or(Kind::Scalar, |node| node.kind)
    }

    /// The first value behind the node that is not inside it.
    pub(crate) fn past(&self, node: NodeId) -> NodeId {
        let node = self.node(node);
        node.map_or(self.len(), |node| wide(node.past))
    }

    pub(crate) fn parent(&self, node: NodeId) -> NodeId {
        self.node(node).map_or(ROOT, |node| wide(node.parent))
    }

    /// The value's text.
    pub(crate) fn json(&self, node: NodeId) -> &'t str {
        match self.node(node) {
            Some(node) => self.span(node.start, node.end),
            None => "",
        }
    }

    pub(crate) fn key(&self, node: NodeId) -> Key<'t> {
        match self.node(node).map(|node| node.key) {
            Some(RawKey::Name(start, end)) => Key::Name(decoded(self.span(start, end))),
            Some(RawKey::Index(index)) => Key::Index(index.into()),
            None => Key::Index(u64::MAX),
        }
    }

    /// Bytes of the name as it is written; none for elements.
    pub(crate) fn name_bytes(&self, node: NodeId) -> usize {
        match self.node(node).map(|node| node.key) {
            Some(RawKey::Name(start, end)) => self.span(start, end).len(),
            Some(RawKey::Index(_)) | None => 0,
        }
    }

    /// Whether the name's length is that of `wanted` in some spelling.
    pub(crate) fn may_be_named(&self, node: NodeId, wanted: &str) -> bool {
        // `\u0061` is the longest way to write a byte (RFC 8259 §7), and none is shorter than it.
        (wanted.len()..=wanted.len().saturating_mul(6)).contains(&self.name_bytes(node))
    }

    pub(crate) fn is_named(&self, node: NodeId, wanted: &str) -> bool {
        match self.node(node).map(|node| node.key) {
            Some(RawKey::Name(start, end)) => *decoded(self.span(start, end)) == *wanted.as_bytes(),
            Some(RawKey::Index(_)) | None => false,
        }
    }

    fn span(&self, start: u32, end: u32) -> &'t str {
        self.text.get(wide(start)..wide(end)).unwrap_or_default()
    }
}

fn decoded(raw: &str) -> Cow<'_, [u8]> {
    if !raw.contains('\\') {
        return Cow::Borrowed(raw.as_bytes());
    }
    let mut bytes = Vec::with_capacity(raw.len());
    unescape_into(raw.as_bytes(), &mut bytes);
    Cow::Owned(bytes)
}

fn wide(narrow: u32) -> usize {
    usize::try_from(narrow).unwrap_or(usize::MAX)
}

fn narrow(wide: usize) -> Result<u32, Problem> {
    u32::try_from(wide).map_err(|_| Problem::TooManyValues)
}

/// What is read without a rest: 16 MiB in one go take 60 ms.
const PART_BYTES: usize = 256 << 10;

/// Reads no more than a part of what is left.
fn read_some<'i, T>(
    rest: &mut &'i [u8],
    read: impl FnOnce(&mut &'i [u8]) -> Result<T, Problem>,
) -> Result<T, Problem> {
    let (some, _) = rest.split_at_checked(PART_BYTES).unwrap_or((*rest, &[]));
    let mut left = some;
    let result = read(&mut left);
    let taken = some.len().saturating_sub(left.len());
    *rest = rest.get(taken..).unwrap_or_default();
    result
}

/// What keeping a value costs, and looking whether its name repeats.
const NODE: usize = 4 * VALUE;

#[derive(Debug, Default)]
struct Builder {
    nodes: Vec<Node>,
    /// The open containers, each with the index of its next element.
    open: Vec<(NodeId, u32)>,
}

impl Builder {
    async fn build(
        &mut self,
        text: &[u8],
        rest: &mut &[u8],
        effort: &mut Effort,
    ) -> Result<(), Problem> {
        let mut lexer = Lexer::new();
        let mut name = (0, 0);
        let mut paid = 0;
        loop {
            let event = read_some(rest, |some| lexer.next(some))?;
            let at = narrow(text.len().saturating_sub(rest.len()))?;
            match event {
                Event::More => {
                    effort.rest().await;
                    effort.spend(wide(at.saturating_sub(paid)))?;
                    paid = at;
                    if rest.is_empty() {
                        return lexer.finish();
                    }
                }
                Event::Name(raw) => {
                    let length = narrow(raw.unwrap_or_else(|| lexer.name()).len())?;
                    // Before the closing quote.
                    let end = at.saturating_sub(1);
                    name = (end.saturating_sub(length), end);
                }
                Event::Value(kind) => {
                    effort.rest().await;
                    let bytes = wide(at.saturating_sub(paid));
                    effort.spend(NODE.saturating_add(bytes))?;
                    paid = at;
                    let node = self.push(kind, at, name)?;
                    if kind == Kind::Scalar {
                        let mut skipped = read_some(rest, |some| lexer.skip(some))?;
                        while skipped == Skipped::Part && !rest.is_empty() {
                            let at = narrow(text.len().saturating_sub(rest.len()))?;
                            effort.rest().await;
                            effort.spend(wide(at.saturating_sub(paid)))?;
                            paid = at;
                            skipped = read_some(rest, |some| lexer.skip_on(some))?;
                        }
                        self.end(node, narrow(text.len().saturating_sub(rest.len()))?)?;
                    } else {
                        lexer.enter(rest)?;
                        self.open.push((node, 0));
                    }
                }
                Event::Close => {
                    let (node, _) = self.open.pop().unwrap_or_default();
                    self.end(node, at)?;
                }
            }
        }
    }

    fn push(&mut self, kind: Kind, start: u32, name: (u32, u32)) -> Result<NodeId, Problem> {
        let node = self.nodes.len();
        if node >= MAX_VALUES {
            return Err(Problem::TooManyValues);
        }
        let (parent, key) = match self.open.last_mut() {
            Some((parent, index)) => match self.nodes.get(*parent).map(|node| node.kind) {
                Some(Kind::Array) => {
                    let here = *index;
                    *index = here.saturating_add(1);
                    (*parent, RawKey::Index(here))
                }
                Some(Kind::Object | Kind::Scalar) | None => (*parent, RawKey::Name(name.0, name.1)),
            },
            None => (ROOT, RawKey::Index(0)),
        };
        self.nodes.try_reserve(1).map_err(|_| Problem::NoMemory)?;
        self.nodes.push(Node {
            kind,
            parent: narrow(parent)?,
            past: 0,
            start,
            end: start,
            key,
        });
        Ok(node)
    }

    fn end(&mut self, node: NodeId, end: u32) -> Result<(), Problem> {
        let past = narrow(self.nodes.len())?;
        if let Some(node) = self.nodes.get_mut(node) {
            node.end = end;
            node.past = past;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests;
