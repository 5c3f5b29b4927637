//! What is looked at and counted on the way: rules, filters, meters, and how to try them.

pub mod attachments;
pub mod draft;
pub mod sample;
pub mod weight;
