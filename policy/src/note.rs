//! What is noted of a request for its record: bounded, and without a secret.
//!
//! Invariant: no text that leaves here holds a credential that the call carries, in any form that the
//! echo guard knows.

use std::borrow::Cow;

use requestrocket_proto::record::v1::Pair;

use crate::{
    echo::{Guard, of_basic, of_header},
    http::{
        RequestHead,
        name::{is_twin, starts_like},
        path::CallPath,
        query::{is_authorization, pair, parameters},
    },
    secret::SecretBytes,
    swap::is_reserved,
};

/// What stands in the place of what nobody is to see.
pub(crate) const MASKED: &str = "***";
/// Bytes of a name, and of a subject.
pub(crate) const NAME_BYTES: usize = 128;
const SUBJECT_BYTES: usize = 256;
/// The caller's own `x-forwarded-proto`, of which Envoy makes one if there is none.
const FORWARDED_PROTO: &str = "x-rr-xfp";
/// Values of carriers that are longer are looked for as a whole and behind their scheme only.
const TAKEN_APART_BYTES: usize = 4 << 10;
/// Places in a value where the credential may begin: behind a blank or an equals sign.
const BEGINNINGS: usize = 8;

/// How much is noted, in bytes.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Budget {
    pub(crate) value: usize,
    pub(crate) path: usize,
    pub(crate) all: usize,
}

impl Budget {
    /// For a caller with a credential of the proxy's.
    pub(crate) const CALLER: Self = Self {
        value: 1 << 10,
        path: 2 << 10,
        all: 8 << 10,
    };
    /// For anybody: with compressed heads, a few bytes make a call that is as long as it may be, and
    /// all organisations share the log.
    pub(crate) const STRANGER: Self = Self {
        value: 128,
        path: 256,
        all: 1 << 10,
    };
}

/// Headers whose values are shown, besides those that begin with `accept`.
const SHOWN: [&str; 9] = [
    "content-type",
    "content-length",
    "content-encoding",
    "user-agent",
    "host",
    "range",
    "idempotency-key",
    "x-request-id",
    "traceparent",
];

/// A parameter whose name has one of these in it may be a secret.
const SECRET_WORDS: [&str; 14] = [
    "key", "token", "secret", "passw", "pwd", "sign", "sig", "auth", "code", "session", "cred",
    "jwt", "cookie", "nonce",
];

/// What is noted of a request's head.
#[derive(Debug, Default, PartialEq)]
pub(crate) struct Noted {
    pub(crate) path: String,
    pub(crate) query: Vec<Pair>,
    pub(crate) headers: Vec<Pair>,
    /// Whom the caller's token names; empty for nobody.
    pub(crate) subject: String,
}

/// The credentials of a call.
struct Known<'a> {
    presented: Option<Guard>,
    /// Too short for the guard.
    short: Vec<SecretBytes>,
    injected: Option<&'a Guard>,
}

/// Of a head, where `injected` finds what the target gets, of a caller whose token names `subject`.
pub(crate) fn of(
    head: &RequestHead<'_>,
    injected: Option<&Guard>,
    (budget, subject): (Budget, Option<String>),
) -> Noted {
    let raw = head.first(":path").unwrap_or_default();
    let mut halves = raw.splitn(2, |byte| *byte == b'?');
    let (path, query) = (halves.next().unwrap_or_default(), halves.next());
    let parameters = || parameters(query.unwrap_or_default()).filter(|one| !one.is_empty());
    let known = Known::of(
        head,
        parameters().filter(|one| is_authorization(one)),
        injected,
    );
    let mut notes = Notes {
        known,
        budget,
        left: budget.all,
        noted: Noted::default(),
    };
    notes.noted.path = notes.path(path);
    let subject = subject.and_then(|text| notes.text(text.as_bytes(), SUBJECT_BYTES));
    notes.noted.subject = subject.unwrap_or_default();
    for parameter in parameters() {
        let (name, value) = pair(parameter);
        let is_shown = !may_be_secret(&name) && !notes.known.are_in(parameter);
        if let Some(pair) = notes.pair(name.as_bytes(), is_shown.then_some(value.as_bytes())) {
            notes.noted.query.push(pair);
        }
    }
    let is_forwarded = head.first(FORWARDED_PROTO).is_some();
    let made = |name: &[u8]| name == b"x-forwarded-proto" && !is_forwarded;
    for (name, value) in head
        .lines
        .iter()
        .filter_map(sent)
        .filter(|one| !made(one.0))
    {
        let pair = notes.pair(name, is_header_shown(name).then_some(value));
        notes.noted.headers.extend(pair);
    }
    notes.noted
}

/// A line that the caller sent, by the name it has in HTTP/1.
fn sent<'a>((name, value): &(&'a [u8], &'a [u8])) -> Option<(&'a [u8], &'a [u8])> {
    match *name {
        b":authority" => Some((b"host", *value)),
        [b':', ..] => None,
        name if is_reserved(name) => None,
        name => Some((name, *value)),
    }
}

fn is_header_shown(name: &[u8]) -> bool {
    name.starts_with(b"accept") || SHOWN.iter().any(|shown| shown.as_bytes() == name)
}

fn may_be_secret(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    SECRET_WORDS.iter().any(|word| name.contains(word))
}

impl<'a> Known<'a> {
    fn of<'q>(
        head: &RequestHead<'_>,
        carriers: impl Iterator<Item = &'q [u8]>,
        injected: Option<&'a Guard>,
    ) -> Self {
        let is_carrier = |name: &[u8]| {
            [&b"authorization"[..], b"proxy-authorization"]
                .iter()
                .any(|carrier| is_twin(name, carrier))
        };
        let lines = head.lines.iter();
        let lines = lines.filter(|(name, _)| is_carrier(name));
        let carried = carriers.map(|one| SecretBytes::from(pair(one).1.as_bytes()));
        let values: Vec<SecretBytes> = lines
            .map(|(_, value)| SecretBytes::from(*value))
            .chain(carried)
            .flat_map(forms)
            .filter(|value| !value.expose().is_empty())
            .collect();
        let (long, short) = values.into_iter().partition(Guard::looks_for);
        Self {
            presented: Guard::of(long),
            short,
            injected,
        }
    }

    fn are_in(&self, text: &[u8]) -> bool {
        let mut guards = self.presented.iter().chain(self.injected);
        let is_short = |value: &SecretBytes| {
            let value = value.expose();
            text.windows(value.len()).any(|window| window == value)
        };
        guards.any(|guard| guard.is_in(text)) || self.short.iter().any(is_short)
    }
}

/// What of a carrier's value may be the credential, also as the name of a header would have it.
fn forms(value: SecretBytes) -> Vec<SecretBytes> {
    let text = value.expose();
    let mut forms = of_header(&value);
    if text.len() <= TAKEN_APART_BYTES {
        let is_basic = starts_like(text, b"basic ");
        let ends = text.iter().enumerate();
        let ends = ends.filter(|(_, byte)| matches!(byte, b' ' | b'='));
        for (end, _) in ends.take(BEGINNINGS) {
            let rest = SecretBytes::from(text.get(end + 1..).unwrap_or_default().trim_ascii());
            // What is as short as padding is in most texts.
            if Guard::looks_for(&rest) {
                if is_basic {
                    forms.extend(of_basic(rest.expose()));
                }
                forms.push(rest);
            }
        }
        // A key that was sent as the name of a header comes in lower case.
        let lower = |form: &SecretBytes| SecretBytes::from(form.expose().to_ascii_lowercase());
        let lower: Vec<_> = forms.iter().map(lower).collect();
        forms.extend(lower);
    }
    forms.push(value);
    forms
}

/// A note under way.
struct Notes<'a> {
    known: Known<'a>,
    budget: Budget,
    /// Bytes.
    left: usize,
    noted: Noted,
}

impl Notes<'_> {
    /// What is below the proxy, as rules see it where they do.
    fn path(&mut self, raw: &[u8]) -> String {
        let parsed = CallPath::parse(raw);
        let below: Cow<'_, [u8]> = if let Ok(path) = &parsed {
            Cow::Borrowed(path.target_path())
        } else {
            // Behind `/api/{proxy}`.
            let segments: Vec<&[u8]> = raw.split(|byte| *byte == b'/').skip(3).collect();
            Cow::Owned([b"/", segments.join(&b"/"[..]).as_slice()].concat())
        };
        let known = &self.known;
        let shown = |segment| {
            if known.are_in(segment) {
                Cow::Borrowed(MASKED)
            } else {
                String::from_utf8_lossy(segment)
            }
        };
        let segments: Vec<_> = below.split(|byte| *byte == b'/').map(shown).collect();
        let mut path = segments.join("/");
        // It may have a slash itself, and dots behind it may have taken away a part of it.
        let is_across = || {
            let mut segments = raw.split(|byte| *byte == b'/');
            known.are_in(raw) && !segments.any(|segment| known.are_in(segment))
        };
        if known.are_in(path.as_bytes()) || is_across() {
            path = format!("/{MASKED}");
        }
        self.cut(&path, self.budget.path)
    }

    /// None when there is too much already. Without a value that may be seen it is masked.
    fn pair(&mut self, name: &[u8], value: Option<&[u8]>) -> Option<Pair> {
        let name = self.text(name, NAME_BYTES)?;
        let value = match value {
            Some(value) => self.text(value, self.budget.value)?,
            None => MASKED.to_owned(),
        };
        Some(Pair { name, value })
    }

    fn text(&mut self, text: &[u8], most: usize) -> Option<String> {
        if self.left == 0 {
            return None;
        }
        if self.known.are_in(text) {
            return Some(MASKED.to_owned());
        }
        Some(self.cut(&String::from_utf8_lossy(text), most))
    }

    /// At most so many bytes, at the end of a character.
    fn cut(&mut self, text: &str, most: usize) -> String {
        let most = text.floor_char_boundary(most.min(self.left));
        let kept = text.get(..most).unwrap_or_default();
        // Empty texts cost something, too: else nothing bounded their number.
        self.left = self.left.saturating_sub(kept.len().max(1));
        kept.to_owned()
    }
}

#[cfg(test)]
mod tests;
