//! Sends letters, so that their recipients have them within seconds.

use std::time::Duration;

use super::rounds::Rounds;
use crate::error::ApiResult;
use crate::mail::Mailer;
use crate::service::account::letters::{collect, send_due};
use crate::state::AppState;

const EVERY: Duration = Duration::from_secs(2);

/// Runs until the process is to stop. A store that does not answer is asked again the next time.
pub(super) async fn run(state: AppState, mailer: Mailer) -> anyhow::Result<()> {
    let mut rounds = Rounds::every(EVERY, state.tasks.stopping());
    while rounds.next().await {
        if let Err(error) = look(&state, &mailer).await {
            tracing::warn!(?error, "letters wait");
        }
    }
    Ok(())
}

async fn look(state: &AppState, mailer: &Mailer) -> ApiResult<()> {
    collect(state).await?;
    send_due(state, mailer).await
}
