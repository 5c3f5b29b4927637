//! Now and then removes what nobody came back for.

use std::time::Duration;

use super::rounds::Rounds;
use crate::service::account::notifications::remove_old;
use crate::service::gateway::consents::remove_abandoned;
use crate::service::people::sign_in::remove_ended;
use crate::state::AppState;

/// What is removed is a day old.
const EVERY: Duration = Duration::from_mins(5);

/// Runs until the process is to stop. A store that does not answer is asked again the next time.
pub(super) async fn run(state: AppState) -> anyhow::Result<()> {
    let mut rounds = Rounds::every(EVERY, state.tasks.stopping());
    while rounds.next().await {
        if let Err(error) = remove_abandoned(&state).await {
            tracing::warn!(?error, "abandoned credentials are not removed");
        }
        if let Err(error) = remove_ended(&state).await {
            tracing::warn!(?error, "sessions that have ended are not removed");
        }
        if let Err(error) = remove_old(&state).await {
            tracing::warn!(?error, "old notifications are not removed");
        }
    }
    Ok(())
}
