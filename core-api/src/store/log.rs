//! The change log: what was written, what of it a region is told, in one order.

mod audit;
pub mod change;
pub mod current;
pub mod write;
