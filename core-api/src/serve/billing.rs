//! Charges what was let through, and tells regions whose calls end or go on.

use std::time::Duration;

use super::rounds::Rounds;
use crate::error::ApiResult;
use crate::service::account::billing::settle;
use crate::service::account::charges::charge;
use crate::state::AppState;

/// Between two looks: calls end, and go on, within 15 s.
const EVERY: Duration = Duration::from_secs(5);
/// Hours that a look asks for.
const LATELY: Duration = Duration::from_hours(2);
/// Workers of Envoys may make up for what they could not tell; later than that a region takes nothing.
const EVER: Duration = Duration::from_hours(48);
/// Looks between two that ask for all of that.
const LOOKS: u32 = 120;

/// Runs until the process is to stop. A store that does not answer is asked again the next time.
pub(super) async fn run(state: AppState) -> anyhow::Result<()> {
    let mut looks = 0;
    let mut rounds = Rounds::every(EVERY, state.tasks.stopping());
    while rounds.next().await {
        let depth = if looks % LOOKS == 0 { EVER } else { LATELY };
        looks = looks.wrapping_add(1);
        if let Err(error) = look(&state, depth).await {
            tracing::warn!(?error, "calls are not charged");
        }
    }
    Ok(())
}

async fn look(state: &AppState, depth: Duration) -> ApiResult<()> {
    if let Some(prices) = &state.billing {
        charge(state, prices, depth).await?;
    }
    settle(state).await
}
