//! What is looked at and counted on the way: rules, filters, meters.

pub mod attached;
pub mod attachment;
pub mod meter;
pub mod redaction;
pub mod rule;
pub mod weight;
