use super::*;
use crate::store::testing::{TestStore, run, stores};

const ORGANISATION: &str = "00000000-0000-4000-8000-000000000001";
const OTHER: &str = "00000000-0000-4000-8000-000000000002";
const PROXY: &str = "00000000-0000-4000-8000-00000000000a";
const SECOND: &str = "00000000-0000-4000-8000-00000000000b";

fn records() -> String {
    format!(
        "INSERT INTO region (region_name, created_at) VALUES ('eu-1', '');
         INSERT INTO organisation (organisation_id, organisation_name, name_key, plan, status,
             allowed_regions, created_at, updated_at, created_by, revision)
         VALUES ('{ORGANISATION}', 'O', 'o', 'team', 'active', '[]', '', '', 'u', 1);
         INSERT INTO target (target_id, organisation_id, region_name, target_name, name_key,
             base_url, default_rule_effect, created_at, updated_at, created_by, revision)
         VALUES ('t', '{ORGANISATION}', 'eu-1', 'T', 't', 'http://t', 'allow', '', '', 'u', 1);
         INSERT INTO credential (credential_id, organisation_id, region_name, credential_name,
             name_key, credential_side, auth_type, default_rule_effect, is_active, version,
             secret_revision, created_at, updated_at, created_by, revision)
         VALUES ('c', '{ORGANISATION}', 'eu-1', 'C', 'c', 'proxy', 'apiKey', 'allow', 1, 1, 1, '', '', 'u', 1),
                ('tc', '{ORGANISATION}', 'eu-1', 'C', 'c', 'target', 'none', 'allow', 1, 1, 1, '', '', 'u', 1);
         INSERT INTO proxy (proxy_id, organisation_id, region_name, proxy_name, name_key, target_id,
             target_credential_id, live_target_id, live_target_credential_id, is_active,
             default_rule_effect, timeout_seconds, max_response_bytes, max_inspected_bytes,
             created_at, updated_at, created_by, revision)
         VALUES ('{PROXY}', '{ORGANISATION}', 'eu-1', 'P', 'p', 't', 'tc', 't', 'tc', 1, 'allow', 30, 1, 1, '', '', 'u', 1),
                ('{SECOND}', '{ORGANISATION}', 'eu-1', 'S', 's', 'gone', 'tc', NULL, 'tc', 1, 'allow', 30, 1, 1, '', '', 'u', 1);
         INSERT INTO proxy_credential (proxy_id, credential_id, organisation_id, region_name, position)
         VALUES ('{PROXY}', 'c', '{ORGANISATION}', 'eu-1', 0);
         INSERT INTO change (region_name, kind, record_id, revision, is_removed)
         VALUES ('eu-1', 'proxy', '{PROXY}', 2, 0), ('eu-1', 'proxy', '{SECOND}', 3, 0),
                ('eu-1', 'target', 't', 1, 0), ('eu-1', 'credential', 'c', 1, 0),
                ('eu-1', 'credential', 'tc', 1, 0), ('*', 'organisation', '{ORGANISATION}', 1, 0),
                ('us-1', 'proxy', '{PROXY}', 99, 0)"
    )
}

async fn usages(store: &TestStore, organisation: &str) -> Vec<ProxyUsage> {
    let ids = [PROXY, SECOND].map(|id| id.parse().unwrap());
    let organisation = organisation.parse().unwrap();
    let mut found = proxy_usages(&mut *store.conn().await, organisation, &ids)
        .await
        .unwrap();
    found.sort_by_key(|usage| usage.id);
    found
}

#[tokio::test]
async fn the_newest_change_of_a_proxy_or_of_what_it_uses_is_desired() {
    for store in stores().await {
        run(&mut *store.conn().await, &records()).await;
        let desired = async || usages(&store, ORGANISATION).await[0].desired;
        assert_eq!(desired().await, 2);
        for (record, revision) in [("c", 4), ("tc", 5), ("t", 6), (ORGANISATION, 7), (PROXY, 8)] {
            let bump = format!(
                "UPDATE change SET revision = {revision} WHERE record_id = '{record}'
                 AND region_name <> 'us-1'"
            );
            run(&mut *store.conn().await, &bump).await;
            assert_eq!(desired().await, revision, "{record}");
        }
        assert_eq!(
            usages(&store, ORGANISATION).await[1].desired,
            7,
            "only what it uses"
        );
    }
}

#[tokio::test]
async fn the_condition_follows_the_records() {
    for store in stores().await {
        run(&mut *store.conn().await, &records()).await;
        let conditions = async || -> Vec<ProxyCondition> {
            usages(&store, ORGANISATION)
                .await
                .iter()
                .map(|usage| usage.condition)
                .collect()
        };
        assert_eq!(
            conditions().await,
            [ProxyCondition::Serving, ProxyCondition::Incomplete]
        );
        run(&mut *store.conn().await, "UPDATE proxy SET is_active = 0").await;
        assert_eq!(
            conditions().await,
            [ProxyCondition::Inactive, ProxyCondition::Inactive]
        );
    }
}

#[tokio::test]
async fn another_organisation_sees_nothing() {
    for store in stores().await {
        run(&mut *store.conn().await, &records()).await;
        assert_eq!(usages(&store, OTHER).await, []);
        let organisation = ORGANISATION.parse().unwrap();
        let mut conn = store.conn().await;
        assert_eq!(
            proxy_usages(&mut conn, organisation, &[]).await.unwrap(),
            []
        );
    }
}
