//! How targets answer that regions call now and then, as they report it.

use requestrocket_process::db::Db;
use requestrocket_proto::region::v1::{TargetCheck, TargetTest};

use crate::domain::account::notification::Notice;
use crate::domain::gateway::region::RegionName;
use crate::domain::gateway::target::TargetHealth;
use crate::domain::moment::Moment;
use crate::store::account::notification::notification_insert;
use crate::store::gateway::target_health::{Turned, health_update};

/// Takes a report. What names no target of the region that is to be called is passed over.
///
/// # Errors
/// The database does not answer.
pub(super) async fn take(
    db: &Db,
    region: &RegionName,
    checks: Vec<TargetCheck>,
    now: Moment,
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
            let notice = notice(&turned, checked_at);
            notification_insert(&mut tx, &notice, now).await?;
        }
    }
    tx.commit().await
}

fn notice(turned: &Turned, checked_at: Moment) -> Notice {
    let Turned {
        organisation,
        target,
        name,
        is_reachable,
    } = turned;
    if *is_reachable {
        tracing::info!(%organisation, %target, "target answers again");
    } else {
        tracing::warn!(%organisation, %target, "target does not answer");
    }
    Notice::target_turned(*organisation, (*target, name), (*is_reachable, checked_at))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::testing::{run, stores};

    const TARGET: &str = "00000000-0000-4000-8000-000000000001";
    const RECORDS: &str = "
        INSERT INTO region (region_name, created_at) VALUES ('eu-1', '');
        INSERT INTO organisation (organisation_id, organisation_name, name_key, plan, status,
            allowed_regions, created_at, updated_at, created_by, revision)
        VALUES ('00000000-0000-4000-8000-0000000000aa', 'O', 'o', 'team', 'active', '[]', '', '',
                'u', 1);
        INSERT INTO target (target_id, organisation_id, region_name, target_name, name_key,
            base_url, default_rule_effect, created_at, updated_at, created_by, revision,
            check_seconds)
        VALUES ('00000000-0000-4000-8000-000000000001', '00000000-0000-4000-8000-0000000000aa',
                'eu-1', 'T', 't', 'http://t', 'allow', '', '', 'u', 1, 60)";

    #[tokio::test]
    async fn people_are_told_once_when_two_checks_in_a_row_come_to_another_thing() {
        let check = |status: u32, checked_at_ms| TargetCheck {
            target_id: TARGET.to_owned(),
            test: Some(TargetTest {
                is_reachable: status != 0,
                status,
                ..TargetTest::default()
            }),
            checked_at_ms,
        };
        let region = "eu-1".parse().unwrap();
        let now = Moment::of_unix_ms(1_000_000).unwrap();
        for store in stores().await {
            let mut conn = store.conn().await;
            run(&mut conn, RECORDS).await;
            drop(conn);
            let checks = [200, 0, 0, 0, 204, 0, 503, 503];
            for (at_ms, status) in (1..).zip(checks) {
                // Told again, as after a lost link.
                for _ in 0..2 {
                    let checks = vec![check(status, at_ms)];
                    take(&store.db, &region, checks, now).await.unwrap();
                }
            }
            let mut conn = store.conn().await;
            let sql = "SELECT kind FROM notification ORDER BY kind";
            let told: Vec<(String,)> = sqlx::query_as(sql).fetch_all(&mut *conn).await.unwrap();
            let told: Vec<_> = told.iter().map(|(kind,)| kind.as_str()).collect();
            assert_eq!(told, ["target-recovered", "target-unreachable"]);
        }
    }
}
