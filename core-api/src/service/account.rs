//! What an organisation is told of itself.

pub mod audit;
pub mod audit_key;
pub mod billing;
pub mod charges;
pub mod checkpoints;
pub mod deliveries;
pub mod letters;
pub mod notifications;
pub mod verify;
pub mod watch;
pub mod webhooks;
