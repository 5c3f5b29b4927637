//! The REST API as callers see it, on every database at hand: SQLite always, PostgreSQL when
//! `REQUESTROCKET_TEST_POSTGRES_URL` names one.
#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test stops at the first surprise; the lints know this of #[test] functions only"
)]
#![expect(
    clippy::similar_names,
    reason = "`path` and `patch` are the words of the field"
)]
#![expect(clippy::too_many_lines, reason = "a test is a table")]

mod process;
mod routes;
mod rules;
mod world;
mod writers;
