//! What is sent to a target once more: calls that it has certainly not looked at, and those that may
//! be repeated when their connection closed before there was an answer.
//!
//! Envoy repeats a call by the route that it left by, so what holds of a destination holds of each
//! try. Nothing else is repeated, no silence and of answers only those of `refused`.

use std::num::NonZeroU32;

use envoy_types::pb::envoy::config::core::v3::{DataSource, data_source::Specifier};
use envoy_types::pb::envoy::config::route::v3::{
    HeaderMatcher, RetryPolicy, retry_policy::RetryBackOff,
};
use envoy_types::pb::envoy::extensions::common::matching::v3::ExtensionWithMatcher;
use envoy_types::pb::envoy::extensions::filters::http::header_mutation::v3::{
    HeaderMutation, Mutations,
};
use envoy_types::pb::envoy::extensions::filters::http::lua::v3::Lua;

use super::unread;
use super::wire::{extension, millis, number, seconds, set_header};

/// No connection; a stream refused, or above the last that a target says it has looked at; a
/// connection that closed before a byte of the request was written.
const UNPROCESSED: &str = "connect-failure,refused-stream,reset-before-request";
const TRIES_MORE: u32 = 2;
/// Before each, at most: refused streams shall not come back all at once.
const PAUSE_MILLIS: u16 = 100;
/// Methods that mean the same when they are repeated (RFC 9110, 9.2.2).
const REPEATABLE: &str = "GET|HEAD|OPTIONS|PUT|DELETE";
/// So much of a body is kept for another try until there is an answer; a longer one is sent once.
/// Thousands of calls that wait for a target must fit into Envoy's heap with it.
pub(super) const BODY_BYTES: u64 = 16 << 10;
/// What Envoy says to a try that follows a silence.
const AFTER_SILENCE: &str = "x-envoy-is-timeout-retry";

/// The wait for the head of one try, which begins when the request is sent, and what is tried again:
/// also an answer with the mark, if there is any.
pub(super) fn policy(timeout_seconds: NonZeroU32, marked: Option<HeaderMatcher>) -> RetryPolicy {
    let retry_on = match marked {
        Some(_) => format!("{UNPROCESSED},retriable-headers"),
        None => UNPROCESSED.to_owned(),
    };
    RetryPolicy {
        retry_on,
        retriable_headers: marked.into_iter().collect(),
        num_retries: number(TRIES_MORE),
        retry_back_off: Some(RetryBackOff {
            base_interval: millis(PAUSE_MILLIS),
            max_interval: millis(2 * PAUSE_MILLIS),
        }),
        per_try_timeout: seconds(timeout_seconds.get()),
        ..RetryPolicy::default()
    }
}

/// Of calls that may be repeated, one try more when the connection closes before there is an answer:
/// a target may have closed it, unused, just when the call was sent.
pub(super) fn repeatable() -> ExtensionWithMatcher {
    let mutations = Mutations {
        request_mutations: vec![
            set_header("x-envoy-retry-on", "reset"),
            // Once, because the target may have looked at it.
            set_header("x-envoy-max-retries", "1"),
        ],
        ..Mutations::default()
    };
    let edit = HeaderMutation {
        mutations: Some(mutations),
        ..HeaderMutation::default()
    };
    unread::asked_if(":method", REPEATABLE, extension("retry-on", edit))
}

/// Envoy takes a target's silence for a reset, too. Such a try ends here, before the target.
pub(super) fn no_try_after_silence() -> ExtensionWithMatcher {
    let answer = "function envoy_on_request(call) call:respond({[':status'] = '504'}, '') end";
    let lua = Lua {
        default_source_code: Some(DataSource {
            specifier: Some(Specifier::InlineString(answer.to_owned())),
            ..DataSource::default()
        }),
        ..Lua::default()
    };
    unread::asked_if(AFTER_SILENCE, "true", extension("timeout", lua))
}
