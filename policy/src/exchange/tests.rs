//! The order of the checks and what each kind of call gets, from head to record.

mod counting;
mod echo;
mod effort;
mod ending;
mod golden;
mod hostile;
mod looking;
mod matrix;
mod opaque;
mod order;
mod passage;
mod properties;
mod redaction;
mod renewed;
mod response;
mod sequences;
mod signing;
mod tokens;

use std::{cell::Cell, sync::Arc};

use super::*;
use crate::{
    authn::AuthType,
    fixtures::{Admitting, PROXY_ID, PolicyFixture, credential_id},
    http::HeaderLine,
    shares::Holder,
};

/// A response's head, which counts what was asked of it.
pub(super) struct FakeResponse {
    lines: Vec<(String, String)>,
    asked: Cell<usize>,
}

impl FakeResponse {
    fn new(lines: &[(&str, &str)]) -> Self {
        let own = |&(name, value): &(&str, &str)| (name.to_owned(), value.to_owned());
        Self {
            lines: lines.iter().map(own).collect(),
            asked: Cell::new(0),
        }
    }
}

impl ResponseHead for FakeResponse {
    fn header(&self, name: &str) -> Option<Vec<u8>> {
        self.asked.set(self.asked.get() + 1);
        let line = self.lines.iter().find(|(other, _)| other == name);
        line.map(|(_, value)| value.as_bytes().to_vec())
    }

    fn lines(&self, look: &mut dyn FnMut(&[HeaderLine<'_>])) {
        self.asked.set(self.asked.get() + 1);
        let lines = self.lines.iter();
        let lines = lines.map(|(name, value)| (name.as_bytes(), value.as_bytes()));
        look(&lines.collect::<Vec<_>>());
    }
}

/// A request's head, in the order Envoy gives it.
fn lines<'a>(
    method: &'a str,
    path: &'a str,
    headers: &[(&'a str, &'a str)],
) -> Vec<HeaderLine<'a>> {
    let pseudo = [
        (":authority", "gateway.example"),
        (":path", path),
        (":method", method),
    ];
    pseudo
        .iter()
        .chain(headers)
        .map(|(name, value)| (name.as_bytes(), value.as_bytes()))
        .collect()
}

/// A proxy with one apiKey `key` whose target wants a token.
fn fixture() -> PolicyFixture {
    PolicyFixture::new()
        .api_key("key")
        .header("Authorization", "Bearer target-token")
}

fn resolved(fixture: &PolicyFixture) -> Resolved {
    Resolved::Proxy(Arc::new(fixture.compile().unwrap()))
}

fn api(below: &str) -> String {
    format!("/api/{PROXY_ID}{below}")
}

/// What a call comes to: the edits in readable form, or the refusal.
fn decide(
    resolved: &Resolved,
    method: &str,
    path: &str,
    headers: &[(&str, &str)],
) -> Result<Vec<String>, Denial> {
    let mut exchange = Exchange::new(resolved.clone());
    let lines = lines(method, path, headers);
    match exchange.on_request(
        &RequestHead::new(&lines),
        RequestBody::Whole(&[]),
        &Admitting(1_000),
    ) {
        RequestDecision::Refuse(refusal) => Err(refusal.denial),
        RequestDecision::Forward(edits) | RequestDecision::HandOver(edits) => {
            Ok(edits.iter().map(shown).collect())
        }
        RequestDecision::NeedPolicy | RequestDecision::NeedBody | RequestDecision::Ask(_) => {
            panic!("it waits")
        }
    }
}

/// The refusal of a request, if it is one; none of these requests has to wait.
fn refusal(decision: RequestDecision<'_>) -> Option<Denial> {
    match decision {
        RequestDecision::Refuse(refusal) => Some(refusal.denial),
        RequestDecision::Forward(_) | RequestDecision::HandOver(_) => None,
        RequestDecision::NeedPolicy | RequestDecision::NeedBody | RequestDecision::Ask(_) => {
            panic!("it waits")
        }
    }
}

/// The refusal of a response, if it is one.
fn refused(decision: ResponseDecision) -> Option<Denial> {
    match decision {
        ResponseDecision::Refuse(refusal) => Some(refusal.denial),
        ResponseDecision::Forward(..) => None,
    }
}

impl Exchange {
    /// A response's head with a body to come.
    fn on_head(&mut self, head: &FakeResponse) -> Option<Denial> {
        refused(self.on_response_head(head, false, &Admitting(0)))
    }
}

fn shown(edit: &Edit<'_>) -> String {
    let text = String::from_utf8_lossy;
    match edit {
        Edit::SetPath(path) => format!(":path = {}", text(path)),
        Edit::SetHeader(name, value) => format!("{name} = {}", text(value)),
        Edit::SetComputed(name, value) => format!("{name} = {}", text(value.expose())),
        Edit::RemoveHeader(name) => format!("- {name}"),
        Edit::Warn(text) => format!("warn {text}"),
    }
}
