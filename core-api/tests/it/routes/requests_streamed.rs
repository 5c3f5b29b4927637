//! Records as answers that go on.

use axum::body::{Body, BodyDataStream};
use futures::StreamExt as _;
use requestrocket_core_api::region::fleet::OpenQuestion;
use requestrocket_proto::record::v1::Record;
use requestrocket_proto::region::v1::arrivals_query::Behind;
use requestrocket_proto::region::v1::{
    Arrival, Arrivals, ArrivalsQuery, RecordPosition, Records, RecordsQuery, answer, query,
};
use serde_json::Value;
use tokio::sync::mpsc;

use super::requests::{answering, page, record};
use crate::world::{REGION, Who, World, id_of};

const LINES: &str = "application/x-ndjson";

struct Export {
    body: BodyDataStream,
    proxy: String,
    questions: mpsc::Receiver<OpenQuestion>,
}

impl Export {
    /// Begins one of the records of a proxy, whose first page is this one.
    async fn of(world: &World, numbers: &[u64], is_more: bool) -> Self {
        let proxy = id_of(&world.proxy().await, "proxyId");
        let mut questions = world.state.fleets.take_questions(REGION);
        let path = world.at(&format!("proxies/{proxy}/requests?status=403&limit=1"));
        let first = records(world, &proxy, numbers, is_more);
        let call = world.call("GET", &path).header("Accept", LINES);
        let (response, asked) = tokio::join!(call.begin(), answering(&mut questions, first));
        assert_eq!(response.status(), 200);
        assert_eq!(response.headers()["content-type"], LINES);
        assert_eq!(
            (&asked.organisation_id, &asked.proxy_id),
            (&world.home, &proxy)
        );
        assert!(asked.is_uncounted && asked.limit > 1, "{asked:?}");
        Self {
            body: Body::new(response.into_body()).into_data_stream(),
            proxy,
            questions,
        }
    }

    async fn answer(&mut self, world: &World, numbers: &[u64], is_more: bool) -> RecordsQuery {
        let answer = records(world, &self.proxy, numbers, is_more);
        answering(&mut self.questions, answer).await
    }

    /// The rest, and whether it came to its end.
    async fn rest(&mut self) -> (Vec<Value>, bool) {
        let mut text = Vec::new();
        while let Some(piece) = self.body.next().await {
            match piece {
                Ok(piece) => text.extend(piece),
                Err(_) => return (lines(&text), false),
            }
        }
        (lines(&text), true)
    }
}

fn lines(text: &[u8]) -> Vec<Value> {
    let lines = text.split_inclusive(|byte| *byte == b'\n');
    lines
        .map(|line| serde_json::from_slice(line).unwrap())
        .collect()
}

fn records(world: &World, proxy: &str, numbers: &[u64], is_more: bool) -> Records {
    let records = numbers.iter().map(|n| record(world, proxy, *n));
    page(records.collect(), is_more)
}

#[tokio::test]
async fn an_export_is_all_of_a_selection_page_by_page() {
    for world in World::each().await {
        let mut export = Export::of(&world, &[9, 8], true).await;
        // Before the reader takes the first one: that is all that is asked for ahead.
        let asked = export.answer(&world, &[7], true).await;
        assert_eq!(asked.after.map(|after| after.completed_at_ms), Some(20));
        assert_eq!(asked.statuses.len(), 1, "the filter stays");
        let first = export.body.next().await.unwrap().unwrap();
        assert_eq!(lines(&first).len(), 2);
        assert_eq!(lines(&first)[0]["clientId"], world.home);
        export.answer(&world, &[6], false).await;
        let (rest, is_whole) = export.rest().await;
        assert_eq!((rest.len(), is_whole), (2, true));
    }
}

#[tokio::test]
async fn an_export_whose_region_goes_away_is_cut() {
    for world in World::each().await {
        let mut export = Export::of(&world, &[9], true).await;
        world.state.fleets.refuse_questions(REGION);
        export.questions.close();
        while export.questions.recv().await.is_some() {}
        let (rest, is_whole) = export.rest().await;
        assert_eq!((rest.len(), is_whole), (1, false));
    }
}

#[tokio::test]
async fn nothing_is_asked_for_a_reader_that_went() {
    for world in World::each().await {
        let Export {
            body,
            mut questions,
            ..
        } = Export::of(&world, &[9], true).await;
        drop(body);
        world.state.fleets.refuse_questions(REGION);
        // It ends: a question that was on its way is the last.
        while questions.recv().await.is_some() {}
        world.state.tasks.shutdown().await;
    }
}

#[tokio::test]
async fn an_organisation_has_so_many_exports_and_another_has_its_own() {
    for world in World::each().await {
        let mut exports = Vec::new();
        for _ in 0..4 {
            let mut export = Export::of(&world, &[9], true).await;
            // It waits with this until somebody reads.
            export.answer(&world, &[8], true).await;
            exports.push(export);
        }
        let path = world.at("requests");
        let call = || world.call("GET", &path).header("Accept", LINES);
        call().send().await.expect(429, "RATE_LIMITED");
        call()
            .by(Who::Stranger)
            .send()
            .await
            .expect(404, "NOT_FOUND");
        exports.pop();
        let mut questions = world.state.fleets.take_questions(REGION);
        let (freed, _) = tokio::join!(
            call().begin(),
            answering(&mut questions, page(vec![], false))
        );
        assert_eq!(freed.status(), 200);
    }
}

/// Answers one question of somebody who follows; gives back what was asked.
async fn told(
    questions: &mut mpsc::Receiver<OpenQuestion>,
    records: Vec<Record>,
    row: u64,
) -> ArrivalsQuery {
    let OpenQuestion { question, answer } = questions.recv().await.unwrap();
    let arrivals = Arrivals {
        records,
        reached: Some(Arrival { day: 1, row }),
        is_more: false,
    };
    let sent = answer.send(Some(answer::Kind::Arrivals(arrivals)));
    sent.unwrap();
    let query::Kind::Arrivals(query) = question else {
        panic!("another question");
    };
    *query
}

#[tokio::test]
async fn who_follows_is_told_what_comes_and_may_come_back() {
    for world in World::each().await {
        let proxy = id_of(&world.proxy().await, "proxyId");
        let mut questions = world.state.fleets.take_questions(REGION);
        let path = world.at(&format!("proxies/{proxy}/requests/tail?status=403"));
        let (response, asked) = tokio::join!(
            world.call("GET", &path).begin(),
            told(&mut questions, Vec::new(), 5)
        );
        assert_eq!(response.status(), 200);
        assert_eq!(response.headers()["content-type"], "text/event-stream");
        let selection = asked.selection.unwrap();
        assert_eq!(
            (&selection.organisation_id, &selection.proxy_id),
            (&world.home, &proxy)
        );
        assert_eq!((selection.statuses.len(), asked.behind), (1, None));
        let mut body = response.into_body().into_data_stream();
        assert_eq!(body.next().await.unwrap().unwrap(), ":\n\n");
        let record = record(&world, &proxy, 9);
        let asked = told(&mut questions, vec![record.clone()], 6).await;
        let place = Arrival { day: 1, row: 5 };
        assert_eq!(asked.behind, Some(Behind::Arrival(place)));
        let event = body.next().await.unwrap().unwrap();
        let event = String::from_utf8(event.to_vec()).unwrap();
        let mut lines = event.lines();
        let id = lines.next().unwrap().strip_prefix("id: ").unwrap();
        assert_eq!(lines.next(), Some("event: request"));
        let data = lines.next().unwrap().strip_prefix("data: ").unwrap();
        let data: Value = serde_json::from_str(data).unwrap();
        assert_eq!(data["requestId"], record.request_id);
        drop(body);
        let call = world.call("GET", &path).header("Last-Event-ID", id);
        let answered = async {
            // The first one may have asked once more.
            loop {
                match told(&mut questions, Vec::new(), 6).await.behind {
                    Some(Behind::Record(record)) => return record,
                    Some(Behind::Arrival(_)) | None => {}
                }
            }
        };
        let (response, asked) = tokio::join!(call.begin(), answered);
        assert_eq!(response.status(), 200);
        let last = RecordPosition {
            completed_at_ms: record.completed_at_ms,
            request_id: record.request_id,
        };
        assert_eq!(asked, last);
    }
}

#[tokio::test]
async fn what_cannot_be_followed() {
    for world in World::each().await {
        let proxy = id_of(&world.proxy().await, "proxyId");
        let path = world.at(&format!("proxies/{proxy}/requests/tail"));
        let call = || world.call("GET", &path);
        call().send().await.expect(503, "REGION_UNAVAILABLE");
        let stranger = call().by(Who::Stranger).send().await;
        stranger.expect(404, "NOT_FOUND");
        let wrong = call().header("Last-Event-ID", "x").send().await;
        wrong.expect(400, "VALIDATION_FAILED");
        let paged = world.call("GET", &format!("{path}?limit=1")).send().await;
        paged.expect(400, "VALIDATION_FAILED");
    }
}

#[tokio::test]
async fn who_loses_the_organisation_reads_no_more_of_it_also_while_a_region_is_silent() {
    for world in World::each().await {
        let proxy = id_of(&world.proxy().await, "proxyId");
        let path = world.at(&format!("proxies/{proxy}/requests/tail"));
        for (who, end) in [
            (Who::User, "DELETE FROM member WHERE roles = '[\"user\"]'"),
            (
                Who::Admin,
                "UPDATE user_token SET expires_at = '2025-01-01T00:00:00.000Z'",
            ),
        ] {
            let mut questions = world.state.fleets.take_questions(REGION);
            let (response, _) = tokio::join!(
                world.call("GET", &path).by(who).begin(),
                told(&mut questions, Vec::new(), 5)
            );
            assert_eq!(response.status(), 200);
            let mut body = response.into_body().into_data_stream();
            assert_eq!(body.next().await.unwrap().unwrap(), ":\n\n");
            // The next one waits for an answer that does not come.
            let unanswered = questions.recv().await.unwrap();
            world.run(end).await;
            let rest: Vec<_> = body.collect().await;
            assert!(matches!(rest.as_slice(), [Err(_)]), "{who:?} {rest:?}");
            assert!(
                !unanswered.answer.is_closed(),
                "it did not end because of the region"
            );
        }
    }
}
