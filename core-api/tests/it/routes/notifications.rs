//! What people are told, who may read it, and what they have read.

use serde_json::{Value, json};

use crate::world::{Answer, REGION, Who, World, id_of};

const SYSTEM: &str = "/notifications/system";
const OWN: &str = "/users/me/notifications";

async fn announce(world: &World, title: &str) -> Value {
    let body = json!({"title": title, "message": "Words"});
    let call = world.call("POST", SYSTEM).by(Who::Operator).json(&body);
    let answer = call.send().await;
    assert_eq!(answer.status, 201, "{}", answer.text);
    answer.body
}

async fn get(world: &World, who: Who, path: &str) -> Answer {
    world.call("GET", path).by(who).send().await
}

/// Titles of a list, newest first.
async fn titles(world: &World, who: Who, path: &str) -> Vec<String> {
    let page = get(world, who, path).await;
    assert_eq!(page.status, 200, "{}", page.text);
    let all = page.body["data"].as_array().unwrap();
    assert_eq!(page.body["pagination"]["total"], all.len());
    all.iter().map(|one| id_of(one, "title")).collect()
}

#[tokio::test]
async fn what_an_operator_says_reaches_everybody_once_and_each_reads_for_themselves() {
    for world in World::each().await {
        let made = announce(&world, "Maintenance").await;
        let path = format!("{SYSTEM}/{}", id_of(&made, "notificationId"));
        let shown = json!({
            "notificationId": made["notificationId"], "type": "system", "kind": "announcement",
            "severity": "info", "title": "Maintenance", "message": "Words", "resource": null,
            "read": false, "createdAt": made["createdAt"],
        });
        assert_eq!(made, shown);
        let unread = format!("{SYSTEM}?unread=true");
        for who in [Who::User, Who::Owner, Who::Stranger, Who::Operator] {
            assert_eq!(
                titles(&world, who, &unread).await,
                ["Maintenance"],
                "{who:?}"
            );
        }
        // To look at it is to read it, for users.
        assert_eq!(get(&world, Who::Owner, &path).await.body["read"], true);
        assert_eq!(get(&world, Who::Operator, &path).await.body["read"], false);
        assert!(titles(&world, Who::Owner, &unread).await.is_empty());
        assert_eq!(titles(&world, Who::User, &unread).await.len(), 1);
        for (is_read, left) in [(false, 1), (true, 0), (true, 0)] {
            let mark = world.call("PATCH", &path).json(&json!({"read": is_read}));
            assert_eq!(mark.send().await.body["read"], is_read);
            assert_eq!(titles(&world, Who::Owner, &unread).await.len(), left);
        }
        announce(&world, "Later").await;
        let all = world
            .call("POST", &format!("{SYSTEM}/read-all"))
            .by(Who::User);
        assert_eq!(all.send().await.status, 204);
        assert!(titles(&world, Who::User, &unread).await.is_empty());
        assert_eq!(titles(&world, Who::Owner, &unread).await, ["Later"]);
        assert_eq!(titles(&world, Who::User, SYSTEM).await.len(), 2);
    }
}

#[tokio::test]
async fn only_operators_speak_to_everybody_and_nobody_with_half_a_body() {
    for world in World::each().await {
        let body = json!({"title": "T", "message": "M"});
        for who in [Who::User, Who::Owner] {
            let call = world.call("POST", SYSTEM).by(who).json(&body);
            call.send().await.expect(403, "FORBIDDEN");
        }
        for (wrong, field) in [
            (json!({"message": "M"}), "title"),
            (json!({"title": "a\u{7}", "message": "M"}), "title"),
            (
                json!({"title": "T", "message": "x".repeat(2001)}),
                "message",
            ),
            (
                json!({"title": "T", "message": "M", "severity": "bad"}),
                "severity",
            ),
        ] {
            let call = world.call("POST", SYSTEM).by(Who::Operator).json(&wrong);
            let answer = call.send().await;
            assert_eq!(answer.expect(400, "VALIDATION_FAILED").fields(), [field]);
        }
        let long = "ж".repeat(200);
        let loud = json!({"title": long, "message": "a\nb", "severity": "critical"});
        let call = world.call("POST", SYSTEM).by(Who::Operator).json(&loud);
        assert_eq!(call.send().await.body["severity"], "critical");
    }
}

#[tokio::test]
async fn what_an_organisation_is_told_is_read_by_role() {
    for world in World::each().await {
        join(&world, "Ada").await;
        let list = world.at("notifications");
        for (who, told) in [(Who::Owner, 1), (Who::Admin, 1), (Who::User, 0)] {
            assert_eq!(titles(&world, who, &list).await.len(), told, "{who:?}");
        }
        let page = get(&world, Who::Owner, &list).await.body;
        let id = id_of(&page["data"][0], "notificationId");
        let path = world.at(&format!("notifications/{id}"));
        get(&world, Who::User, &path).await.expect(404, "NOT_FOUND");
        // Nor is it theirs by another way.
        let mark = world.call("PATCH", &path).by(Who::User);
        mark.json(&json!({"read": true}))
            .send()
            .await
            .expect(404, "NOT_FOUND");
        let all = world
            .call("POST", &world.at("notifications/read-all"))
            .by(Who::User);
        assert_eq!(all.send().await.status, 204);
        assert_eq!(
            world.number("SELECT COUNT(*) FROM notification_read").await,
            0
        );
        for foreign in [format!("{OWN}/{id}"), format!("{SYSTEM}/{id}")] {
            get(&world, Who::Owner, &foreign)
                .await
                .expect(404, "NOT_FOUND");
        }
        assert_eq!(get(&world, Who::Admin, &path).await.body["type"], "client");
    }
}

#[tokio::test]
async fn a_list_is_searched_sorted_and_paged() {
    for world in World::each().await {
        for title in ["100 % alpha", "Beta_1", "gamma"] {
            announce(&world, title).await;
        }
        for (query, want) in [
            ("search=BETA_", vec!["Beta_1"]),
            ("search=0 %25", vec!["100 % alpha"]),
            ("search=%25", vec!["100 % alpha"]),
            (
                "sort=name&order=asc",
                vec!["100 % alpha", "Beta_1", "gamma"],
            ),
            ("unread=true&search=amm", vec!["gamma"]),
        ] {
            let path = format!("{SYSTEM}?{}", query.replace(' ', "%20"));
            assert_eq!(titles(&world, Who::User, &path).await, want, "{query}");
        }
        let page = get(&world, Who::User, &format!("{SYSTEM}?limit=2&page=2"))
            .await
            .body;
        let want = json!({"page": 2, "limit": 2, "total": 3, "pages": 2});
        assert_eq!(page["pagination"], want);
        for wrong in ["unread=1", "region=local-1"] {
            let answer = get(&world, Who::User, &format!("{SYSTEM}?{wrong}")).await;
            answer.expect(400, "VALIDATION_FAILED");
        }
    }
}

#[tokio::test]
async fn kinds_that_nobody_wants_are_not_listed() {
    for world in World::each().await {
        let path = "/users/me/notification-preferences";
        let usual = get(&world, Who::Owner, path).await.body;
        assert_eq!(usual.as_object().unwrap().len(), 21);
        assert_eq!(usual["secret-echo"], json!({"inApp": true, "email": true}));
        assert_eq!(
            usual["announcement"],
            json!({"inApp": true, "email": false})
        );
        announce(&world, "Maintenance").await;
        let wanted = json!({"announcement": {"inApp": false, "email": true}});
        let put = |body: &Value| world.call("PUT", path).json(body);
        let set = put(&wanted).send().await.body;
        assert_eq!(set["announcement"], wanted["announcement"]);
        assert_eq!(get(&world, Who::Owner, path).await.body, set);
        assert!(titles(&world, Who::Owner, SYSTEM).await.is_empty());
        assert_eq!(titles(&world, Who::User, SYSTEM).await.len(), 1);
        // What is not named is as usual again.
        assert_eq!(put(&json!({})).send().await.body, usual);
        assert_eq!(titles(&world, Who::Owner, SYSTEM).await.len(), 1);
        for (wrong, code, field) in [
            (
                json!({"smoke": {"inApp": true, "email": true}}),
                "UNKNOWN_FIELD",
                "smoke",
            ),
            (
                json!({"invite": {"inApp": 1, "email": true}}),
                "VALIDATION_FAILED",
                "invite.inApp",
            ),
            (
                json!({"invite": {"inApp": true}}),
                "VALIDATION_FAILED",
                "invite.email",
            ),
            (json!({"invite": null}), "VALIDATION_FAILED", "invite"),
        ] {
            assert_eq!(put(&wrong).send().await.expect(400, code).fields(), [field]);
        }
    }
}

#[tokio::test]
async fn a_restricted_token_reads_and_leaves_no_mark() {
    for world in World::each().await {
        let made = announce(&world, "Maintenance").await;
        world
            .run("UPDATE member SET roles = '[\"owner\", \"user\"]' WHERE roles LIKE '%owner%'")
            .await;
        let body = json!({"tokenName": "T", "roles": ["user"]});
        let token = world
            .call("POST", "/users/me/tokens")
            .json(&body)
            .send()
            .await;
        let token = id_of(&token.body, "token");
        let path = format!("{SYSTEM}/{}", id_of(&made, "notificationId"));
        let by = |method: &str, path: &str| {
            let call = world.call(method, path).by(Who::Anonymous);
            call.header("Authorization", &token)
        };
        assert_eq!(by("GET", &path).send().await.body["read"], false);
        let marked = by("PATCH", &path).json(&json!({"read": true})).send().await;
        marked.expect(403, "FORBIDDEN");
        by("GET", OWN).send().await.expect(403, "FORBIDDEN");
        // What the token's role may not see of the organisation is not there.
        join(&world, "Ada").await;
        assert_eq!(
            titles(&world, Who::Owner, &world.at("notifications"))
                .await
                .len(),
            1
        );
        let listed = by("GET", &world.at("notifications")).send().await.body;
        assert_eq!(listed["pagination"]["total"], 0);
    }
}

#[tokio::test]
async fn what_is_gone_takes_its_notifications_along() {
    for world in World::each().await {
        join(&world, "Ada").await;
        let path = world.at("notifications");
        let page = get(&world, Who::Admin, &path).await.body;
        let id = id_of(&page["data"][0], "notificationId");
        get(&world, Who::Admin, &format!("{path}/{id}")).await;
        world.pass(std::time::Duration::from_secs(1));
        let gone = world.call("DELETE", "/users/me").by(Who::Admin);
        assert_eq!(gone.send().await.status, 204);
        assert_eq!(
            world.number("SELECT COUNT(*) FROM notification_read").await,
            0
        );
        // Who is left is told of who went.
        assert_eq!(
            titles(&world, Who::Owner, &path).await,
            ["Admin X is no longer a member", "Ada Guest joined"]
        );
        let gone = world.call("DELETE", &format!("/clients/{}", world.home));
        assert_eq!(gone.send().await.status, 204);
        let left = "SELECT COUNT(*) FROM notification WHERE owner LIKE 'client:%'";
        assert_eq!(world.number(left).await, 0);
    }
}

#[tokio::test]
async fn the_oldest_make_room() {
    use requestrocket_core_api::service::account::notifications::remove_old;
    use std::time::Duration;

    for world in World::each().await {
        announce(&world, "old").await;
        world.pass(Duration::from_hours(24 * 89));
        announce(&world, "new").await;
        remove_old(&world.state).await.unwrap();
        assert_eq!(titles(&world, Who::User, SYSTEM).await, ["new", "old"]);
        world.pass(Duration::from_hours(25));
        remove_old(&world.state).await.unwrap();
        assert_eq!(titles(&world, Who::User, SYSTEM).await, ["new"]);
        world
            .run(&format!(
                "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 10000) \
                 INSERT INTO notification (notification_id, owner, kind, severity, audience, \
                 title, message, name_key, cause, created_at) SELECT 'n' || i, 'system', \
                 'announcement', 'info', 0, '{REGION}', '', '', 'c' || i, \
                 '2999-01-01T00:00:00.000Z' FROM n"
            ))
            .await;
        remove_old(&world.state).await.unwrap();
        assert_eq!(
            world.number("SELECT COUNT(*) FROM notification").await,
            10_000
        );
    }
}

/// Somebody becomes a member of the organisation.
async fn join(world: &World, first: &str) {
    let invite = json!({"email": format!("{first}@example.com"), "roles": ["admin"]});
    let invite = world.create("invites", &invite).await;
    let body = json!({
        "inviteToken": id_of(&invite, "inviteToken"), "firstName": first, "lastName": "Guest",
    });
    let call = world.call("POST", "/invites/accept").by(Who::Anonymous);
    assert_eq!(call.json(&body).send().await.status, 201);
}
