//! Hours of usage (UTC): which still take counts, and how long they are kept.

/// Hours in milliseconds.
pub(super) const HOUR_MS: u64 = 3_600_000;
/// Until then a worker that could not tell may make up for it.
const OPEN_MS: u64 = 47 * HOUR_MS;
/// What workers told is then made one.
const FOLDED_MS: u64 = 48 * HOUR_MS;
/// Three years.
const KEPT_MS: u64 = 3 * 366 * 24 * HOUR_MS;
/// Clocks of Envoys differ from the region's by no more.
const SKEW_MS: u64 = 60_000;

/// The hour that a moment is in.
pub(super) fn start(moment_ms: u64) -> u64 {
    moment_ms - moment_ms % HOUR_MS
}

/// Whether an hour is one, and still takes counts.
pub(super) fn is_open(start_ms: u64, now_ms: u64) -> bool {
    start(start_ms) == start_ms
        && start_ms >= now_ms.saturating_sub(OPEN_MS)
        && start_ms <= now_ms.saturating_add(SKEW_MS)
}

/// Hours before this one are made one row.
pub(super) fn folded_before(now_ms: u64) -> u64 {
    start(now_ms.saturating_sub(FOLDED_MS))
}

/// Hours before this one are forgotten.
pub(super) fn kept_from(now_ms: u64) -> u64 {
    start(now_ms.saturating_sub(KEPT_MS))
}

/// Hours that lie between two moments, those of both included; of the last ones, if they are many.
pub(super) fn between(from_ms: u64, to_ms: u64) -> impl Iterator<Item = u64> {
    let first = start(from_ms).max(start(to_ms.saturating_sub(FOLDED_MS)));
    let hours = std::iter::successors(Some(first), |start_ms| start_ms.checked_add(HOUR_MS));
    hours.take_while(move |start_ms| *start_ms <= to_ms)
}
