//! A response's head: the size that the target declares.

use crate::{
    denial::{Denial, PROXY_CODE_HEADER, ProxyCode},
    http::ResponseHead,
    media::MediaKind,
    policy::Policy,
};

/// Asks for the length first: almost every response is decided by it alone.
pub(super) fn judge(
    policy: &Policy,
    is_head_request: bool,
    head: &dyn ResponseHead,
) -> Result<(), Denial> {
    if is_head_request || !declares_too_much(policy, head) || is_bodiless(head) || is_stream(head) {
        Ok(())
    } else {
        Err(Denial::ResponseTooLarge)
    }
}

/// Whether a response to a request that we never saw is Envoy's refusal of it.
///
/// A target cannot fake one: the header is removed from its responses before we see them.
pub(super) fn is_envoys_refusal(head: &dyn ResponseHead) -> bool {
    head.header(PROXY_CODE_HEADER)
        .is_some_and(|code| code == ProxyCode::AccessDenied.as_str().as_bytes())
}

fn declares_too_much(policy: &Policy, head: &dyn ResponseHead) -> bool {
    let Some(declared) = head.header("content-length") else {
        return false;
    };
    let declared = std::str::from_utf8(&declared)
        .ok()
        .and_then(|text| text.parse::<u64>().ok());
    // A length that is no number promises nothing.
    declared.is_none_or(|bytes| bytes > policy.max_response_bytes.get())
}

fn is_bodiless(head: &dyn ResponseHead) -> bool {
    head.header(":status")
        .is_some_and(|status| matches!(&*status, b"204" | b"304"))
}

fn is_stream(head: &dyn ResponseHead) -> bool {
    let content_type = head.header("content-type");
    MediaKind::parse(content_type.as_deref()).is_stream()
}
