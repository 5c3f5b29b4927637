//! What is looked at and counted on the way: rules, filters, meters.

pub mod attachment;
pub mod condition;
pub mod effect;
pub mod meter;
pub mod redaction;
pub mod rule;
