//! A1: every operation of the document, with the ids of another organisation.

use std::collections::BTreeMap;

use serde_json::{Value, json};
use uuid::Uuid;

use crate::world::{REGION, Who, World, id_of};

/// Whoever has the token that is in the path or body may call it; no organisation is named.
const BY_TOKEN: [&str; 1] = ["/invites/accept"];

#[tokio::test]
async fn a1_no_operation_crosses_between_organisations() {
    for world in World::each().await {
        let proxy = world.proxy().await;
        let ids = ids(&world, &proxy).await;
        let document = world.call("GET", "/openapi.json").send().await.body;
        let before = world.dump_of_records().await;
        let mut walked = 0;
        for (path, item) in document["paths"].as_object().unwrap() {
            if !path.contains('{') || BY_TOKEN.contains(&path.as_str()) {
                continue;
            }
            for method in item.as_object().unwrap().keys() {
                for path in paths(path, &ids, &world) {
                    let call = world.call(&method.to_uppercase(), &path).by(Who::Stranger);
                    let answer = match method.as_str() {
                        "get" | "delete" => call.send().await,
                        _ => call.json(&json!({})).send().await,
                    };
                    assert_eq!(answer.status, 404, "{method} {path}: {}", answer.text);
                    assert_eq!(answer.body["error"], "not found", "as for an unknown id");
                    walked += 1;
                }
            }
        }
        assert!(walked > 15, "the document has operations: {walked}");
        assert_eq!(
            world.dump_of_records().await,
            before,
            "nothing was read or written across"
        );
    }
}

/// The path with the owner's ids: in the owner's organisation, and in the stranger's own.
fn paths(template: &str, ids: &BTreeMap<&str, String>, world: &World) -> Vec<String> {
    let filled = |client: &str| {
        let mut path = template.replace("{clientId}", client);
        for (name, id) in ids {
            path = path.replace(&format!("{{{name}}}"), id);
        }
        while let (Some(start), Some(end)) = (path.find('{'), path.find('}')) {
            path.replace_range(start..=end, &Uuid::new_v4().to_string());
        }
        path
    };
    let mut paths = vec![filled(&world.home)];
    if template.matches('{').count() > 1 {
        paths.push(filled(&world.abroad));
    }
    paths
}

async fn ids<'a>(world: &World, proxy: &Value) -> BTreeMap<&'a str, String> {
    let select = |column: &str, digest_of: &str| {
        let digest = requestrocket_core_api::auth::token::digest(digest_of.as_bytes());
        format!("SELECT {column} FROM user_token WHERE token_digest = '{digest}'")
    };
    let mut ids = BTreeMap::new();
    ids.insert("proxyId", id_of(proxy, "proxyId"));
    ids.insert("targetId", id_of(proxy, "proxyTargetId"));
    ids.insert("credentialId", id_of(proxy, "proxyTargetCredentialId"));
    ids.insert("userId", world.text(&select("user_id", "u-admin")).await);
    ids.insert("tokenId", world.text(&select("token_id", "u-admin")).await);
    ids
}

#[tokio::test]
async fn a_body_cannot_name_what_another_organisation_has() {
    for world in World::each().await {
        let proxy = world.proxy().await;
        let body = json!({
            "proxyName": "P", "proxyRegion": REGION,
            "proxyProxyCredentialIds": proxy["proxyProxyCredentialIds"],
            "proxyTargetId": proxy["proxyTargetId"],
            "proxyTargetCredentialId": proxy["proxyTargetCredentialId"],
        });
        let path = format!("/clients/{}/proxies", world.abroad);
        let answer = world
            .call("POST", &path)
            .by(Who::Stranger)
            .json(&body)
            .send()
            .await;
        let fields = answer.expect(400, "REFERENCE_NOT_FOUND").fields();
        let want = [
            "proxyProxyCredentialIds[0]",
            "proxyTargetId",
            "proxyTargetCredentialId",
        ];
        assert_eq!(fields, want);
    }
}

#[tokio::test]
async fn the_store_itself_refuses_a_binding_across_organisations_and_regions() {
    for world in World::each().await {
        let proxy = world.proxy().await;
        let body = json!({
            "targetName": "T", "targetBaseURL": "https://t.example.com", "targetRegion": REGION,
        });
        let path = format!("/clients/{}/targets", world.abroad);
        let foreign = world
            .call("POST", &path)
            .by(Who::Stranger)
            .json(&body)
            .send()
            .await
            .body;
        let elsewhere = world.target(crate::world::OTHER_REGION).await;
        for target in [id_of(&foreign, "targetId"), elsewhere] {
            let id = id_of(&proxy, "proxyId");
            let update =
                format!("UPDATE proxy SET live_target_id = '{target}' WHERE proxy_id = '{id}'");
            let update = sqlx::query(sqlx::AssertSqlSafe(update));
            let error = update.execute(world.state.db.pool()).await.unwrap_err();
            assert!(
                error
                    .as_database_error()
                    .unwrap()
                    .is_foreign_key_violation()
            );
        }
    }
}

#[tokio::test]
async fn the_store_itself_refuses_an_alias_that_is_taken() {
    for world in World::each().await {
        let (one, other) = (world.proxy().await, world.proxy().await);
        let set = |proxy: &Value| {
            let id = id_of(proxy, "proxyId");
            format!("UPDATE proxy SET alias = 'stripe' WHERE proxy_id = '{id}'")
        };
        world.run(&set(&one)).await;
        let again = sqlx::query(sqlx::AssertSqlSafe(set(&other)));
        let error = again.execute(world.state.db.pool()).await.unwrap_err();
        assert!(error.as_database_error().unwrap().is_unique_violation());
    }
}
