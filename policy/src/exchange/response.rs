//! A response's head: what of the body has to be watched, read or redacted, and what the head then
//! says.

use super::{
    body::{BodyPipe, Redaction, SizeWatch},
    grant::Grant,
    response_edit::ResponseEdit,
    values::{self, Counting, Values},
};
use crate::{
    coding::Coding,
    denial::{Denial, PROXY_CODE_HEADER, ProxyCode},
    http::ResponseHead,
    media::MediaKind,
    policy::Policy,
    shares::Holder,
};

/// What no longer holds of a body that is redacted.
const STALE: [&str; 6] = [
    "content-length",
    "etag",
    "content-md5",
    // RFC 3230; the other two are of RFC 9530.
    "digest",
    "content-digest",
    "repr-digest",
];

type Looked = (Vec<ResponseEdit>, BodyPipe);

/// Judges a head of which the whole policy is known.
pub(super) fn judge(
    policy: &Policy,
    grant: &Grant,
    (head, is_end): (&dyn ResponseHead, bool),
    counting: Counting<'_>,
) -> Result<(Vec<ResponseEdit>, Option<BodyPipe>), Denial> {
    let is_bodiless = is_end || grant.is_head;
    // The length first: almost every response is decided by it, and a header is a host call.
    let is_plain = grant.stages.is_empty() && grant.awaited.is_empty();
    // To HEAD a length is declared of a body that does not come.
    let length = if is_bodiless {
        Length::Declared(0)
    } else {
        Length::of(head)
    };
    // What is declared and small enough is not watched: Envoy holds the target to it.
    let max = policy.admission.max_response_bytes.get();
    if is_bodiless || length.is_unknown() {
        refuse_unasked_switch(head)?;
    }
    if is_plain && length.is_at_most(max) {
        return Ok((Vec::new(), None));
    }
    let mut values = Values::new(policy, grant, (head, counting));
    let (mut edits, pipe) = if is_bodiless {
        let pipe = BodyPipe::watching(SizeWatch::new(None), values);
        (stale(grant, head), pipe)
    } else if grant.stages.is_empty() && !values.wants_body() {
        let size = size_watch(max, (head, length))?;
        (Vec::new(), BodyPipe::watching(size, values))
    } else {
        let content = Content::of(head, length);
        values.expect(content.kind);
        look_into(policy, grant, (head, content), values)?
    };
    // What the request brought is in the head already.
    let mut warnings = grant.warnings.to_vec();
    if pipe.is_value_missing() {
        warnings.push(values::MISSING.to_owned());
        edits.push(ResponseEdit::warning(&warnings));
    }
    Ok((edits, Some(pipe.with_warnings(warnings))))
}

/// The same for a call that was forgotten, of whose response the length alone can matter.
pub(super) fn judge_length(
    (max, holder): (u64, Holder),
    (head, is_end): (&dyn ResponseHead, bool),
) -> Result<Option<BodyPipe>, Denial> {
    refuse_unasked_switch(head)?;
    if is_end {
        return Ok(None);
    }
    let size = size_watch(max, (head, Length::of(head)))?;
    Ok(Some(BodyPipe::watching(size, Values::none(holder))))
}

/// What follows a switch of protocols is the target's to the end of the connection, so only who
/// asked for one gets it. One that declares a length is no switch to Envoy.
fn refuse_unasked_switch(head: &dyn ResponseHead) -> Result<(), Denial> {
    let is_refused = status(head) == Some(101) && !head.is_switch_asked();
    if is_refused {
        return Err(Denial::TargetUnreachable);
    }
    Ok(())
}

/// Whether a response to a request that we never saw is Envoy's refusal of it.
pub(super) fn is_envoys_refusal(head: &dyn ResponseHead) -> bool {
    // A target cannot fake it: Envoy removes the header from its responses before we see them.
    head.header(PROXY_CODE_HEADER)
        .is_some_and(|code| code == ProxyCode::AccessDenied.as_str().as_bytes())
}

/// What the head says of the body.
#[derive(Clone, Copy)]
struct Content {
    kind: MediaKind,
    length: Length,
    status: Option<u16>,
}

impl Content {
    fn of(head: &dyn ResponseHead, length: Length) -> Self {
        Self {
            kind: kind(head),
            length,
            status: status(head),
        }
    }
}

fn look_into(
    policy: &Policy,
    grant: &Grant,
    (head, content): (&dyn ResponseHead, Content),
    mut values: Values,
) -> Result<Looked, Denial> {
    let max = policy.admission.max_response_bytes.get();
    // Without a status that can be read it is taken for one that has to be redacted.
    let is_redacted = !grant.stages.is_empty()
        && content
            .status
            .is_none_or(|status| (200..300).contains(&status) && !has_no_body(status));
    let coding = Coding::parse(&head.header("content-encoding").unwrap_or_default());
    if !is_redacted {
        let size = size_watch(max, (head, content.length))?;
        let pipe = if let Ok(coding) = coding {
            BodyPipe::reading(size, &coding, values, None)
        } else {
            // Nobody reads what is in an unknown coding: the head warns that the value is missing.
            values.expect(MediaKind::Other);
            BodyPipe::watching(size, values)
        };
        let is_stale = content.status.is_some_and(has_no_body);
        let edits = if is_stale {
            stale(grant, head)
        } else {
            Vec::new()
        };
        return Ok((edits, pipe));
    }
    // In a part of a document no path leads anywhere.
    if content.status == Some(206) {
        return Err(Denial::ResponseNotFilterable);
    }
    let is_plain = coding.as_ref().is_ok_and(Coding::is_identity);
    // What is bounded is the decoded length, of which a coded one says nothing.
    if is_plain && !content.kind.is_stream() && content.length.is_above(max) {
        return Err(Denial::ResponseTooLarge);
    }
    // Without a coding that we know, only an empty body passes.
    let (coding, kind) = match coding {
        Ok(coding) => (coding, content.kind),
        Err(_) => (Coding::identity(), MediaKind::Other),
    };
    let size = SizeWatch::new((!kind.is_stream()).then_some(max));
    let holder = grant.holder(&policy.admission);
    let redaction = Redaction::new((&grant.stages, holder), kind, max);
    let pipe = BodyPipe::reading(size, &coding, values, Some(redaction));
    Ok((stale(grant, head), pipe))
}

/// What must not be said of a redacted body, also where there is none (HEAD, 304).
fn stale(grant: &Grant, head: &dyn ResponseHead) -> Vec<ResponseEdit> {
    let is_concerned = !grant.stages.is_empty()
        && status(head).is_none_or(|status| (200..300).contains(&status) || status == 304);
    if !is_concerned {
        return Vec::new();
    }
    STALE
        .into_iter()
        // What is redacted leaves without its coding.
        .chain(["content-encoding"])
        .filter(|name| head.header(name).is_some())
        .map(ResponseEdit::RemoveHeader)
        .collect()
}

/// The length to watch for; refuses one that is declared and too long.
fn size_watch(max: u64, (head, length): (&dyn ResponseHead, Length)) -> Result<SizeWatch, Denial> {
    // A stream has no end that its length could be held to.
    let is_exempt = || status(head).is_some_and(has_no_body) || kind(head).is_stream();
    if length.is_at_most(max) || is_exempt() {
        return Ok(SizeWatch::new(None));
    }
    if length.is_above(max) {
        return Err(Denial::ResponseTooLarge);
    }
    Ok(SizeWatch::new(Some(max)))
}

/// What the head says of the length.
#[derive(Clone, Copy)]
enum Length {
    Declared(u64),
    Unknown,
    /// A length that is no number promises nothing.
    Nonsense,
}

impl Length {
    fn of(head: &dyn ResponseHead) -> Self {
        let Some(declared) = head.header("content-length") else {
            return Self::Unknown;
        };
        let text = std::str::from_utf8(&declared).ok();
        match text.and_then(|text| text.parse().ok()) {
            Some(bytes) => Self::Declared(bytes),
            None => Self::Nonsense,
        }
    }

    fn is_unknown(self) -> bool {
        match self {
            Self::Unknown => true,
            Self::Declared(_) | Self::Nonsense => false,
        }
    }

    fn is_at_most(self, max: u64) -> bool {
        match self {
            Self::Declared(bytes) => bytes <= max,
            Self::Unknown | Self::Nonsense => false,
        }
    }

    fn is_above(self, max: u64) -> bool {
        match self {
            Self::Declared(bytes) => bytes > max,
            // It is watched as it comes.
            Self::Unknown => false,
            Self::Nonsense => true,
        }
    }
}

fn status(head: &dyn ResponseHead) -> Option<u16> {
    let status = head.header(":status")?;
    std::str::from_utf8(&status).ok()?.parse().ok()
}

/// Also a switch of protocols: what follows it is no body.
fn has_no_body(status: u16) -> bool {
    matches!(status, 101 | 204 | 304)
}

fn kind(head: &dyn ResponseHead) -> MediaKind {
    MediaKind::parse(head.header("content-type").as_deref())
}
