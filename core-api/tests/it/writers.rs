//! Who waits for whose change. SQLite has one writer, so most of this is about PostgreSQL.

use std::cell::Cell;

use futures::future::{join, join_all};
use requestrocket_core_api::domain::ceiling::Ceilings;
use requestrocket_process::db::Dialect;
use serde_json::{Value, json};
use sqlx::{Any, AssertSqlSafe, Transaction};
use uuid::Uuid;

use crate::world::{REGION, Who, World, id_of};

/// Somebody is in the middle of a change that has come as far as this statement.
async fn busy(world: &World, statement: &str) -> Transaction<'static, Any> {
    let mut other = world.state.db.begin().await.unwrap();
    let statement = AssertSqlSafe(statement.to_owned());
    sqlx::query(statement).execute(&mut *other).await.unwrap();
    other
}

async fn with_many_writers() -> Vec<World> {
    let worlds = World::each().await.into_iter();
    worlds
        .filter(|world| world.state.db.dialect() == Dialect::Postgres)
        .collect()
}

#[tokio::test]
async fn what_no_region_has_to_hear_of_waits_for_no_revision() {
    for world in with_many_writers().await {
        let other = busy(&world, "UPDATE revision SET newest = newest + 1").await;
        let invite = json!({"email": "new@example.com", "roles": ["user"]});
        let invite = world.create("invites", &invite).await;
        let path = world.at(&format!("invites/{}", id_of(&invite, "inviteId")));
        let withdrawn = world.call("DELETE", &path).send().await;
        assert_eq!(withdrawn.status, 204);
        let profile = json!({"firstName": "Other"});
        let changed = world.call("PATCH", "/users/me").json(&profile).send().await;
        assert_eq!(changed.status, 200);
        // They answer the newest revision that regions may have.
        let newest = world.number("SELECT newest FROM revision").await;
        for answer in [withdrawn, changed] {
            let version = answer.header("requestrocket-config-version");
            assert_eq!(version, newest.to_string());
        }
        other.rollback().await.unwrap();
    }
}

#[tokio::test]
async fn one_organisation_does_not_wait_for_another() {
    for world in with_many_writers().await {
        let target = world.at(&format!("targets/{}", world.target(REGION).await));
        let lock = |organisation: &str| {
            format!(
                "SELECT 1 FROM organisation WHERE organisation_id = '{organisation}' FOR UPDATE"
            )
        };
        let other = busy(&world, &lock(&world.abroad)).await;
        let name = json!({"targetName": "changed meanwhile"});
        let changed = world.call("PATCH", &target).json(&name).send().await;
        assert_eq!(changed.status, 200);
        other.rollback().await.unwrap();
        // Two changes of one do wait for each other: both are made, and neither is lost.
        let changes = ["a", "b"].map(|name| {
            let name = json!({"targetName": name});
            let before = changed.header("etag");
            world
                .call("PATCH", &target)
                .header("If-Match", before)
                .json(&name)
                .send()
        });
        let mut statuses = join_all(changes)
            .await
            .iter()
            .map(|it| it.status)
            .collect::<Vec<_>>();
        statuses.sort_unstable();
        assert_eq!(statuses, [200, 412]);
    }
}

#[tokio::test]
async fn an_alias_that_two_organisations_take_at_once_is_one_of_theirs() {
    for world in World::each().await {
        for round in 0..8 {
            let alias = format!("taken-{round}");
            let calls = [(Who::Owner, &world.home), (Who::Stranger, &world.abroad)];
            let mut proxies = Vec::new();
            for (who, organisation) in calls {
                proxies.push(proxy(&world, who, organisation, &alias).await);
            }
            let answers = join_all(proxies.into_iter().map(crate::world::Call::send)).await;
            let mut codes: Vec<(u16, &str)> = answers
                .iter()
                .map(|answer| (answer.status, answer.body["code"].as_str().unwrap_or("")))
                .collect();
            codes.sort_unstable();
            assert_eq!(codes, [(201, ""), (409, "ALIAS_TAKEN")]);
        }
    }
}

/// An accepted invite brings a token, in its organisation's turn; the ceiling is the user's.
#[tokio::test]
async fn a_user_never_gets_a_token_too_many() {
    for world in with_many_writers().await {
        let ceilings = Ceilings {
            tokens: 2,
            ..Ceilings::default()
        };
        let world = world.with_ceilings(ceilings);
        let user = "SELECT user_id FROM member JOIN organisation USING (organisation_id)";
        let user = format!("{user} WHERE organisation_id = '{}'", world.abroad);
        let user = world.text(&user).await;
        let invite = json!({"email": "new@example.com", "roles": ["user"]});
        let invite = world.create("invites", &invite).await;
        let lock = format!("SELECT 1 FROM user_account WHERE user_id = '{user}' FOR NO KEY UPDATE");
        let mut other = busy(&world, &lock).await;
        let accept = json!({"inviteToken": invite["inviteToken"]});
        let accept = world
            .call("POST", "/invites/accept")
            .by(Who::Stranger)
            .json(&accept);
        let token = format!(
            "INSERT INTO user_token (token_id, user_id, token_name, name_key, token_prefix, \
             token_digest, created_at, revision) VALUES ('{}', '{user}', 'T', 't', 'u-abcd', \
             'digest', '2026-01-01T00:00:00.000Z', 0)",
            Uuid::new_v4()
        );
        let is_answered = Cell::new(false);
        let accepted = async {
            let answer = accept.send().await;
            is_answered.set(true);
            answer
        };
        let meanwhile = async {
            let waiting = "SELECT COUNT(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock'";
            while !is_answered.get() && world.number(waiting).await == 0 {
                tokio::task::yield_now().await;
            }
            let token = sqlx::query(AssertSqlSafe(token));
            token.execute(&mut *other).await.unwrap();
            other.commit().await.unwrap();
        };
        let (answer, ()) = join(accepted, meanwhile).await;
        answer.expect(409, "LIMIT_REACHED");
    }
}

/// The call that makes a proxy with that alias.
async fn proxy(world: &World, who: Who, organisation: &str, alias: &str) -> crate::world::Call {
    let make = async |kind: &str, member: &str, body: Value| {
        let path = format!("/clients/{organisation}/{kind}");
        let made = world.call("POST", &path).by(who).json(&body).send().await;
        assert_eq!(made.status, 201, "{}", made.text);
        id_of(&made.body, member)
    };
    let credential = async |side: &str| {
        let body = json!({
            "credentialName": "c", "credentialType": side, "credentialAuthType": "bearer",
            "credentialRegion": REGION, "credentialSecret": {"token": "t0ken-t0ken"},
        });
        make("credentials", "credentialId", body).await
    };
    let target = json!({
        "targetName": "t", "targetBaseURL": "https://api.example.com", "targetRegion": REGION,
    });
    let body = json!({
        "proxyName": "p", "proxyRegion": REGION,
        "proxyProxyCredentialIds": [credential("proxy").await],
        "proxyTargetId": make("targets", "targetId", target).await,
        "proxyTargetCredentialId": credential("target").await,
        "proxyAlias": alias,
    });
    let path = format!("/clients/{organisation}/proxies");
    world.call("POST", &path).by(who).json(&body)
}
