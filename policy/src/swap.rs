//! The swap: what the caller presented comes off the request, what the target wants goes on.
//!
//! Every edit costs the host a call, so there is one only where the request differs.

mod renewed;
mod signing;

use std::{borrow::Cow, fmt, sync::Arc};

pub use self::renewed::Renewed;
pub(crate) use self::signing::Unsigned;
use crate::{
    echo::Guard,
    http::{
        RequestHead,
        name::{is_twin, starts_like},
        path::CallPath,
        percent::encode_into,
        query::{is_authorization, is_named, rewrite_into},
    },
    id::CredentialId,
    renewal::Renewable,
    secret::SecretBytes,
    sign::Scheme,
};

/// One change of a request's head. Names are lower case.
#[derive(Clone, PartialEq, Eq)]
pub enum Edit<'e> {
    /// Replace `:path`.
    SetPath(Vec<u8>),
    /// Put the header: replace its line if there is one. There are never several at this point.
    SetHeader(&'e str, &'e [u8]),
    /// The same, with a value that was computed for this call.
    SetComputed(&'e str, SecretBytes),
    /// Remove all lines of the header, which is named as the caller sent it.
    RemoveHeader(Cow<'e, str>),
    /// Say this in the warning header of the response.
    Warn(String),
}

/// Where granted calls go and what they carry there.
#[derive(Debug)]
pub(crate) struct Upstream {
    /// `Host` as Envoy writes it; empty where nothing is signed.
    pub(crate) host: Box<[u8]>,
    /// Without its trailing slash.
    pub(crate) base_path: Box<[u8]>,
    pub(crate) headers: Box<[HeaderInjection]>,
    pub(crate) query: Box<[QueryInjection]>,
    /// What is computed for each call, when all else of the request is known.
    pub(crate) computed: Option<Box<dyn Scheme>>,
    /// From then on what is put on requests is no longer good; none: it does not end.
    pub(crate) serves_until_ms: Option<u64>,
    /// What to do when the target does not take it.
    pub(crate) renewable: Option<Renewable>,
    /// What is put on requests travels by itself.
    pub(crate) apart: Option<Apart>,
    pub(crate) availability: Availability,
    /// Finds their values in responses.
    pub(crate) guard: Option<Arc<Guard>>,
}

/// A token that does not come with the policy.
#[derive(Debug)]
pub(crate) struct Apart {
    /// What it is bound to.
    pub(crate) credential: (CredentialId, u64),
    /// Of the token that is there; empty: none is.
    pub(crate) serial: Box<[u8]>,
}

/// When a target credential may be given to the target.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Availability {
    Always,
    /// Unix time in milliseconds.
    Before(u64),
}

impl Availability {
    pub(crate) fn holds(self, now_ms: &dyn Fn() -> u64) -> bool {
        match self {
            Self::Always => true,
            Self::Before(end) => now_ms() < end,
        }
    }
}

/// A header to put on requests.
#[derive(Debug)]
pub(crate) struct HeaderInjection {
    /// Lower case.
    name: Box<str>,
    value: SecretBytes,
}

/// A query parameter to put on requests.
#[derive(Debug)]
pub(crate) struct QueryInjection {
    name: Box<[u8]>,
    /// `name=value`, percent-encoded.
    parameter: SecretBytes,
}

/// Must not be put on a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidInjection {
    /// Not a header name, or one that is not the credential's to set.
    #[error("header of that name cannot be injected")]
    HeaderName,
    /// No name.
    #[error("query parameter needs a name")]
    QueryName,
    /// The value holds a control byte, which could end the header.
    #[error("value holds a control byte")]
    Value,
}

/// The request line and the connection are the gateway's; these headers say something of them.
const RESERVED_HEADERS: [&str; 14] = [
    "host",
    "content-length",
    "connection",
    "keep-alive",
    "proxy-authenticate",
    "proxy-authorization",
    "proxy-connection",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
    // RFC 7540 §3.2.1: half of an upgrade to HTTP/2.
    "http2-settings",
    // W3C Trace Context: where calls are traced Envoy writes them, and no secret is a trace's.
    "traceparent",
    "tracestate",
];

/// Prefixes of names that Envoy and the gateway keep for each other.
const RESERVED_PREFIXES: [&[u8]; 3] = [b"requestrocket-", b"x-rr-", b"x-envoy-"];

/// Whether a header of that name is the gateway's own: no caller says it, no rule sees it, no target
/// gets it.
pub(crate) fn is_reserved(name: &[u8]) -> bool {
    let mut prefixes = RESERVED_PREFIXES.iter();
    prefixes.any(|prefix| starts_like(name, prefix))
}

/// Whether the text is a token, as names of headers are (RFC 9110 §5.1).
pub fn is_header_name(name: &str) -> bool {
    !name.is_empty() && name.bytes().all(is_token_byte)
}

/// Whether a target credential may put a header of that name on requests.
pub fn is_injectable_header(name: &str) -> bool {
    let bytes = name.as_bytes();
    is_header_name(name)
        && !RESERVED_HEADERS
            .iter()
            .any(|reserved| is_twin(bytes, reserved.as_bytes()))
        && !is_reserved(bytes)
}

impl HeaderInjection {
    pub(crate) fn new(name: &str, value: SecretBytes) -> Result<Self, InvalidInjection> {
        if !is_injectable_header(name) {
            return Err(InvalidInjection::HeaderName);
        }
        refuse_control_bytes(&value)?;
        Ok(Self {
            name: name.to_ascii_lowercase().into(),
            value,
        })
    }
}

impl QueryInjection {
    pub(crate) fn new(name: &str, value: &SecretBytes) -> Result<Self, InvalidInjection> {
        if name.is_empty() {
            return Err(InvalidInjection::QueryName);
        }
        refuse_control_bytes(value)?;
        // Each byte may become three. A buffer that grew would leave a copy that nobody wipes.
        let mut parameter = Vec::with_capacity(3 * (name.len() + value.expose().len()) + 1);
        encode_into(name.as_bytes(), &mut parameter);
        parameter.push(b'=');
        encode_into(value.expose(), &mut parameter);
        Ok(Self {
            name: name.as_bytes().into(),
            parameter: SecretBytes::from(parameter),
        })
    }
}

impl Upstream {
    /// Whether what is put on requests is good now.
    pub(crate) fn serves(&self, now_ms: impl FnOnce() -> u64) -> bool {
        self.serves_until_ms.is_none_or(|end_ms| now_ms() < end_ms)
    }

    /// The edits that turn a granted caller's request into the target's.
    pub(crate) fn edits<'e>(
        &'e self,
        head: &RequestHead<'_>,
        path: &CallPath<'_>,
        (raw, query): (&[u8], Option<&[u8]>),
    ) -> Vec<Edit<'e>> {
        let mut edits = Vec::with_capacity(3 + self.headers.len());
        let target = self.request_target(path, query, raw.len());
        if target != raw {
            edits.push(Edit::SetPath(target));
        }
        // All before the first that is set: one removed later could be the twin of ours.
        let mut remove = |spellings: Vec<Cow<'e, str>>| {
            for removal in spellings.into_iter().map(Edit::RemoveHeader) {
                // Two injected names may be twins, and each edit is a call of the host.
                if !edits.contains(&removal) {
                    edits.push(removal);
                }
            }
        };
        // What is injected under that name replaces the line.
        if head.has_authorization() && !self.injects("authorization") {
            remove(vec![Cow::Borrowed("authorization")]);
        }
        // Meant for a proxy, not for whom it asks (RFC 9110 §11.7.2).
        if head.has_proxy_authorization {
            remove(head.spellings("proxy-authorization"));
        }
        // Envoy would append to it: `, 192.0.2.1`, in which the first address is nobody's.
        if head.has_empty_forwarded_for {
            remove(vec![Cow::Borrowed("x-forwarded-for")]);
        }
        // What a scheme puts may differ from call to call; what callers sent goes on each.
        for name in self.computed.iter().flat_map(|scheme| scheme.headers()) {
            remove(head.spellings(name));
        }
        for HeaderInjection { name, .. } in &self.headers {
            let spellings = head.spellings(name);
            // A host's "replace" may touch the first line only, and no twin.
            if spellings != [&**name] || head.count(name) > 1 {
                remove(spellings);
            }
        }
        let injections = self.headers.iter();
        edits.extend(injections.map(|one| Edit::SetHeader(&one.name, one.value.expose())));
        edits
    }

    /// Path and query as the target gets them.
    fn request_target(
        &self,
        path: &CallPath<'_>,
        query: Option<&[u8]>,
        raw_length: usize,
    ) -> Vec<u8> {
        let injected: usize = self
            .query
            .iter()
            .map(|one| one.parameter.expose().len() + 1)
            .sum();
        let capacity = self.base_path.len() + raw_length + injected + 1;
        let mut target = Vec::with_capacity(capacity);
        path.join_into(&self.base_path, &mut target);
        let computed = self.computed.as_deref().and_then(Scheme::parameter);
        let is_dropped = |parameter: &[u8]| {
            // Also beside a header, which alone is judged: no caller's credential reaches a target.
            is_authorization(parameter)
                || computed.is_some_and(|name| is_named(parameter, name))
                || self
                    .query
                    .iter()
                    .any(|injection| is_named(parameter, &injection.name))
        };
        let appended = self
            .query
            .iter()
            .map(|injection| injection.parameter.expose());
        rewrite_into(query, &is_dropped, appended, &mut target);
        target
    }

    fn injects(&self, header: &str) -> bool {
        self.headers
            .iter()
            .any(|injection| &*injection.name == header)
    }
}

/// Values may be secrets.
impl fmt::Debug for Edit<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::SetPath(_) => f.write_str("SetPath"),
            Self::SetHeader(name, _) | Self::SetComputed(name, _) => {
                write!(f, "SetHeader({name})")
            }
            Self::RemoveHeader(name) => write!(f, "RemoveHeader({name})"),
            Self::Warn(text) => write!(f, "Warn({text})"),
        }
    }
}

fn is_token_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte)
}

fn refuse_control_bytes(value: &SecretBytes) -> Result<(), InvalidInjection> {
    if value.expose().iter().any(u8::is_ascii_control) {
        Err(InvalidInjection::Value)
    } else {
        Ok(())
    }
}

#[cfg(test)]
mod tests;
