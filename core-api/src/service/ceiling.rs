//! Refuses what would be one too many. Whoever counts is alone over what is counted
//! (`store::log::write::Over`), so that still holds at the commit.

use crate::error::{ApiError, ApiResult, Code};
use crate::state::AppState;
pub(super) use crate::store::ceiling::Counted;
use crate::store::ceiling::ceiling_count;
use crate::store::log::write::Write;

/// Whether there may be one more.
///
/// # Errors
/// `LIMIT_REACHED`.
pub(super) async fn check(state: &AppState, write: &mut Write, counted: Counted) -> ApiResult<()> {
    let ceilings = state.ceilings;
    let (ceiling, what) = match counted {
        Counted::Credentials(_) => (
            ceilings.credentials,
            "an organisation has at most {} credentials",
        ),
        Counted::Targets(_) => (ceilings.targets, "an organisation has at most {} targets"),
        Counted::Proxies(_) => (ceilings.proxies, "an organisation has at most {} proxies"),
        Counted::Members(_) => (ceilings.members, "an organisation has at most {} members"),
        Counted::OpenInvites(..) => (
            ceilings.invites,
            "an organisation has at most {} open invites",
        ),
        Counted::Webhooks(_) => (ceilings.webhooks, "an organisation has at most {} webhooks"),
        Counted::Tokens(_) => (ceilings.tokens, "a user has at most {} tokens"),
        Counted::Organisations(_) => (
            ceilings.organisations,
            "a user owns at most {} organisations",
        ),
    };
    // Others who would add to the same wait for this transaction, so two are not the last one.
    if ceiling_count(write.conn(), counted).await? < ceiling {
        return Ok(());
    }
    let text = what.replace("{}", &ceiling.to_string());
    Err(ApiError::new(Code::LimitReached, text))
}
