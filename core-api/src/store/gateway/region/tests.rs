use std::time::Duration;

use super::*;
use crate::domain::listing::{Order, Sort};
use crate::store::testing::{run, stores};

const NOW: OffsetDateTime = time::macros::datetime!(2026-01-02 03:04:05 UTC);

fn name(text: &str) -> RegionName {
    text.parse().unwrap()
}

#[tokio::test]
async fn a_region_is_made_once_and_listed_by_name() {
    for store in stores().await {
        let mut conn = store.conn().await;
        for region in ["us-1", "eu-1", "us-1"] {
            region_ensure(&mut conn, &name(region), NOW).await.unwrap();
        }
        let query = ListQuery {
            page: 1,
            limit: 100,
            sort: Sort::Name,
            order: Order::Ascending,
            region: None,
            is_active: None,
            kind: None,
            labels: Vec::new(),
            search: None,
            among: None,
            includes_temporary: false,
            is_unread: false,
        };
        let listed = region_page(&mut conn, &query).await.unwrap().items;
        let names: Vec<_> = listed.iter().map(|row| row.region_name.as_str()).collect();
        assert_eq!(names, ["eu-1", "us-1"]);
        assert_eq!(
            region_fetch(&mut conn, "eu-1").await.unwrap().as_ref(),
            listed.first()
        );
        assert_eq!(region_fetch(&mut conn, "ap-1").await.unwrap(), None);
    }
}

#[tokio::test]
async fn the_sealing_key_is_there_once_the_region_connected() {
    for store in stores().await {
        let mut conn = store.conn().await;
        let region = name("eu-1");
        let unknown = sealing_key(&mut conn, "eu-1").await.unwrap_err();
        assert!(matches!(unknown, SealingUnavailable::UnknownRegion));
        region_ensure(&mut conn, &region, NOW).await.unwrap();
        let never = sealing_key(&mut conn, "eu-1").await.unwrap_err();
        assert!(matches!(never, SealingUnavailable::NeverEnrolled));
        for byte in [1, 2] {
            let key = RegionKey::try_from([byte; 32].as_slice()).unwrap();
            region_connected(&mut conn, &region, "http://r", &key)
                .await
                .unwrap();
            assert_eq!(sealing_key(&mut conn, "eu-1").await.unwrap(), key);
        }
        let row = region_fetch(&mut conn, "eu-1").await.unwrap().unwrap();
        assert_eq!(row.base_url.as_deref(), Some("http://r"));
    }
}

#[tokio::test]
async fn an_enrolment_token_works_once_and_for_its_time() {
    for store in stores().await {
        let mut conn = store.conn().await;
        region_ensure(&mut conn, &name("eu-1"), NOW).await.unwrap();
        let hour = Duration::from_hours(1);
        for digest in ["used", "late"] {
            let end = NOW + hour;
            enrolment_token_insert(&mut conn, digest, &name("eu-1"), end)
                .await
                .unwrap();
        }
        let just_before = NOW + hour - Duration::from_millis(1);
        for (digest, at, want) in [
            ("unknown", NOW, None),
            ("late", NOW + hour, None),
            ("used", just_before, Some("eu-1")),
            ("used", NOW, None),
            ("late", NOW, Some("eu-1")),
        ] {
            let used = enrolment_token_use(&mut conn, digest, at).await.unwrap();
            assert_eq!(used.as_deref(), want, "{digest} at {at}");
        }
    }
}

const RECORDS: &str = "
    INSERT INTO region (region_name, created_at) VALUES ('eu-1', ''), ('us-1', '');
    INSERT INTO organisation (organisation_id, organisation_name, name_key, plan, status,
        allowed_regions, created_at, updated_at, created_by, revision)
    VALUES ('o', 'O', 'o', 'team', 'active', '[]', '', '', 'u', 1);
    INSERT INTO credential (credential_id, organisation_id, region_name, credential_name, name_key,
        credential_side, auth_type, default_rule_effect, is_active, version, sealed_secret,
        secret_revision, created_at, updated_at, created_by, revision)
    VALUES ('early', 'o', 'eu-1', 'E', 'e', 'proxy', 'apiKey', 'allow', 1, 1, 'ZQ==', 5, '', '', 'u', 5),
           ('late', 'o', 'eu-1', 'L', 'l', 'proxy', 'apiKey', 'allow', 1, 1, 'bA==', 6, '', '', 'u', 6),
           ('other', 'o', 'us-1', 'X', 'x', 'proxy', 'apiKey', 'allow', 1, 1, 'eA==', 2, '', '', 'u', 2);
    INSERT INTO change (region_name, kind, record_id, revision, is_removed)
    VALUES ('eu-1', 'proxy', 'gone-early', 4, 1), ('eu-1', 'proxy', 'gone-late', 6, 1),
           ('eu-1', 'credential', 'early', 5, 0), ('us-1', 'proxy', 'gone-other', 1, 1)";

#[tokio::test]
async fn what_a_region_stored_is_dropped_up_to_there_and_nowhere_else() {
    for store in stores().await {
        let mut conn = store.conn().await;
        run(&mut conn, RECORDS).await;
        let consents = "UPDATE credential SET sealed_consent = 'x', \
                        consent_revision = secret_revision";
        run(&mut conn, consents).await;
        let next = "UPDATE credential SET sealed_next = 'x', next_revision = secret_revision";
        run(&mut conn, next).await;
        region_stored(&mut conn, &name("eu-1"), 5).await.unwrap();
        for column in ["sealed_secret", "sealed_consent", "sealed_next"] {
            let sealed: Vec<(String,)> = sqlx::query_as(sqlx::AssertSqlSafe(format!(
                "SELECT credential_id FROM credential WHERE {column} IS NOT NULL
                 ORDER BY credential_id"
            )))
            .fetch_all(&mut *conn)
            .await
            .unwrap();
            assert_eq!(sealed, [("late".to_owned(),), ("other".to_owned(),)]);
        }
        let left: Vec<(String,)> =
            sqlx::query_as("SELECT record_id FROM change ORDER BY record_id")
                .fetch_all(&mut *conn)
                .await
                .unwrap();
        let left: Vec<_> = left.iter().map(|(id,)| id.as_str()).collect();
        assert_eq!(left, ["early", "gone-late", "gone-other"]);
        let row = region_fetch(&mut conn, "eu-1").await.unwrap().unwrap();
        assert_eq!((row.stored_revision, row.log_horizon), (5, 4));
        region_stored(&mut conn, &name("eu-1"), 5).await.unwrap();
        let row = region_fetch(&mut conn, "eu-1").await.unwrap().unwrap();
        assert_eq!(row.log_horizon, 4, "nothing more was purged");
    }
}

#[tokio::test]
async fn dropping_what_a_region_stored_does_not_read_what_stays() {
    let store = crate::store::testing::sqlite().await;
    let mut conn = store.conn().await;
    for (statement, index) in [
        (
            "UPDATE credential SET sealed_secret = NULL
             WHERE region_name = 'a' AND sealed_secret IS NOT NULL AND secret_revision <= 1",
            "credential_sealed",
        ),
        (
            "UPDATE credential SET sealed_consent = NULL
             WHERE region_name = 'a' AND sealed_consent IS NOT NULL AND consent_revision <= 1",
            "credential_sealed_consent",
        ),
        (
            "UPDATE credential SET sealed_next = NULL
             WHERE region_name = 'a' AND sealed_next IS NOT NULL AND next_revision <= 1",
            "credential_sealed_next",
        ),
        (
            "DELETE FROM change WHERE region_name = 'a' AND is_removed = 1 AND revision <= 1",
            "change_removed",
        ),
    ] {
        let explain = format!("EXPLAIN QUERY PLAN {statement}");
        let plan: Vec<(i64, i64, i64, String)> = sqlx::query_as(sqlx::AssertSqlSafe(explain))
            .fetch_all(&mut *conn)
            .await
            .unwrap();
        assert!(
            plan.iter().any(|(_, _, _, step)| step.contains(index)),
            "{plan:?}"
        );
    }
}
