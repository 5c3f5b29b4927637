//! Reading audit logs.

use requestrocket_core_api::identity::token::digest;
use serde_json::{Value, json};

use crate::world::{Answer, REGION, Who, World, id_of};

async fn read(world: &World, query: &str) -> Answer {
    let path = world.at(&format!("audit{query}"));
    world.call("GET", &path).send().await
}

/// The members `name` of the rows of a page.
fn each<'a>(page: &'a Value, name: &str) -> Vec<&'a str> {
    let rows = page["data"].as_array().unwrap();
    let pointer = format!("/{name}");
    rows.iter()
        .map(|row| row.pointer(&pointer).unwrap().as_str().unwrap())
        .collect()
}

/// From hexadecimal.
fn bytes_of(hash: &str) -> Vec<u8> {
    let pairs = hash.as_bytes().chunks(2);
    pairs
        .map(|pair| u8::from_str_radix(std::str::from_utf8(pair).unwrap(), 16).unwrap())
        .collect()
}

/// A target that was made, renamed and deleted.
async fn history(world: &World) -> String {
    let id = world.target(REGION).await;
    let path = world.at(&format!("targets/{id}"));
    let renamed = world.call("PATCH", &path).header("User-Agent", "test/1");
    renamed.json(&json!({"targetName": "Renamed"})).send().await;
    world.call("DELETE", &path).send().await;
    id
}

#[tokio::test]
async fn a_row_says_who_did_what_to_which_record() {
    for world in World::each().await {
        let target = history(&world).await;
        let page = read(&world, "").await.body;
        assert_eq!(
            each(&page, "action"),
            ["target.delete", "target.update", "target.create"]
        );
        assert_eq!(each(&page, "resource/id"), [&target; 3]);
        let (deleted, updated, created) = (&page["data"][0], &page["data"][1], &page["data"][2]);
        assert_eq!(created["before"], Value::Null);
        assert_eq!(
            created["after"]["targetBaseURL"],
            "https://api.example.com/v1"
        );
        assert_eq!(
            updated["before"],
            json!({"targetName": created["resource"]["name"]})
        );
        assert_eq!(updated["after"], json!({"targetName": "Renamed"}));
        assert_eq!(updated["resource"]["name"], "Renamed");
        assert_eq!(updated["userAgent"], "test/1");
        assert_eq!(deleted["before"]["targetName"], "Renamed");
        assert_eq!(deleted["after"], Value::Null);
        let me = world.call("GET", "/users/me").send().await.body;
        let actor = json!({
            "type": "user", "id": me["userId"], "name": "Owner X",
            "tokenId": me["tokens"][0]["tokenId"],
        });
        assert_eq!(deleted["actor"], actor);
        assert_eq!(deleted["at"], "2026-01-01T00:00:00.000Z");
    }
}

#[tokio::test]
async fn rows_are_found_by_who_what_and_when() {
    for world in World::each().await {
        let target = history(&world).await;
        world.pass(std::time::Duration::from_mins(1));
        let other = world.call("POST", &world.at("targets")).by(Who::User);
        let body = json!({
            "targetName": "T", "targetBaseURL": "https://t.example.com", "targetRegion": REGION,
        });
        let other = id_of(&other.json(&body).send().await.body, "targetId");
        let user = "SELECT user_id FROM member WHERE roles LIKE '%user%'";
        let user = world.text(user).await;
        for (query, want) in [
            (format!("?resourceId={target}"), 3),
            (format!("?resourceId={other}&resourceType=target"), 1),
            ("?resourceType=proxy".to_owned(), 0),
            ("?action=target.create".to_owned(), 2),
            (format!("?actor={user}"), 1),
            (
                "?from=2026-01-01T00:01:00Z&action=target.create".to_owned(),
                1,
            ),
            ("?to=2026-01-01T00:01:00Z".to_owned(), 3),
        ] {
            let page = read(&world, &query).await.body;
            assert_eq!(
                page["data"].as_array().unwrap().len(),
                want,
                "{query}: {page}"
            );
        }
        for wrong in [
            "?from=yesterday",
            "?limit=0",
            "?limit=1001",
            "?actor=",
            "?x=1",
            "?cursor=A",
        ] {
            read(&world, wrong).await.expect(400, "VALIDATION_FAILED");
        }
    }
}

#[tokio::test]
async fn pages_go_on_where_the_one_before_ended_although_rows_are_added() {
    for world in World::each().await {
        for _ in 0..5 {
            world.target(REGION).await;
        }
        let all = read(&world, "?resourceType=target").await.body;
        let (mut seen, mut cursor) = (Vec::new(), String::new());
        loop {
            let page = read(&world, &format!("?resourceType=target&limit=2{cursor}"))
                .await
                .body;
            seen.extend(each(&page, "auditId").into_iter().map(str::to_owned));
            let Some(next) = page["pagination"]["nextCursor"].as_str() else {
                break;
            };
            cursor = format!("&cursor={next}");
            let wrong = read(&world, &format!("?resourceType=proxy{cursor}")).await;
            wrong.expect(400, "VALIDATION_FAILED");
            world.target(REGION).await;
        }
        assert_eq!(seen, each(&all, "auditId"));
    }
}

#[tokio::test]
async fn reading_leaves_a_row_that_says_what_was_asked_for() {
    for world in World::each().await {
        history(&world).await;
        read(&world, "?action=target.create&limit=1").await;
        let page = read(&world, "?action=audit.read").await.body;
        assert_eq!(
            page["data"].as_array().unwrap().len(),
            1,
            "not the reading itself"
        );
        assert_eq!(page["data"][0]["after"], json!({"action": "target.create"}));
        let lines = world
            .call("GET", &world.at("audit"))
            .header("Accept", "application/x-ndjson");
        let lines = lines.send().await;
        assert_eq!(lines.header("content-type"), "application/x-ndjson");
        let last = lines.text.lines().rev().nth(1).unwrap();
        let last: Value = serde_json::from_str(last).unwrap();
        assert_eq!(last["action"], "audit.export");
    }
}

#[tokio::test]
async fn an_export_is_a_chain_that_anybody_can_follow() {
    for world in World::each().await {
        history(&world).await;
        world.proxy().await;
        let lines = world
            .call("GET", &world.at("audit"))
            .header("Accept", "application/x-ndjson");
        let lines = lines.send().await.text;
        let (mut previous, mut rows) = ("0".repeat(64), 0);
        for line in lines
            .lines()
            .filter(|line| !line.contains("\"checkpoint\""))
        {
            let mut row: Value = serde_json::from_str(line).unwrap();
            let mut take = |name| row.as_object_mut().unwrap().remove(name).unwrap();
            let (hash, before) = (take("hash"), take("previousHash"));
            assert_eq!(before, previous);
            // Written with sorted members and no blanks, as RFC 8785 does where all is plain.
            let covered = [bytes_of(&previous), row.to_string().into_bytes()].concat();
            previous = digest(&covered);
            assert_eq!(hash, previous, "{line}");
            rows += 1;
        }
        assert_eq!(rows, 8, "{lines}");
    }
}

#[tokio::test]
async fn who_may_read_which_log() {
    for world in World::each().await {
        let home = world.at("audit");
        for (path, who, want) in [
            (home.as_str(), Who::Owner, 200),
            (&home, Who::Admin, 200),
            (&home, Who::User, 403),
            (&home, Who::Stranger, 404),
            (&home, Who::Operator, 403),
            (&home, Who::Anonymous, 401),
            ("/audit", Who::Operator, 200),
            ("/audit", Who::Owner, 403),
            ("/users/me/activity", Who::User, 200),
            ("/users/me/activity", Who::Operator, 403),
        ] {
            let answer = world.call("GET", path).by(who).send().await;
            assert_eq!(answer.status, want, "{who:?} {path}");
        }
    }
}

#[tokio::test]
async fn what_concerns_a_user_alone_is_in_no_organisations_log() {
    for world in World::each().await {
        let body = json!({"tokenName": "Mine"});
        let made = world
            .call("POST", "/users/me/tokens")
            .json(&body)
            .send()
            .await
            .body;
        let path = format!("/users/me/tokens/{}", id_of(&made, "tokenId"));
        world.call("DELETE", &path).send().await;
        let own = world.call("GET", "/users/me/activity").send().await.body;
        assert_eq!(each(&own, "action"), ["token.delete", "token.create"]);
        let own = own.to_string();
        assert!(!own.contains(&id_of(&made, "token")), "no secret: {own}");
        let others = world
            .call("GET", "/users/me/activity")
            .by(Who::Admin)
            .send()
            .await
            .body;
        assert_eq!(others["data"], json!([]));
        assert_eq!(read(&world, "").await.body["data"], json!([]));
    }
}

#[tokio::test]
async fn a_deletion_names_what_went_along_and_what_lost_it() {
    for world in World::each().await {
        let proxy = world.proxy().await;
        let (id, target) = (id_of(&proxy, "proxyId"), id_of(&proxy, "proxyTargetId"));
        let (rules, deny) = (format!("targets/{target}/rules"), json!({"effect": "deny"}));
        let rule = id_of(&world.create(&rules, &deny).await, "ruleId");
        let path = world.at(&format!("targets/{target}?force=true"));
        world.call("DELETE", &path).send().await;
        let page = read(&world, "?action=target.delete").await.body;
        let before = &page["data"][0]["before"];
        assert_eq!(
            (&before["rules"], &before["proxies"]),
            (&json!([rule]), &json!([id]))
        );
        let client = world
            .call("POST", "/clients")
            .json(&json!({"clientName": "Short"}));
        let client = id_of(&client.send().await.body, "clientId");
        let path = format!("/clients/{client}");
        world.call("DELETE", &path).send().await;
        let page = world
            .call("GET", "/audit")
            .by(Who::Operator)
            .send()
            .await
            .body;
        assert_eq!(each(&page, "action"), ["client.delete"]);
        assert_eq!(page["data"][0]["resource"]["id"], client.as_str());
    }
}
