//! When to ask for a token again. Pure: moments and chance are arguments.

/// Lives are taken as no shorter and no longer than this.
pub(super) const MIN_LIFE_MS: u64 = 1_000;
/// A year.
pub(super) const MAX_LIFE_MS: u64 = 365 * 24 * 3_600_000;
/// A token is not refreshed more often: each refresh is a write that others wait for. One with a
/// shorter life is not there all the time.
const MIN_REFRESH_MS: u64 = 5_000;
/// Ceiling of the wait after the first failure; it doubles with each.
const BACKOFF_BASE_MS: u64 = 1_000;
/// And no higher than this.
const BACKOFF_CAP_MS: u64 = 300_000;
/// A provider that wants to be left alone for longer is asked once a day all the same.
const MAX_RETRY_AFTER_MS: u64 = 24 * 3_600_000;
/// Of the life, in thousandths: 80 %, and a tenth of it either way, so that tokens that were
/// fetched together are not refreshed together.
const REFRESH_FROM: u64 = 720;
const REFRESH_RANGE: u64 = 160;

/// The moment to refresh a token that was obtained at `now_ms`.
///
/// `random` is any number drawn evenly from its whole range, as below.
pub(super) fn refresh_at(now_ms: u64, life_ms: u64, random: u64) -> u64 {
    let life_ms = clamp_life(life_ms);
    let thousandths = REFRESH_FROM + random % (REFRESH_RANGE + 1);
    now_ms.saturating_add((life_ms * thousandths / 1_000).max(MIN_REFRESH_MS))
}

/// The moment for another try after the `attempts`th failure in a row: full jitter below a ceiling
/// that doubles, and never before the provider said.
pub(super) fn retry_at(
    now_ms: u64,
    attempts: u32,
    retry_after_ms: Option<u64>,
    random: u64,
) -> u64 {
    let doubled = 1_u64
        .checked_shl(attempts.saturating_sub(1))
        .and_then(|factor| BACKOFF_BASE_MS.checked_mul(factor));
    let ceiling = doubled.unwrap_or(BACKOFF_CAP_MS).min(BACKOFF_CAP_MS);
    let drawn = 1 + random % ceiling;
    let told = retry_after_ms.unwrap_or(0).min(MAX_RETRY_AFTER_MS);
    now_ms.saturating_add(drawn.max(told))
}

/// What a provider may say of a life, as it is taken.
pub(super) fn clamp_life(life_ms: u64) -> u64 {
    life_ms.clamp(MIN_LIFE_MS, MAX_LIFE_MS)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_is_refreshed_at_four_fifths_of_its_life_give_or_take_a_tenth() {
        for (life_ms, random, want) in [
            (1_000_000, 0, 720_000),
            (1_000_000, 80, 800_000),
            (1_000_000, 160, 880_000),
            (1_000_000, 161, 720_000),
            (0, 0, 5_000),
            (6_000, 0, 5_000),
            (u64::MAX, 160, MAX_LIFE_MS / 1_000 * 880),
        ] {
            assert_eq!(
                refresh_at(5, life_ms, random),
                5 + want,
                "{life_ms} {random}"
            );
        }
    }

    #[test]
    fn tries_are_spread_below_a_ceiling_that_doubles_up_to_five_minutes() {
        for (attempts, ceiling) in [
            (0, 1_000),
            (1, 1_000),
            (2, 2_000),
            (9, 256_000),
            (10, 300_000),
            (64, 300_000),
            (u32::MAX, 300_000),
        ] {
            assert_eq!(retry_at(7, attempts, None, 0), 8, "{attempts}");
            assert_eq!(retry_at(7, attempts, None, ceiling - 1), 7 + ceiling);
            assert_eq!(retry_at(7, attempts, None, ceiling), 8);
        }
    }

    #[test]
    fn nobody_is_asked_before_they_said() {
        assert_eq!(retry_at(0, 1, Some(60_000), 999), 60_000);
        assert_eq!(retry_at(0, 9, Some(10), 99_999), 100_000);
        assert_eq!(retry_at(0, 1, Some(u64::MAX), 0), MAX_RETRY_AFTER_MS);
    }
}
