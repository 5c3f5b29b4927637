//! The Envoy filter: a thin shell around the policy engine.
//!
//! [`driver`] runs an exchange against a [`host::Host`]; [`calls`] keeps those under way, [`cache`] compiled policies;
//! [`compiling`] makes more of them while calls wait; [`counters`] counts together with the other workers and the region server. They know nothing of
//! proxy-wasm and are tested natively. The `entry`, `vm`, `proxy_wasm_host` and `abi` modules exist on
//! wasm32 only. Whatever fails here refuses the request; nothing is ever let through
//! because something was missing.

#![warn(missing_docs, clippy::as_conversions, clippy::wildcard_enum_match_arm)]

#[cfg(target_arch = "wasm32")]
mod abi;
pub mod cache;
pub mod calls;
pub mod compiling;
pub mod counters;
pub mod driver;
#[cfg(target_arch = "wasm32")]
mod entry;
#[cfg(test)]
mod fake_host;
pub mod host;
pub mod pace;
#[cfg(target_arch = "wasm32")]
mod proxy_wasm_host;
pub mod turns;
pub mod usage;
#[cfg(target_arch = "wasm32")]
mod vm;
