//! The policy engine: decides everything a request needs.
//!
//! Pure: no I/O, no clock, no host calls, no panics. It runs natively and as wasm32 inside Envoy.
//! Start at [`exchange::Exchange`] (one request), [`policy::Policy`] (one proxy, compiled) and
//! [`envelope`] (secrets at rest).

#![warn(missing_docs, clippy::as_conversions, clippy::wildcard_enum_match_arm)]

pub mod access;
pub mod address;
pub mod admission;
pub mod authn;
pub mod authz;
#[cfg(test)]
mod chance;
pub mod coding;
pub mod compile;
pub mod denial;
#[cfg(any(test, feature = "secrets"))]
pub mod destination;
pub mod echo;
pub mod effort;
pub mod envelope;
#[cfg(any(test, feature = "explain"))]
pub mod evaluate;
pub mod exchange;
#[cfg(any(test, feature = "fixtures"))]
pub mod fixtures;
#[cfg(any(test, feature = "secrets"))]
pub mod form;
pub mod holding;
pub mod http;
pub mod id;
pub mod introspection;
pub mod jose;
pub mod json;
pub mod limit;
pub mod media;
pub mod memory;
mod meter;
mod note;
pub mod passage;
pub mod pattern;
pub mod policy;
#[cfg(any(test, feature = "explain"))]
pub mod preview;
#[cfg(any(test, feature = "explain"))]
pub mod recall;
pub mod record;
pub mod records;
pub mod redact;
pub mod renewal;
pub mod run;
pub mod secret;
#[cfg(any(test, feature = "secrets"))]
pub mod secret_form;
pub mod shares;
pub mod sign;
pub mod swap;
#[cfg(any(test, feature = "secrets"))]
pub mod trial;
pub mod usage;
