//! Whether audit logs are whole: over the API, and of an export.

use std::time::Duration;

use requestrocket_core_api::domain::account::chain::{Hash, canonical};
use requestrocket_core_api::domain::account::checkpoint::{AuditKey, AuditPublicKey};
use requestrocket_core_api::domain::account::verify::verify_export;
use requestrocket_core_api::region::fleet::{Link, OpenQuestion};
use requestrocket_core_api::service::account::checkpoints::{deliver, drop_outdated, make_due};
use requestrocket_process::tasks::TaskSet;
use requestrocket_proto::region::v1::{AuditCheckpoint, AuditCheckpoints, answer, query};
use serde_json::{Value, json};
use sqlx::AssertSqlSafe;
use tokio::sync::mpsc;

use crate::world::{REGION, World};

const DAY: Duration = Duration::from_hours(24);

fn log(world: &World) -> String {
    format!("client:{}", world.home)
}

async fn sign(world: &World) {
    let key = world.state.audit_key.clone().unwrap();
    make_due(&world.state, &key).await.unwrap();
}

/// Six targets, with a checkpoint behind the third; the ids of their rows.
async fn history(world: &World) -> Vec<String> {
    for _ in 0..3 {
        world.target(REGION).await;
    }
    sign(world).await;
    for _ in 0..3 {
        world.target(REGION).await;
    }
    let log = log(world);
    let select = format!("SELECT document FROM audit_row WHERE log = '{log}' ORDER BY number");
    let rows: Vec<(String,)> = sqlx::query_as(AssertSqlSafe(select))
        .fetch_all(world.state.db.pool())
        .await
        .unwrap();
    let id = |row: &(String,)| {
        let row: Value = serde_json::from_str(&row.0).unwrap();
        row["auditId"].as_str().unwrap().to_owned()
    };
    rows.iter().map(id).collect()
}

async fn verdict(world: &World) -> Value {
    let path = world.at("audit/verify");
    world.call("GET", &path).send().await.body
}

#[track_caller]
fn is_bad(verdict: &Value, row: &str, problem: &str) {
    assert_eq!(verdict["ok"], false, "{verdict}");
    assert_eq!(verdict["firstBad"], row, "{verdict}");
    let text = verdict["problem"].as_str().unwrap();
    assert!(text.contains(problem), "{verdict}");
}

/// Chains all rows of the log anew, as who can write the store would.
async fn chain_anew(world: &World) {
    let log = log(world);
    let select = format!("SELECT document FROM audit_row WHERE log = '{log}' ORDER BY number");
    let rows: Vec<(String,)> = sqlx::query_as(AssertSqlSafe(select))
        .fetch_all(world.state.db.pool())
        .await
        .unwrap();
    let mut hash = Hash::NONE;
    for (number, (document,)) in (1..).zip(rows) {
        let next = hash.of_next(&document);
        let update = format!(
            "UPDATE audit_row SET previous_hash = '{hash}', hash = '{next}' \
             WHERE log = '{log}' AND number = {number}"
        );
        world.run(&update).await;
        hash = next;
    }
    let head = format!("UPDATE audit_head SET hash = '{hash}' WHERE log = '{log}'");
    world.run(&head).await;
}

/// Edits the second row.
async fn edit(world: &World) {
    let log = log(world);
    let select = format!("SELECT document FROM audit_row WHERE log = '{log}' AND number = 2");
    let mut row: Value = serde_json::from_str(&world.text(&select).await).unwrap();
    row["action"] = json!("target.delete");
    let document = canonical(&row).unwrap();
    let update = sqlx::query("UPDATE audit_row SET document = $1 WHERE log = $2 AND number = 2");
    let update = update.bind(document).bind(log);
    update.execute(world.state.db.pool()).await.unwrap();
}

#[tokio::test]
async fn a_whole_log_is_whole_and_verifying_leaves_a_row() {
    for world in World::each().await {
        history(&world).await;
        let whole = json!({"ok": true, "rows": 7, "firstBad": null, "problem": null});
        assert_eq!(verdict(&world).await, whole);
        sign(&world).await;
        assert_eq!(verdict(&world).await["rows"], 8);
    }
}

#[tokio::test]
async fn what_was_done_to_the_store_shows() {
    for world in World::each().await {
        let rows = history(&world).await;
        edit(&world).await;
        is_bad(&verdict(&world).await, &rows[1], "was edited");
        // The rows fit each other again, and not what was signed.
        chain_anew(&world).await;
        is_bad(&verdict(&world).await, &rows[0], "does not fit");
    }
    for world in World::each().await {
        let rows = history(&world).await;
        let log = log(&world);
        let of = format!("log = '{log}'");
        world
            .run(&format!("DELETE FROM audit_row WHERE {of} AND number = 2"))
            .await;
        is_bad(&verdict(&world).await, &rows[2], "does not follow");
    }
    for world in World::each().await {
        let rows = history(&world).await;
        let log = log(&world);
        for (from, to) in [(2, 99), (3, 2), (99, 3)] {
            let swap = format!(
                "UPDATE audit_row SET number = {to} WHERE log = '{log}' AND number = {from}"
            );
            world.run(&swap).await;
        }
        is_bad(&verdict(&world).await, &rows[2], "does not follow");
    }
    for world in World::each().await {
        let rows = history(&world).await;
        let log = log(&world);
        world
            .run(&format!(
                "DELETE FROM audit_row WHERE log = '{log}' AND number > 2"
            ))
            .await;
        // Row 7 is that of the reading, which cannot follow row 2.
        let shown = verdict(&world).await;
        assert_eq!(shown["ok"], false);
        assert!(
            shown["problem"]
                .as_str()
                .unwrap()
                .contains("does not follow"),
            "{shown}"
        );
        // Who also turns back the end, so that new rows fit:
        let world_log = format!("log = '{log}'");
        world
            .run(&format!(
                "DELETE FROM audit_row WHERE {world_log} AND number > 2"
            ))
            .await;
        let end = format!(
            "UPDATE audit_head SET row_count = 2, hash = (SELECT hash FROM audit_row \
             WHERE {world_log} AND number = 2) WHERE {world_log}"
        );
        world.run(&end).await;
        // The third row is another than the one that was signed.
        is_bad(&verdict(&world).await, &rows[0], "does not fit");
    }
}

/// A region that keeps checkpoints, until its link is dropped.
async fn region(mut questions: mpsc::Receiver<OpenQuestion>) {
    let mut kept: Vec<AuditCheckpoint> = Vec::new();
    while let Some(OpenQuestion { question, answer }) = questions.recv().await {
        let query::Kind::Audit(query) = question else {
            panic!("another question");
        };
        for checkpoint in query.keep {
            let is_known = kept
                .iter()
                .any(|known| known.rows == checkpoint.rows && known.log == checkpoint.log);
            if !is_known {
                kept.push(checkpoint);
            }
        }
        let of_log = kept.iter().filter(|kept| kept.log == query.log).cloned();
        let checkpoints = of_log.collect();
        let sent = answer.send(Some(answer::Kind::Audit(AuditCheckpoints { checkpoints })));
        sent.unwrap();
    }
}

#[tokio::test]
async fn a_log_that_was_signed_anew_does_not_fit_what_a_region_keeps() {
    for mut world in World::each().await {
        let questions = world.state.fleets.take_questions(REGION);
        let keeps = TaskSet::default();
        keeps.spawn("region", async {
            region(questions).await;
            Ok(())
        });
        let up = |state: &mut requestrocket_core_api::region::fleet::RegionState| {
            state.link = Link::Up;
        };
        world.state.fleets.update(REGION, up);
        let rows = history(&world).await;
        deliver(&world.state).await.unwrap();
        let left = "SELECT COUNT(*) FROM audit_undelivered WHERE region_name = 'local-1'";
        assert_eq!(world.number(left).await, 0);
        assert_eq!(verdict(&world).await["ok"], true);
        // All that core-api has is made to fit: rows, end, checkpoints, key.
        edit(&world).await;
        chain_anew(&world).await;
        world.run("DELETE FROM audit_checkpoint").await;
        world
            .run("UPDATE audit_head SET checkpoint_count = 0, checkpoint_at = ''")
            .await;
        world.signing_with(AuditKey::generate().unwrap());
        sign(&world).await;
        is_bad(&verdict(&world).await, &rows[0], "does not fit");
        world.state.fleets.refuse_questions(REGION);
        keeps.shutdown().await;
        let alone = verdict(&world).await;
        assert_eq!(alone["ok"], true, "nobody else knows it");
        assert_eq!(alone["unavailableRegions"], json!([REGION]));
    }
}

async fn export(world: &World) -> String {
    let call = world
        .call("GET", &world.at("audit"))
        .header("Accept", "application/x-ndjson");
    call.send().await.text
}

#[tokio::test]
async fn an_export_is_verified_without_the_store() {
    for world in World::each().await {
        history(&world).await;
        let lines = export(&world).await;
        let key: AuditPublicKey = world.state.audit_key.clone().unwrap().public();
        let verdict = verify_export(lines.as_bytes(), vec![key.clone()]).unwrap();
        assert_eq!((verdict.rows, verdict.bad), (7, None), "{lines}");
        assert_eq!(lines.matches("\"checkpoint\"").count(), 2, "{lines}");
        let cut = lines.lines().take(4).collect::<Vec<_>>().join("\n");
        assert!(
            verify_export(cut.as_bytes(), vec![key])
                .unwrap()
                .bad
                .is_some()
        );
    }
}

#[tokio::test]
async fn what_is_too_old_goes_as_far_as_a_checkpoint_covers_it() {
    for world in World::each().await {
        history(&world).await;
        world.pass(10 * DAY);
        assert_eq!(drop_outdated(&world.state, 11 * DAY).await.unwrap(), 0);
        assert_eq!(drop_outdated(&world.state, 9 * DAY).await.unwrap(), 1);
        assert_eq!(drop_outdated(&world.state, 9 * DAY).await.unwrap(), 0);
        let count = format!(
            "SELECT COUNT(*) FROM audit_row WHERE log = '{}'",
            log(&world)
        );
        // Three behind the checkpoint, and the row that says so.
        assert_eq!(world.number(&count).await, 4);
        assert_eq!(verdict(&world).await["ok"], true);
        let lines = export(&world).await;
        let verdict = verify_export(lines.as_bytes(), Vec::new()).unwrap();
        assert_eq!((verdict.rows, verdict.bad), (6, None), "{lines}");
    }
}
