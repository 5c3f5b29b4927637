use requestrocket_core_api::region::fleet::OpenQuestion;
use requestrocket_proto::record::v1::Record;
use requestrocket_proto::region::v1::{
    Interval, Telemetry, TelemetryPoint, TelemetryQuery, TelemetryShare, answer, query,
    telemetry_query::Of,
};
use requestrocket_summary::Summary;
use serde_json::json;
use tokio::sync::mpsc;

use crate::world::{REGION, Who, World, id_of};

const HOUR_MS: u64 = 3_600_000;

/// Answers one question with this; gives back what was asked.
async fn answering(
    questions: &mut mpsc::Receiver<OpenQuestion>,
    telemetry: Telemetry,
) -> TelemetryQuery {
    let OpenQuestion { question, answer } = questions.recv().await.unwrap();
    let kind = answer::Kind::Telemetry(telemetry);
    answer.send(Some(kind)).unwrap();
    let query::Kind::Telemetry(query) = question else {
        panic!("another question");
    };
    query
}

/// So many calls, half of them not found, in the interval from `start_ms`.
fn point(start_ms: u64, calls: u64) -> TelemetryPoint {
    let mut summary = Summary::default();
    for call in 0..calls {
        summary.add(&Record {
            status: if call % 2 == 0 { 200 } else { 404 },
            proxy_code: "proxy-access-granted".to_owned(),
            auth_type: "apiKey".to_owned(),
            duration_us: 2_000,
            ..Record::default()
        });
    }
    TelemetryPoint {
        start_ms,
        summary: Some(summary.to_wire()),
    }
}

#[tokio::test]
async fn sums_of_regions_are_added_up() {
    for world in World::each().await {
        let made = world.proxy().await;
        let proxy = id_of(&made, "proxyId");
        let mut questions = world.state.fleets.take_questions(REGION);
        let mut others = world.state.fleets.take_questions("us-1");
        for region in [REGION, "us-1"] {
            world.state.fleets.update(region, |state| {
                state.link = requestrocket_core_api::region::fleet::Link::Up;
            });
        }
        let share = |id: &str, requests| TelemetryShare {
            id: id.to_owned(),
            requests,
            errors: 1,
            denied: 0,
        };
        let here = Telemetry {
            points: vec![point(0, 6)],
            proxies: vec![share(&proxy, 6)],
            credentials: vec![share("gone", 6)],
            lost: 1,
        };
        let there = Telemetry {
            points: vec![point(0, 2)],
            lost: 2,
            ..Telemetry::default()
        };
        let path = world.at(&format!(
            "telemetry?from=0&to={}&interval=day",
            24 * HOUR_MS - 1
        ));
        let hourly = path.replace("day", "hour");
        world
            .call("GET", &hourly)
            .send()
            .await
            .expect(400, "VALIDATION_FAILED");
        let (told, asked, _) = tokio::join!(
            world.call("GET", &path).send(),
            answering(&mut questions, here),
            answering(&mut others, there)
        );
        assert_eq!(told.status, 200, "{}", told.text);
        assert_eq!(asked.organisation_id, world.home);
        assert_eq!((asked.from_ms, asked.to_ms), (0, 24 * HOUR_MS));
        assert_eq!((asked.interval(), asked.of), (Interval::Day, None));
        assert_eq!(told.body["interval"], "day");
        assert_eq!(told.body["to"], "1970-01-02T00:00:00.000Z");
        assert_eq!(told.body["totals"]["requests"], 8);
        assert_eq!(told.body["totals"]["successRate"], 0.5);
        let series = told.body["series"].as_array().unwrap();
        assert_eq!((series.len(), &series[0]["requests"]), (1, &json!(8)));
        assert_eq!(told.body["completeness"]["lost"], 3);
        assert_eq!(
            told.body["authMethods"],
            json!([
                {"authType": "apiKey", "requests": 8, "denied": 0}
            ])
        );
        assert_eq!(
            told.body["top"],
            json!({
                "proxies": [{"proxyId": proxy, "proxyName": made["proxyName"], "requests": 6,
                    "errors": 1, "denied": 0}],
                "credentials": [{"credentialId": "gone", "credentialName": null, "requests": 6,
                    "errors": 1, "denied": 0}],
            })
        );
    }
}

#[tokio::test]
async fn a_proxy_or_credential_is_asked_about_in_its_region() {
    for world in World::each().await {
        let made = world.proxy().await;
        let proxy = id_of(&made, "proxyId");
        let credential = made["proxyTargetCredentialId"].as_str().unwrap().to_owned();
        let mut questions = world.state.fleets.take_questions(REGION);
        for (path, of) in [
            (format!("proxies/{proxy}"), Of::ProxyId(proxy.clone())),
            (
                format!("credentials/{credential}"),
                Of::CredentialId(credential.clone()),
            ),
        ] {
            let path = world.at(&format!("{path}/telemetry"));
            let (told, asked) = tokio::join!(
                world.call("GET", &path).send(),
                answering(&mut questions, Telemetry::default())
            );
            assert_eq!(told.status, 200, "{}", told.text);
            assert_eq!(asked.of, Some(of));
            assert_eq!(told.body["interval"], "hour");
            assert!(told.body["series"].as_array().unwrap().len() >= 24);
            assert!(told.body.get("top").is_none());
            let refused = world.call("GET", &format!("{path}?region={REGION}"));
            refused.send().await.expect(400, "VALIDATION_FAILED");
        }
    }
}

#[tokio::test]
async fn a_region_that_cannot_be_asked_for_telemetry_is_named() {
    for world in World::each().await {
        let proxy = id_of(&world.proxy().await, "proxyId");
        for path in [
            format!("proxies/{proxy}/telemetry"),
            format!("telemetry?region={REGION}"),
        ] {
            let away = world.call("GET", &world.at(&path)).send().await;
            away.expect(503, "REGION_UNAVAILABLE");
        }
        let told = world.call("GET", &world.at("telemetry")).send().await;
        assert_eq!(told.status, 200, "{}", told.text);
        assert_eq!(told.body["unavailableRegions"], json!([REGION]));
        assert_eq!(told.body["totals"]["requests"], 0);
    }
}

#[tokio::test]
async fn who_may_see_telemetry() {
    for world in World::each().await {
        let proxy = id_of(&world.proxy().await, "proxyId");
        let path = world.at(&format!("proxies/{proxy}/telemetry"));
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
        let unknown = world.at(&format!("credentials/{proxy}/telemetry"));
        let answer = world.call("GET", &unknown).send().await;
        answer.expect(404, "NOT_FOUND");
    }
}
