//! How targets answer that regions call now and then, as they report it.

use requestrocket_process::db::Db;
use requestrocket_proto::region::v1::{TargetCheck, TargetTest};

use crate::domain::gateway::region::RegionName;
use crate::domain::gateway::target::TargetHealth;
use crate::domain::moment::Moment;
use crate::store::gateway::target_health::{Turned, health_update};

/// Takes a report. What names no target of the region that is to be called is passed over.
///
/// # Errors
/// The database does not answer.
pub(super) async fn take(
    db: &Db,
    region: &RegionName,
    checks: Vec<TargetCheck>,
) -> sqlx::Result<()> {
    let mut tx = db.begin().await?;
    for check in checks {
        let TargetCheck {
            target_id,
            test,
            checked_at_ms,
        } = check;
        let Some(TargetTest {
            is_reachable,
            status,
            duration_ms: _,
            error: _,
        }) = test
        else {
            continue;
        };
        let (Ok(id), Some(checked_at)) = (target_id.parse(), Moment::of_unix_ms(checked_at_ms))
        else {
            continue;
        };
        let health = TargetHealth {
            is_reachable,
            status: u16::try_from(status).ok().filter(|status| *status != 0),
            checked_at,
        };
        if let Some(turned) = health_update(&mut tx, region, id, health).await? {
            tell(&turned);
        }
    }
    tx.commit().await
}

/// Two calls in a row say that a target answers again, or does not any more.
fn tell(turned: &Turned) {
    let Turned {
        organisation,
        target,
        name: _,
        is_reachable,
    } = turned;
    if *is_reachable {
        tracing::info!(%organisation, %target, "target answers again");
    } else {
        tracing::warn!(%organisation, %target, "target does not answer");
    }
}
