use requestrocket_core_api::region::fleet::OpenQuestion;
use requestrocket_proto::record::v1::{Denial, Pair, Record};
use requestrocket_proto::region::v1::{RecordPosition, Records, RecordsQuery, answer, query};
use serde_json::{Value, json};
use tokio::sync::mpsc;
use uuid::Uuid;

use crate::world::{REGION, Who, World, id_of};

pub(super) fn record(world: &World, proxy: &str, n: u64) -> Record {
    Record {
        request_id: Uuid::from_u128(n.into()).to_string(),
        organisation_id: world.home.clone(),
        proxy_id: proxy.to_owned(),
        region: REGION.to_owned(),
        received_at_ms: n,
        completed_at_ms: n + 12,
        duration_us: 12_345,
        method: "GET".to_owned(),
        path: "/v1".to_owned(),
        query: vec![Pair {
            name: "key".to_owned(),
            value: "***".to_owned(),
        }],
        status: 403,
        proxy_code: "proxy-access-denied".to_owned(),
        code: "RULE_DENIED".to_owned(),
        denial: Some(Denial {
            layer: "proxy".to_owned(),
            rule_id: "default".to_owned(),
        }),
        ..Record::default()
    }
}

/// Answers one question with these; gives back what was asked.
pub(super) async fn answering(
    questions: &mut mpsc::Receiver<OpenQuestion>,
    records: Records,
) -> RecordsQuery {
    let OpenQuestion { question, answer } = questions.recv().await.unwrap();
    answer.send(Some(answer::Kind::Records(records))).unwrap();
    let query::Kind::Records(query) = question else {
        panic!("another question");
    };
    *query
}

pub(super) fn page(records: Vec<Record>, is_more: bool) -> Records {
    Records {
        recorded: 7,
        lost: 1,
        records,
        is_more,
        ..Records::default()
    }
}

#[tokio::test]
async fn records_of_a_proxy_come_from_its_region_page_by_page() {
    for world in World::each().await {
        let made = world.proxy().await;
        let proxy = id_of(&made, "proxyId");
        let path = world.at(&format!("proxies/{proxy}/requests"));
        let mut questions = world.state.fleets.take_questions(REGION);
        let first = format!("{path}?limit=1&status=4xx&processedAfter=1000");
        let answer = page(vec![record(&world, &proxy, 9)], true);
        let (told, asked) = tokio::join!(
            world.call("GET", &first).send(),
            answering(&mut questions, answer)
        );
        assert_eq!(told.status, 200, "{}", told.text);
        assert_eq!(asked.organisation_id, world.home);
        assert_eq!((asked.proxy_id.as_str(), asked.limit), (proxy.as_str(), 1));
        let shown = &told.body["data"][0];
        assert_eq!(shown["requestId"], Uuid::from_u128(9).to_string());
        assert_eq!(shown["proxyName"], made["proxyName"]);
        assert_eq!(shown["query"], json!([["key", "***"]]));
        assert_eq!(
            shown["denial"],
            json!({"layer": "proxy", "ruleId": "default"})
        );
        let want = json!({"from": "1970-01-01T00:00:01.000Z", "to": null, "recorded": 7,
            "lost": 1, "sampledOut": 0});
        assert_eq!(told.body["completeness"], want);
        let cursor = told.body["pagination"]["nextCursor"].as_str().unwrap();
        let next = format!("{first}&cursor={cursor}");
        let answer = page(Vec::new(), false);
        let (told, asked) = tokio::join!(
            world.call("GET", &next).send(),
            answering(&mut questions, answer)
        );
        let after = asked.after.unwrap();
        assert_eq!(after.completed_at_ms, 21);
        assert_eq!(after.request_id, Uuid::from_u128(9).to_string());
        assert_eq!(told.body["pagination"]["nextCursor"], Value::Null);
        assert!(asked.is_uncounted, "the first page counted");
        assert_eq!(asked.statuses.len(), 1, "the filter stays");
        assert_eq!(told.body["completeness"]["recorded"], 7);
        let other = format!("{path}?limit=1&cursor={cursor}");
        let refused = world.call("GET", &other).send().await;
        refused.expect(400, "VALIDATION_FAILED");
    }
}

#[tokio::test]
async fn one_record_is_found_in_the_organisation_or_nowhere() {
    for world in World::each().await {
        let proxy = id_of(&world.proxy().await, "proxyId");
        let mut questions = world.state.fleets.take_questions(REGION);
        let id = Uuid::from_u128(9);
        for list in ["requests".to_owned(), format!("proxies/{proxy}/requests")] {
            let path = world.at(&format!("{list}/{id}"));
            let answer = page(vec![record(&world, &proxy, 9)], false);
            let (told, asked) = tokio::join!(
                world.call("GET", &path).send(),
                answering(&mut questions, answer)
            );
            assert_eq!(told.status, 200, "{}", told.text);
            assert_eq!(told.body["requestId"], id.to_string());
            assert_eq!(asked.request_id, id.to_string());
            assert_eq!(asked.organisation_id, world.home);
            let (told, _) = tokio::join!(
                world.call("GET", &path).send(),
                answering(&mut questions, page(Vec::new(), false))
            );
            told.expect(404, "NOT_FOUND");
        }
        let path = world.at("requests/not-an-id");
        let answer = world.call("GET", &path).send().await;
        answer.expect(404, "NOT_FOUND");
    }
}

#[tokio::test]
async fn what_takes_too_much_is_refused_and_says_what_to_do() {
    for world in World::each().await {
        let proxy = id_of(&world.proxy().await, "proxyId");
        let path = world.at(&format!("proxies/{proxy}/requests?status=404"));
        let mut questions = world.state.fleets.take_questions(REGION);
        let answer = Records {
            is_too_much: true,
            ..Records::default()
        };
        let (told, _) = tokio::join!(
            world.call("GET", &path).send(),
            answering(&mut questions, answer)
        );
        told.expect(400, "SELECTION_TOO_LARGE");
        assert!(told.text.contains("processedAfter"), "{}", told.text);
    }
}

#[tokio::test]
async fn a_page_that_found_nothing_yet_says_how_to_go_on() {
    for world in World::each().await {
        let proxy = id_of(&world.proxy().await, "proxyId");
        let path = world.at(&format!("proxies/{proxy}/requests?status=404"));
        let mut questions = world.state.fleets.take_questions(REGION);
        let reached = RecordPosition {
            completed_at_ms: 5,
            request_id: Uuid::nil().to_string(),
        };
        let answer = Records {
            reached: Some(reached.clone()),
            ..page(Vec::new(), true)
        };
        let (told, _) = tokio::join!(
            world.call("GET", &path).send(),
            answering(&mut questions, answer)
        );
        let cursor = told.body["pagination"]["nextCursor"].as_str().unwrap();
        let next = format!("{path}&cursor={cursor}");
        let (told, asked) = tokio::join!(
            world.call("GET", &next).send(),
            answering(&mut questions, page(Vec::new(), false))
        );
        assert_eq!(asked.after, Some(reached));
        assert_eq!(told.body["pagination"]["nextCursor"], Value::Null);
    }
}

#[tokio::test]
async fn a_region_that_cannot_be_asked_is_named() {
    for world in World::each().await {
        let proxy = id_of(&world.proxy().await, "proxyId");
        for path in [
            format!("proxies/{proxy}/requests"),
            format!("requests?region={REGION}"),
            format!("requests/{}", Uuid::from_u128(9)),
        ] {
            let away = world.call("GET", &world.at(&path)).send().await;
            away.expect(503, "REGION_UNAVAILABLE");
        }
        let told = world.call("GET", &world.at("requests")).send().await;
        assert_eq!(told.status, 200, "{}", told.text);
        assert_eq!(told.body["unavailableRegions"], json!([REGION]));
        assert_eq!(told.body["data"], json!([]));
    }
}

#[tokio::test]
async fn who_may_see_records() {
    for world in World::each().await {
        let proxy = id_of(&world.proxy().await, "proxyId");
        let path = world.at(&format!("proxies/{proxy}/requests"));
        for (who, want) in [
            (Who::Anonymous, 401),
            (Who::Stranger, 404),
            (Who::User, 503),
            (Who::Owner, 503),
            (Who::Operator, 403),
        ] {
            let answer = world.call("GET", &path).by(who).send().await;
            assert_eq!(answer.status, want, "{who:?}");
        }
    }
}
