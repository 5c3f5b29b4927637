//! `Retry-After`: a number of seconds, or a moment.

use time::PrimitiveDateTime;
use time::macros::format_description;

/// From `now_ms` on; None for what is neither.
pub(crate) fn retry_after_ms(value: &str, now_ms: u64) -> Option<u64> {
    let value = value.trim();
    if let Ok(seconds) = value.parse::<u64>() {
        return Some(seconds.saturating_mul(1_000));
    }
    // The one form that is still written (RFC 9110 §5.6.7).
    let format = format_description!(
        "[weekday repr:short], [day] [month repr:short] [year] [hour]:[minute]:[second] GMT"
    );
    let moment = PrimitiveDateTime::parse(value, &format).ok()?.assume_utc();
    let moment_ms = u64::try_from(moment.unix_timestamp_nanos() / 1_000_000).ok()?;
    Some(moment_ms.saturating_sub(now_ms))
}
