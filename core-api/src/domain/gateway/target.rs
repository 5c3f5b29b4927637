//! Targets: where calls go.

use super::base_url::BaseUrl;
use super::region::RegionName;
use crate::domain::guard::effect::Effect;
use crate::domain::id::{OrganisationId, TargetId};
use crate::domain::label::Labels;
use crate::domain::moment::Moment;
use crate::domain::name::Name;

/// What a caller decides about a target.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TargetForm {
    /// For people; several may share it.
    pub name: Name,
    /// Where calls go.
    pub base_url: BaseUrl,
    /// What the test of the target asks for.
    pub test_path: Option<String>,
    /// What its layer decides when no rule matches.
    pub default_rule_effect: Effect,
}

/// The record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Target {
    /// What paths and proxies name it by.
    pub id: TargetId,
    /// Whose it is.
    pub organisation: OrganisationId,
    /// Where it is used.
    pub region: RegionName,
    /// What its owner decided.
    pub form: TargetForm,
    /// By what it is found.
    pub labels: Labels,
    /// When it was made.
    pub created_at: Moment,
    /// When it was last changed.
    pub updated_at: Moment,
    /// User id.
    pub created_by: String,
    /// Its version; every stored change alters it.
    pub revision: u64,
}

/// A path for tests is sent as it is: it starts with a slash and holds no blank or control byte.
#[must_use]
pub fn is_test_path(raw: &str) -> bool {
    raw.starts_with('/')
        && raw.len() <= 2048
        && raw.bytes().all(|b| b.is_ascii_graphic() && b != b'#')
}
