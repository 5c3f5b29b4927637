use requestrocket_policy::secret_form::auth_type::{AuthType, Side};

use super::*;
use crate::domain::records::{credential, id, id_of, proxy, target};
use crate::store::gateway::credential::credential_insert;
use crate::store::gateway::target::target_insert;
use crate::store::log::write::Kind;
use crate::store::testing::{TestStore, note, put_base, run, stores};

/// Stores with proxies `p` and `q`; the target of `q` is gone.
async fn with_proxies() -> Vec<TestStore> {
    let stores = stores().await;
    for store in &stores {
        put_base(store).await;
        let conn = &mut *store.conn().await;
        target_insert(conn, &target("t")).await.unwrap();
        note(conn, "eu-1", Kind::Target, "t", 1).await;
        for (name, side) in [("c", Side::Proxy), ("tc", Side::Target)] {
            let credential = credential(name, side, AuthType::ApiKey);
            credential_insert(conn, &credential, None).await.unwrap();
            note(conn, "eu-1", Kind::Credential, name, 1).await;
        }
        proxy_insert(conn, &proxy("p")).await.unwrap();
        note(conn, "eu-1", Kind::Proxy, "p", 2).await;
        let mut incomplete = proxy("q");
        incomplete.form.proxy_credentials = Vec::new();
        proxy_insert(conn, &incomplete).await.unwrap();
        note(conn, "eu-1", Kind::Proxy, "q", 3).await;
        incomplete.has_target = false;
        incomplete.form.target = id("gone");
        proxy_update(conn, &incomplete).await.unwrap();
        note(conn, "us-1", Kind::Proxy, "p", 99).await;
    }
    stores
}

async fn found(store: &TestStore, organisation: &str, name: &str) -> Option<PlacedProxy> {
    let mut conn = store.conn().await;
    proxy_fetch(&mut conn, id(organisation), id(name))
        .await
        .unwrap()
}

#[tokio::test]
async fn the_newest_change_of_a_proxy_or_of_what_it_uses_is_desired() {
    for store in with_proxies().await {
        let desired = async |name| found(&store, "o", name).await.unwrap().desired_revision;
        assert_eq!(desired("p").await, 2);
        for (record, revision) in [("c", 4), ("tc", 5), ("t", 6), ("o", 7), ("p", 8)] {
            let id = id_of(record);
            let bump = format!(
                "UPDATE change SET revision = {revision} WHERE record_id = '{id}'
                 AND region_name <> 'us-1'"
            );
            run(&mut *store.conn().await, &bump).await;
            assert_eq!(desired("p").await, revision, "{record}");
        }
        assert_eq!(desired("q").await, 7, "only what it uses");
    }
}

#[tokio::test]
async fn a_proxy_whose_target_is_gone_is_incomplete() {
    for store in with_proxies().await {
        for (name, want) in [("p", false), ("q", true)] {
            let placed = found(&store, "o", name).await.unwrap();
            assert_eq!(placed.proxy.is_incomplete(), want, "{name}");
        }
    }
}

#[tokio::test]
async fn another_organisation_sees_nothing() {
    for store in with_proxies().await {
        assert_eq!(found(&store, "other", "p").await, None);
    }
}
