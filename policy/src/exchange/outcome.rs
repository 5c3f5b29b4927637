//! What an exchange tells of a response for the record: what redaction removed, what meters counted.

use prost::Message as _;
use requestrocket_proto::record::v1 as wire;
use uuid::Uuid;

use super::Exchange;
use crate::{authz::LayerName, limit::Micros};

/// What a response came to so far.
#[derive(Debug, Default)]
pub(super) struct Outcome {
    removed: Vec<(LayerName, u64)>,
    meters: Vec<(Uuid, Micros)>,
    is_new: bool,
}

impl Outcome {
    /// A meter counted so much more.
    pub(super) fn counted(&mut self, meter: Uuid, amount: Micros) {
        self.meters.push((meter, amount));
        self.is_new = true;
    }

    /// The stages of these layers removed so many nodes of what passed.
    pub(super) fn redacted(&mut self, layers: [Option<LayerName>; 4], removed: &[u64]) {
        let removed = layers.into_iter().flatten().zip(removed.iter().copied());
        self.removed = removed.filter(|(_, nodes)| *nodes > 0).collect();
        self.is_new |= !self.removed.is_empty();
    }
}

impl Exchange {
    /// What only the engine knows of the response, encoded, whenever there is more of it than was
    /// told before. All of it is told anew. No longer than the policy has meters.
    pub fn outcome(&mut self) -> Option<Vec<u8>> {
        let Outcome {
            removed,
            meters,
            is_new,
        } = &mut self.outcome;
        if !std::mem::replace(is_new, false) {
            return None;
        }
        let filters = removed.iter().map(|(layer, nodes)| wire::Removed {
            stage: layer.as_str().to_owned(),
            nodes: *nodes,
        });
        let outcome = wire::Outcome {
            filters: filters.collect(),
            meters: meters.iter().copied().map(delta).collect(),
        };
        Some(outcome.encode_to_vec())
    }
}

/// As it is told.
pub(super) fn delta((meter, amount): (Uuid, Micros)) -> wire::MeterDelta {
    wire::MeterDelta {
        meter_id: meter.as_bytes().to_vec().into(),
        micros: amount.get(),
    }
}
