//! `/clients/{clientId}/billing`: what is given, charged and left.

use std::time::Duration;

use requestrocket_core_api::region::fleet::{Link, OpenQuestion, RegionState};
use requestrocket_core_api::service::account::billing::settle;
use requestrocket_core_api::service::account::charges::charge;
use requestrocket_process::tasks::TaskSet;
use requestrocket_proto::region::v1::{BilledSum, BilledUsage, answer, query};
use serde_json::json;
use tokio::sync::mpsc;

use crate::world::{Answer, REGION, Who, World};

/// The hour in which worlds begin.
const NOW_MS: u64 = 1_767_225_600_000;
const HOUR_MS: u64 = 3_600_000;
const HOURS: Duration = Duration::from_hours(2);

async fn give(world: &World, amount: &str) -> Answer {
    let path = world.at("billing/entries");
    let call = world.call("POST", &path).by(Who::Operator);
    call.json(&json!({"amount": amount, "note": "n"}))
        .send()
        .await
}

/// Balance and status, as the owner sees them.
async fn seen(world: &World) -> (String, String) {
    let shown = world.call("GET", &world.at("billing")).send().await.body;
    let text = |name: &str| shown[name].as_str().unwrap().to_owned();
    (text("balance"), text("status"))
}

async fn is(world: &World, balance: &str, status: &str) {
    assert_eq!(seen(world).await, (balance.to_owned(), status.to_owned()));
}

fn calls(world: &World, start_ms: u64, quantity: u64) -> BilledSum {
    BilledSum {
        start_ms,
        organisation_id: world.home.clone(),
        meter_id: String::new(),
        quantity,
    }
}

/// Answers with what is behind the sum that is asked for, two at a time.
async fn region(mut questions: mpsc::Receiver<OpenQuestion>, sums: Vec<BilledSum>) {
    while let Some(OpenQuestion { question, answer }) = questions.recv().await {
        let query::Kind::Billed(query) = question else {
            panic!("another question");
        };
        let key = |sum: &BilledSum| {
            (
                sum.start_ms,
                sum.organisation_id.clone(),
                sum.meter_id.clone(),
            )
        };
        let behind = sums.iter().filter(|sum| {
            let is_behind = query
                .after
                .as_ref()
                .is_none_or(|after| key(sum) > key(after));
            sum.start_ms >= query.from_ms && is_behind
        });
        let left: Vec<BilledSum> = behind.cloned().collect();
        let told = BilledUsage {
            is_more: left.len() > 2,
            sums: left.into_iter().take(2).collect(),
        };
        answer.send(Some(answer::Kind::Billed(told))).unwrap();
    }
}

/// One look at a region that says this.
async fn look(world: &World, sums: Vec<BilledSum>) {
    let questions = world.state.fleets.take_questions(REGION);
    let up = |state: &mut RegionState| state.link = Link::Up;
    world.state.fleets.update(REGION, up);
    let answers = TaskSet::default();
    answers.spawn("region", async {
        region(questions, sums).await;
        Ok(())
    });
    let prices = world.state.billing.clone().unwrap();
    charge(&world.state, &prices, HOURS).await.unwrap();
    settle(&world.state).await.unwrap();
    world.state.fleets.refuse_questions(REGION);
    answers.shutdown().await;
}

/// What regions are told of the organisation, how often.
async fn told(world: &World) -> i64 {
    let of = format!("kind = 'organisation' AND record_id = '{}'", world.home);
    world
        .number(&format!(
            "SELECT COALESCE(MAX(revision), 0) FROM change WHERE {of}"
        ))
        .await
}

#[tokio::test]
async fn an_organisation_without_credit_is_suspended_and_goes_on_with_an_entry() {
    for world in World::each().await {
        is(&world, "0", "suspended").await;
        let before = told(&world).await;
        look(&world, Vec::new()).await;
        let suspended = told(&world).await;
        assert!(suspended > before, "regions are told");
        let given = give(&world, "10.5").await;
        assert_eq!(given.status, 200, "{}", given.text);
        assert_eq!(given.body["amount"], "10.5");
        is(&world, "10.5", "ok").await;
        assert!(told(&world).await > suspended, "in the same change");
        let after = told(&world).await;
        look(&world, Vec::new()).await;
        assert_eq!(told(&world).await, after, "there is nothing new to tell");
        give(&world, "-10.5").await;
        is(&world, "0", "suspended").await;
    }
}

#[tokio::test]
async fn an_organisation_that_is_made_pays_before_its_first_call() {
    for world in World::each().await {
        let made = world
            .call("POST", "/clients")
            .json(&json!({"clientName": "New"}));
        let id = made.send().await.body["clientId"]
            .as_str()
            .unwrap()
            .to_owned();
        let standing = format!("SELECT standing FROM organisation WHERE organisation_id = '{id}'");
        assert_eq!(world.text(&standing).await, "suspended");
    }
}

#[tokio::test]
async fn what_no_account_holds_is_charged_as_far_as_there_are_digits() {
    for world in World::each().await {
        look(&world, Vec::new()).await;
        give(&world, "10").await;
        let most = i64::MAX.unsigned_abs();
        look(&world, vec![calls(&world, NOW_MS, most)]).await;
        is(&world, "-999999999990", "suspended").await;
        // It counts as charged.
        give(&world, "999999999999").await;
        look(&world, vec![calls(&world, NOW_MS, most)]).await;
        is(&world, "9", "low").await;
    }
}

#[tokio::test]
async fn what_was_let_through_is_charged_once_whatever_is_told_twice() {
    for world in World::each().await {
        look(&world, Vec::new()).await;
        give(&world, "10").await;
        let (first, second) = (NOW_MS, NOW_MS + HOUR_MS);
        world.pass(Duration::from_hours(1));
        // 0.5 for 1,000.
        look(&world, vec![calls(&world, first, 3)]).await;
        is(&world, "9.9985", "ok").await;
        let all = vec![calls(&world, first, 5), calls(&world, second, 7)];
        look(&world, all.clone()).await;
        is(&world, "9.994", "ok").await;
        look(&world, all).await;
        // An older word changes nothing.
        look(&world, vec![calls(&world, first, 2)]).await;
        is(&world, "9.994", "ok").await;
        let shown = world.call("GET", &world.at("billing")).send().await.body;
        assert_eq!(shown["spentThisMonth"], "0.006");
        // Before billing began nothing is charged.
        look(&world, vec![calls(&world, first - HOUR_MS, 1_000)]).await;
        is(&world, "9.994", "ok").await;
    }
}

#[tokio::test]
async fn meters_with_a_price_cost_by_the_unit() {
    for world in World::each().await {
        look(&world, Vec::new()).await;
        give(&world, "1").await;
        let proxy = world.proxy().await["proxyId"].as_str().unwrap().to_owned();
        let mut sums = Vec::new();
        for name in ["tokens", "others"] {
            let body = json!({"meterName": name, "meterType": "request_count"});
            let path = world.at(&format!("proxies/{proxy}/meters"));
            let made = world.call("POST", &path).json(&body).send().await;
            assert_eq!(made.status, 201, "{}", made.text);
            sums.push(BilledSum {
                meter_id: made.body["meterId"].as_str().unwrap().to_owned(),
                // 1,500.25 units of 0.000002.
                quantity: 1_500_250_000,
                ..calls(&world, NOW_MS, 0)
            });
        }
        sums.push(calls(&world, NOW_MS, 2));
        sums.sort_by(|one, other| one.meter_id.cmp(&other.meter_id));
        look(&world, sums).await;
        is(&world, "0.9959995", "ok").await;
    }
}

#[tokio::test]
async fn calls_end_at_zero_and_are_low_before() {
    for world in World::each().await {
        look(&world, Vec::new()).await;
        give(&world, "1").await;
        look(&world, vec![calls(&world, NOW_MS, 1_601)]).await;
        is(&world, "0.1995", "low").await;
        let before = told(&world).await;
        world.pass(Duration::from_mins(1));
        look(&world, vec![calls(&world, NOW_MS, 2_010)]).await;
        is(&world, "-0.005", "suspended").await;
        assert!(told(&world).await > before);
        let told = world
            .call("GET", &world.at("notifications"))
            .send()
            .await
            .body;
        let mut kinds: Vec<&str> = told["data"]
            .as_array()
            .unwrap()
            .iter()
            .map(|notice| notice["kind"].as_str().unwrap())
            .filter(|kind| kind.starts_with("billing"))
            .collect();
        kinds.sort_unstable();
        // One is of before the first entry.
        let want = ["billing-low", "billing-suspended", "billing-suspended"];
        assert_eq!(kinds, want);
        let log = world.call("GET", &world.at("audit?action=billing.update"));
        let rows = log.send().await.body;
        assert_eq!(rows["data"][0]["after"], json!({"status": "suspended"}));
        assert_eq!(rows["data"][0]["actor"]["type"], "system");
    }
}

#[tokio::test]
async fn entries_and_charges_at_the_same_time_lose_and_double_nothing() {
    for world in World::each().await {
        look(&world, Vec::new()).await;
        let entries = async {
            for _ in 0..20 {
                let given = give(&world, "0.000001").await;
                assert_eq!(given.status, 200, "{}", given.text);
            }
        };
        let charges = async {
            for count in 1..=20 {
                look(&world, vec![calls(&world, NOW_MS, count)]).await;
            }
        };
        tokio::join!(entries, charges);
        // 20 × 0.000001 − 20 × 0.0005.
        is(&world, "-0.00998", "suspended").await;
    }
}

#[tokio::test]
async fn an_entry_is_made_once_under_its_key() {
    for world in World::each().await {
        let path = world.at("billing/entries");
        for _ in 0..2 {
            let call = world.call("POST", &path).by(Who::Operator);
            let call = call.header("Idempotency-Key", "invoice-7");
            let given = call.json(&json!({"amount": "5"})).send().await;
            assert_eq!(given.status, 200, "{}", given.text);
        }
        is(&world, "5", "ok").await;
    }
}

#[tokio::test]
async fn what_is_no_amount_is_refused() {
    for world in World::each().await {
        for amount in [
            json!(5),
            json!("5,0"),
            json!("0.0000001"),
            json!("1e9"),
            json!(""),
        ] {
            let path = world.at("billing/entries");
            let call = world.call("POST", &path).by(Who::Operator);
            let refused = call.json(&json!({ "amount": amount })).send().await;
            assert_eq!(refused.status, 400, "{amount}: {}", refused.text);
        }
        give(&world, "999999999999").await;
        give(&world, "1").await.expect(400, "VALIDATION_FAILED");
        is(&world, "999999999999", "ok").await;
    }
}

#[tokio::test]
async fn without_prices_nobody_is_suspended_and_there_is_no_account() {
    for mut world in World::each().await {
        look(&world, Vec::new()).await;
        let suspended = "SELECT COUNT(*) FROM organisation WHERE standing = 'suspended'";
        assert_eq!(world.number(suspended).await, 2);
        world.without_billing();
        settle(&world.state).await.unwrap();
        assert_eq!(world.number(suspended).await, 0);
        let call = world.call("GET", &world.at("billing"));
        call.send().await.expect(404, "NOT_FOUND");
        give(&world, "1").await.expect(404, "NOT_FOUND");
    }
}
