//! What is counted, under which names. Label values come from closed sets only.

use metrics::{counter, describe_counter, describe_gauge, gauge};

use crate::records::record::SecretProblem;

const BATCHES: &str = "rr_region_batches_total";
const CHANGES: &str = "rr_region_changes_total";
const CONNECTED: &str = "rr_region_link_connected";
const CONVERSIONS: &str = "rr_credential_conversions_total";
const PROXIES: &str = "rr_region_proxies";
const REVISION: &str = "rr_region_stored_revision";
const SESSIONS: &str = "rr_region_link_sessions_total";
const TOKENS: &str = "rr_token_requests_total";

/// Makes every metric known with its help text.
pub fn describe() {
    describe_counter!(BATCHES, "Batches of the control plane that were stored.");
    describe_counter!(CHANGES, "Records that came in those batches.");
    describe_counter!(
        CONVERSIONS,
        "Sealed secrets that were converted or refused."
    );
    describe_counter!(SESSIONS, "Sessions with the control plane that ended.");
    describe_counter!(TOKENS, "Tokens that were asked for, and what came of it.");
    describe_gauge!(CONNECTED, "1 while the control plane is connected.");
    describe_gauge!(PROXIES, "Proxies that Envoys are told of.");
    describe_gauge!(REVISION, "Everything up to this revision is stored.");
    gauge!(CONNECTED).set(0.0);
    // A counter that begins with its first failure would have no rise to see.
    for outcome in ["ok", "transient", "permanent", "overtaken", "lost"] {
        counter!(TOKENS, "outcome" => outcome).increment(0);
    }
}

/// A batch was stored.
pub fn batch_stored(kind: &'static str) {
    counter!(BATCHES, "kind" => kind).increment(1);
}

/// Everything up to `revision` is stored.
pub fn revision_stored(revision: u64) {
    #[expect(clippy::cast_precision_loss, reason = "a gauge is a float")]
    gauge!(REVISION).set(revision as f64);
}

/// A record of this kind was taken in.
pub fn change_stored(kind: &'static str) {
    counter!(CHANGES, "kind" => kind).increment(1);
}

/// A secret was converted, or why not.
pub fn secret_converted(problem: Option<SecretProblem>) {
    counter!(CONVERSIONS, "outcome" => problem.map_or("ok", SecretProblem::word)).increment(1);
}

/// A token was asked for, and what came of it.
pub fn token_asked(outcome: &'static str) {
    counter!(TOKENS, "outcome" => outcome).increment(1);
}

/// Envoys are told of so many proxies.
pub fn proxies_published(count: usize) {
    #[expect(clippy::cast_precision_loss, reason = "a gauge is a float")]
    gauge!(PROXIES).set(count as f64);
}

/// The link to the control plane went up.
pub fn link_up() {
    gauge!(CONNECTED).set(1.0);
}

/// The link ended or could not be made.
pub fn link_down(outcome: &'static str) {
    gauge!(CONNECTED).set(0.0);
    counter!(SESSIONS, "outcome" => outcome).increment(1);
}
