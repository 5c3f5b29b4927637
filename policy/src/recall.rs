//! What rules, filters and meters made of a call of which there is only its record: the report
//! behind the Core API's explanations and rehearsals.
//!
//! Conditions are compiled and tried by the code that judges real calls. What a record does not hold
//! (values that are masked or cut, bodies, claims) is taken for all that it may have been; where that
//! matters, nobody can tell, and this says so.

mod known;
mod layer;

use requestrocket_proto::policy::v1 as wire;
use uuid::Uuid;

use self::known::known;
pub use self::layer::{FilterRecall, LayerRecall, RuleRecall};
use crate::{
    authz::{Effect, Field, Held, Known, Layer, LayerName, Mode, Probe},
    compile::{InvalidMeters, layer as compile_layer, meter},
    evaluate::{InvalidSample, SampleLayers},
};

/// A call as its record tells of it.
#[derive(Clone, Copy, Debug)]
pub struct RecordedCall<'a> {
    /// As it was sent.
    pub method: &'a str,
    /// As rules saw it.
    pub path: &'a str,
    /// Names and values.
    pub headers: &'a [(String, String)],
    /// Decoded names and values.
    pub query: &'a [(String, String)],
    /// It had no body.
    pub has_no_body: bool,
    /// Its caller had no claims.
    pub has_no_claims: bool,
}

/// What a record says that became of its call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Judged {
    /// All layers allowed it.
    Allowed,
    /// Rules denied it.
    Denied {
        /// The first layer that did.
        layer: LayerName,
        /// What decided it: as `decidedBy` has it.
        by: String,
    },
    /// Nobody can tell, or rules never saw it.
    Unknown,
}

/// Compiled layers, for any number of calls.
#[derive(Debug)]
pub struct Judges {
    /// In the order in which a denying one is named.
    layers: [(LayerName, Layer); 4],
}

/// What the layers made of a call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Recollection {
    /// Of all layers together; none: nobody can tell.
    pub effect: Option<Effect>,
    /// All four, in the order in which a denying one is named.
    pub layers: Vec<LayerRecall>,
    /// Of all four, in the order of their stages.
    pub filters: Vec<FilterRecall>,
}

/// What the layers would make of a call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rehearsed {
    /// Of all layers together; none: nobody can tell.
    pub effect: Option<Effect>,
    /// Of all four, in the order of their stages.
    pub filters: Vec<FilterRecall>,
    /// What finding that out took: steps of some three nanoseconds.
    pub steps: usize,
}

/// Whether a meter's conditions held.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MeterRecall {
    /// Which.
    pub meter_id: Uuid,
    /// None: nobody can tell.
    pub is_meant: Option<bool>,
    /// Conditions of which nobody can tell, as in `headers[0]`.
    pub unknown: Vec<String>,
}

impl Judges {
    /// Compiles the layers.
    ///
    /// # Errors
    /// One of them does not compile.
    pub fn compile(layers: SampleLayers) -> Result<Self, InvalidSample> {
        let SampleLayers {
            proxy_credential,
            target_credential,
            target,
            proxy,
        } = layers;
        let compile = |name, layer| {
            let compiled = compile_layer::compile_alone(layer);
            let compiled = compiled.map_err(|source| InvalidSample::Layer {
                layer: name,
                source,
            });
            compiled.map(|layer| (name, layer))
        };
        Ok(Self {
            layers: [
                compile(LayerName::ProxyCredential, proxy_credential)?,
                compile(LayerName::TargetCredential, target_credential)?,
                compile(LayerName::Target, target)?,
                compile(LayerName::Proxy, proxy)?,
            ],
        })
    }

    /// What they made of a call of which that is known.
    #[must_use]
    pub fn recall(&self, call: &RecordedCall<'_>, judged: &Judged) -> Recollection {
        known(call, |call, known| {
            let layers = self.layers.each_ref();
            let layers = layers.map(|(name, layer)| layer::recall(*name, layer, (call, known)));
            let layers = layer::by_what_became(layers.into(), judged);
            Recollection {
                effect: together(&layers),
                layers,
                filters: self.filters(call, known),
            }
        })
    }

    /// What they would make of a call like that, whatever became of it.
    #[must_use]
    pub fn rehearse(&self, call: &RecordedCall<'_>) -> Rehearsed {
        known(call, |call, known| {
            let layers = self.layers.iter();
            let layers = layers.map(|(name, layer)| layer::recall(*name, layer, (call, known)));
            Rehearsed {
                effect: together(&layers.collect::<Vec<_>>()),
                filters: self.filters(call, known),
                steps: call.effort().take_steps(),
            }
        })
    }

    fn filters(&self, call: &crate::authz::Call<'_>, known: Known) -> Vec<FilterRecall> {
        let [proxy_credential, target_credential, target, proxy] = &self.layers;
        let stages = [target_credential, target, proxy_credential, proxy];
        let filters = stages.map(|(name, of)| layer::filters(*name, of, (call, known)));
        filters.into_iter().flatten().collect()
    }
}

/// Which meters meant a call of which that is known.
///
/// # Errors
/// They do not compile.
pub fn recall_meters(
    meters: Vec<wire::Meter>,
    call: &RecordedCall<'_>,
) -> Result<Vec<MeterRecall>, InvalidMeters> {
    let meters = meter::compile_alone(meters)?;
    let recalled = known(call, |call, known| {
        let probe = Probe::new(call, meters.paths());
        let recalled = meters.all().iter().map(|meter| {
            call.effort().renew();
            let recalled = meter.conditions.recall(&probe, Mode::Any, known);
            MeterRecall {
                meter_id: meter.charge.counter.id,
                is_meant: known_of(recalled.held),
                unknown: names(&recalled.unknown),
            }
        });
        recalled.collect()
    });
    Ok(recalled)
}

/// All must allow.
fn together(layers: &[LayerRecall]) -> Option<Effect> {
    let has = |effect| layers.iter().any(|layer| layer.effect == effect);
    if has(Some(Effect::Deny)) {
        Some(Effect::Deny)
    } else if has(None) {
        None
    } else {
        Some(Effect::Allow)
    }
}

fn known_of(held: Held) -> Option<bool> {
    match held {
        Held::Yes => Some(true),
        Held::No => Some(false),
        Held::Unknown => None,
    }
}

fn names(fields: &[Field]) -> Vec<String> {
    fields.iter().map(ToString::to_string).collect()
}

#[cfg(test)]
mod tests;
