//! The harness of the black-box tests: it starts stacks, plays caller and target byte by byte,
//! and looks at what the processes leave behind.
//!
//! Invariant: nothing here imports the product; it meets it through ports, files and processes.

pub mod attached;
pub mod aws;
pub mod binaries;
pub mod browser;
pub mod caller;
pub mod canary;
pub mod certificates;
pub mod codings;
pub mod consent;
pub mod core_api;
pub mod external;
pub mod gateway;
pub mod http;
pub mod http2;
pub mod issuer;
pub mod logs;
pub mod machine;
pub mod mail;
pub mod receiver;
pub mod sso;
pub mod stack;
pub mod target;
pub mod traffic;
pub mod wait;
pub mod wire;
