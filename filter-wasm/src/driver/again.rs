//! What a call that goes on to be judged again takes along, in headers that only the gateway sets.

use requestrocket_policy::{http::HeaderLine, limit::Asked};

use super::policies::ROUTE_HEADER;
use crate::{
    counters::Inquiry,
    host::{Host, HostFailure},
};

/// Marks a call that comes back to be judged again. With it no route leads to a target, so it is
/// taken off when the call is let through.
pub(super) const AGAIN_HEADER: &str = "x-rr-again";

/// What the region server said before: it is not asked the same twice.
pub(super) const ASKED_HEADER: &str = "x-rr-asked";

/// Sends a call on to where Envoy chooses its route again: it asks for one that has no name of its
/// route any more.
pub(super) fn send_on(host: &impl Host, inquiry: Inquiry) -> Result<(), HostFailure> {
    if inquiry != Inquiry::NONE {
        host.set_request_header(ASKED_HEADER, text(inquiry).as_bytes())?;
    }
    host.remove_request_header(ROUTE_HEADER)
}

/// Whether a call comes back, and how far it is with asking.
pub(super) fn read(lines: &[HeaderLine<'_>]) -> Result<Option<Inquiry>, HostFailure> {
    let value = |name: &str| {
        let mut lines = lines.iter();
        let line = lines.find(|(other, _)| *other == name.as_bytes());
        line.map(|(_, value)| *value)
    };
    if value(AGAIN_HEADER).is_none() {
        return Ok(None);
    }
    match value(ASKED_HEADER) {
        None => Ok(Some(Inquiry::NONE)),
        Some(text) => inquiry(text).map(Some).ok_or(HostFailure),
    }
}

/// Such as `refused 1`.
fn text(inquiry: Inquiry) -> String {
    let said = match inquiry.asked {
        Asked::NotYet => "granted",
        Asked::Refused => "refused",
        Asked::Unanswered => "unanswered",
    };
    format!("{said} {}", inquiry.questions)
}

fn inquiry(text: &[u8]) -> Option<Inquiry> {
    let (said, questions) = std::str::from_utf8(text).ok()?.split_once(' ')?;
    let asked = match said {
        "granted" => Asked::NotYet,
        "refused" => Asked::Refused,
        "unanswered" => Asked::Unanswered,
        _ => return None,
    };
    let questions = questions.parse().ok()?;
    Some(Inquiry { asked, questions })
}
