//! One counter in one window.

use std::collections::BTreeMap;

use requestrocket_policy::limit::{Grant, Micros, Report, SETTLE_MARGIN_MS};

use super::incarnation::Incarnation;
use super::{FORGET_MS, LEASE_MS, POLL_MS};

/// Runs of Envoys that are kept for one count; more are not judged.
const MAX_INCARNATIONS: usize = 4_096;

/// What all Envoys counted, and what they may.
#[derive(Debug, Default)]
pub(super) struct Count {
    nodes: BTreeMap<Incarnation, Node>,
    /// Somebody waits for room, as of the last look.
    waiting_until_ms: u64,
}

#[derive(Debug, Default)]
struct Node {
    own: Micros,
    leases: Vec<Lease>,
    is_dirty: bool,
}

#[derive(Clone, Copy, Debug)]
struct Lease {
    ceiling: Micros,
    /// By the clock of its Envoy.
    end_ms: u64,
    /// By the steady clock of the region.
    forget_at_ms: u64,
}

/// A report with what the region knows about its sender.
#[derive(Clone, Copy, Debug)]
pub(super) struct Received {
    pub(super) incarnation: Incarnation,
    /// By the clock of the Envoy.
    pub(super) sent_at_ms: u64,
    pub(super) report: Report,
    /// How long the question has waited already.
    pub(super) waited_ms: u32,
    /// Nothing is leased yet.
    pub(super) is_quiet: bool,
    /// Envoys that count now, the sender included.
    pub(super) nodes: u32,
    pub(super) epoch: u32,
    /// The steady clock of the region.
    pub(super) steady_ms: u64,
}

/// The answer to one report, and whether it may become better.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// As it is.
    Settled(Grant),
    /// What is wanted does not fit any more.
    Full(Grant),
    /// What is wanted would fit, but others hold leases that they have not used.
    Busy(Grant),
}

impl Verdict {
    /// Its grant, whatever becomes of it.
    pub(super) fn grant(&self) -> Grant {
        match self {
            Self::Settled(grant) | Self::Full(grant) | Self::Busy(grant) => *grant,
        }
    }
}

impl Count {
    /// Takes over what an earlier run of the region knew.
    pub(super) fn restore(&mut self, incarnation: Incarnation, own: Micros) {
        let node = self.nodes.entry(incarnation).or_default();
        node.own = node.own.max(own);
    }

    /// What all Envoys counted.
    pub(super) fn used(&self) -> Micros {
        self.nodes
            .values()
            .fold(Micros::ZERO, |sum, node| sum.plus(node.own))
    }

    /// Whether the Envoy may be added to those that counted.
    pub(super) fn has_place(&self, incarnation: Incarnation) -> bool {
        self.nodes.len() < MAX_INCARNATIONS || self.nodes.contains_key(&incarnation)
    }

    /// Counts that changed since they were taken last.
    pub(super) fn take_dirty(&mut self) -> impl Iterator<Item = (Incarnation, Micros)> {
        self.nodes.iter_mut().filter_map(|(incarnation, node)| {
            std::mem::take(&mut node.is_dirty).then_some((*incarnation, node.own))
        })
    }

    /// The count could not be kept: it is to be taken again.
    pub(super) fn mark_dirty(&mut self, incarnation: Incarnation) {
        if let Some(node) = self.nodes.get_mut(&incarnation) {
            node.is_dirty = true;
        }
    }

    /// Takes a report in and answers it.
    pub(super) fn sync(&mut self, asked: &Received) -> Verdict {
        let has_grown = self.record(asked);
        self.end_leases(asked.steady_ms);
        let Received { report, .. } = *asked;
        let (own, others, held) = self.sums(asked.incarnation);
        let is_full = others.plus(own).plus(report.wanted) > report.limit;
        let left = report.limit.minus(held).minus(own);
        let room = if report.wanted == Micros::ZERO {
            self.room_on_tick(asked, left, has_grown)
        } else if is_full {
            Micros::ZERO
        } else {
            self.room_for_waiting(asked, left)
        };
        let is_busy = report.wanted > Micros::ZERO && !is_full && room < report.wanted;
        let grant = self.lease(asked, others, room);
        if report.wanted > Micros::ZERO && is_full {
            Verdict::Full(grant)
        } else if is_busy {
            if !asked.is_quiet {
                // Who waits looks each `POLL_MS`, so who gave up is soon forgotten.
                self.waiting_until_ms = asked.steady_ms.saturating_add(4 * POLL_MS);
            }
            Verdict::Busy(grant)
        } else {
            Verdict::Settled(grant)
        }
    }

    /// Whether the count grew.
    fn record(&mut self, asked: &Received) -> bool {
        let node = self.nodes.entry(asked.incarnation).or_default();
        // It only grows: what comes late or twice changes nothing.
        let has_grown = asked.report.own > node.own;
        if has_grown {
            node.own = asked.report.own;
            node.is_dirty = true;
        }
        node.leases
            // Both by the sender's clock: what it sent after the end holds all it counted.
            .retain(|lease| asked.sent_at_ms < lease.end_ms.saturating_add(SETTLE_MARGIN_MS));
        has_grown
    }

    fn end_leases(&mut self, steady_ms: u64) {
        for node in self.nodes.values_mut() {
            node.leases.retain(|lease| steady_ms < lease.forget_at_ms);
        }
    }

    /// What the sender counted, what all others counted, and what those may count at most.
    fn sums(&self, sender: Incarnation) -> (Micros, Micros, Micros) {
        let (mut own, mut others, mut held) = (Micros::ZERO, Micros::ZERO, Micros::ZERO);
        for (incarnation, node) in &self.nodes {
            if *incarnation == sender {
                own = node.own;
            } else {
                others = others.plus(node.own);
                held = held.plus(node.may_reach());
            }
        }
        (own, others, held)
    }

    /// An Envoy that counts gets room before it has to ask, unless others wait for room.
    fn room_on_tick(&self, asked: &Received, left: Micros, has_grown: bool) -> Micros {
        if has_grown && !asked.is_quiet && !self.somebody_waits(asked.steady_ms) {
            part(left, asked.nodes)
        } else {
            Micros::ZERO
        }
    }

    fn room_for_waiting(&self, asked: &Received, left: Micros) -> Micros {
        let Report { wanted, queued, .. } = asked.report;
        // A part of what is wanted lets no call through.
        if asked.is_quiet || left < wanted {
            return Micros::ZERO;
        }
        // Calls of its worker wait behind this one: one answer lets them all through.
        let needed = wanted.plus(queued).min(left);
        if self.somebody_waits(asked.steady_ms) {
            needed
        } else {
            part(left, asked.nodes).max(needed)
        }
    }

    fn somebody_waits(&self, steady_ms: u64) -> bool {
        steady_ms < self.waiting_until_ms
    }

    fn lease(&mut self, asked: &Received, others: Micros, room: Micros) -> Grant {
        let node = self.nodes.entry(asked.incarnation).or_default();
        let ceiling = node.own.plus(room);
        let valid_ms = match room {
            Micros::ZERO => 0,
            // The lease runs from when the Envoy asked; what it waited here is not to eat it.
            _ => asked.waited_ms.saturating_add(LEASE_MS),
        };
        if valid_ms > 0 {
            node.add(Lease {
                ceiling,
                end_ms: asked.sent_at_ms.saturating_add(valid_ms.into()),
                forget_at_ms: asked.steady_ms.saturating_add(FORGET_MS),
            });
        }
        Grant {
            others,
            ceiling,
            valid_ms,
            nodes: asked.nodes,
            epoch: asked.epoch,
        }
    }
}

impl Node {
    fn may_reach(&self) -> Micros {
        let ceilings = self.leases.iter().map(|lease| lease.ceiling);
        ceilings.fold(self.own, Micros::max)
    }

    /// Leases that the new one outlasts and exceeds say nothing any more.
    fn add(&mut self, new: Lease) {
        self.leases.retain(|lease| {
            lease.ceiling > new.ceiling
                || lease.end_ms > new.end_ms
                || lease.forget_at_ms > new.forget_at_ms
        });
        self.leases.push(new);
    }
}

/// Alone all that is left; among several half of an equal share, so that some is left for those
/// who come next.
fn part(left: Micros, nodes: u32) -> Micros {
    match nodes {
        0 | 1 => left,
        several => left.divided_by(u64::from(several).saturating_mul(2)),
    }
}

#[cfg(test)]
mod tests;
