//! Rules: what conditions match, and which of the rules that match decides.

mod body;
mod call;
mod lenient;
pub(crate) mod model;
mod naive_json;
mod occurrences;
mod order;
mod properties;

use requestrocket_proto::policy::v1 as wire;

use super::*;
use crate::{compile::layer::compile_alone, fixtures::rules};

/// A call in plain text.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Sent<'a> {
    method: &'a str,
    path: &'a str,
    query: &'a str,
    headers: &'a [(&'a str, &'a str)],
    /// None: not there yet.
    body: Option<&'a [u8]>,
    claims: Option<&'a str>,
}

/// A GET of `/` and nothing else.
const GET: Sent<'_> = Sent {
    method: "GET",
    path: "/",
    query: "",
    headers: &[],
    body: None,
    claims: None,
};

impl Sent<'_> {
    pub(crate) fn with_call<T>(&self, then: impl FnOnce(&Call<'_>) -> T) -> T {
        self.with(|call| then(&call))
    }

    fn with<T>(&self, then: impl FnOnce(Call<'_>) -> T) -> T {
        let headers: Vec<_> = self
            .headers
            .iter()
            .map(|(name, value)| (name.as_bytes(), value.as_bytes()))
            .collect();
        let (method, path, query) = (
            self.method.as_bytes(),
            self.path.as_bytes(),
            self.query.as_bytes(),
        );
        let mut call = Call::new(method, path, Some(query), &headers);
        if let Some(body) = self.body {
            call = call.with_body(body);
        }
        if let Some(claims) = self.claims {
            call = call.with_claims(claims);
        }
        then(call)
    }
}

fn layer(default_effect: &str, texts: &[&str]) -> Layer {
    compile_alone(rules::layer(default_effect, texts)).unwrap()
}

fn decide(layer: &Layer, sent: &Sent<'_>) -> LayerDecision {
    sent.with_call(|call| layer.decide(call))
}

fn allowed_by(n: u128) -> LayerDecision {
    LayerDecision::Decided(Effect::Allow, DecidedBy::Rule(rules::rule_id(n)))
}

fn denied_by(n: u128) -> LayerDecision {
    LayerDecision::Decided(Effect::Deny, DecidedBy::Rule(rules::rule_id(n)))
}

const ALLOWED: LayerDecision = LayerDecision::Decided(Effect::Allow, DecidedBy::Default);
const DENIED: LayerDecision = LayerDecision::Decided(Effect::Deny, DecidedBy::Default);
const UNREADABLE: LayerDecision = LayerDecision::Decided(Effect::Deny, DecidedBy::UnreadableBody);

/// How conditions hold in a deny rule, a redaction or a meter.
fn hold_any(conditions: &str, sent: &Sent<'_>) -> Hold {
    hold(conditions, Mode::Any, sent)
}

/// How conditions hold in an allow rule.
fn hold_all(conditions: &str, sent: &Sent<'_>) -> Hold {
    hold(conditions, Mode::All, sent)
}

fn hold(conditions: &str, mode: Mode, sent: &Sent<'_>) -> Hold {
    let pool = crate::compile::pool::Pool::default();
    let mut compiler = crate::compile::conditions::ConditionsCompiler::new(&pool);
    let conditions = compiler.compile(Some(rules::conditions(conditions)));
    let (conditions, paths) = (conditions.unwrap(), compiler.finish());
    sent.with_call(|call| go_through(conditions.hold(&Probe::new(call, &paths), mode)))
}

/// One condition that holds or does not, whatever the mode.
fn check(conditions: &str, sent: &Sent<'_>, want: bool) {
    let want = if want { Hold::Yes } else { Hold::No };
    assert_eq!(
        hold_any(conditions, sent),
        want,
        "any {conditions} {sent:?}"
    );
    assert_eq!(
        hold_all(conditions, sent),
        want,
        "all {conditions} {sent:?}"
    );
}
