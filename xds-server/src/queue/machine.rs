//! The life of one accepted request. Pure: moments, delays and chance are arguments.
//!
//! Invariant: whoever holds the newest token of a lease is the only one who can say what became of
//! an attempt, and what has ended stays as it ended.

/// Attempts that a request gets at most.
pub const MAX_ATTEMPTS: u32 = 10;

/// Where a request stands.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Life {
    /// Who has it.
    pub stage: Stage,
    /// That were begun and not given back.
    pub attempts: u32,
    /// Of the last lease; rises with each, and when one is taken away.
    pub token: u64,
    /// No attempt begins then (Unix time in milliseconds, as all moments).
    pub deadline_ms: u64,
}

/// Who has a request.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Stage {
    /// Nobody.
    Waiting {
        /// The next attempt begins no earlier.
        due_ms: u64,
    },
    /// A worker, or one that has died.
    Leased {
        /// Then it is anybody's again.
        until_ms: u64,
    },
    /// Nobody ever again.
    Ended(End),
}

/// How it ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum End {
    /// The target answered well.
    Succeeded,
    /// It did not.
    Failed(Reason),
    /// The caller wanted it back.
    Cancelled,
}

/// Why a request is a dead letter.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Reason {
    /// The target answered that it does not want it.
    TargetRefused,
    /// The target did not answer, or asked for patience longer than there was time.
    TargetDown,
    /// Rules or credentials in force at delivery refuse it.
    DeniedNow,
    /// Its time was over before there was an attempt.
    Expired,
    /// The region could not deal with it.
    Internal,
}

impl Reason {
    /// All of them.
    pub const ALL: [Self; 5] = [
        Self::TargetRefused,
        Self::TargetDown,
        Self::DeniedNow,
        Self::Expired,
        Self::Internal,
    ];

    /// As the API and the store say it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::TargetRefused => "target_refused",
            Self::TargetDown => "target_down",
            Self::DeniedNow => "denied_now",
            Self::Expired => "expired",
            Self::Internal => "internal",
        }
    }
}

/// As the API and the store say it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum State {
    /// No attempt has begun.
    Queued,
    /// One is under way.
    Delivering,
    /// There will be another.
    Waiting,
    /// [`End::Succeeded`].
    Succeeded,
    /// [`End::Failed`].
    Failed,
    /// [`End::Cancelled`].
    Cancelled,
}

impl State {
    /// All of them.
    pub const ALL: [Self; 6] = [
        Self::Queued,
        Self::Delivering,
        Self::Waiting,
        Self::Succeeded,
        Self::Failed,
        Self::Cancelled,
    ];

    /// Its word.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Queued => "queued",
            Self::Delivering => "delivering",
            Self::Waiting => "waiting",
            Self::Succeeded => "succeeded",
            Self::Failed => "failed",
            Self::Cancelled => "cancelled",
        }
    }

    /// Nothing comes after it.
    #[must_use]
    pub fn is_final(self) -> bool {
        match self {
            Self::Succeeded | Self::Failed | Self::Cancelled => true,
            Self::Queued | Self::Delivering | Self::Waiting => false,
        }
    }
}

/// What an attempt makes of its request.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Verdict {
    /// It ended.
    Ends(End),
    /// It is tried again, no earlier than then.
    Again {
        /// The moment.
        at_ms: u64,
    },
    /// Nothing was tried: the attempt is given back.
    Unspent {
        /// The moment of the next.
        at_ms: u64,
    },
}

/// The lease that a result came under is another's by now, or the request has ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the lease of the attempt was revoked")]
pub struct Revoked;

/// The request is being delivered, or has ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the request is being delivered or has ended")]
pub struct NotCancelled;

impl Life {
    /// Of a request that was accepted just now.
    #[must_use]
    pub fn new(now_ms: u64, deadline_ms: u64) -> Self {
        Self {
            stage: Stage::Waiting { due_ms: now_ms },
            attempts: 0,
            token: 0,
            deadline_ms,
        }
    }

    /// What people are told of it.
    #[must_use]
    pub fn state(&self, now_ms: u64) -> State {
        match self.stage {
            Stage::Leased { until_ms } if until_ms > now_ms => State::Delivering,
            Stage::Waiting { .. } | Stage::Leased { .. } if self.attempts == 0 => State::Queued,
            Stage::Waiting { .. } | Stage::Leased { .. } => State::Waiting,
            Stage::Ended(End::Succeeded) => State::Succeeded,
            Stage::Ended(End::Failed(_)) => State::Failed,
            Stage::Ended(End::Cancelled) => State::Cancelled,
        }
    }

    /// With a lease for another attempt; none: it is not its time, or never will be.
    #[must_use]
    pub fn claim(&self, now_ms: u64, lease_ms: u64) -> Option<Self> {
        let is_spent = self.attempts >= MAX_ATTEMPTS || self.deadline_ms <= now_ms;
        if is_spent || !self.is_due(now_ms) {
            return None;
        }
        Some(Self {
            stage: Stage::Leased {
                until_ms: now_ms.saturating_add(lease_ms),
            },
            attempts: self.attempts.saturating_add(1),
            token: self.token.saturating_add(1),
            deadline_ms: self.deadline_ms,
        })
    }

    /// After the attempt under the lease `token`.
    ///
    /// # Errors
    /// The lease was revoked: what the attempt came to is not heard.
    pub fn complete(&self, token: u64, verdict: Verdict) -> Result<Self, Revoked> {
        // One that has run out and that nobody took over still tells the truth.
        if !matches!(self.stage, Stage::Leased { .. }) || self.token != token {
            return Err(Revoked);
        }
        let (stage, attempts) = match verdict {
            Verdict::Ends(end) => (Stage::Ended(end), self.attempts),
            Verdict::Again { at_ms } => (Stage::Waiting { due_ms: at_ms }, self.attempts),
            Verdict::Unspent { at_ms } => {
                let given_back = self.attempts.saturating_sub(1);
                (Stage::Waiting { due_ms: at_ms }, given_back)
            }
        };
        Ok(Self {
            stage,
            attempts,
            ..self.clone()
        })
    }

    /// Ended, because its time or its attempts are over; none: they are not, or an attempt is
    /// under way.
    #[must_use]
    pub fn lapse(&self, now_ms: u64) -> Option<Self> {
        let is_lost = matches!(self.stage, Stage::Leased { .. });
        let is_free = match self.stage {
            Stage::Waiting { .. } => true,
            Stage::Leased { until_ms } => until_ms <= now_ms,
            Stage::Ended(_) => false,
        };
        let is_over = self.deadline_ms <= now_ms || self.attempts >= MAX_ATTEMPTS;
        if !is_free || !is_over {
            return None;
        }
        let reason = match self.attempts {
            0 => Reason::Expired,
            // Nobody knows what the last attempt came to.
            _ if is_lost => Reason::Internal,
            _ => Reason::TargetDown,
        };
        Some(self.ended(End::Failed(reason)))
    }

    /// Taken back by its caller.
    ///
    /// # Errors
    /// An attempt is under way, or it has ended.
    pub fn cancel(&self, now_ms: u64) -> Result<Self, NotCancelled> {
        match self.stage {
            Stage::Waiting { .. } => Ok(self.ended(End::Cancelled)),
            Stage::Leased { until_ms } if until_ms <= now_ms => Ok(self.ended(End::Cancelled)),
            Stage::Leased { .. } | Stage::Ended(_) => Err(NotCancelled),
        }
    }

    fn is_due(&self, now_ms: u64) -> bool {
        match self.stage {
            Stage::Waiting { due_ms } => due_ms <= now_ms,
            Stage::Leased { until_ms } => until_ms <= now_ms,
            Stage::Ended(_) => false,
        }
    }

    fn ended(&self, end: End) -> Self {
        Self {
            stage: Stage::Ended(end),
            // Who still holds a lease is overtaken.
            token: self.token.saturating_add(1),
            ..self.clone()
        }
    }
}

#[cfg(test)]
mod tests;
