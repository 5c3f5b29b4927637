use requestrocket_proto::meter::v1::Window;
use requestrocket_proto::region::v1::{MeterUsage, MeterUsageQuery, WindowUsage, answer, query};
use serde_json::{Value, json};

use crate::world::{REGION, Who, World, id_of};

/// 2026-01-01T00:00:00Z
const START_MS: u64 = 1_767_225_600_000;

async fn meter(world: &World) -> (String, String) {
    let proxy = id_of(&world.proxy().await, "proxyId");
    let meter = json!({
        "meterName": "M", "meterType": "request_count", "limits": {"minute": 10, "day": 3},
    });
    let list = format!("proxies/{proxy}/meters");
    let meter = id_of(&world.create(&list, &meter).await, "meterId");
    let path = world.at(&format!("{list}/{meter}/usage"));
    (meter, path)
}

fn usage() -> MeterUsage {
    let window = |window: Window, length_ms: u64, used_micros| WindowUsage {
        window: window.into(),
        start_ms: START_MS,
        end_ms: START_MS + length_ms,
        used_micros,
    };
    MeterUsage {
        windows: vec![
            window(Window::Minute, 60_000, 8_000_000),
            window(Window::Hour, 3_600_000, 8_500_000),
            window(Window::Day, 86_400_000, 12_000_001),
            window(Window::Month, 2_678_400_000, 0),
        ],
    }
}

#[tokio::test]
async fn a_meters_usage_is_what_its_region_says() {
    for world in World::each().await {
        let (meter, path) = meter(&world).await;
        let mut questions = world.state.fleets.take_questions(REGION);
        let region = async {
            let asked = questions.recv().await.unwrap();
            let meter_id = meter.clone();
            let want = query::Kind::MeterUsage(MeterUsageQuery { meter_id });
            assert_eq!(asked.question, want);
            asked
                .answer
                .send(Some(answer::Kind::MeterUsage(usage())))
                .unwrap();
        };
        let (told, ()) = tokio::join!(world.call("GET", &path).send(), region);
        assert_eq!(told.status, 200, "{}", told.text);
        let start = "2026-01-01T00:00:00.000Z";
        let want = json!({"meterId": meter, "windows": [
            {"window": "minute", "start": start, "end": "2026-01-01T00:01:00.000Z", "used": 8,
                "limit": 10, "remaining": 2},
            {"window": "hour", "start": start, "end": "2026-01-01T01:00:00.000Z", "used": 8.5,
                "limit": null, "remaining": null},
            {"window": "day", "start": start, "end": "2026-01-02T00:00:00.000Z",
                "used": 12.000_001, "limit": 3, "remaining": 0},
            {"window": "month", "start": start, "end": "2026-02-01T00:00:00.000Z", "used": 0,
                "limit": null, "remaining": null},
        ]});
        assert_eq!(told.body, want);
        assert!(
            told.text.contains("\"used\":8,"),
            "whole numbers stay whole: {}",
            told.text
        );
    }
}

#[tokio::test]
async fn a_region_that_cannot_be_asked_is_unavailable() {
    for world in World::each().await {
        let (_, path) = meter(&world).await;
        let away = world.call("GET", &path).send().await;
        away.expect(503, "REGION_UNAVAILABLE");
        let mut questions = world.state.fleets.take_questions(REGION);
        let mut short = usage();
        short.windows.pop();
        for answer in [None, Some(answer::Kind::MeterUsage(short))] {
            let region = async {
                let asked = questions.recv().await.unwrap();
                asked.answer.send(answer).unwrap();
            };
            let (told, ()) = tokio::join!(world.call("GET", &path).send(), region);
            told.expect(503, "REGION_UNAVAILABLE");
        }
    }
}

#[tokio::test]
async fn who_may_see_usage() {
    for world in World::each().await {
        let (meter, path) = meter(&world).await;
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
        let other = id_of(&world.proxy().await, "proxyId");
        let elsewhere = world.at(&format!("proxies/{other}/meters/{meter}/usage"));
        let answer = world.call("GET", &elsewhere).send().await;
        let want: &Value = &answer.expect(404, "NOT_FOUND").body["error"];
        assert_eq!(want, "not found");
    }
}
