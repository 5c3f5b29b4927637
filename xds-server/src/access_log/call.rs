//! What is written of a call, and why it cannot be.

use requestrocket_proto::record::v1::Record;

use super::numbers::Number;

/// One call that is over.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Call {
    pub(super) record: Record,
    pub(super) number: Option<Number>,
}

/// The log cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum LogFailed {
    /// A file of it.
    #[error("the log of calls cannot be read or written")]
    Database(#[from] sqlx::Error),
    /// Its folder.
    #[error("the folder of the log of calls cannot be used")]
    Folder(#[from] std::io::Error),
    /// Holds what no code of ours wrote.
    #[error("the log of calls is damaged")]
    Damaged,
    /// What is asked for takes more work than a search may do.
    #[error("too many calls would have to be looked at")]
    TooMuch,
}
