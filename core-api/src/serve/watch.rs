//! Now and then looks for what nobody who acts would tell of.

use std::time::Duration;

use super::rounds::Rounds;
use crate::service::account::watch::Watch;
use crate::state::AppState;

/// Short enough that everybody is told within 15 s.
const EVERY: Duration = Duration::from_secs(5);

/// Runs until the process is to stop. A store that does not answer is asked again the next time.
pub(super) async fn run(state: AppState) -> anyhow::Result<()> {
    let mut watch = Watch::begin(&state);
    let mut rounds = Rounds::every(EVERY, state.tasks.stopping());
    while rounds.next().await {
        if let Err(error) = watch.look(&state).await {
            tracing::warn!(?error, "nobody is told of what would be to tell");
        }
    }
    Ok(())
}
