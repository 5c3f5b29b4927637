//! What a sample response loses on its way to the caller, and to which filters: the report behind
//! the Core API's `preview`.
//!
//! Conditions are judged, nodes found and bytes removed by the code that does so for real calls;
//! this only writes down what that code did. Sizes are not judged.

use std::sync::Arc;

use requestrocket_proto::policy::v1 as wire;

pub use crate::redact::Operation;
use crate::{
    authz::{Call, Layer, LayerName},
    compile::layer,
    evaluate::{InvalidSample, Sample, SampleLayers, on_sample},
    media::MediaKind,
    records::{Framer, RecordError},
    redact::{self, Room, Stage, redact_reporting},
};

/// A target's response to try.
#[derive(Clone, Copy, Debug)]
pub struct SampleResponse<'a> {
    /// Status code.
    pub status: u16,
    /// Value of `Content-Type`, if there is one.
    pub content_type: Option<&'a str>,
    /// Without any content coding.
    pub body: &'a str,
}

/// What the caller would get.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Preview {
    /// What becomes of the body.
    pub outcome: Outcome,
    /// What was done to it, stage by stage.
    pub changes: Vec<Change>,
}

/// What becomes of a body.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// This is sent.
    Sent(String),
    /// This is sent, then the response is reset: a record of the stream is not JSON.
    Cut(String),
    /// `RESPONSE_NOT_FILTERABLE` is sent in its place.
    NotFilterable,
}

/// Something that a stage did.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    /// Of a stream: which record, from 0.
    pub record: Option<usize>,
    /// Where in what the stage got: a normalized path (RFC 9535 §2.7).
    pub path: String,
    /// Whose filters it was.
    pub stage: LayerName,
    /// Which of them; none where the stage's retain filters left the node out.
    pub filter: Option<Arc<str>>,
    /// [`Operation::Retain`] with a filter: it stays. Else it went.
    pub operation: Operation,
}

/// The layers in the order of their stages.
const STAGES: [LayerName; 4] = [
    LayerName::TargetCredential,
    LayerName::Target,
    LayerName::ProxyCredential,
    LayerName::Proxy,
];

/// Redacts a response to a call by the redactions of four layers.
pub fn preview(
    layers: SampleLayers,
    sample: &Sample<'_>,
    response: &SampleResponse<'_>,
) -> Result<Preview, InvalidSample> {
    let compiled = compile_in_order(layers)?;
    let stages = on_sample(sample, |call| {
        compiled.each_ref().map(|layer| stage(layer, call))
    })?;
    let is_head = sample.method == "HEAD";
    let mut room = Room::of_a_report();
    let preview = redacted(&stages, is_head, response, &mut room);
    if room.is_exhausted() {
        return Err(InvalidSample::TooMuchWork);
    }
    if room.is_exceeded() {
        return Err(InvalidSample::TooManyChanges);
    }
    Ok(preview)
}

fn compile_in_order(layers: SampleLayers) -> Result<[Layer; 4], InvalidSample> {
    let SampleLayers {
        proxy_credential,
        target_credential,
        target,
        proxy,
    } = layers;
    Ok([
        compile(LayerName::TargetCredential, target_credential)?,
        compile(LayerName::Target, target)?,
        compile(LayerName::ProxyCredential, proxy_credential)?,
        compile(LayerName::Proxy, proxy)?,
    ])
}

fn compile(name: LayerName, layer: wire::Layer) -> Result<Layer, InvalidSample> {
    layer::compile_alone(layer).map_err(|source| InvalidSample::Layer {
        layer: name,
        source,
    })
}

/// The redactions of a layer that apply to the call.
fn stage(layer: &Layer, call: &Call<'_>) -> Stage {
    let redactions = layer.redactions_for(call);
    Stage {
        filters: redactions
            .map(|redaction| redaction.filter.clone())
            .collect(),
    }
}

fn redacted(
    stages: &[Stage; 4],
    is_head: bool,
    response: &SampleResponse<'_>,
    room: &mut Room,
) -> Preview {
    let SampleResponse {
        status,
        content_type,
        body,
    } = *response;
    let has_body = !is_head && !matches!(status, 204 | 304) && !body.is_empty();
    let is_redacted = stages.iter().any(|stage| !stage.is_empty());
    if !has_body || !is_redacted || !(200..300).contains(&status) {
        return without_changes(Outcome::Sent(body.to_owned()));
    }
    let kind = MediaKind::parse(content_type.map(str::as_bytes));
    match kind {
        // A part of a document is no document.
        _ if status == 206 => without_changes(Outcome::NotFilterable),
        MediaKind::Json => document(stages, body, room),
        // Whoever wrote the sample holds it whole, so a record is never too long.
        MediaKind::EventStream => stream(stages, Framer::sse(body.len()), (body, room)),
        MediaKind::Ndjson => stream(stages, Framer::ndjson(body.len()), (body, room)),
        MediaKind::Other | MediaKind::Missing => without_changes(Outcome::NotFilterable),
    }
}

fn without_changes(outcome: Outcome) -> Preview {
    Preview {
        outcome,
        changes: Vec::new(),
    }
}

fn document(stages: &[Stage], body: &str, room: &mut Room) -> Preview {
    match redact_reporting(stages, body.as_bytes(), room) {
        Ok((left, changes)) => Preview {
            outcome: Outcome::Sent(text(&left)),
            changes: named(changes, None),
        },
        Err(_) => without_changes(Outcome::NotFilterable),
    }
}

/// Why a stream ends before its end.
struct BadRecord;

impl From<RecordError> for BadRecord {
    fn from(_: RecordError) -> Self {
        Self
    }
}

fn stream(stages: &[Stage], mut framer: Framer, (body, room): (&str, &mut Room)) -> Preview {
    let (mut out, mut changes, mut number) = (Vec::new(), Vec::new(), 0);
    let mut rewrite = |record: &[u8], out: &mut Vec<u8>| {
        let (left, found) = redact_reporting(stages, record, room).map_err(|_| BadRecord)?;
        out.extend_from_slice(&left);
        changes.extend(named(found, Some(number)));
        number = number.saturating_add(1);
        Ok(())
    };
    let pushed = framer.push(body.as_bytes(), &mut rewrite, &mut out);
    let ended = pushed.and_then(|()| framer.finish(&mut rewrite, &mut out));
    let outcome = match ended {
        Ok(()) => Outcome::Sent(text(&out)),
        Err(BadRecord) => Outcome::Cut(text(&out)),
    };
    Preview { outcome, changes }
}

fn named(changes: Vec<redact::Change>, record: Option<usize>) -> Vec<Change> {
    let named = changes.into_iter().map(|change| {
        let redact::Change {
            path,
            stage,
            filter,
            operation,
        } = change;
        let [first, ..] = STAGES;
        Change {
            record,
            path,
            stage: STAGES.get(stage).copied().unwrap_or(first),
            filter,
            operation,
        }
    });
    named.collect()
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

#[cfg(test)]
mod tests;
