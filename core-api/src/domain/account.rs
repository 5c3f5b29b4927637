//! What an organisation is told of itself.

pub mod audit;
pub mod billing;
pub mod chain;
pub mod checkpoint;
pub mod letter;
pub mod notification;
pub mod verify;
pub mod webhook;
