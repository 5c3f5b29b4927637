//! The shapes of HTTP that the engine reads.

mod head;
pub(crate) mod name;
pub(crate) mod path;
pub(crate) mod percent;
pub(crate) mod query;

pub(crate) use head::Lines;
pub use head::{HeaderLine, RequestHead, ResponseHead};

/// The methods that pass; any other is 405.
pub const ALLOWED_METHODS: [&str; 7] = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"];
