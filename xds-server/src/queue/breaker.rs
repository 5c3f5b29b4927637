//! Leaves a target alone that does not answer. Pure: moments are arguments.

/// Failures in a row that open a breaker.
const IN_A_ROW: u32 = 5;
/// Outcomes that are remembered.
const REMEMBERED: u32 = 20;
/// An open breaker lets one attempt through in this time.
const PROBE_EVERY_MS: u64 = 5_000;

/// What is known of a target's health.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Breaker {
    /// Failures since the last success.
    pub in_a_row: u32,
    /// The last outcomes, the newest in the lowest bit; 1: a failure.
    pub outcomes: u32,
    /// How many of them there are.
    pub seen: u32,
    /// Open: the next probe begins no earlier. None: closed.
    pub probe_at_ms: Option<u64>,
    /// A probe is under way, or was lost.
    pub is_probing: bool,
}

/// As the API says it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum BreakerState {
    /// Everything goes.
    Closed,
    /// Nothing goes.
    Open,
    /// One goes, to see.
    HalfOpen,
}

impl BreakerState {
    /// Its word.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Closed => "closed",
            Self::Open => "open",
            Self::HalfOpen => "half-open",
        }
    }
}

/// What a breaker lets through.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Passage {
    /// Everything.
    All,
    /// One attempt.
    Probe,
    /// Nothing.
    Shut,
}

impl Breaker {
    /// What may go now.
    #[must_use]
    pub fn passage(&self, now_ms: u64) -> Passage {
        match self.probe_at_ms {
            None => Passage::All,
            Some(at_ms) if at_ms <= now_ms => Passage::Probe,
            Some(_) => Passage::Shut,
        }
    }

    /// After the attempt that [`Passage::Probe`] allows began.
    #[must_use]
    pub fn probed(self, now_ms: u64) -> Self {
        Self {
            probe_at_ms: Some(now_ms.saturating_add(PROBE_EVERY_MS)),
            is_probing: true,
            ..self
        }
    }

    /// After an attempt to which the target answered.
    #[must_use]
    pub fn succeeded(self) -> Self {
        if self.probe_at_ms.is_some() {
            // What was before says nothing any more.
            return Self::default();
        }
        Self {
            in_a_row: 0,
            ..self.remembering(0)
        }
    }

    /// After an attempt to which it did not.
    #[must_use]
    pub fn failed(self, now_ms: u64) -> Self {
        let after = Self {
            in_a_row: self.in_a_row.saturating_add(1),
            is_probing: false,
            ..self.remembering(1)
        };
        let is_half = after.seen == REMEMBERED && after.outcomes.count_ones() * 2 >= REMEMBERED;
        let opens = after.in_a_row >= IN_A_ROW || is_half;
        let next = now_ms.saturating_add(PROBE_EVERY_MS);
        Self {
            probe_at_ms: after.probe_at_ms.or(opens.then_some(next)),
            ..after
        }
    }

    /// After a probe that did not come to the target.
    #[must_use]
    pub fn unasked(self) -> Self {
        Self {
            is_probing: false,
            ..self
        }
    }

    /// How it stands.
    #[must_use]
    pub fn state(&self) -> BreakerState {
        match self.probe_at_ms {
            None => BreakerState::Closed,
            Some(_) if self.is_probing => BreakerState::HalfOpen,
            Some(_) => BreakerState::Open,
        }
    }

    fn remembering(self, outcome: u32) -> Self {
        let mask = (1 << REMEMBERED) - 1;
        Self {
            outcomes: (self.outcomes << 1 | outcome) & mask,
            seen: (self.seen + 1).min(REMEMBERED),
            ..self
        }
    }
}

#[cfg(test)]
mod tests;
