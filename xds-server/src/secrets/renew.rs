//! What the region obtains and refreshes: tokens for targets (`oauth2`, `customToken`), and keys that
//! verify callers' tokens (`jwtVerify`, `oauth2`).
//!
//! What is sent, what an answer means and when to ask again is decided by pure functions; the
//! [`client`] speaks, the [`job`] does one thing after the other.

mod answer;
mod assertion;
pub mod client;
mod custom;
pub mod introspect;
pub mod job;
mod key_life;
pub mod key_source;
pub mod life;
mod minted;
mod oauth2;
pub mod pace;
mod provider;
mod request;
mod schedule;
mod shelf;

pub(crate) use answer::retry_after_ms;
pub(crate) use shelf::PAUSE_MS;

#[cfg(test)]
mod issuer;
#[cfg(test)]
mod peer;
