use requestrocket_core_api::region::fleet::OpenQuestion;
use requestrocket_proto::record::v1::Record;
use requestrocket_proto::region::v1::{
    Interval, Telemetry, TelemetryPoint, Usage, UsageGrouping, UsageQuery, UsageSum, answer, query,
};
use requestrocket_summary::Summary;
use serde_json::json;
use tokio::sync::mpsc;

use crate::world::{REGION, Who, World};

const DAY_MS: u64 = 86_400_000;

/// Answers questions about usage with this, and those about telemetry with one call of 5 bytes;
/// gives back the first one about usage.
async fn answering(questions: &mut mpsc::Receiver<OpenQuestion>, usage: Usage) -> UsageQuery {
    let mut asked = None;
    while let Some(OpenQuestion { question, answer }) = questions.recv().await {
        let kind = match question {
            query::Kind::Usage(query) => {
                asked.get_or_insert(query);
                answer::Kind::Usage(usage.clone())
            }
            query::Kind::Telemetry(_) => answer::Kind::Telemetry(bytes()),
            _ => panic!("another question"),
        };
        let is_last = matches!(kind, answer::Kind::Telemetry(_));
        answer.send(Some(kind)).unwrap();
        let is_grouped = asked.as_ref().is_some_and(|query| query.grouping != 0);
        if is_last || is_grouped {
            break;
        }
    }
    asked.unwrap()
}

fn bytes() -> Telemetry {
    let mut summary = Summary::default();
    summary.add(&Record {
        request_bytes: 5,
        ..Record::default()
    });
    Telemetry {
        points: vec![TelemetryPoint {
            start_ms: 0,
            summary: Some(summary.to_wire()),
        }],
        ..Telemetry::default()
    }
}

fn sum(day: u64, id: &str, admitted: u64) -> UsageSum {
    UsageSum {
        start_ms: day * DAY_MS,
        id: id.to_owned(),
        admitted,
        refused: 1,
        value_micros: 2_500_000,
    }
}

#[tokio::test]
async fn days_of_a_month_are_one_row() {
    for world in World::each().await {
        let mut questions = world.state.fleets.take_questions(REGION);
        world.proxy().await;
        let path = world.at(&format!("usage?interval=month&from=0&to={}", 32 * DAY_MS));
        let usage = Usage {
            sums: vec![sum(0, "", 3), sum(30, "", 4), sum(31, "", 5)],
            uncertain_ms: vec![31 * DAY_MS],
            is_too_much: false,
        };
        let (told, asked) = tokio::join!(
            world.call("GET", &path).send(),
            answering(&mut questions, usage)
        );
        assert_eq!(told.status, 200, "{}", told.text);
        assert_eq!((asked.from_ms, asked.to_ms), (0, 59 * DAY_MS));
        assert_eq!(asked.organisation_id, world.home);
        assert_eq!(asked.interval(), Interval::Day);
        assert_eq!(told.body["to"], "1970-03-01T00:00:00.000Z");
        let want = json!([
            {"start": "1970-01-01T00:00:00.000Z", "end": "1970-02-01T00:00:00.000Z", "key": null,
             "admitted": 7, "refused": 2, "values": 5, "requestBytes": 5, "responseBytes": 0,
             "uncertain": false},
            {"start": "1970-02-01T00:00:00.000Z", "end": "1970-03-01T00:00:00.000Z", "key": null,
             "admitted": 5, "refused": 1, "values": 2.5, "requestBytes": 0, "responseBytes": 0,
             "uncertain": true},
        ]);
        assert_eq!(told.body["rows"], want);
    }
}

#[tokio::test]
async fn usage_is_told_apart_by_what_is_asked_for() {
    for world in World::each().await {
        let mut questions = world.state.fleets.take_questions(REGION);
        world.proxy().await;
        for (group_by, grouping, key) in [
            ("proxy", UsageGrouping::Proxy, "p"),
            ("credential", UsageGrouping::Credential, "p"),
            ("meter", UsageGrouping::Meter, "p"),
            ("region", UsageGrouping::Unspecified, REGION),
        ] {
            let path = format!("usage?from=0&to={DAY_MS}&groupBy={group_by}");
            let usage = Usage {
                sums: vec![sum(0, "p", 3)],
                ..Usage::default()
            };
            let path = world.at(&path);
            let (told, asked) = tokio::join!(
                world.call("GET", &path).send(),
                answering(&mut questions, usage)
            );
            assert_eq!(asked.grouping(), grouping);
            assert_eq!(told.body["rows"][0]["key"], key, "{}", told.text);
        }
        let usage = Usage {
            is_too_much: true,
            ..Usage::default()
        };
        let path = world.at("usage?groupBy=proxy");
        let (told, _) = tokio::join!(
            world.call("GET", &path).send(),
            answering(&mut questions, usage)
        );
        told.expect(400, "VALIDATION_FAILED");
    }
}

#[tokio::test]
async fn who_may_see_usage() {
    for world in World::each().await {
        world.proxy().await;
        let path = world.at("usage");
        for (who, want) in [
            (Who::Anonymous, 401),
            (Who::Stranger, 404),
            (Who::User, 403),
            (Who::Owner, 200),
            (Who::Operator, 403),
        ] {
            let answer = world.call("GET", &path).by(who).send().await;
            assert_eq!(answer.status, want, "{who:?}");
        }
        let told = world.call("GET", &path).send().await;
        assert_eq!(told.body["unavailableRegions"], json!([REGION]));
        assert_eq!(told.body["rows"], json!([]));
    }
}
