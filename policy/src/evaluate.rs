//! Why a sample call passes or does not: the report behind the Core API's `evaluate`.
//!
//! The rules are compiled and tried by the code that judges real calls; this only writes down what
//! that code found.

use requestrocket_proto::policy::v1 as wire;

pub use crate::authz::{DecidedBy, Effect, LayerName};
use crate::{
    authz::{Call, Decision, Layer, LayerDecision, Layers, Rule},
    compile::{InvalidLayer, layer},
    http::{ALLOWED_METHODS, HeaderLine, path::CallPath, query},
    id::RuleId,
};

/// A call to try.
#[derive(Clone, Copy, Debug)]
pub struct Sample<'a> {
    /// One of the seven.
    pub method: &'a str,
    /// As a caller would send it below the proxy's URL: a leading slash, no query.
    pub path: &'a str,
    /// Names and values, in any case.
    pub headers: &'a [(String, String)],
    /// Without its `?`.
    pub query: &'a str,
    /// None for no body.
    pub body: Option<&'a str>,
    /// The claims of a verified token, a JSON object.
    pub claims: Option<&'a str>,
}

/// The layers to try it on.
#[derive(Clone, Debug, PartialEq)]
pub struct SampleLayers {
    /// Of the credential that the caller uses.
    pub proxy_credential: wire::Layer,
    /// Of the proxy's target credential.
    pub target_credential: wire::Layer,
    /// Of the proxy's target.
    pub target: wire::Layer,
    /// Of the proxy itself.
    pub proxy: wire::Layer,
}

/// No call that the rules would ever see, or no rules.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidSample {
    /// Such a call is `METHOD_NOT_ALLOWED`.
    #[error("the method is none of {}", ALLOWED_METHODS.join(", "))]
    Method,
    /// Not a path below the proxy's URL.
    #[error("the path must start with a slash and hold no query")]
    Path,
    /// Such a call is `PATH_AMBIGUOUS`.
    #[error("the path can be read in more than one way")]
    PathAmbiguous,
    /// Such a call is `BAD_REQUEST`.
    #[error("the query holds white space, a control byte or `#`")]
    Query,
    /// No JSON object.
    #[error("the claims are no JSON object")]
    Claims,
    /// The list of what a preview's filters change would be too long.
    #[error("the filters change more of the body than can be reported")]
    TooManyChanges,
    /// A preview's filters would work too long on the response.
    #[error("the filters take too much work on the body")]
    TooMuchWork,
    /// One of the layers does not compile.
    #[error("{}: {source}", layer.as_str())]
    Layer {
        /// Which.
        layer: LayerName,
        /// Why.
        source: InvalidLayer,
    },
}

/// What becomes of the call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Evaluation {
    /// Of all layers together.
    pub effect: Effect,
    /// All four, in the order in which a denying one is named.
    pub layers: Vec<LayerReport>,
}

/// What one layer says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LayerReport {
    /// Which.
    pub layer: LayerName,
    /// What it decides.
    pub effect: Effect,
    /// Why.
    pub decided_by: DecidedBy,
    /// All its rules, in the order in which they are tried.
    pub rules: Vec<RuleReport>,
}

/// What one rule says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RuleReport {
    /// Which.
    pub rule_id: RuleId,
    /// Whether all its conditions hold.
    pub is_matched: bool,
    /// Those that do not.
    pub failed: Vec<FailedCondition>,
}

/// A condition that does not hold.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FailedCondition {
    /// As in `headers[0].value`.
    pub condition: String,
    /// Why not.
    pub problem: String,
}

/// Tries a call on the rules of four layers.
pub fn evaluate(layers: SampleLayers, sample: &Sample<'_>) -> Result<Evaluation, InvalidSample> {
    let SampleLayers {
        proxy_credential,
        target_credential,
        target,
        proxy,
    } = layers;
    let compiled = [
        compile(LayerName::ProxyCredential, proxy_credential)?,
        compile(LayerName::TargetCredential, target_credential)?,
        compile(LayerName::Target, target)?,
        compile(LayerName::Proxy, proxy)?,
    ];
    let [proxy_credential, target_credential, target, proxy] = &compiled;
    let layers = Layers {
        proxy_credential,
        target_credential,
        target,
        proxy,
    };
    on_sample(sample, |call| report(layers, call))
}

/// Brings a sample into the form in which rules see calls.
pub(crate) fn on_sample<T>(
    sample: &Sample<'_>,
    then: impl FnOnce(&Call<'_>) -> T,
) -> Result<T, InvalidSample> {
    if !ALLOWED_METHODS.contains(&sample.method) {
        return Err(InvalidSample::Method);
    }
    if !sample.path.starts_with('/') || sample.path.contains('?') {
        return Err(InvalidSample::Path);
    }
    // Below any proxy, so that it is read as a call's path is.
    let raw_path = format!("/api/proxy{}", sample.path);
    let path = CallPath::parse(raw_path.as_bytes()).map_err(|_| InvalidSample::PathAmbiguous)?;
    if !query::is_sendable(sample.query.as_bytes()) {
        return Err(InvalidSample::Query);
    }
    let headers: Vec<HeaderLine<'_>> = sample
        .headers
        .iter()
        .map(|(name, value)| (name.as_bytes(), value.as_bytes()))
        .collect();
    let method = sample.method.as_bytes();
    let query = Some(sample.query.as_bytes());
    let body = sample.body.unwrap_or_default().as_bytes();
    let mut call = Call::new(method, path.target_path(), query, &headers).with_body(body);
    if let Some(claims) = sample.claims {
        if !is_object(claims) {
            return Err(InvalidSample::Claims);
        }
        call = call.with_claims(claims);
    }
    Ok(then(&call))
}

fn is_object(claims: &str) -> bool {
    claims.trim_ascii_start().starts_with('{')
        && crate::json::find::find(&[], claims.as_bytes()).is_ok()
}

fn compile(name: LayerName, layer: wire::Layer) -> Result<Layer, InvalidSample> {
    layer::compile_alone(layer).map_err(|source| InvalidSample::Layer {
        layer: name,
        source,
    })
}

fn report(layers: Layers<'_>, call: &Call<'_>) -> Evaluation {
    let effect = match layers.decide(call) {
        Decision::Allowed => Effect::Allow,
        Decision::Denied(_) | Decision::NeedsBody => Effect::Deny,
    };
    // Before the rules' reports, which must not use up what it needs.
    let decided = layers.in_order().map(|(name, layer)| {
        call.effort().renew();
        let (effect, decided_by) = match layer.decide(call) {
            LayerDecision::Decided(effect, by) => (effect, by),
            // A sample is complete; were it not, this is what a real call could never get past.
            LayerDecision::NeedsBody => (Effect::Deny, DecidedBy::UnreadableBody),
        };
        (name, layer, effect, decided_by)
    });
    let reports = decided.map(|(layer_name, layer, effect, decided_by)| {
        let probe = layer.probe(call);
        let rules = layer.rules().iter();
        LayerReport {
            layer: layer_name,
            effect,
            decided_by,
            rules: rules
                .map(|rule| {
                    call.effort().renew();
                    rule_report(rule, rule.failures(&probe))
                })
                .collect(),
        }
    });
    Evaluation {
        effect,
        layers: reports.into(),
    }
}

fn rule_report(rule: &Rule, failures: Vec<crate::authz::Failure>) -> RuleReport {
    let failed: Vec<_> = failures
        .into_iter()
        .map(|(field, problem)| FailedCondition {
            condition: field.to_string(),
            problem: problem.to_string(),
        })
        .collect();
    RuleReport {
        rule_id: rule.id,
        is_matched: failed.is_empty(),
        failed,
    }
}

#[cfg(test)]
mod tests;
