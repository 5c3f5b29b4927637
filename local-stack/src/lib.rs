//! One supervisor that runs the whole stack on one machine: core-api, regions, Envoys and a demo
//! target. `make run`, the integration tests and the benchmarks all use it.
//!
//! Invariant: nothing it starts outlives it, however it ends.

mod backoff;
mod child;
mod client;
mod core_api;
mod demo;
pub mod demo_target;
mod envoy;
mod files;
mod keeper;
pub mod options;
mod own;
mod ports;
mod region;
mod regions_database;
mod report;
pub mod run_child;
mod server;
pub mod stack;
pub mod stack_file;
mod start;
mod tokens;
