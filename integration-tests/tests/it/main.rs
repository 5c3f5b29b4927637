//! Black-box tests against a real Envoy. One binary: the tests share one stack, so run it with
//! `cargo test`; cargo-nextest would start a stack for every test.

#[cfg(test)]
mod admission;
#[cfg(test)]
mod asynchronous;
#[cfg(test)]
mod audit;
#[cfg(test)]
mod bad_input;
#[cfg(test)]
mod bad_requests;
#[cfg(test)]
mod billing;
#[cfg(test)]
mod bodies;
#[cfg(test)]
mod callers;
#[cfg(test)]
mod canaries;
#[cfg(test)]
mod clients;
#[cfg(test)]
mod config;
#[cfg(test)]
mod consents;
#[cfg(test)]
mod control_link;
#[cfg(test)]
mod cors;
#[cfg(test)]
mod credential_life;
#[cfg(test)]
mod denials;
#[cfg(test)]
mod destination;
#[cfg(test)]
mod echoed;
#[cfg(test)]
mod expect;
#[cfg(test)]
mod failures;
#[cfg(test)]
mod framing;
#[cfg(test)]
mod framing_http2;
#[cfg(test)]
mod guard;
#[cfg(test)]
mod harness;
#[cfg(test)]
mod headers;
#[cfg(test)]
mod injection;
#[cfg(test)]
mod lasting;
#[cfg(test)]
mod life;
#[cfg(test)]
mod mail;
#[cfg(test)]
mod memory;
#[cfg(test)]
mod meters;
#[cfg(test)]
mod monitoring;
#[cfg(test)]
mod notified;
#[cfg(test)]
mod oauth_callers;
#[cfg(test)]
mod opaque_tokens;
#[cfg(test)]
mod paths;
#[cfg(test)]
mod published_keys;
#[cfg(test)]
mod records;
#[cfg(test)]
mod redaction;
#[cfg(test)]
mod refreshes;
#[cfg(test)]
mod refused_tokens;
#[cfg(test)]
mod regions;
#[cfg(test)]
mod response_size;
#[cfg(test)]
mod revocation;
#[cfg(test)]
mod rules;
mod scene;
#[cfg(test)]
mod second_secrets;
#[cfg(test)]
mod secrets;
#[cfg(test)]
mod settings;
#[cfg(test)]
mod signed_tokens;
#[cfg(test)]
mod signing;
#[cfg(test)]
mod sso;
#[cfg(test)]
mod streams;
#[cfg(test)]
mod target_tests;
#[cfg(test)]
mod targets;
#[cfg(test)]
mod telemetry;
#[cfg(test)]
mod tls;
#[cfg(test)]
mod tokens;
#[cfg(test)]
mod traces;
mod trap;
#[cfg(test)]
mod unusable;
#[cfg(test)]
mod usage;
#[cfg(test)]
mod waiting;
#[cfg(test)]
mod webhooks;
#[cfg(test)]
mod written_examples;
