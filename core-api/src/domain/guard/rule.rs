//! Rules: what a layer allows and denies.

use super::attachment::Attachable;
use super::condition::Conditions;
use super::effect::Effect;
use crate::domain::id::RuleId;

pub use requestrocket_policy::compile::MAX_PRIORITY;

/// When it is left out.
pub const DEFAULT_PRIORITY: u64 = 500;

/// What a caller decides about a rule.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RuleForm {
    /// What it decides.
    pub effect: Effect,
    /// 0 to 1000; the highest matching one decides, at equal priority deny.
    pub priority: u64,
    /// Only active ones are evaluated.
    pub is_active: bool,
    /// When it matches.
    pub conditions: Conditions,
    /// For people.
    pub notes: Option<String>,
}

impl Attachable for RuleForm {
    type Id = RuleId;
    const MAX_COUNT: u64 = 200;
    const PLURAL: &'static str = "rules";

    fn random_id() -> RuleId {
        RuleId::random()
    }
}
