//! One file a resource, as in `src/routes`.

mod allowed_hosts;
mod audit;
mod consents;
mod credential_life;
mod credentials;
mod evaluate;
mod filters;
mod invites;
mod members;
mod meters;
mod organisation_usage;
mod organisations;
mod preview;
mod proxies;
mod regions;
mod requests;
mod requests_streamed;
pub(crate) mod rules;
mod second_secrets;
mod session;
mod status;
mod targets;
mod telemetry;
mod token_rights;
mod usage;
mod users;
mod weights;
