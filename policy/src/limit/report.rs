//! What an Envoy tells its region of a count, and what it is told.

use super::{Counter, Micros, Window};

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

/// What the region said to this call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Asked {
    /// It was not asked, or gave room that another call may have used.
    NotYet,
    /// It has no room now.
    Refused,
    /// It does not answer: every Envoy goes on with its share of what was left.
    Unanswered,
}

impl Grant {
    /// Whether the region has an opinion at all.
    pub fn is_judged(&self) -> bool {
        self.nodes > 0
    }

    /// What the call that waited for this answer decides on.
    pub fn outcome(&self, report: &Report) -> Asked {
        if !self.is_judged() {
            Asked::Unanswered
        } else if self.ceiling >= report.own.plus(report.wanted) {
            // As if it had not asked: another call may have used the room meanwhile.
            Asked::NotYet
        } else {
            Asked::Refused
        }
    }
}
