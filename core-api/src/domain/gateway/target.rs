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
    /// How often its region calls it to see whether it answers; none: never.
    pub check_seconds: Option<u32>,
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
    /// What its region's last call came to; none: there was none.
    pub health: Option<TargetHealth>,
}

/// What a call of a target came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TargetHealth {
    /// It was answered, whatever the answer said.
    pub is_reachable: bool,
    /// Of the answer.
    pub status: Option<u16>,
    /// When it was called.
    pub checked_at: Moment,
}

/// Seconds between two calls of a target.
pub const CHECK_SECONDS: std::ops::RangeInclusive<u32> = 60..=86_400;

/// Whether people are to hear that a target answers again, or does not any more: two calls in a row
/// say so, and what they took it for was another thing.
#[must_use]
pub fn is_turn(settled: bool, last: Option<bool>, now: bool) -> bool {
    last == Some(now) && settled != now
}

/// A path for tests is sent as it is: it starts with a slash and holds no blank or control byte.
#[must_use]
pub fn is_test_path(raw: &str) -> bool {
    raw.starts_with('/')
        && raw.len() <= 2048
        && raw.bytes().all(|b| b.is_ascii_graphic() && b != b'#')
}

#[cfg(test)]
mod tests {
    use super::is_turn;

    #[test]
    fn two_calls_in_a_row_make_a_turn_and_what_follows_none() {
        let (mut settled, mut last) = (true, None);
        let mut turns = String::new();
        for now in "+-+--++-+---+".chars().map(|it| it == '+') {
            let turned = is_turn(settled, last, now);
            if turned {
                settled = now;
            }
            last = Some(now);
            turns.push(if turned { '!' } else { '.' });
        }
        assert_eq!(turns, "....!.!...!..");
    }
}
