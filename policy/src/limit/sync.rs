//! How an Envoy and its region tell each other that (`requestrocket.meter.v1`).

use prost::Message as _;
use requestrocket_proto::meter::v1 as wire;

use super::{Counter, Grant, Micros, Report, Window};

/// The region's answer to one request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answers {
    /// Of the region that answers: what is due depends on it ([`super::Tally::due`]).
    pub epoch: u32,
    /// One for each report, in its order.
    pub grants: Vec<Grant>,
}

impl Report {
    /// None for what is no report: an unknown counter or window, or a start where none begins.
    pub fn from_wire(wire: wire::Report) -> Option<Self> {
        let wire::Report {
            counter,
            window,
            start_ms,
            own_micros,
            limit_micros,
            wanted_micros,
            queued_micros,
        } = wire;
        let window = Window::from_wire(window)?;
        let report = Self {
            counter: Counter::from_wire(counter?)?,
            window,
            start_ms,
            own: Micros::new(own_micros),
            limit: Micros::new(limit_micros),
            wanted: Micros::new(wanted_micros),
            queued: Micros::new(queued_micros),
        };
        (window.bounds(start_ms).start_ms == start_ms).then_some(report)
    }

    /// As it is sent.
    pub fn to_wire(self) -> wire::Report {
        wire::Report {
            counter: Some(self.counter.to_wire()),
            window: self.window.to_wire().into(),
            start_ms: self.start_ms,
            own_micros: self.own.get(),
            limit_micros: self.limit.get(),
            wanted_micros: self.wanted.get(),
            queued_micros: self.queued.get(),
        }
    }
}

impl Grant {
    /// As it is sent.
    pub fn to_wire(self) -> wire::Grant {
        wire::Grant {
            others_micros: self.others.get(),
            ceiling_micros: self.ceiling.get(),
            valid_ms: self.valid_ms,
            nodes: self.nodes,
        }
    }
}

/// An encoded `SyncRequest`. `sent_at_ms` must have been read before the counts were.
pub fn request(incarnation: [u8; 16], reports: &[Report], sent_at_ms: u64) -> Vec<u8> {
    let request = wire::SyncRequest {
        incarnation: incarnation.to_vec().into(),
        reports: reports.iter().map(|report| report.to_wire()).collect(),
        sent_at_ms,
    };
    request.encode_to_vec()
}

/// Reads an encoded `SyncResponse` to a request of so many reports; none if it is not one.
pub fn answers(bytes: &[u8], reports: usize) -> Option<Answers> {
    let wire::SyncResponse { grants, epoch } = wire::SyncResponse::decode(bytes).ok()?;
    // 0 is kept for a region that was never heard of.
    (grants.len() == reports && epoch > 0).then(|| Answers {
        epoch,
        grants: grants.into_iter().map(|wire| grant(wire, epoch)).collect(),
    })
}

fn grant(wire: wire::Grant, epoch: u32) -> Grant {
    let wire::Grant {
        others_micros,
        ceiling_micros,
        valid_ms,
        nodes,
    } = wire;
    Grant {
        others: Micros::new(others_micros),
        ceiling: Micros::new(ceiling_micros),
        valid_ms,
        nodes,
        epoch,
    }
}

#[cfg(test)]
mod tests;
