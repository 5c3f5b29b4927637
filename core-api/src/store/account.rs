//! What an organisation is told of itself.

pub mod audit;
pub mod billing;
pub mod checkpoint;
pub mod device;
pub mod letter;
pub mod letter_notice;
pub mod notification;
pub mod preference;
pub mod subject;
pub mod webhook;
pub mod webhook_delivery;
