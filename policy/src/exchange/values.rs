//! What meters read of a response: a header, or values in its body.

use uuid::Uuid;

use super::{body::Held, grant::Grant, ports::Ports};
use crate::{
    http::ResponseHead,
    json::{
        find::{Finder, Found, find},
        path::JsonPath,
        text::value_text,
    },
    limit::Micros,
    media::MediaKind,
    meter::{Extraction, ValueSum},
    policy::Policy,
    records::Framer,
};

/// The warning that a meter has no value.
pub(super) const MISSING: &str = "meter-value-missing";

/// A record that is only looked into is held up to here.
const MAX_RECORD_BYTES: usize = 8 << 20;

/// The meters that wait for a value of one response.
#[derive(Debug)]
pub(super) struct Values {
    awaited: Vec<Awaited>,
    reader: Reader,
    is_settled: bool,
}

#[derive(Debug)]
struct Awaited {
    /// Of the meter in the policy.
    place: usize,
    /// None for a header, which is read at once.
    path: Option<JsonPath>,
    sum: ValueSum,
}

/// How bodies are read; paths by their place among those awaited.
#[derive(Debug)]
enum Reader {
    Nothing,
    /// One JSON text: some paths as it comes, others when all of it is there.
    Json(Box<Finder>, Option<Held>),
    /// Texts in a row, of which the last with a value counts.
    Records(Framer),
    /// Cannot be read to its end.
    Failed,
}

impl Values {
    /// Reads and counts what the head holds, whatever becomes of the response.
    pub(super) fn new(
        policy: &Policy,
        grant: &Grant,
        (head, ports): (&dyn ResponseHead, &dyn Ports),
    ) -> Self {
        let awaited = grant.awaited.iter().filter_map(|&place| {
            let meter = policy.meters.get(place)?;
            let mut sum = ValueSum::default();
            let path = match &meter.extraction {
                Extraction::Count => return None,
                Extraction::Header(name) => {
                    let value = head.header(name);
                    sum.add(
                        value
                            .as_deref()
                            .and_then(|value| std::str::from_utf8(value).ok()),
                    );
                    None
                }
                Extraction::Body(path) => Some(path.clone()),
            };
            Some(Awaited { place, path, sum })
        });
        let values = Self {
            awaited: awaited.collect(),
            reader: Reader::Nothing,
            is_settled: false,
        };
        let in_head = values.awaited.iter().filter(|one| one.path.is_none());
        count(in_head, policy, ports);
        values
    }

    /// Whether any value can only be in the body.
    pub(super) fn wants_body(&self) -> bool {
        self.awaited.iter().any(|one| one.path.is_some())
    }

    /// Gets ready for a body of this kind.
    pub(super) fn expect(&mut self, kind: MediaKind) {
        if !self.wants_body() {
            return;
        }
        self.reader = match kind {
            MediaKind::Json => Reader::json(&self.awaited),
            MediaKind::EventStream => Reader::Records(Framer::sse_to_read(MAX_RECORD_BYTES)),
            MediaKind::Ndjson => Reader::Records(Framer::ndjson(MAX_RECORD_BYTES)),
            MediaKind::Other | MediaKind::Missing => Reader::Nothing,
        };
    }

    /// Whether the body has to be given to [`Values::read`].
    pub(super) fn reads_body(&self) -> bool {
        match self.reader {
            Reader::Json(..) | Reader::Records(_) => true,
            Reader::Nothing | Reader::Failed => false,
        }
    }

    /// Whether some meter has no value, and will have none.
    pub(super) fn is_any_missing(&self) -> bool {
        let is_final = !self.reads_body();
        let is_missing = |one: &Awaited| (is_final || one.path.is_none()) && one.sum.is_missing();
        self.awaited.iter().any(is_missing)
    }

    /// Reads the next decoded bytes of the body.
    pub(super) fn read(&mut self, piece: &[u8]) {
        let awaited = &mut self.awaited;
        let is_read = match &mut self.reader {
            Reader::Nothing | Reader::Failed => return,
            Reader::Json(finder, held) => {
                let found = finder
                    .push(piece, &mut |place, found| add(awaited, place, found))
                    .is_ok();
                let kept = held.as_mut().is_none_or(|held| held.extend(piece).is_ok());
                found && kept
            }
            Reader::Records(framer) => framer
                .read(piece, &mut |record| take_record(awaited, record))
                .is_ok(),
        };
        if !is_read {
            self.reader = Reader::Failed;
        }
    }

    /// The body is complete.
    pub(super) fn read_end(&mut self) {
        let awaited = &mut self.awaited;
        match std::mem::replace(&mut self.reader, Reader::Nothing) {
            Reader::Nothing => {}
            Reader::Failed => self.reader = Reader::Failed,
            Reader::Json(mut finder, held) => {
                // What was found counts, whole document or not.
                let _is_whole = finder.finish(&mut |place, found| add(awaited, place, found));
                if let Some(held) = held {
                    take_held(awaited, &held.bytes);
                }
            }
            Reader::Records(mut framer) => {
                let _is_whole = framer.read_end(&mut |record| take_record(awaited, record));
            }
        }
    }

    /// Counts what is known of the body, once.
    pub(super) fn settle(&mut self, policy: &Policy, ports: &dyn Ports) {
        if std::mem::replace(&mut self.is_settled, true) {
            return;
        }
        let in_body = self.awaited.iter().filter(|one| one.path.is_some());
        count(in_body, policy, ports);
    }
}

fn count<'a>(found: impl Iterator<Item = &'a Awaited>, policy: &Policy, ports: &dyn Ports) {
    let owner: Uuid = *policy.names.id.as_uuid();
    for one in found {
        let amount = one.sum.total();
        if let (Some(meter), true) = (policy.meters.get(one.place), amount > Micros::ZERO) {
            ports.add((owner, &meter.charge), amount);
        }
    }
}

impl Reader {
    fn json(awaited: &[Awaited]) -> Self {
        let paths: Vec<JsonPath> = awaited.iter().filter_map(|one| one.path.clone()).collect();
        let is_held = paths.iter().any(|path| !path.is_streamable());
        Self::Json(Box::new(Finder::new(&paths)), is_held.then(Held::default))
    }
}

/// `place` is among the awaited that have a path.
fn add(awaited: &mut [Awaited], place: usize, found: Found<'_>) {
    let mut with_path = awaited.iter_mut().filter(|one| one.path.is_some());
    if let Some(one) = with_path.nth(place) {
        match found {
            Found::Scalar(json) => one.sum.add(Some(&value_text(json))),
            Found::Unusable => one.sum.add(None),
        }
    }
}

/// Paths that need the whole document.
fn take_held(awaited: &mut [Awaited], document: &[u8]) {
    let is_late = |one: &Awaited| one.path.as_ref().is_some_and(|path| !path.is_streamable());
    for one in awaited.iter_mut().filter(|one| is_late(one)) {
        take_instead(one, document);
    }
}

/// The last record that has the value counts.
fn take_record(awaited: &mut [Awaited], record: &[u8]) {
    for one in awaited.iter_mut().filter(|one| one.path.is_some()) {
        take_instead(one, record);
    }
}

/// What a whole document holds, if anything, in place of what was found before.
fn take_instead(one: &mut Awaited, document: &[u8]) {
    let Some(path) = &one.path else {
        return;
    };
    let nodes = find(std::slice::from_ref(path), document).unwrap_or_default();
    let mut sum = ValueSum::default();
    for node in nodes {
        sum.add(Some(&node.text()));
    }
    if !sum.is_missing() {
        one.sum = sum;
    }
}
