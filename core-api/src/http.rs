//! The REST application: what it has, and its routes with everything that stands before them.

pub(crate) mod amount;
pub mod authenticate;
pub mod author;
pub mod body;
pub mod call;
mod dashboard;
pub mod etag;
pub mod idempotency;
pub mod json;
pub(crate) mod labels;
pub mod lines;
pub mod list;
pub mod mutate;
pub mod openapi;
pub(crate) mod origin;
pub mod query;
pub mod router;
pub mod routes;
pub(crate) mod session_cookie;
pub mod stranger;
pub mod stream;
