//! What meters read of a response: a header, or values in its body.

use uuid::Uuid;

use super::{body::Held, grant::Grant, outcome::Outcome, ports::Ports};
use crate::{
    effort::{Effort, Exhausted, RECORD, VALUE},
    holding::{Pool, Share},
    http::ResponseHead,
    json::{
        find::{Finder, Found, find_within},
        path::JsonPath,
        text::value_text,
    },
    limit::Micros,
    media::MediaKind,
    memory,
    meter::{Extraction, ValueSum},
    policy::Policy,
    records::{Framer, framing_steps},
    shares::Holder,
};

/// The warning that a meter has no value.
pub(super) const MISSING: &str = "meter-value-missing";

/// A record that is only looked into is held up to here.
const MAX_RECORD_BYTES: usize = 8 << 20;

/// What is left of a record when its caller leaves is looked into up to here.
const MAX_LEFT_BYTES: usize = 64 << 10;

/// Where values are counted, and where it is said that they were.
pub(super) type Counting<'a> = (&'a dyn Ports, &'a mut Outcome);

/// The meters that wait for a value of one response.
#[derive(Debug)]
pub(super) struct Values {
    in_head: Vec<Awaited>,
    in_body: Vec<Awaited>,
    reader: Reader,
    is_settled: bool,
    /// Whose response it is.
    pub(super) holder: Holder,
}

#[derive(Debug)]
struct Awaited {
    /// Of the meter in the policy.
    place: usize,
    /// None for a header, which is read at once.
    path: Option<JsonPath>,
    sum: ValueSum,
}

/// Reads records, one after another.
#[derive(Debug)]
struct RecordReader {
    finder: Finder,
    /// What the record at hand has for each path.
    sums: Vec<ValueSum>,
    late: Late,
    share: Share,
}

/// The paths that need a whole document, and their places among those awaited.
#[derive(Debug)]
struct Late {
    places: Vec<usize>,
    paths: Vec<JsonPath>,
}

/// How bodies are read; paths by their place among those awaited.
#[derive(Debug)]
enum Reader {
    Nothing,
    /// One JSON text: some paths as it comes, others when all of it is there.
    Json(Box<Finder>, Option<Held>),
    /// Texts in a row, of which the last with a value counts.
    Records(Framer, Box<RecordReader>),
    /// Cannot be read to its end.
    Failed,
}

impl Values {
    /// No meter waits.
    pub(super) fn none(holder: Holder) -> Self {
        Self {
            in_head: Vec::new(),
            in_body: Vec::new(),
            reader: Reader::Nothing,
            is_settled: false,
            holder,
        }
    }

    /// Reads and counts what the head holds, whatever becomes of the response.
    pub(super) fn new(
        policy: &Policy,
        grant: &Grant,
        (head, counting): (&dyn ResponseHead, Counting<'_>),
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
        let (in_body, in_head): (Vec<_>, Vec<_>) = awaited.partition(|one| one.path.is_some());
        // At once: of a call whose body nobody looks into no more is heard.
        count(&in_head, policy, counting);
        Self {
            in_head,
            in_body,
            ..Self::none(grant.holder(&policy.admission))
        }
    }

    /// Whether any value can only be in the body.
    pub(super) fn wants_body(&self) -> bool {
        !self.in_body.is_empty()
    }

    /// Gets ready for a body of this kind.
    pub(super) fn expect(&mut self, kind: MediaKind) {
        if !self.wants_body() {
            return;
        }
        self.reader = match kind {
            MediaKind::Json => Reader::json(&self.in_body, self.holder),
            MediaKind::EventStream => self.records(Framer::sse_to_read(MAX_RECORD_BYTES)),
            MediaKind::Ndjson => self.records(Framer::ndjson(MAX_RECORD_BYTES)),
            MediaKind::Other | MediaKind::Missing => Reader::Nothing,
        };
    }

    fn records(&self, framer: Framer) -> Reader {
        let reader = RecordReader {
            finder: Finder::new(&paths(&self.in_body)),
            sums: Vec::new(),
            late: Late::of(&self.in_body),
            share: Share::new(Pool::Responses, self.holder),
        };
        Reader::Records(framer, Box::new(reader))
    }

    /// Whether the body has to be given to [`Values::read`].
    pub(super) fn reads_body(&self) -> bool {
        match self.reader {
            Reader::Json(..) | Reader::Records(..) => true,
            Reader::Nothing | Reader::Failed => false,
        }
    }

    /// Whether some meter has no value, and will have none.
    pub(super) fn is_any_missing(&self) -> bool {
        let is_final = !self.reads_body();
        let is_missing = |one: &Awaited| one.sum.is_missing();
        self.in_head.iter().any(is_missing) || (is_final && self.in_body.iter().any(is_missing))
    }

    /// Reads the next decoded bytes of the body, as far as the effort goes.
    pub(super) fn read(&mut self, piece: &[u8], effort: &mut Effort) {
        let in_body = &mut self.in_body;
        let is_read = match &mut self.reader {
            Reader::Nothing | Reader::Failed => return,
            Reader::Json(finder, held) => {
                let on_found = &mut |place, found: Found<'_>| add(in_body.get_mut(place), found);
                let found = finder.push_within(piece, on_found, effort).is_ok();
                let kept = held.as_mut().is_none_or(|held| held.extend(piece).is_ok());
                found && kept
            }
            Reader::Records(framer, reader) => {
                let bytes = framer.held_bytes().saturating_add(piece.len());
                effort.spend(framing_steps(piece)).is_ok()
                    // The framer copies into lists that grow by themselves, and must not fail to.
                    && memory::ask(bytes.saturating_mul(8)).is_ok()
                    && framer
                        .read(piece, &mut |record| reader.take(in_body, record, effort))
                        .is_ok()
                    && !effort.is_exhausted()
                    && reader.share.set(framer.held_bytes()).is_ok()
            }
        };
        if !is_read {
            self.reader = Reader::Failed;
        }
    }

    /// The body cannot be read to its end.
    pub(super) fn fail(&mut self) {
        self.reader = Reader::Failed;
    }

    /// The body is complete.
    pub(super) fn read_end(&mut self, effort: &mut Effort) {
        let in_body = &mut self.in_body;
        match std::mem::replace(&mut self.reader, Reader::Nothing) {
            Reader::Nothing => {}
            Reader::Failed => self.reader = Reader::Failed,
            Reader::Json(mut finder, held) => {
                // What was found counts, whole document or not.
                let on_found = &mut |place, found: Found<'_>| add(in_body.get_mut(place), found);
                let _is_whole = finder.finish(on_found);
                if let Some(held) = held {
                    let late = Late::of(in_body);
                    late.take(in_body, &held.bytes, effort);
                }
            }
            Reader::Records(mut framer, mut reader) => {
                let take = &mut |record: &[u8]| reader.take(in_body, record, effort);
                // Some readers take an event without its blank line for one.
                let _is_whole = framer.read_end(take);
            }
        }
    }

    /// Counts what is known of the body, once. The end of a body that nobody waits for any more ends
    /// its last record as well.
    pub(super) fn settle(&mut self, policy: &Policy, counting: Counting<'_>, effort: &mut Effort) {
        // The body's end and the call's both come here.
        if std::mem::replace(&mut self.is_settled, true) {
            return;
        }
        if self.reader.is_short_of_its_end() {
            self.read_end(effort);
        }
        count(&self.in_body, policy, counting);
    }
}

fn count(found: &[Awaited], policy: &Policy, (ports, outcome): Counting<'_>) {
    let owner: Uuid = *policy.admission.names.id.as_uuid();
    for one in found {
        let amount = one.sum.total();
        if let (Some(meter), true) = (policy.meters.get(one.place), amount > Micros::ZERO) {
            ports.add((owner, &meter.charge), amount);
            outcome.counted(meter.charge.counter.id, amount);
        }
    }
}

impl Reader {
    /// Whether what is held of a stream can be looked at when many calls end at once.
    fn is_short_of_its_end(&self) -> bool {
        match self {
            Self::Records(framer, _) => framer.held_bytes() <= MAX_LEFT_BYTES,
            Self::Nothing | Self::Json(..) | Self::Failed => false,
        }
    }

    fn json(in_body: &[Awaited], holder: Holder) -> Self {
        let paths = paths(in_body);
        let is_held = paths.iter().any(|path| !path.is_streamable());
        let held = is_held.then(|| Held::of(holder));
        Self::Json(Box::new(Finder::new(&paths)), held)
    }
}

fn paths(in_body: &[Awaited]) -> Vec<JsonPath> {
    in_body.iter().filter_map(|one| one.path.clone()).collect()
}

fn add(one: Option<&mut Awaited>, found: Found<'_>) {
    if let Some(one) = one {
        add_to(&mut one.sum, found);
    }
}

fn add_to(sum: &mut ValueSum, found: Found<'_>) {
    match found {
        Found::Scalar(json) => sum.add(Some(&value_text(json))),
        Found::Unusable => sum.add(None),
    }
}

impl RecordReader {
    /// The last record that has the value counts.
    fn take(&mut self, in_body: &mut [Awaited], record: &[u8], effort: &mut Effort) {
        let each = RECORD.saturating_add(in_body.len());
        if effort.spend(each).is_err() {
            return;
        }
        let sums = &mut self.sums;
        sums.clear();
        sums.resize(in_body.len(), ValueSum::default());
        let on_found = &mut |place: usize, found: Found<'_>| {
            if let Some(sum) = sums.get_mut(place) {
                add_to(sum, found);
            }
        };
        self.finder.reset();
        let read = self.finder.push_within(record, on_found, effort);
        if read.and_then(|()| self.finder.finish(on_found)).is_err() {
            return;
        }
        for (one, sum) in in_body.iter_mut().zip(&self.sums) {
            put(one, *sum);
        }
        self.late.take(in_body, record, effort);
    }
}

impl Late {
    fn of(in_body: &[Awaited]) -> Self {
        let path = |one: &Awaited| one.path.clone().filter(|path| !path.is_streamable());
        let late = in_body.iter().enumerate();
        let late = late.filter_map(|(place, one)| path(one).map(|path| (place, path)));
        let (places, paths) = late.unzip();
        Self { places, paths }
    }

    /// What a whole document holds, if anything, in place of what was found before.
    fn take(&self, in_body: &mut [Awaited], document: &[u8], effort: &mut Effort) {
        if self.paths.is_empty() {
            return;
        }
        let steps = self.paths.len().saturating_mul(RECORD);
        let nodes = match effort.spend(steps) {
            Ok(()) => find_within(&self.paths, document, effort).unwrap_or_default(),
            Err(Exhausted) => return,
        };
        for of_path in nodes.chunk_by(|left, right| left.path == right.path) {
            let mut sum = ValueSum::default();
            for node in of_path {
                let is_text = node.json.starts_with('"');
                let steps = if is_text { node.json.len() } else { VALUE };
                if effort.spend(steps).is_err() {
                    return;
                }
                sum.add(Some(&node.text()));
            }
            let place = of_path.first().and_then(|node| self.places.get(node.path));
            // Not added: `$['total',-1]` has found the same value as the body came.
            if let Some(one) = place.and_then(|place| in_body.get_mut(*place)) {
                put(one, sum);
            }
        }
    }
}

/// In place of what was found before, if it is a value.
fn put(one: &mut Awaited, sum: ValueSum) {
    if !sum.is_missing() {
        one.sum = sum;
    }
}
