//! What the control plane keeps of and tells its regions.

pub mod fleet;
pub mod link;
pub mod pki;
pub mod policy_spec;
pub mod sealing;
