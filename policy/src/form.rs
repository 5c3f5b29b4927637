//! Reads JSON objects that somebody sent, and notes everything that is wrong with its place.

pub mod fields;
pub mod problem;
