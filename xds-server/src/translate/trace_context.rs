//! What becomes of the headers of a trace (W3C Trace Context) where Envoy tells of calls.
//!
//! Envoy follows the sampled flag of a `traceparent`, and what stands in `tracestate` would be in its
//! spans: both are the caller's.

use envoy_types::pb::envoy::config::common::mutation_rules::v3::HeaderMutation;
use envoy_types::pb::envoy::config::core::v3::header_value_option::HeaderAppendAction;

use super::wire::{put_header, remove_header, set_header};

const MILLION: u32 = 1_000_000;
/// What is drawn for each call: a UUID, of which the first eight digits are random.
const DRAWN: &str = "x-rr-drawn";
/// The caller's `tracestate` where Envoy does not look for it.
const STATE: &str = "x-rr-tracestate";
const TRACE_STATE: &str = "tracestate";
const TRACE_PARENT: &str = "traceparent";

/// Before the span of a call begins, of which so many of a million are told.
pub(super) fn before(sampled: u32) -> [HeaderMutation; 4] {
    // Up to its flags: `00-{32 digits}-{16 digits}-`.
    let parent = format!("%REQ({TRACE_PARENT}):53%{}", flags(sampled));
    [
        set_header(DRAWN, "%UNIQUE_ID%"),
        put_header(TRACE_PARENT, &parent, HeaderAppendAction::OverwriteIfExists),
        set_header(STATE, &format!("%REQ({TRACE_STATE})%")),
        remove_header(TRACE_STATE),
    ]
}

/// By what is drawn, because callers choose their traces' ids.
fn flags(sampled: u32) -> String {
    let below = if sampled < MILLION {
        let share = (u64::from(sampled) << 32) / u64::from(MILLION);
        format!("{share:08x}")
    } else {
        // Behind every digit.
        "g".to_owned()
    };
    format!("%CEL(request.headers['{DRAWN}'] < '{below}' ? '01' : '00')%")
}

/// Puts the caller's `tracestate` back.
pub(super) fn state_back() -> [HeaderMutation; 2] {
    [
        // Envoy adds an empty one.
        remove_header(TRACE_STATE),
        set_header(TRACE_STATE, &format!("%REQ({STATE})%")),
    ]
}
