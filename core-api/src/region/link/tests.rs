//! The link over real TLS, with a small region as the other side.

mod enrolment;
mod harness;
mod questions;
mod streams;
