//! The change log: what was written, what of it a region is told, in one order.

pub mod attached_state;
pub mod change;
pub mod present;
pub mod write;
