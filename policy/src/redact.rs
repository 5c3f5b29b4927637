//! Redaction: what a response loses on its way to the caller.
//!
//! A call has up to four stages; each sees what the one before left. In a stage, retain paths (if
//! there are any) say what stays, then destroy paths what goes. What stays is
//! copied byte for byte: nothing is parsed into values and written again.

#[cfg(any(test, feature = "fixtures"))]
pub mod fuzzing;
mod hold;
mod report;
mod rewrite;
mod stage;
mod stream;
mod trie;

pub use self::{
    hold::{Documents, redact_held},
    report::{Change, Room, redact_reporting},
    stage::{Filter, Operation, Stage},
    stream::{Mode, Redactor},
};

#[cfg(test)]
mod tests;
