//! The last edits of a request: what is computed over all that the others come to.

use std::sync::Arc;

use super::{Edit, Upstream, is_reserved};
use crate::{
    echo::Guard,
    http::{HeaderLine, RequestHead, percent::encode_into},
    secret::SecretBytes,
    sign::{CannotSign, Outgoing, Placed, Scheme, Tools},
};

/// A request with the edits that were made so far, as it is about to be signed.
pub(crate) struct Unsigned<'a> {
    pub(crate) head: &'a RequestHead<'a>,
    pub(crate) method: &'a [u8],
    /// `:path` as sent.
    pub(crate) raw: &'a [u8],
    /// Of the whole body, where it was needed.
    pub(crate) body_sha256: Option<[u8; 32]>,
    /// Unix time in milliseconds.
    pub(crate) now_ms: u64,
}

impl Upstream {
    /// Whether the whole body must be there before a request can leave.
    pub(crate) fn signs_body(&self) -> bool {
        self.computed.as_deref().is_some_and(Scheme::reads_body)
    }

    /// Adds the edits that are computed. Nothing may be edited after them. Answers the values that
    /// responses may repeat.
    pub(crate) fn sign<'e>(
        &'e self,
        request: &Unsigned<'_>,
        edits: &mut Vec<Edit<'e>>,
        tools: &dyn Tools,
    ) -> Result<Vec<SecretBytes>, CannotSign> {
        let mut echoed = Vec::new();
        let Some(scheme) = &self.computed else {
            return Ok(echoed);
        };
        let mut target = target(request, edits);
        let outgoing = Outgoing {
            method: request.method,
            target: &target,
            host: &self.host,
            headers: &headers(request.head, edits),
            body_sha256: request.body_sha256,
            now_ms: request.now_ms,
        };
        for placed in scheme.sign(&outgoing, tools)? {
            let Placed {
                header,
                value,
                secret,
            } = placed;
            echoed.extend(value.expose().get(secret).map(SecretBytes::from));
            if let Some(name) = header {
                edits.push(Edit::SetComputed(name, value));
                continue;
            }
            let name = scheme.parameter().ok_or(CannotSign)?;
            append(&mut target, name, &value);
            // The parameter is in this path, which takes the place of the other.
            edits.retain(|edit| !matches!(edit, Edit::SetPath(_)));
            edits.push(Edit::SetPath(target));
            return Ok(echoed);
        }
        Ok(echoed)
    }

    /// Finds what is on every request, and these values.
    pub(crate) fn guard(&self, computed: Vec<SecretBytes>) -> Option<Arc<Guard>> {
        if computed.is_empty() {
            return self.guard.clone();
        }
        let always = self.guard.as_deref().map(Guard::values);
        let always = always.unwrap_or_default().to_vec();
        Guard::of([always, computed].concat()).map(Arc::new)
    }
}

/// `:path` as it will be sent.
fn target(request: &Unsigned<'_>, edits: &[Edit<'_>]) -> Vec<u8> {
    let set = edits.iter().find_map(|edit| match edit {
        Edit::SetPath(path) => Some(path.as_slice()),
        Edit::SetHeader(..) | Edit::SetComputed(..) | Edit::RemoveHeader(_) | Edit::Warn(_) => None,
    });
    set.unwrap_or(request.raw).to_vec()
}

/// The lines that will be sent. What the gateway and Envoy say to each other is not among them.
fn headers<'a>(head: &RequestHead<'a>, edits: &'a [Edit<'_>]) -> Vec<HeaderLine<'a>> {
    let is_edited = |name: &[u8]| {
        edits.iter().any(|edit| match edit {
            Edit::SetHeader(other, _) | Edit::SetComputed(other, _) => other.as_bytes() == name,
            Edit::RemoveHeader(other) => other.as_bytes() == name,
            Edit::SetPath(_) | Edit::Warn(_) => false,
        })
    };
    // Schemes get the host by itself, as Envoy will write it.
    let is_sent = |name: &[u8]| !name.starts_with(b":") && name != b"host" && !is_reserved(name);
    let kept = head.lines.iter().copied();
    let kept = kept.filter(|(name, _)| is_sent(name) && !is_edited(name));
    let set = edits.iter().filter_map(|edit| match edit {
        Edit::SetHeader(name, value) => Some((name.as_bytes(), *value)),
        Edit::SetComputed(name, value) => Some((name.as_bytes(), value.expose())),
        Edit::SetPath(_) | Edit::RemoveHeader(_) | Edit::Warn(_) => None,
    });
    kept.chain(set).collect()
}

/// The parameter comes last, escaped.
fn append(target: &mut Vec<u8>, name: &[u8], value: &SecretBytes) {
    match target.iter().position(|byte| *byte == b'?') {
        None => target.push(b'?'),
        Some(at) if at + 1 == target.len() => {}
        Some(_) => target.push(b'&'),
    }
    encode_into(name, target);
    target.push(b'=');
    encode_into(value.expose(), target);
}
