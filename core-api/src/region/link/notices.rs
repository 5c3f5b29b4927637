//! What regions see and people are to be told of.

use requestrocket_policy::limit::Window;
use requestrocket_process::db::Db;
use requestrocket_proto::region::v1 as wire;
use requestrocket_proto::region::v1::notice::Kind;
use sqlx::AnyConnection;

use crate::domain::account::notification::{Level, Notice};
use crate::domain::gateway::region::RegionName;
use crate::domain::id::OrganisationId;
use crate::domain::moment::Moment;
use crate::store::account::notification::notification_insert;
use crate::store::account::subject::{Regional, subject_fetch};

const MICROS: u64 = 1_000_000;

/// Takes a report: durable, and told once however often it comes. What names no record of the region,
/// or nothing that is known here, is passed over.
///
/// # Errors
/// The database does not answer.
pub(super) async fn take(
    db: &Db,
    region: &RegionName,
    notices: Vec<wire::Notice>,
    now: Moment,
) -> sqlx::Result<()> {
    let mut tx = db.begin().await?;
    for wire::Notice { kind } in notices {
        let Some(kind) = kind else { continue };
        if let Some(notice) = notice(&mut tx, region, kind).await? {
            notification_insert(&mut tx, &notice, now).await?;
        }
    }
    tx.commit().await
}

async fn notice(
    conn: &mut AnyConnection,
    region: &RegionName,
    kind: Kind,
) -> sqlx::Result<Option<Notice>> {
    Ok(match kind {
        Kind::MeterNearLimit(level) => {
            of_meter(conn, region, level, Notice::meter_near_limit).await?
        }
        Kind::MeterExceeded(level) => of_meter(conn, region, level, Notice::meter_exceeded).await?,
        Kind::SecretEcho(wire::SecretEcho {
            credential_id,
            hour_ms,
        }) => {
            let which = (Regional::Credential, credential_id.as_str());
            let found = subject_fetch(conn, region, which).await?;
            found
                .zip(credential_id.parse().ok())
                .map(|((owner, name), id)| Notice::secret_echo(owner, (id, &name), hour_ms))
        }
        Kind::LostCalls(wire::LostCalls { hour_ms, calls }) => {
            Some(Notice::log_incomplete(region.as_str(), calls, hour_ms))
        }
    })
}

async fn of_meter(
    conn: &mut AnyConnection,
    region: &RegionName,
    level: wire::MeterLevel,
    told: fn(OrganisationId, &Level<'_>) -> Notice,
) -> sqlx::Result<Option<Notice>> {
    let wire::MeterLevel {
        meter_id,
        window,
        start_ms,
        used_micros,
        limit_micros,
    } = level;
    let Some(window) = Window::from_wire(window) else {
        return Ok(None);
    };
    let found = subject_fetch(conn, region, (Regional::Meter, &meter_id)).await?;
    Ok(found.map(|(owner, name)| {
        let level = Level {
            meter: &meter_id,
            name: &name,
            window: window.name(),
            start_ms,
            used: used_micros / MICROS,
            limit: limit_micros / MICROS,
        };
        told(owner, &level)
    }))
}

#[cfg(test)]
mod tests {
    use requestrocket_proto::meter::v1::Window as WireWindow;

    use super::*;
    use crate::store::testing::{run, stores};

    const METER: &str = "00000000-0000-4000-8000-00000000000a";
    const CREDENTIAL: &str = "00000000-0000-4000-8000-000000000001";
    /// Of another region.
    const ELSEWHERE: &str = "00000000-0000-4000-8000-000000000002";
    const OWNER: &str = "client:00000000-0000-4000-8000-0000000000aa";
    const RECORDS: &str = "
        INSERT INTO region (region_name, created_at) VALUES ('eu-1', ''), ('us-1', '');
        INSERT INTO organisation (organisation_id, organisation_name, name_key, plan, status,
            allowed_regions, created_at, updated_at, created_by, revision)
        VALUES ('00000000-0000-4000-8000-0000000000aa', 'O', 'o', 'team', 'active', '[]', '', '',
                'u', 1);
        INSERT INTO credential (credential_id, organisation_id, region_name, credential_name,
            name_key, credential_side, auth_type, default_rule_effect, is_active, version,
            secret_revision, created_at, updated_at, created_by, revision)
        VALUES ('00000000-0000-4000-8000-000000000001', '00000000-0000-4000-8000-0000000000aa',
                'eu-1', 'E', 'e', 'target', 'bearer', 'allow', 1, 1, 1, '', '', 'u', 1),
               ('00000000-0000-4000-8000-000000000002', '00000000-0000-4000-8000-0000000000aa',
                'us-1', 'E', 'e', 'target', 'bearer', 'allow', 1, 1, 1, '', '', 'u', 1)";

    fn echo(credential: &str, hour_ms: u64) -> Kind {
        let credential_id = credential.to_owned();
        Kind::SecretEcho(wire::SecretEcho {
            credential_id,
            hour_ms,
        })
    }

    fn level(start_ms: u64) -> wire::MeterLevel {
        wire::MeterLevel {
            meter_id: METER.to_owned(),
            window: WireWindow::Hour.into(),
            start_ms,
            used_micros: 8_500_000,
            limit_micros: 10_000_000,
        }
    }

    #[tokio::test]
    async fn what_a_region_sees_is_told_once_to_whom_it_concerns() {
        let near = |start_ms| Kind::MeterNearLimit(level(start_ms));
        let exceeded = |start_ms| Kind::MeterExceeded(level(start_ms));
        let lost = |hour_ms, calls| Kind::LostCalls(wire::LostCalls { hour_ms, calls });
        let reports = [
            // What this region has nothing to say of.
            (echo(ELSEWHERE, 1), ""),
            (echo("no id", 1), ""),
            (echo(CREDENTIAL, 1), "secret-echo"),
            (echo(CREDENTIAL, 1), ""),
            (echo(CREDENTIAL, 2), "secret-echo"),
            (near(1), "meter-near-limit"),
            (exceeded(1), "meter-exceeded"),
            (near(1), ""),
            (near(2), "meter-near-limit"),
            (lost(1, 5), "log-incomplete"),
            (lost(1, 9), ""),
        ];
        for store in stores().await {
            let mut conn = store.conn().await;
            run(&mut conn, RECORDS).await;
            run(&mut conn, &meter()).await;
            drop(conn);
            let (region, now) = (
                "eu-1".parse().unwrap(),
                "2026-01-01T00:00:00Z".parse().unwrap(),
            );
            let mut seen = 0;
            for (kind, want) in reports.clone() {
                let notice = wire::Notice { kind: Some(kind) };
                take(&store.db, &region, vec![notice.clone()], now)
                    .await
                    .unwrap();
                let mut conn = store.conn().await;
                let all: Vec<(String, String, String)> = sqlx::query_as(
                    "SELECT kind, owner, message FROM notification ORDER BY created_at",
                )
                .fetch_all(&mut *conn)
                .await
                .unwrap();
                seen += usize::from(!want.is_empty());
                assert_eq!(all.len(), seen, "{notice:?}");
                for (kind, owner, message) in &all {
                    let is_everybodys = kind == "log-incomplete";
                    assert_eq!(owner, if is_everybodys { "system" } else { OWNER });
                    let is_near = kind == "meter-near-limit";
                    assert!(!is_near || message == "8 of 10 are used in this hour.");
                }
                assert!(want.is_empty() || all.iter().any(|(kind, ..)| kind == want));
            }
        }
    }

    fn meter() -> String {
        format!(
            "INSERT INTO proxy (proxy_id, organisation_id, region_name, proxy_name, name_key,
                 target_id, target_credential_id, is_active, default_rule_effect, timeout_seconds,
                 max_response_bytes, max_inspected_bytes, created_at, updated_at, created_by,
                 revision)
             VALUES ('p', '00000000-0000-4000-8000-0000000000aa', 'eu-1', 'P', 'p', 't', 'c', 1,
                 'allow', 30, 1, 1, '', '', 'u', 1);
             INSERT INTO meter (meter_id, organisation_id, region_name, proxy_id, meter_name,
                 meter_type, is_active, conditions, name_key, size_bytes, created_at, updated_at,
                 created_by, revision)
             VALUES ('{METER}', '00000000-0000-4000-8000-0000000000aa', 'eu-1', 'p', 'M',
                 'request_count', 1, '', 'm', 0, '', '', 'u', 1)"
        )
    }
}
