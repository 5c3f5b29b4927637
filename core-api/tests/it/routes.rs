//! One file a resource, as in `src/routes`.

mod credentials;
mod filters;
mod invites;
mod members;
mod meters;
mod organisations;
mod proxies;
mod regions;
pub(crate) mod rules;
mod status;
mod targets;
mod users;
