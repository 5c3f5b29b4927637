//! One file a resource, as in `src/routes`.

mod credentials;
mod invites;
mod members;
mod organisations;
mod proxies;
mod regions;
mod status;
mod targets;
mod users;
