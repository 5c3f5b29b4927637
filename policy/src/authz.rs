//! May this call pass? Four layers of rules, each decided by itself; all must allow.
//!
//! A decision that would need the request's body says so, and is asked again when the body is
//! there: nothing is buffered for rules that cannot match.

mod call;
mod conditions;
mod document;
mod nodes;
mod outcome;
mod redaction;

use crate::{effort::go_through, id::RuleId};

pub use self::{
    call::Call,
    conditions::{Conditions, Hold, Mode},
    nodes::{Paths, Probe},
    outcome::{Field, Part, Section},
    redaction::Redaction,
};
#[cfg(any(test, feature = "explain"))]
pub(crate) use self::{
    conditions::{Held, Known},
    outcome::Failure,
};
pub(crate) use self::{
    conditions::{Methods, NamedCondition, NodeCondition, PathCondition},
    outcome::Presence,
};

/// What a rule or a default does with a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Effect {
    /// Refuses it.
    Deny,
    /// Lets it pass.
    Allow,
}

/// The four layers, in the order in which a denying one is named.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum LayerName {
    /// Of the credential that the caller used.
    ProxyCredential,
    /// Of the proxy's target credential.
    TargetCredential,
    /// Of the proxy's target.
    Target,
    /// Of the proxy itself.
    Proxy,
}

/// What decided a layer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum DecidedBy {
    /// A rule: it matched, or it denies because its patterns take too long on the call.
    Rule(RuleId),
    /// No rule matched: the default effect.
    Default,
    /// A rule asked for a body that cannot be read without doubt.
    UnreadableBody,
}

/// The first layer that denies, and why.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct DeniedBy {
    /// The layer.
    pub layer: LayerName,
    /// What decided it.
    pub by: DecidedBy,
}

/// What the rules of all layers say of a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Decision {
    /// All layers allow.
    Allowed,
    /// One denies.
    Denied(DeniedBy),
    /// The body decides: ask again when the call has it.
    NeedsBody,
}

/// What the rules of one layer say of a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LayerDecision {
    /// This, and why.
    Decided(Effect, DecidedBy),
    /// The body decides: ask again when the call has it.
    NeedsBody,
}

/// A compiled rule.
#[derive(Debug)]
pub(crate) struct Rule {
    pub(crate) id: RuleId,
    pub(crate) effect: Effect,
    pub(crate) priority: u32,
    pub(crate) conditions: Conditions,
}

/// What is attached to a proxy credential, a target credential, a target or a proxy.
#[derive(Debug)]
pub struct Layer {
    default_effect: Effect,
    /// Priority descending, deny before allow.
    rules: Box<[Rule]>,
    redactions: Box<[Redaction]>,
    /// What the conditions of both look up in JSON.
    paths: Paths,
    names_methods: bool,
}

/// The layers that judge one call.
#[derive(Clone, Copy, Debug)]
pub struct Layers<'p> {
    /// Of the credential that the caller used.
    pub proxy_credential: &'p Layer,
    /// Of the proxy's target credential.
    pub target_credential: &'p Layer,
    /// Of the proxy's target.
    pub target: &'p Layer,
    /// Of the proxy itself.
    pub proxy: &'p Layer,
}

impl Effect {
    /// A deny rule must not be dodged by one more occurrence, an allow rule not be met by one.
    pub(crate) fn mode(self) -> Mode {
        match self {
            Self::Deny => Mode::Any,
            Self::Allow => Mode::All,
        }
    }
}

impl LayerName {
    /// As it stands in JSON.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::ProxyCredential => "proxyCredential",
            Self::TargetCredential => "targetCredential",
            Self::Target => "target",
            Self::Proxy => "proxy",
        }
    }
}

impl std::fmt::Display for DecidedBy {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Rule(id) => id.fmt(f),
            Self::Default => f.write_str("default"),
            Self::UnreadableBody => f.write_str("unreadable-body"),
        }
    }
}

impl Layer {
    pub(crate) fn new(
        default_effect: Effect,
        mut rules: Vec<Rule>,
        redactions: Vec<Redaction>,
        paths: Paths,
    ) -> Self {
        // The id last, so that the rule that is named does not depend on the order of the wire.
        rules.sort_by_key(|rule| (std::cmp::Reverse(rule.priority), rule.effect, rule.id));
        let of_rules = rules.iter().map(|rule| &rule.conditions);
        let of_redactions = redactions.iter().map(|redaction| &redaction.conditions);
        let names_methods = of_rules.chain(of_redactions).any(Conditions::names_methods);
        Self {
            default_effect,
            rules: rules.into(),
            redactions: redactions.into(),
            paths,
            names_methods,
        }
    }

    /// The first matching rule decides; without a match, the default.
    pub fn decide(&self, call: &Call<'_>) -> LayerDecision {
        go_through(self.decide_in_turns(call))
    }

    async fn decide_in_turns(&self, call: &Call<'_>) -> LayerDecision {
        let probe = self.probe(call);
        for rule in &self.rules {
            match rule.conditions.hold(&probe, rule.effect.mode()).await {
                Hold::No => {}
                Hold::Yes => return LayerDecision::Decided(rule.effect, DecidedBy::Rule(rule.id)),
                // Rules behind it must not decide before it.
                Hold::NeedsBody => return LayerDecision::NeedsBody,
                // Nobody can tell, so nobody passes.
                Hold::Unreadable => {
                    let by = if call.effort().is_exhausted() {
                        DecidedBy::Rule(rule.id)
                    } else {
                        DecidedBy::UnreadableBody
                    };
                    return LayerDecision::Decided(Effect::Deny, by);
                }
            }
        }
        LayerDecision::Decided(self.default_effect, DecidedBy::Default)
    }

    /// The redactions that apply to the call's response, in no particular order.
    pub fn redactions_for(&self, call: &Call<'_>) -> impl Iterator<Item = &Redaction> {
        go_through(self.redactions_in_turns(call)).into_iter()
    }

    /// As [`Layer::redactions_for`], for a call in turns.
    pub(crate) async fn redactions_in_turns(&self, call: &Call<'_>) -> Vec<&Redaction> {
        let probe = self.probe(call);
        let mut all = Vec::new();
        for redaction in &self.redactions {
            if redaction.applies(&probe).await {
                all.push(redaction);
            }
        }
        all
    }

    /// Rules in the order in which they are tried.
    #[cfg(any(test, feature = "explain"))]
    pub(crate) fn rules(&self) -> &[Rule] {
        &self.rules
    }

    #[cfg(any(test, feature = "explain"))]
    pub(crate) fn redactions(&self) -> &[Redaction] {
        &self.redactions
    }

    #[cfg(any(test, feature = "explain"))]
    pub(crate) fn default_effect(&self) -> Effect {
        self.default_effect
    }

    pub(crate) fn probe<'c, 'a>(&'c self, call: &'c Call<'a>) -> Probe<'c, 'a> {
        Probe::new(call, &self.paths)
    }
}

#[cfg(any(test, feature = "explain"))]
impl Rule {
    /// What of its conditions does not hold, each with its reason.
    pub(crate) fn failures(&self, probe: &Probe<'_, '_>) -> Vec<Failure> {
        self.conditions.failures(probe, self.effect.mode())
    }
}

impl<'p> Layers<'p> {
    /// In the order in which a denying layer is named.
    pub fn in_order(self) -> [(LayerName, &'p Layer); 4] {
        [
            (LayerName::ProxyCredential, self.proxy_credential),
            (LayerName::TargetCredential, self.target_credential),
            (LayerName::Target, self.target),
            (LayerName::Proxy, self.proxy),
        ]
    }

    /// All must allow.
    pub fn decide(self, call: &Call<'_>) -> Decision {
        go_through(self.decide_in_turns(call))
    }

    /// As [`Layers::decide`], for a call in turns.
    pub(crate) async fn decide_in_turns(self, call: &Call<'_>) -> Decision {
        for (layer, rules) in self.in_order() {
            match rules.decide_in_turns(call).await {
                LayerDecision::Decided(Effect::Allow, _) => {}
                LayerDecision::Decided(Effect::Deny, by) => {
                    return Decision::Denied(DeniedBy { layer, by });
                }
                // It may be the first that denies, which is the one to name.
                LayerDecision::NeedsBody => return Decision::NeedsBody,
            }
        }
        Decision::Allowed
    }

    /// Whether a rule or a redaction depends on the method: headers that override it must not reach
    /// the target then.
    pub fn name_methods(self) -> bool {
        let mut layers = self.in_order().into_iter();
        layers.any(|(_, layer)| layer.names_methods)
    }

    /// Whether a rule or a redaction depends on the claims of a token.
    pub(crate) fn read_claims(self) -> bool {
        let mut layers = self.in_order().into_iter();
        layers.any(|(_, layer)| !layer.paths.claims.is_empty())
    }
}

#[cfg(test)]
pub(crate) mod tests;
