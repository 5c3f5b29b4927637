//! What an Envoy and its region tell each other (`requestrocket.meter.v1`).

use prost::Message as _;
use requestrocket_proto::meter::v1 as wire;

use super::{Asked, Counter, Micros, Slot, Window};

/// The count of one window as it is, and what is wanted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Report {
    /// Of what.
    pub counter: Counter,
    /// Which kind of window.
    pub window: Window,
    /// Its start.
    pub start_ms: u64,
    /// What this Envoy counted.
    pub own: Micros,
    /// Zero: none, and no ceiling is needed.
    pub limit: Micros,
    /// What a waiting call needs; zero on a tick.
    pub wanted: Micros,
    /// What further calls need that wait for the same.
    pub queued: Micros,
}

/// The region's answer to one report.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Grant {
    /// What all others counted.
    pub others: Micros,
    /// How far the own count may grow.
    pub ceiling: Micros,
    /// For how long after the question was sent.
    pub valid_ms: u32,
    /// How many Envoys count now; 0: the region does not judge this window.
    pub nodes: u32,
    /// Of the region that answers.
    pub epoch: u32,
}

/// The region's answer to one request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answers {
    /// Of the region that answers: what is due depends on it ([`super::Tally::due`]).
    pub epoch: u32,
    /// One for each report, in its order.
    pub grants: Vec<Grant>,
}

impl Report {
    /// A tick's report of a slot.
    pub fn of(counter: Counter, window: Window, slot: &Slot) -> Self {
        Self {
            counter,
            window,
            start_ms: slot.start_ms,
            own: slot.own,
            limit: slot.limit,
            wanted: Micros::ZERO,
            queued: Micros::ZERO,
        }
    }

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
    /// Whether the region has an opinion at all.
    pub fn is_judged(&self) -> bool {
        self.nodes > 0
    }

    /// What the call that waited for this answer decides on. A granted one decides as if it had
    /// not asked, because another call may have used the room meanwhile.
    pub fn outcome(&self, report: &Report) -> Asked {
        if !self.is_judged() {
            Asked::Unanswered
        } else if self.ceiling >= report.own.plus(report.wanted) {
            Asked::NotYet
        } else {
            Asked::Refused
        }
    }

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
