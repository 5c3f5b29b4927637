//! Signs how audit logs end, gives that to the regions, and drops what is too old.

use std::time::Duration;

use super::rounds::Rounds;
use crate::error::ApiResult;
use crate::service::account::checkpoints::{deliver, drop_outdated, make_due};
use crate::state::AppState;

/// Between two looks at what is due.
const EVERY: Duration = Duration::from_secs(5);
/// Looks between two at what is too old.
const LOOKS: u32 = 720;

/// Runs until the process is to stop. A store that does not answer is asked again the next time.
pub(super) async fn run(state: AppState, age: Duration) -> anyhow::Result<()> {
    let mut looks = 0;
    let mut rounds = Rounds::every(EVERY, state.tasks.stopping());
    while rounds.next().await {
        let is_drop_due = looks % LOOKS == 0;
        looks = looks.wrapping_add(1);
        if let Err(error) = look(&state, age, is_drop_due).await {
            tracing::warn!(?error, "audit logs are not looked after");
        }
    }
    Ok(())
}

async fn look(state: &AppState, age: Duration, is_drop_due: bool) -> ApiResult<()> {
    if let Some(key) = &state.audit_key {
        make_due(state, key).await?;
    }
    deliver(state).await?;
    if is_drop_due {
        // Each pass takes so many logs; the rest is for the next.
        while drop_outdated(state, age).await? > 0 {}
    }
    Ok(())
}
