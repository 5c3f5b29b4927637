//! JSON as bytes: a strict incremental reader, RFC 9535 paths, and what the paths select.
//!
//! Nothing here builds numbers or re-serialises: a value is the span of text that it was sent as.

pub(crate) mod doc;
pub(crate) mod eval;
pub mod find;
pub(crate) mod lexer;
pub(crate) mod location;
pub mod path;
pub(crate) mod select;
pub(crate) mod text;
pub(crate) mod view;

use crate::{effort::Exhausted, memory::NoMemory};

pub use self::{doc::MAX_VALUES, eval::MAX_STEPS, view::MAX_READINGS};

/// Containers that may be nested in each other.
pub const MAX_DEPTH: usize = 512;
/// Bytes of a member's name as sent, without the quotes.
pub const MAX_NAME_BYTES: usize = 64 * 1024;
/// Bytes of white space between two tokens.
pub const MAX_BLANK_BYTES: usize = 64 * 1024;

/// Not one JSON text (RFC 8259), or one beyond the bounds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{problem} at byte {offset}")]
pub struct InvalidJson {
    /// 0-based, in the bytes given so far.
    pub offset: u64,
    /// What is wrong there.
    pub problem: Problem,
}

/// What is wrong with a text.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Problem {
    /// A byte that the grammar does not allow there.
    #[error("unexpected byte")]
    Unexpected,
    /// Something follows the JSON text.
    #[error("bytes after the end of the text")]
    Trailing,
    /// The text ends before its end.
    #[error("text is incomplete")]
    Incomplete,
    /// A string is not UTF-8.
    #[error("string is not UTF-8")]
    NotUtf8,
    /// More than [`MAX_DEPTH`] containers.
    #[error("containers are nested too deeply")]
    TooDeep,
    /// More than [`MAX_NAME_BYTES`].
    #[error("name is too long")]
    NameTooLong,
    /// More than [`MAX_BLANK_BYTES`].
    #[error("too much white space")]
    TooMuchBlank,
    /// More values than a held document may have.
    #[error("too many values")]
    TooManyValues,
    /// Repeated names allow more readings of a held document than are tried.
    #[error("too many repeated names")]
    TooManyReadings,
    /// There is no memory for what is known of the document.
    #[error("no memory for the document")]
    NoMemory,
    /// A path takes more steps over a held document than are made.
    #[error("path takes too long to evaluate")]
    TooMuchWork,
    /// An earlier call failed.
    #[error("reading had already failed")]
    Failed,
}

impl From<NoMemory> for Problem {
    fn from(NoMemory: NoMemory) -> Self {
        Self::NoMemory
    }
}

impl From<Exhausted> for Problem {
    fn from(Exhausted: Exhausted) -> Self {
        Self::TooMuchWork
    }
}
