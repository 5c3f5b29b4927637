//! Every operation of the document, with the ids of another organisation.

use std::collections::BTreeMap;

use serde_json::{Value, json};
use uuid::Uuid;

use crate::world::{REGION, Who, World, id_of};

/// Whoever has the token that is in the path or body may call it; no organisation is named.
const BY_TOKEN: [&str; 1] = ["/invites/accept"];

#[tokio::test]
async fn no_operation_crosses_between_organisations() {
    for world in World::each().await {
        let proxy = world.proxy().await;
        let ids = ids(&world, &proxy).await;
        let document = world.call("GET", "/openapi.json").send().await.body;
        let before = world.dump_of_records().await;
        let mut walked = 0;
        for (path, item) in document["paths"].as_object().unwrap() {
            // Providers are the installation's: no organisation has any.
            let is_of_nobody = path.starts_with("/session/");
            if !path.contains('{') || is_of_nobody || BY_TOKEN.contains(&path.as_str()) {
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
pub(super) fn paths(template: &str, ids: &BTreeMap<&str, String>, world: &World) -> Vec<String> {
    let filled = |client: &str| {
        let mut path = template.replace("{clientId}", client);
        // Attachments first: those of each kind of record have ids of their own.
        for (name, id) in ids.iter().rev() {
            path = match name.split_once(' ') {
                Some((record, name)) if path.contains(record) => {
                    path.replace(&format!("{{{name}}}"), id)
                }
                Some(_) => path,
                None => path.replace(&format!("{{{name}}}"), id),
            };
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

pub(super) async fn ids<'a>(world: &World, proxy: &Value) -> BTreeMap<&'a str, String> {
    let select = |column: &str, digest_of: &str| {
        let digest = requestrocket_core_api::identity::token::digest(digest_of.as_bytes());
        format!("SELECT {column} FROM user_token WHERE token_digest = '{digest}'")
    };
    let mut ids = BTreeMap::new();
    ids.insert("proxyId", id_of(proxy, "proxyId"));
    ids.insert("targetId", id_of(proxy, "proxyTargetId"));
    ids.insert("credentialId", id_of(proxy, "proxyTargetCredentialId"));
    ids.insert("userId", world.text(&select("user_id", "u-admin")).await);
    ids.insert("tokenId", world.text(&select("token_id", "u-admin")).await);
    let invite = json!({"email": "guest@example.com", "roles": ["user"]});
    let invite = world.create("invites", &invite).await;
    ids.insert("inviteId", id_of(&invite, "inviteId"));
    // Nobody listens there.
    let webhook = json!({"url": "http://127.0.0.1:9/"});
    let webhook = world.create("webhooks", &webhook).await;
    ids.insert("webhookId", id_of(&webhook, "webhookId"));
    attach(world, &mut ids).await;
    ids
}

/// Adds the ids of what is attached to the records, by segment of the path and name.
async fn attach(world: &World, ids: &mut BTreeMap<&str, String>) {
    let rule = json!({"effect": "deny"});
    let filter = json!({"operation": "destroy", "paths": ["$.a"]});
    for (record, rule_name, filter_name, id) in [
        (
            "credentials",
            "credentials ruleId",
            "credentials filterId",
            "credentialId",
        ),
        ("targets", "targets ruleId", "targets filterId", "targetId"),
        ("proxies", "proxies ruleId", "proxies filterId", "proxyId"),
    ] {
        let path = format!("{record}/{}", ids[id]);
        let rule = world.create(&format!("{path}/rules"), &rule).await;
        ids.insert(rule_name, id_of(&rule, "ruleId"));
        let filter = world.create(&format!("{path}/filters"), &filter).await;
        ids.insert(filter_name, id_of(&filter, "filterId"));
    }
    let meter = json!({"meterName": "M", "meterType": "request_count"});
    let path = format!("proxies/{}/meters", ids["proxyId"]);
    ids.insert(
        "proxies meterId",
        id_of(&world.create(&path, &meter).await, "meterId"),
    );
}

#[tokio::test]
async fn the_walk_names_every_attachment_that_the_owner_has() {
    for world in World::each().await {
        let proxy = world.proxy().await;
        let ids = ids(&world, &proxy).await;
        let document = world.call("GET", "/openapi.json").send().await.body;
        let mut found = 0;
        for path in document["paths"].as_object().unwrap().keys() {
            let is_attachment = ["{ruleId}", "{filterId}", "{meterId}"]
                .iter()
                .any(|end| path.ends_with(end));
            if is_attachment {
                let path = &paths(path, &ids, &world)[0];
                assert_eq!(world.call("GET", path).send().await.status, 200, "{path}");
                found += 1;
            }
        }
        assert_eq!(
            found, 7,
            "rules and filters of three kinds of record, meters of one"
        );
    }
}

#[tokio::test]
async fn the_store_itself_refuses_an_attachment_across_organisations() {
    for world in World::each().await {
        let proxy = world.proxy().await;
        for (table, column, record) in [
            ("rule", "proxy_id", id_of(&proxy, "proxyId")),
            ("rule", "target_id", id_of(&proxy, "proxyTargetId")),
            (
                "rule",
                "credential_id",
                id_of(&proxy, "proxyTargetCredentialId"),
            ),
        ] {
            let insert = format!(
                "INSERT INTO {table} (rule_id, organisation_id, region_name, {column}, effect, \
                 priority, is_active, conditions, name_key, size_bytes, created_at, updated_at, \
                 created_by, revision) VALUES ('r', '{}', '{REGION}', '{record}', 'deny', 1, 1, \
                 '', '', 0, '', '', '', 1)",
                world.abroad
            );
            let insert = sqlx::query(sqlx::AssertSqlSafe(insert));
            let error = insert.execute(world.state.db.pool()).await.unwrap_err();
            let error = error.as_database_error().unwrap();
            assert!(error.is_foreign_key_violation(), "{column}: {error}");
        }
    }
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
