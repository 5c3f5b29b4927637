//! A call as conditions see it: nothing is read before a condition asks for it.

use std::{
    borrow::Cow,
    cell::{Cell, OnceCell},
    fmt,
};

use sha2::{Digest as _, Sha256};

use super::document::{Document, loose};
use crate::{
    effort::Effort as Work,
    http::{
        HeaderLine,
        name::{folded, is_twin},
        query::{is_authorization, pair, parameters},
    },
    json::{
        Problem,
        find::{Known, Node},
        path::JsonPath,
    },
    memory::NoMemory,
    pattern::{Effort, text_of},
    shares::Holder,
    swap::is_reserved,
};

/// One call. What carries the caller's credential is not part of it, nor are lines that are the
/// gateway's own: no rule sees them.
pub struct Call<'a> {
    method: &'a [u8],
    path: Cow<'a, str>,
    raw_headers: &'a [HeaderLine<'a>],
    headers: OnceCell<Vec<Header<'a>>>,
    raw_query: &'a [u8],
    query: OnceCell<Vec<Parameter<'a>>>,
    raw_body: Option<&'a [u8]>,
    document: OnceCell<Document<'a>>,
    /// Of a document that is a text. None: it is no JSON.
    known: OnceCell<Option<Known>>,
    claims: Option<&'a str>,
    effort: Effort,
    /// When it is to rest. Nobody else has it while it rests.
    work: Cell<Work>,
    /// None: nobody counts what it takes.
    holder: Option<Holder>,
    /// There was none for what is in the body, whatever that was taken for then.
    lacks_memory: Cell<bool>,
}

/// A line. Patterns of names mean all spellings of a name; what `\b` sees depends on the spelling, so
/// the name is tried as sent and as most targets take it.
pub(super) struct Header<'a> {
    sent: Cow<'a, str>,
    /// None: as sent.
    folded: Option<String>,
    /// As sent.
    pub(super) value: &'a [u8],
}

impl<'a> Header<'a> {
    fn new((name, value): HeaderLine<'a>) -> Self {
        let sent = text_of(name);
        Self {
            folded: folded(&sent),
            sent,
            value,
        }
    }

    pub(super) fn names(&self) -> impl Iterator<Item = &str> {
        std::iter::once(&*self.sent).chain(self.folded.as_deref())
    }
}

/// Decoded name and value.
type Parameter<'a> = (Cow<'a, str>, Cow<'a, str>);

impl<'a> Call<'a> {
    /// `path` is the target path that is sent, less the target's base path; `headers` may hold
    /// everything that the host knows.
    pub fn new(
        method: &'a [u8],
        path: &'a [u8],
        query: Option<&'a [u8]>,
        headers: &'a [HeaderLine<'a>],
    ) -> Self {
        Self {
            method,
            path: text_of(path),
            raw_headers: headers,
            headers: OnceCell::new(),
            raw_query: query.unwrap_or_default(),
            query: OnceCell::new(),
            raw_body: None,
            document: OnceCell::new(),
            known: OnceCell::new(),
            claims: None,
            effort: Effort::of_a_call(0),
            work: Cell::new(Work::unbounded()),
            holder: None,
            lacks_memory: Cell::new(false),
        }
    }

    /// Adds the whole body, empty if there is none.
    #[must_use]
    pub fn with_body(mut self, body: &'a [u8]) -> Self {
        self.raw_body = Some(body);
        self.effort = Effort::of_a_call(body.len());
        self
    }

    /// Adds the claims of the verified token, a JSON object.
    #[must_use]
    pub fn with_claims(mut self, claims: &'a str) -> Self {
        self.claims = Some(claims);
        self
    }

    pub(super) fn method(&self) -> &[u8] {
        self.method
    }

    pub(super) fn path(&self) -> &str {
        &self.path
    }

    pub(super) fn headers(&self) -> &[Header<'a>] {
        self.headers.get_or_init(|| {
            let lines = self.raw_headers.iter().copied();
            let visible = lines.filter(|(name, _)| !is_hidden_header(name));
            visible.map(Header::new).collect()
        })
    }

    pub(super) fn query(&self) -> &[Parameter<'a>] {
        self.query.get_or_init(|| {
            // Between two `&` there may be nothing, which is no parameter.
            let sent = parameters(self.raw_query).filter(|parameter| !parameter.is_empty());
            let visible = sent.filter(|parameter| !is_authorization(parameter));
            visible.map(pair).collect()
        })
    }

    /// It is judged in turns of that many steps.
    #[must_use]
    pub(crate) fn in_turns_of(self, steps: u64) -> Self {
        self.work.set(Work::in_turns_of(steps, u64::MAX));
        self
    }

    /// What its body takes when it is decoded is this one's.
    #[must_use]
    pub(crate) fn held_by(mut self, holder: Holder) -> Self {
        self.holder = Some(holder);
        self
    }

    /// Of the whole body; none as long as it is not there.
    pub(crate) async fn body_sha256(&self) -> Option<[u8; 32]> {
        /// A byte of it costs as much as so many do that are read as JSON.
        const STEPS: usize = 2;
        const PIECE: usize = 16 << 10;
        let body = self.raw_body?;
        let mut hash = Sha256::new();
        let mut work = self.work();
        for piece in body.chunks(PIECE) {
            hash.update(piece);
            // Nobody pays for it but the turn.
            work.tire(STEPS * piece.len());
            work.rest().await;
        }
        self.work.set(work);
        Some(hash.finalize().into())
    }

    /// None as long as the body is not there.
    pub(super) async fn document(&self) -> Option<&Document<'a>> {
        let body = self.raw_body?;
        if self.document.get().is_none() {
            let mut work = self.work();
            let read = Document::read((body, self.holder), self.raw_headers, &mut work).await;
            self.work.set(work);
            let read = read.unwrap_or_else(|NoMemory| {
                self.lacks_memory.set(true);
                Document::Unreadable
            });
            return Some(self.document.get_or_init(|| read));
        }
        self.document.get()
    }

    /// What the paths find in the body's text; none when it is no JSON.
    pub(super) async fn find<'c>(
        &self,
        paths: &[JsonPath],
        text: &'c str,
    ) -> Option<Vec<Node<'c>>> {
        let mut work = self.work();
        if self.known.get().is_none() {
            let known = Known::read(text, &mut work).await;
            let known = known.map_err(|invalid| self.note(invalid.problem));
            self.known.get_or_init(|| known.ok());
        }
        let found = match self.known.get() {
            Some(Some(known)) => {
                let found = known.find(paths, text, &mut work).await;
                found.map_err(|problem| self.note(problem)).ok()
            }
            Some(None) | None => None,
        };
        self.work.set(work);
        found
    }

    fn note(&self, problem: Problem) {
        if problem == Problem::NoMemory {
            self.lacks_memory.set(true);
        }
    }

    /// Whether nobody can tell what is in the body because there was no memory to look.
    pub(crate) fn lacks_memory(&self) -> bool {
        self.lacks_memory.get()
    }

    /// Which of the paths could select something in a body that is no JSON, to some reader.
    pub(super) async fn suspected(&self, paths: &[JsonPath], body: &[u8]) -> Box<[bool]> {
        let mut work = self.work();
        let suspected = loose::suspected(paths, body, &mut work).await;
        self.work.set(work);
        suspected
    }

    /// Lets others have their turn if this one is over.
    pub(super) async fn rest(&self) {
        let mut work = self.work();
        work.tire(self.effort.take_steps());
        work.rest().await;
        self.work.set(work);
    }

    /// What was spent since the last rest.
    pub(crate) fn spent_in_turn(&self) -> u64 {
        let work = self.work();
        let spent = work.spent_in_turn();
        self.work.set(work);
        spent
    }

    fn work(&self) -> Work {
        // A cell lends nothing, so it is taken out, and put back by whoever took it.
        self.work.replace(Work::unbounded())
    }

    pub(crate) fn effort(&self) -> &Effort {
        &self.effort
    }

    pub(super) fn claims(&self) -> Option<&'a str> {
        self.claims
    }
}

/// The credential's carriers; what Envoy and the gateway tell each other; what never reaches the
/// target.
fn is_hidden_header(name: &[u8]) -> bool {
    const NAMES: [&[u8]; 3] = [b"authorization", b"proxy-authorization", b"host"];
    // Most names differ in the first byte.
    let [first, ..] = name else {
        return false;
    };
    if !b":aphxr".contains(&first.to_ascii_lowercase()) {
        return false;
    }
    *first == b':' || NAMES.iter().any(|hidden| is_twin(name, hidden)) || is_reserved(name)
}

/// Values may be credentials.
impl fmt::Debug for Call<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Call").finish_non_exhaustive()
    }
}
