//! What an organisation is told of itself.

pub mod audit;
pub mod billing;
pub mod notifications;
pub mod preferences;
pub mod webhooks;
