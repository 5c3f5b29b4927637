//! What holds for every route.

mod access;
mod audited;
mod bodies;
mod ceilings;
mod conditions;
mod document;
mod drafts;
mod idempotency;
mod labels;
mod lists;
mod outcome;
mod roles;
mod secrets;
mod strangers;
mod tenancy;
mod updates;
