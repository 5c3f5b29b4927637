use super::*;
use crate::domain::moment::Moment;
use crate::store::testing::{run, stores};

const TARGET: &str = "00000000-0000-4000-8000-000000000001";
const UNCALLED: &str = "00000000-0000-4000-8000-000000000002";
const RECORDS: &str = "
    INSERT INTO region (region_name, created_at) VALUES ('eu-1', ''), ('us-1', '');
    INSERT INTO organisation (organisation_id, organisation_name, name_key, plan, status,
        allowed_regions, created_at, updated_at, created_by, revision)
    VALUES ('00000000-0000-4000-8000-000000000009', 'O', 'o', 'team', 'active', '[]', '', '', 'u', 1);
    INSERT INTO target (target_id, organisation_id, region_name, target_name, name_key, base_url,
        default_rule_effect, created_at, updated_at, created_by, revision, check_seconds)
    VALUES ('00000000-0000-4000-8000-000000000001', '00000000-0000-4000-8000-000000000009', 'eu-1',
            'T', 't', 'http://t', 'allow', '', '', 'u', 1, 60),
           ('00000000-0000-4000-8000-000000000002', '00000000-0000-4000-8000-000000000009', 'eu-1',
            'T', 't', 'http://t', 'allow', '', '', 'u', 1, NULL)";

fn health(status: Option<u16>, at_ms: u64) -> TargetHealth {
    TargetHealth {
        is_reachable: status.is_some(),
        status,
        checked_at: Moment::of_unix_ms(at_ms).unwrap(),
    }
}

#[tokio::test]
async fn the_second_call_in_a_row_makes_a_turn_and_an_older_one_none() {
    let called = [
        ("eu-1", TARGET, health(None, 1_000), None),
        // Told again: it counts once.
        ("eu-1", TARGET, health(None, 1_000), None),
        ("us-1", TARGET, health(None, 2_000), None),
        ("eu-1", UNCALLED, health(None, 2_000), None),
        ("eu-1", TARGET, health(None, 2_000), Some(false)),
        ("eu-1", TARGET, health(None, 3_000), None),
        ("eu-1", TARGET, health(Some(500), 4_000), None),
        ("eu-1", TARGET, health(Some(200), 1_500), None),
        ("eu-1", TARGET, health(Some(200), 5_000), Some(true)),
        ("eu-1", TARGET, health(Some(200), 6_000), None),
    ];
    for store in stores().await {
        let mut conn = store.conn().await;
        run(&mut conn, RECORDS).await;
        for (region, target, health, want) in called {
            let (region, target) = (region.parse().unwrap(), target.parse().unwrap());
            let turned = health_update(&mut conn, &region, target, health).await;
            let turned = turned.unwrap().map(|turned| turned.is_reachable);
            assert_eq!(turned, want, "{health:?}");
        }
        let rows = sqlx::query("SELECT * FROM target ORDER BY target_id");
        let rows = rows.fetch_all(&mut *conn).await.unwrap();
        let known: Vec<_> = rows.iter().map(|row| health_column(row).unwrap()).collect();
        assert_eq!(known, [Some(health(Some(200), 6_000)), None]);
    }
}
