//! Records, permissions and invariants: no I/O, no SQL, no HTTP.

pub mod address;
pub mod alias;
pub mod api_key;
pub mod attachment;
pub mod base_url;
pub mod condition;
pub mod credential;
pub mod effect;
pub mod id;
pub mod listing;
pub mod member;
pub mod meter;
pub mod moment;
pub mod name;
pub mod organisation;
pub mod permission;
pub mod problem;
pub mod proxy;
pub mod random;
pub mod redaction;
pub mod region;
pub mod rule;
pub mod secret;
pub mod target;
pub mod user;
pub mod user_token;
