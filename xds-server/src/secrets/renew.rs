//! Tokens that the region obtains, refreshes and gives to targets: `oauth2` and `customToken`.
//!
//! What is sent, what an answer means and when to ask again is decided by pure functions; the
//! [`client`] speaks, the [`job`] does one thing after the other.

mod answer;
mod assertion;
pub mod client;
mod custom;
pub mod job;
pub mod life;
mod oauth2;
mod provider;
mod request;
mod schedule;
