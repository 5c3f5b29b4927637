//! Which outcomes are tried again, and when. Pure: moments and chance are arguments.

use super::carrier::{Answer, NoWay, Outcome};
use super::machine::{End, Life, MAX_ATTEMPTS, Reason, Verdict};
use crate::secrets::renew::retry_after_ms;

/// Ceiling of the wait after the first attempt; it doubles with each.
const BASE_MS: u64 = 1_000;
/// And no higher than this.
const CAP_MS: u64 = 120_000;
/// Who found no way looks again after this, and up to as long again.
const NO_WAY_MS: u64 = 2_000;

/// What an outcome says of the target, for its breaker.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Health {
    /// It answered.
    Well,
    /// It did not, or not now.
    Ill,
    /// It was not asked.
    Unknown,
}

/// What an outcome makes of a request whose lease was just used. `random` is any number drawn
/// evenly from its whole range.
#[must_use]
pub fn verdict(outcome: &Outcome, life: &Life, now_ms: u64, random: u64) -> Verdict {
    match outcome {
        Outcome::Answered(answer) if (200..300).contains(&answer.status) => {
            Verdict::Ends(End::Succeeded)
        }
        Outcome::Answered(answer) if is_retried(answer.status) => {
            again(life, now_ms, wanted_ms(answer, now_ms), random)
        }
        Outcome::Answered(_) => Verdict::Ends(End::Failed(Reason::TargetRefused)),
        Outcome::Unreachable { .. } => again(life, now_ms, None, random),
        Outcome::Denied { .. } => Verdict::Ends(End::Failed(Reason::DeniedNow)),
        Outcome::NoWay(NoWay::Region | NoWay::Proxy | NoWay::Request) => Verdict::Unspent {
            at_ms: now_ms.saturating_add(NO_WAY_MS + random % NO_WAY_MS),
        },
    }
}

/// What an outcome says of the target.
#[must_use]
pub fn health(outcome: &Outcome) -> Health {
    match outcome {
        Outcome::Answered(answer) if is_retried(answer.status) => Health::Ill,
        Outcome::Answered(_) => Health::Well,
        Outcome::Unreachable { .. } => Health::Ill,
        Outcome::Denied { .. } | Outcome::NoWay(_) => Health::Unknown,
    }
}

/// Whether another attempt may bring another answer.
#[must_use]
pub fn is_retried(status: u16) -> bool {
    match status {
        408 | 425 | 429 => true,
        501 | 505 => false,
        _ => (500..600).contains(&status),
    }
}

fn again(life: &Life, now_ms: u64, wanted_ms: Option<u64>, random: u64) -> Verdict {
    let drawn = delay_ms(life.attempts, random);
    let at_ms = now_ms.saturating_add(drawn.max(wanted_ms.unwrap_or(0)));
    // Who would come too late need not wait.
    if life.attempts >= MAX_ATTEMPTS || at_ms >= life.deadline_ms {
        return Verdict::Ends(End::Failed(Reason::TargetDown));
    }
    Verdict::Again { at_ms }
}

/// Full jitter below a ceiling that doubles with each of the `attempts` there were.
#[must_use]
pub fn delay_ms(attempts: u32, random: u64) -> u64 {
    let doubled = 1_u64
        .checked_shl(attempts.saturating_sub(1))
        .and_then(|factor| BASE_MS.checked_mul(factor));
    1 + random % doubled.unwrap_or(CAP_MS).min(CAP_MS)
}

/// How long the target wants to be left alone (RFC 9110 §10.2.3).
fn wanted_ms(answer: &Answer, now_ms: u64) -> Option<u64> {
    let (_, value) = answer
        .headers
        .iter()
        .find(|(name, _)| name.eq_ignore_ascii_case("retry-after"))?;
    retry_after_ms(std::str::from_utf8(value).ok()?, now_ms)
}

#[cfg(test)]
mod tests;
