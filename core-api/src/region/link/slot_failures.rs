//! Second secrets that targets refused, as regions report them.

use requestrocket_process::db::Db;
use requestrocket_proto::region::v1::SlotFailure;

use crate::domain::account::notification::Notice;
use crate::domain::gateway::region::RegionName;
use crate::domain::moment::Moment;
use crate::store::account::notification::notification_insert;
use crate::store::account::subject::{Regional, subject_fetch};
use crate::store::gateway::next_secret::next_failed;

/// Takes a report: durable, because it says which secret a later change leaves. What names no
/// credential of the region, or another version, is passed over.
///
/// # Errors
/// The database does not answer.
pub(super) async fn take(
    db: &Db,
    region: &RegionName,
    failures: Vec<SlotFailure>,
    now: Moment,
) -> sqlx::Result<()> {
    let mut tx = db.begin().await?;
    for SlotFailure {
        credential_id,
        version,
        failed_at_ms,
    } in failures
    {
        let at = Moment::of_unix_ms(failed_at_ms);
        let (Ok(id), Some(at)) = (credential_id.parse(), at) else {
            continue;
        };
        if next_failed(&mut tx, region, (id, version), at).await? {
            tracing::warn!(credential_id, version, "targets refused the next secret");
            let which = (Regional::Credential, credential_id.as_str());
            if let Some((owner, name)) = subject_fetch(&mut tx, region, which).await? {
                let notice = Notice::credential_switched_back(owner, (id, &name), version);
                notification_insert(&mut tx, &notice, now).await?;
            }
        }
    }
    tx.commit().await
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::testing::{run, stores};

    const RECORDS: &str = "
        INSERT INTO region (region_name, created_at) VALUES ('eu-1', ''), ('us-1', '');
        INSERT INTO organisation (organisation_id, organisation_name, name_key, plan, status,
            allowed_regions, created_at, updated_at, created_by, revision)
        VALUES ('00000000-0000-4000-8000-0000000000aa', 'O', 'o', 'team', 'active', '[]', '', '', 'u', 1);
        INSERT INTO credential (credential_id, organisation_id, region_name, credential_name,
            name_key, credential_side, auth_type, default_rule_effect, is_active, version,
            secret_revision, created_at, updated_at, created_by, revision, next_version)
        VALUES ('00000000-0000-4000-8000-000000000001', '00000000-0000-4000-8000-0000000000aa', 'eu-1', 'E', 'e', 'target', 'bearer',
                'allow', 1, 1, 1, '', '', 'u', 1, 2),
               ('00000000-0000-4000-8000-000000000002', '00000000-0000-4000-8000-0000000000aa', 'us-1', 'E', 'e', 'target', 'bearer',
                'allow', 1, 1, 1, '', '', 'u', 1, 2)";

    fn failure(credential_id: &str, version: u64, failed_at_ms: u64) -> SlotFailure {
        SlotFailure {
            credential_id: credential_id.to_owned(),
            version,
            failed_at_ms,
        }
    }

    #[tokio::test]
    async fn the_first_word_of_a_regions_own_secret_counts() {
        let [own, others] = [1, 2].map(|n| format!("00000000-0000-4000-8000-00000000000{n}"));
        for store in stores().await {
            let mut conn = store.conn().await;
            run(&mut conn, RECORDS).await;
            drop(conn);
            let region = "eu-1".parse().unwrap();
            for (told, want) in [
                (failure(&own, 1, 1_000), None),
                (failure("no id", 2, 1_000), None),
                (failure(&others, 2, 1_000), None),
                (failure(&own, 2, 1_000), Some("1970-01-01T00:00:01.000Z")),
                (failure(&own, 2, 9_000), Some("1970-01-01T00:00:01.000Z")),
            ] {
                let now = "2026-01-01T00:00:00Z".parse().unwrap();
                let told_of = vec![told.clone()];
                take(&store.db, &region, told_of, now).await.unwrap();
                let mut conn = store.conn().await;
                let failed: Vec<(Option<String>,)> =
                    sqlx::query_as("SELECT next_failed_at FROM credential ORDER BY credential_id")
                        .fetch_all(&mut *conn)
                        .await
                        .unwrap();
                assert_eq!(failed, [(want.map(str::to_owned),), (None,)], "{told:?}");
                let said: (i64,) = sqlx::query_as(
                    "SELECT COUNT(*) FROM notification WHERE kind = 'credential-switched-back'",
                )
                .fetch_one(&mut *conn)
                .await
                .unwrap();
                assert_eq!(said.0, i64::from(want.is_some()), "{told:?}");
            }
        }
    }
}
