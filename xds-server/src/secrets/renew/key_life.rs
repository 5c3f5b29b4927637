//! How long keys serve that were fetched. Pure.

use super::answer::Failure;
use super::key_source::NO_KEYS;
use crate::store::token::TokenRow;

/// The filter's end of keys that were fetched now. It is for a region that is not there to take
/// them away, and the same for all that is fetched within that time: what does not change is not
/// sent again.
pub(super) fn until_ms(now_ms: u64, stale_ms: u64) -> u64 {
    let periods = now_ms.saturating_add(stale_ms).div_ceil(stale_ms.max(1));
    periods.saturating_mul(stale_ms)
}

/// What is left of keys after a failure: all of them, until they are too old; nothing, when their
/// issuer says that there are none.
pub(super) fn after(failure: &Failure, row: TokenRow, now_ms: u64) -> TokenRow {
    if row.keys.is_none() {
        return row;
    }
    let end_ms = row.life.expires_at_ms.unwrap_or(0);
    if failure.code == NO_KEYS || now_ms >= end_ms {
        return TokenRow { keys: None, ..row };
    }
    let mut life = row.life;
    life.next_at_ms = life.next_at_ms.map(|next_ms| next_ms.min(end_ms));
    TokenRow { life, ..row }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_filters_end_is_behind_the_regions_and_seldom_another() {
        let ends: Vec<_> = [0, 1, 99, 100, 101, 200]
            .map(|now_ms| until_ms(now_ms, 100))
            .into();
        assert_eq!(ends, [100, 200, 200, 200, 300, 300]);
    }
}
