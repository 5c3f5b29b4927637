//! What is looked at and counted on the way: rules, filters, meters, and how to try them.

pub(crate) mod attachments;
pub(crate) mod conditions;
mod declare;
pub mod evaluate;
pub mod filters;
pub mod meters;
pub mod preview;
pub mod rehearse;
pub mod rules;
pub(crate) mod sample;
mod written;
