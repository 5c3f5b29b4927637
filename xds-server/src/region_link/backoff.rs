//! When to dial again. Pure.

use std::time::Duration;

const BASE_MS: u64 = 50;
const CAP_MS: u64 = 5_000;

/// A session that lasted this long was a good one: the next attempt is a first one again.
pub(super) const STEADY: Duration = Duration::from_secs(5);

/// Full jitter: anything from zero to a ceiling that doubles with each attempt.
///
/// `random` is any number drawn evenly from its whole range.
pub(super) fn next_delay(attempt: u32, random: u128) -> Duration {
    let doubled = 1_u64
        .checked_shl(attempt)
        .and_then(|factor| BASE_MS.checked_mul(factor));
    let ceiling = doubled.unwrap_or(CAP_MS).clamp(BASE_MS, CAP_MS);
    let drawn = random % u128::from(ceiling + 1);
    Duration::from_millis(u64::try_from(drawn).unwrap_or(ceiling))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_ceiling_doubles_up_to_the_cap() {
        for (attempt, ceiling_ms) in [
            (0, 50),
            (1, 100),
            (2, 200),
            (6, 3_200),
            (7, 5_000),
            (63, 5_000),
            (u32::MAX, 5_000),
        ] {
            let ceiling = u128::from(ceiling_ms + 1_u64);
            assert_eq!(next_delay(attempt, 0), Duration::ZERO, "{attempt}");
            let longest = next_delay(attempt, ceiling - 1);
            assert_eq!(longest, Duration::from_millis(ceiling_ms), "{attempt}");
            assert_eq!(next_delay(attempt, ceiling), Duration::ZERO, "{attempt}");
            assert!(next_delay(attempt, u128::MAX) <= longest, "{attempt}");
        }
    }
}
